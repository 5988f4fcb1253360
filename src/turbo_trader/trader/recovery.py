"""Start-up is recovery: what was persisted, then the venue's report, then our snapshot of it. The same again after every reconnect.

Written rules: positions first, then fills, then orders. A position the fills explain is ours. One that shows up flat though we hold
it was closed outside once its fills have been read twice. One that we cannot explain freezes its symbol and is left to its owner.
Open orders of ours that no entry is waiting for are cancelled. Of a wallet that differs by the same amount in two reads, with
all fills booked and nothing under way, the venue's transaction log is read: what it calls a transfer is one, the rest is an alarm.
An entry that was on its way when we went down is looked up.
"""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.market.rows import SECOND
from turbo_trader.rules.records import NEVER
from turbo_trader.trader.booking import Booking
from turbo_trader.trader.commands import CancelOrder, Read
from turbo_trader.trader.events import SETTLED_IN, OrderReport, Outcome, ReadResult, Transfer, WalletReport
from turbo_trader.trader.instances import Instances
from turbo_trader.trader.pending_entry import PendingEntry
from turbo_trader.trader.position_monitor import PositionMonitor
from turbo_trader.trader.rhythm import Rhythm
from turbo_trader.trader.staging import Staging
from turbo_trader.trader.trader_state import SymbolState, TraderState

EVERY = 30 * SECOND  # the whole snapshot is read again
_AGAIN = 2 * SECOND  # after a read that failed
_SETTLED = 2 * SECOND  # a read younger than this after a change of ours decides nothing alone
_LATEST = 3600 * SECOND  # fills of an entry given up longer ago are not looked for at a start
YOUNG = 60 * SECOND  # an older command of an earlier life can do nothing any more
_UNEXPLAINED = "the wallet and the books differ by it, and the venue's transaction log has no transfer for it"
_LAST_LOOKS = 5  # snapshots that may differ before a run ends all the same
_EVERYTHING = ("positions", "orders", "fills", "wallet")


class Recovery:
    """The account's snapshot kept in step with the venue."""

    def __init__(
        self,
        state: TraderState,
        monitor: PositionMonitor,
        booking: Booking,
        instances: Instances,
        staging: Staging,
        start_ts: int,
        *,
        read_when_quiet: bool,
    ) -> None:
        self._state = state
        self._read_when_quiet = read_when_quiet
        self._staging = staging
        self._instances = instances
        self._monitor = monitor
        self._booking = booking
        self._start = start_ts
        self._asked: list[str] = []  # ids of the snapshots on their way, oldest first
        self._rhythm = Rhythm(EVERY, start_ts)
        self._asked_ts = 0  # when it was last asked for
        self._flat_seen: dict[str, int] = {}  # symbol -> reads that found our position gone
        self._odd: dict[str, Decimal] = {}  # how the wallet differed from the books at the last read, by coin
        self._heard_wallet: WalletReport | None = None  # what it said
        self._why = ""  # id of the read that asks the transaction log about it
        self._puzzled_until = (
            start_ts  # until when the log is asked again about what nothing explains: it may lag
        )
        self._looks = 0  # whole snapshots still wanted by `last_look`
        self.done = False

    @property
    def next_ns(self) -> int:
        """When `on_clock` is due."""
        return self._rhythm.next_ns

    def on_clock(self) -> None:
        """Ask for the whole snapshot when it is due."""
        if self._state.now >= self._rhythm.due:
            wanted = self._rhythm.next_ns <= self._state.now
            self._rhythm.done(self._state.now)
            if not wanted:
                self._leave_out(1)
                return
            self._asked_ts = self._state.now
            self._asked.append(self._state.ids.next("read"))
            self._state.give(Read(self._asked[-1], _EVERYTHING, since=self._since()))

    def _since(self) -> int:
        """From when on fills are read: what was filled while no process ran, too."""
        ledger = self._state.ledger
        since = max(0, ledger.last_fill_ts - 60 * SECOND) or self._start
        # a fill that came by itself says nothing of those before it
        since = min(since, ledger.agreed or self._start)
        return since if self.done and ledger.last_fill_ts else min(since, self._start)

    def pass_by(self) -> None:
        """An event comes: the reads that were due before it were left out where they could bring nothing; their rhythm stays."""
        self._leave_out(self._rhythm.pass_by(self._state.now))

    def after(self) -> None:
        """After each event: would a read bring nothing new?"""
        quiet = not self._read_when_quiet and self.done and self._agrees
        self._rhythm.wanted = NEVER if quiet else 0

    @property
    def _agrees(self) -> bool:
        """Do the books say what the venue's reports say, and does nothing wait for the venue but what its stream brings?"""
        wallet, ledger = self._state.wallet, self._state.ledger
        puzzled = self._odd or self._why or self._asked or self._flat_seen or self._looks
        if puzzled or self._state.now < self._puzzled_until or wallet is None or ledger.differences(wallet):
            return False
        return all(
            each.steady and (each.entry is None or not each.entry.looked_up)
            for each in self._state.per_symbol
        )

    def _leave_out(self, reads: int) -> None:
        """So many reads were not asked for; what they would have found is that the books agree."""
        if reads:
            self._state.ids.skip(reads)
            self._state.ledger.agreed = max(self._state.ledger.agreed, self._rhythm.due - EVERY)

    def soon(self) -> None:
        """Something happened that asks for a new snapshot (a reconnect)."""
        self._rhythm.due = self._state.now

    def after_odd(self) -> None:
        """Something of the account could not be read: read it all, but not again and again while odd rows go on coming."""
        self._rhythm.due = min(self._rhythm.due, max(self._state.now, self._asked_ts + _AGAIN))

    def last_look(self) -> bool:
        """Nothing is held any more: True once a snapshot asked for since then agrees, or five did not."""
        if self._looks == 0:
            self._looks = _LAST_LOOKS
            self._asked.clear()  # a snapshot asked for before counts no more
            self.soon()
        return self._looks < 0

    def look_again(self) -> None:
        """Something is held again: what was seen before counts no more."""
        self._looks = 0

    def again(self) -> None:
        """We were away: as at a start, nothing is known before the venue has been read."""
        self.done = False
        self._asked.clear()  # a snapshot asked for before counts no more
        self._rhythm.due = self._state.now

    def on_read(self, result: ReadResult) -> None:
        """A snapshot, whole or of one symbol."""
        if result.id == self._why:
            self._why = ""
            self._explain(result)
            return
        whole = result.id in self._asked  # the newest or, where answers are slow, an older one
        if whole:
            del self._asked[: self._asked.index(result.id) + 1]
        if result.outcome is not Outcome.CONFIRMED:
            self._rhythm.due = min(self._rhythm.due, self._state.now + _AGAIN) if whole else self._rhythm.due
            if whole:
                self._state.note("read-failed", "warning", code=result.code, why=result.message)
            return
        for link_id in [order.link_id for order in result.orders] + [fill.link_id for fill in result.fills]:
            self._instances.notice(link_id)
        if result.wallet is not None:
            self._booking.on_wallet(result.wallet)
        ledger = self._state.ledger
        begun = self._start if ledger.start is None else ledger.begun
        for fill in sorted(result.fills, key=lambda f: (f.ts, f.seq)):
            if fill.symbol in self._state.by_symbol and fill.ts >= begun:
                booked = self._booking.on_fill(self._state.by_symbol[fill.symbol], fill)
                if booked and not whole:
                    self._state.fill_heard = self._state.now
        # after the fills, which were read before it
        if result.wallet is not None and ledger.open(result.wallet, self._start):
            self._state.persist_ledger()
        for report in result.positions:
            if report.symbol in self._state.by_symbol:
                self._booking.on_position(self._state.by_symbol[report.symbol], report)
        if whole:
            self._compare(result)

    def _compare(self, result: ReadResult) -> None:
        sizes: dict[str, Decimal] = {}
        for report in result.positions:  # hedge mode has a row a side
            sizes[report.symbol] = sizes.get(report.symbol, Decimal(0)) + report.size
        self._note_unread(result)
        for state in self._state.per_symbol:
            if state.blocks.unread:
                continue
            if state.entry is None:
                self._booking.settle_early(state, result.asked_ts - _SETTLED)
            symbol = state.instrument.symbol
            if "" in result.unread and state.open and symbol not in sizes:
                continue  # the row without a readable symbol may be the one that is missing
            self._settle(state, sizes.get(symbol, Decimal(0)), result.asked_ts)
        for order in result.orders:
            self._order(order)
        self._wallet(result)
        self._look(result, sizes)
        # a wallet that could not be read is read again: nothing is sized by an old one
        if not self.done and result.wallet is not None:
            self.done = True
            self._state.note("recovered", positions=len(result.positions), orders=len(result.orders))

    def _note_unread(self, result: ReadResult) -> None:
        """Rows that could not be read keep their own symbol from entries and are asked for again; nothing else waits for them."""
        for state in self._state.per_symbol:
            symbol, was = state.instrument.symbol, state.blocks.unread
            state.blocks.read(unread=symbol in result.unread)
            if state.blocks.unread and not was:
                meaning = "no entries there until they can be read"
                self._state.note("rows-unread", "error", symbol=symbol, meaning=meaning)
        if any(state.blocks.unread for state in self._state.per_symbol) or "USDT" in result.unread:
            self._rhythm.due = min(self._rhythm.due, self._state.now + _AGAIN)

    def _look(self, result: ReadResult, sizes: dict[str, Decimal]) -> None:
        if self._looks <= 0:
            return
        known = all(
            state.held == sizes.get(state.instrument.symbol, Decimal(0)) for state in self._state.per_symbol
        )
        exact = (
            result.wallet is not None
            and not result.unread
            and not self._state.ledger.differences(result.wallet)
        )
        self._looks = -1 if known and exact else self._looks - 1
        if self._looks == 0:
            self._looks = -1
            self._state.note(
                "ended-unconfirmed", "error", why="the venue's last snapshots differ from the books"
            )
        elif self._looks > 0:
            self._rhythm.due = min(self._rhythm.due, self._state.now + _AGAIN)

    def _settle(self, state: SymbolState, size: Decimal, asked: int) -> None:
        symbol = state.instrument.symbol
        if state.entry is not None or self._too_early(asked) or state.held == size:
            self._flat_seen.pop(symbol, None)
            if state.held == size and not size and state.venue.size:
                state.venue.resize(size)
                self._monitor.settled(state)
            return
        seen = self._flat_seen[symbol] = self._flat_seen.get(symbol, 0) + 1
        if seen < 2:
            self._rhythm.due = self._state.now + _AGAIN  # two agreeing reads
            return
        self._flat_seen.pop(symbol)
        if not size and state.trade is not None:
            self._booking.closed_outside(state)
        elif not state.blocks.frozen:
            self._state.freeze(state, f"the venue holds {size}, we can explain {state.held}")

    def _too_early(self, asked: int) -> bool:
        """Was it asked for within 2 s of a fill, by the venue's time or by the time it was heard of? Clocks may disagree."""
        return asked - max(self._state.ledger.last_fill_ts, self._state.fill_heard) < _SETTLED

    def _order(self, order: OrderReport) -> None:
        state = self._state.by_symbol.get(order.symbol)
        if state is None or not self._state.ours(order.link_id) or order.stop_type:
            return
        waiting = state.entry is not None and state.entry.id == order.link_id
        if not waiting and order.link_id != state.close.id:
            self._state.note("orphan", "warning", symbol=order.symbol, id=order.link_id)
            self._state.give(CancelOrder(self._state.ids.next("cancel"), order.symbol, link_id=order.link_id))

    def _wallet(self, result: ReadResult) -> None:
        """A difference that stays after all fills are booked: the venue's transaction log is asked what it is."""
        if result.wallet is None or self._too_early(result.asked_ts):
            return
        if "" in result.unread or any(state.blocks.unread for state in self._state.per_symbol):
            return  # fills may be missing
        if any(state.entry is not None or state.early or state.close.id for state in self._state.per_symbol):
            return
        ledger, now = self._state.ledger, self._state.now
        found = ledger.differences(result.wallet)
        agreed, self._odd, self._heard_wallet = found == self._odd, found, result.wallet
        if not found:
            ledger.agreed = max(ledger.agreed, result.asked_ts)
        if found and not agreed:
            self._rhythm.due = min(self._rhythm.due, now + _AGAIN)  # two agreeing reads
        elif found or now < self._puzzled_until:
            self._why = self._state.ids.next("read")
            self._state.give(
                Read(self._why, ("transfers",), since=max(ledger.begun, ledger.agreed - _LATEST))
            )

    def _explain(self, result: ReadResult) -> None:
        """The transaction log is here: what it calls a transfer is one, and no other difference is."""
        ledger, odd = self._state.ledger, self._odd
        if result.outcome is not Outcome.CONFIRMED or self._heard_wallet is None:
            return  # the next snapshot asks again
        if ledger.differences(self._heard_wallet) != odd:
            return  # something was booked meanwhile
        self._odd = {}
        for coin in {**odd, **ledger.discrepancies()}:
            moved, left = ledger.explain(coin, odd.get(coin, Decimal(0)), result.transfers)
            if moved:
                self._moved(coin, moved)
            if left and (stands := ledger.book(coin).unexplained):
                self._puzzled_until = self._state.now + _LATEST
                self._state.note(
                    "discrepancy", "error", coin=coin, amount=left, stands=stands, why=_UNEXPLAINED
                )
        self._state.persist_session()
        self._state.persist_ledger()

    def on_transfer(self, transfer: Transfer) -> None:
        """A transfer that needs no read: booked as it is."""
        if transfer.id in self._state.ledger.moved:
            return
        self._state.ledger.move(transfer)
        self._moved(transfer.coin, transfer.amount)
        self._state.persist_session()
        self._state.persist_ledger()

    def _moved(self, coin: str, amount: Decimal) -> None:
        if coin == SETTLED_IN:
            self._state.session.on_transfer(amount)
            self._staging.on_transfer(amount)
        self._state.note("transfer", "warning", coin=coin, amount=amount)

    def read_from(self, entry: PendingEntry) -> None:
        """The fills of `entry`, from before a restart, are older than this start."""
        self._start = min(self._start, entry.sent_ts - _SETTLED)
