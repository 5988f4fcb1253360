"""Start-up is recovery: what was persisted, then the venue's word, then our picture of it. The same again after every reconnect.

Written rules: positions first, then fills, then orders. A position the fills explain is ours. One that shows up flat though we hold
it was closed outside once its fills have been read twice. One that we cannot explain freezes its symbol and is left to its owner.
Open orders of ours that no entry is waiting for are cancelled. Of a wallet that differs by the same amount in two reads, with
all fills booked and nothing under way, the venue's transaction log is read: what it calls a transfer is one, the rest is an alarm.
An entry that was on its way when we went down is looked up.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from turbo_trader.market.events import SECOND
from turbo_trader.rules.exits import Bracket
from turbo_trader.rules.session import Session
from turbo_trader.rules.watchdog import Evidence
from turbo_trader.trader.booking import Booking
from turbo_trader.trader.commands import CancelOrder, Read
from turbo_trader.trader.desk import Desk, PendingEntry, SymbolDesk, Trade
from turbo_trader.trader.events import SETTLED_IN, Event, OrderReport, Outcome, ReadResult, WalletReport
from turbo_trader.trader.guarding import Guarding
from turbo_trader.trader.instances import Instances
from turbo_trader.trader.ledger import Ledger
from turbo_trader.trader.rhythm import NEVER, Rhythm
from turbo_trader.trader.staging import Staging

EVERY = 30 * SECOND  # the whole picture is read again
_AGAIN = 2 * SECOND  # after a read that failed
_SETTLED = 2 * SECOND  # a read younger than this after a change of ours decides nothing alone
_LATEST = 3600 * SECOND  # fills of an entry given up longer ago are not looked for at a start
YOUNG = 60 * SECOND  # an older command of an earlier life can do nothing any more
_UNEXPLAINED = "the wallet and the books differ by it, and the venue's transaction log has no transfer for it"
_LAST_LOOKS = 5  # pictures that may differ before a run ends all the same
BOOTS = "boots"  # key of `restored`: {"nonces": those of all earlier starts and guards}
INTENTS = "intents"  # key of `restored`: {"unresolved": commands of theirs not older than YOUNG without a known outcome}
_EVERYTHING = ("positions", "orders", "fills", "wallet")


class Recovery:
    """The picture kept in step with the venue."""

    def __init__(
        self,
        desk: Desk,
        guarding: Guarding,
        booking: Booking,
        instances: Instances,
        staging: Staging,
        start_ts: int,
        *,
        read_when_quiet: bool,
    ) -> None:
        self._desk = desk
        self._read_when_quiet = read_when_quiet
        self._agreed = False  # the last whole read brought nothing new, and nothing was heard since
        self._heard_ns = 0
        self._staging = staging
        self._instances = instances
        self._guarding = guarding
        self._booking = booking
        self._start = start_ts
        self._asked: list[str] = []  # ids of the pictures on their way, oldest first
        self._rhythm = Rhythm(EVERY, start_ts)
        self._last_read = ""  # id of the last whole read that was answered
        self._asked_ts = 0  # when it was last asked for
        self._flat_seen: dict[str, int] = {}  # symbol -> reads that found our position gone
        self._odd: dict[str, Decimal] = {}  # how the wallet differed from the books at the last read, by coin
        self._word: WalletReport | None = None  # what it said
        self._why = ""  # id of the read that asks the transaction log about it
        self._puzzled_until = 0  # until when the log is asked again about what nothing explains: it may lag
        self._looks = 0  # whole pictures still wanted by `last_look`
        self.done = False

    @property
    def next_ns(self) -> int:
        """When `on_clock` is due."""
        return self._rhythm.next_ns

    def on_clock(self) -> None:
        """Ask for the whole picture when it is due."""
        if self._desk.now >= self._rhythm.due:
            wanted = self._rhythm.next_ns <= self._desk.now
            self._rhythm.done(self._desk.now)
            if not wanted:
                self._desk.ids.skip(1)
                return
            self._asked_ts = self._desk.now
            since = max(0, self._desk.ledger.last_fill_ts - 60 * SECOND) or self._start
            if not self.done:
                since = min(since, self._start)
            self._asked.append(self._desk.ids.next("read"))
            self._desk.give(Read(self._asked[-1], _EVERYTHING, since=since))

    def pass_by(self) -> None:
        """An event comes: the reads that were due before it were left out where they could bring nothing; their rhythm stays."""
        self._desk.ids.skip(self._rhythm.pass_by(self._desk.now))

    def heard(self, event: Event) -> None:
        """Something was heard that may be news of the account: anything but a whole read."""
        if not isinstance(event, ReadResult) or event.id != self._last_read:
            self._agreed, self._heard_ns = False, self._desk.now

    def after(self) -> None:
        """After each event: would a read bring nothing new?"""
        quiet = self._agreed and not self._read_when_quiet and not self._under_way
        self._rhythm.wanted = NEVER if quiet else 0

    @property
    def _under_way(self) -> bool:
        """Does anything wait for a word of the venue?"""
        return any(
            desk.entry is not None or desk.stop_id or desk.close_id or desk.closes or desk.early or desk.close_reason
            or desk.stop_wish is not None or desk.backstop_wish is not None
            for desk in self._desk.desks
        )  # fmt: skip

    def soon(self) -> None:
        """Something happened that asks for a new picture (a reconnect)."""
        self._rhythm.due = self._desk.now

    def after_odd(self) -> None:
        """Something of the account could not be read: read it all, but not again and again while odd rows go on coming."""
        self._rhythm.due = min(self._rhythm.due, max(self._desk.now, self._asked_ts + _AGAIN))

    def last_look(self) -> bool:
        """Nothing is held any more: True once a picture asked for since then agrees, or five did not."""
        if self._looks == 0:
            self._looks = _LAST_LOOKS
            self._asked.clear()  # a picture asked for before counts no more
            self.soon()
        return self._looks < 0

    def look_again(self) -> None:
        """Something is held again: what was seen before counts no more."""
        self._looks = 0

    def again(self) -> None:
        """We were away: as at a start, nothing is known before the venue has been read."""
        self.done = False
        self._asked.clear()  # a picture asked for before counts no more
        self._rhythm.due = self._desk.now

    def on_read(self, result: ReadResult) -> None:
        """A picture, whole or of one symbol."""
        if result.id == self._why:
            self._why = ""
            self._explain(result)
            return
        whole = result.id in self._asked  # the newest or, where answers are slow, an older one
        if whole:
            self._last_read = result.id
            del self._asked[: self._asked.index(result.id) + 1]
        if result.outcome is not Outcome.CONFIRMED:
            self._rhythm.due = min(self._rhythm.due, self._desk.now + _AGAIN) if whole else self._rhythm.due
            if whole:
                self._desk.note("read-failed", "warning", code=result.code, why=result.message)
            return
        for link_id in [order.link_id for order in result.orders] + [fill.link_id for fill in result.fills]:
            self._instances.notice(link_id)
        if result.wallet is not None:
            self._booking.on_wallet(result.wallet)
            first = self._desk.ledger.start is None
            if first:
                self._desk.ledger.begin(result.wallet, self._start)
            if self._desk.ledger.open(result.wallet) or first:
                self._desk.persist("ledger", self._desk.ledger.to_dict())
        ledger = self._desk.ledger
        begun = self._start if ledger.start is None else ledger.begun
        for fill in sorted(result.fills, key=lambda f: (f.ts, f.seq)):
            if fill.symbol in self._desk.by_symbol and fill.ts >= begun:
                booked = self._booking.on_fill(self._desk.by_symbol[fill.symbol], fill)
                if booked and not whole:
                    self._desk.fill_heard = self._desk.now
        for report in result.positions:
            if report.symbol in self._desk.by_symbol:
                self._booking.on_position(self._desk.by_symbol[report.symbol], report)
        if whole:
            self._compare(result)

    def _compare(self, result: ReadResult) -> None:
        sizes: dict[str, Decimal] = {}
        for report in result.positions:  # hedge mode has a row a side
            sizes[report.symbol] = sizes.get(report.symbol, Decimal(0)) + report.size
        self._note_unread(result)
        for desk in self._desk.desks:
            if desk.unread:
                continue
            if desk.entry is None:
                self._booking.settle_early(desk, result.asked_ts - _SETTLED)
            symbol = desk.instrument.symbol
            if "" in result.unread and desk.open and symbol not in sizes:
                continue  # the row without a readable symbol may be the one that is missing
            self._settle(desk, sizes.get(symbol, Decimal(0)), result.asked_ts)
        for order in result.orders:
            self._order(order)
        self._wallet(result)
        self._look(result, sizes)
        if not self.done:
            self.done = True
            self._desk.note("recovered", positions=len(result.positions), orders=len(result.orders))
        self._agreed = self._heard_ns < result.asked_ts and not self._puzzled(result)

    def _puzzled(self, result: ReadResult) -> bool:
        """Did the read leave something open that the next one may settle?"""
        if self._looks or result.unread or result.wallet is None or self._too_early(result.asked_ts):
            return True
        return bool(self._odd or self._why or self._flat_seen) or self._desk.now < self._puzzled_until

    def _note_unread(self, result: ReadResult) -> None:
        """Rows that could not be read keep their own symbol from entries and are asked for again; nothing else waits for them."""
        for desk in self._desk.desks:
            symbol, was = desk.instrument.symbol, desk.unread
            desk.unread = symbol in result.unread
            if desk.unread and not was:
                meaning = "no entries there until they can be read"
                self._desk.note("rows-unread", "error", symbol=symbol, meaning=meaning)
        if any(desk.unread for desk in self._desk.desks) or "USDT" in result.unread:
            self._rhythm.due = min(self._rhythm.due, self._desk.now + _AGAIN)

    def _look(self, result: ReadResult, sizes: dict[str, Decimal]) -> None:
        if self._looks <= 0:
            return
        known = all(desk.held == sizes.get(desk.instrument.symbol, Decimal(0)) for desk in self._desk.desks)
        exact = (
            result.wallet is not None
            and not result.unread
            and not self._desk.ledger.differences(result.wallet)
        )
        self._looks = -1 if known and exact else self._looks - 1
        if self._looks == 0:
            self._looks = -1
            self._desk.note(
                "ended-unconfirmed", "error", why="the venue's last pictures differ from the books"
            )
        elif self._looks > 0:
            self._rhythm.due = min(self._rhythm.due, self._desk.now + _AGAIN)

    def _settle(self, desk: SymbolDesk, size: Decimal, asked: int) -> None:
        symbol = desk.instrument.symbol
        if desk.entry is not None or self._too_early(asked) or desk.held == size:
            self._flat_seen.pop(symbol, None)
            if desk.held == size and not size and desk.size:
                desk.size = size
                self._guarding.settled(desk)
            return
        seen = self._flat_seen[symbol] = self._flat_seen.get(symbol, 0) + 1
        if seen < 2:
            self._rhythm.due = self._desk.now + _AGAIN  # two agreeing reads
            return
        self._flat_seen.pop(symbol)
        if not size and desk.trade is not None:
            desk.trade.reason = desk.trade.reason or "outside"
            desk.held = desk.size = size
            self._desk.note("closed-outside", "warning", symbol=symbol)
            self._booking.end(desk, self._desk.now)
        elif not desk.frozen:
            desk.frozen = f"the venue holds {size}, we can explain {desk.held}"
            self._desk.note("frozen", "error", symbol=symbol, why=desk.frozen)

    def _too_early(self, asked: int) -> bool:
        """Was it asked for within 2 s of a fill, by the venue's time or by the time it was heard of? Clocks may disagree."""
        return asked - max(self._desk.ledger.last_fill_ts, self._desk.fill_heard) < _SETTLED

    def _order(self, order: OrderReport) -> None:
        desk = self._desk.by_symbol.get(order.symbol)
        if desk is None or not self._desk.ours(order.link_id) or order.stop_type:
            return
        waiting = desk.entry is not None and desk.entry.id == order.link_id
        if not waiting and order.link_id != desk.close_id:
            self._desk.note("orphan", "warning", symbol=order.symbol, id=order.link_id)
            self._desk.give(CancelOrder(self._desk.ids.next("cancel"), order.symbol, link_id=order.link_id))

    def _wallet(self, result: ReadResult) -> None:
        """A difference that stays after all fills are booked: the venue's transaction log is asked what it is."""
        if result.wallet is None or self._too_early(result.asked_ts):
            return
        if "" in result.unread or any(desk.unread for desk in self._desk.desks):
            return  # fills may be missing
        if any(desk.entry is not None or desk.early or desk.close_id for desk in self._desk.desks):
            return
        ledger, now = self._desk.ledger, self._desk.now
        found = ledger.differences(result.wallet)
        agreed, self._odd, self._word = found == self._odd, found, result.wallet
        if not found:
            ledger.agreed = max(ledger.agreed, result.asked_ts)
        if found and not agreed:
            self._rhythm.due = min(self._rhythm.due, now + _AGAIN)  # two agreeing reads
        elif found or now < self._puzzled_until:
            self._why = self._desk.ids.next("read")
            self._desk.give(Read(self._why, ("transfers",), since=max(ledger.begun, ledger.agreed - _LATEST)))

    def _explain(self, result: ReadResult) -> None:
        """The transaction log is here: what it calls a transfer is one, and no other difference is."""
        ledger, odd = self._desk.ledger, self._odd
        if result.outcome is not Outcome.CONFIRMED or self._word is None:
            return  # the next picture asks again
        if ledger.differences(self._word) != odd:
            return  # something was booked meanwhile
        self._odd = {}
        for coin in {**odd, **ledger.discrepancies()}:
            moved, left = ledger.explain(coin, odd.get(coin, Decimal(0)), result.transfers)
            if moved:
                if coin == SETTLED_IN:
                    self._desk.session.on_transfer(moved)
                    self._staging.on_transfer(moved)
                self._desk.note("transfer", "warning", coin=coin, amount=moved)
            if left and (stands := ledger.book(coin).unexplained):
                self._puzzled_until = self._desk.now + _LATEST
                self._desk.note(
                    "discrepancy", "error", coin=coin, amount=left, stands=stands, why=_UNEXPLAINED
                )
        self._desk.persist("session", self._desk.session)
        self._desk.persist("ledger", ledger.to_dict())

    # -- the journal's word

    def restore(self, kept: dict[str, Any]) -> None:
        """Take up what an earlier run persisted."""
        self._desk.boots.update(kept.get(BOOTS, {}).get("nonces", ()))
        if kept.get("session"):
            self._desk.session = msgspec.convert(kept["session"], Session)
        if kept.get("ledger"):
            self._desk.ledger = Ledger.from_dict(kept["ledger"])
            # a time that an earlier version believed though it lay in the future holds nothing back
            self._desk.ledger.last_fill_ts = min(self._desk.ledger.last_fill_ts, self._desk.now)
            self._desk.ledger.begun = min(self._desk.ledger.begun, self._desk.now)
        counts = dict(kept.get("counts") or {})
        self._desk.evidence = Evidence(**counts.pop("evidence", {}))
        self._desk.unguarded_ns = int(counts.pop("unguarded_ns", 0))
        self._desk.counts.update(counts)
        for desk in self._desk.desks:
            value = kept.get(f"position:{desk.instrument.symbol}")
            if value:
                desk.bracket = msgspec.convert(value["bracket"], Bracket)
                desk.trade = msgspec.convert(value["trade"], Trade)
                desk.trade.opened_ts = min(desk.trade.opened_ts, self._desk.now)
                desk.bracket.opened_ns = min(desk.bracket.opened_ns, self._desk.now)
                desk.held = Decimal(value["held"])
                desk.close_reason = value.get("closing") or desk.bracket.closing
                # its answer was never read: asked for again, so that the target moves
                desk.backstop_wish = desk.bracket.pending_backstop
                self._guarding.watch(desk)
            stopped_out = kept.get(f"stopped-out:{desk.instrument.symbol}") or {}
            desk.stopped_out = {
                int(direction): min(ts, self._desk.now) for direction, ts in stopped_out.items()
            }
            for ended in (kept.get(f"ended:{desk.instrument.symbol}") or {}).values():
                entry = msgspec.convert(ended, PendingEntry)
                desk.ended[entry.id] = entry
                if self._desk.now - entry.sent_ts < _LATEST:
                    self._read_from(entry)
            sent = kept.get(f"entry:{desk.instrument.symbol}")
            if sent:
                self._resume(desk, msgspec.convert(sent, PendingEntry))
        for intent in kept.get(INTENTS, {}).get("unresolved", ()):
            self._adopt(intent)

    def _resume(self, desk: SymbolDesk, entry: PendingEntry) -> None:
        """An entry was on its way when we went down: its answer will not come, so it is looked up."""
        entry.answered, entry.unknown_since = True, self._desk.now
        desk.entry = entry
        self._read_from(entry)

    def _adopt(self, intent: dict[str, Any]) -> None:
        """A close of an earlier life, or of the guard, without a known outcome may still land: nothing is opened before that."""
        desk = self._desk.by_symbol.get(intent["symbol"])
        if desk is not None and intent["command"].get("reduce_only"):
            desk.closes[intent["id"]] = self._desk.now

    def _read_from(self, entry: PendingEntry) -> None:
        """The fills of `entry` are older than this start."""
        self._start = min(self._start, entry.sent_ts - _SETTLED)
