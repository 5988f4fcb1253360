"""The Trader's state: per symbol and as a whole. Plain state; the modules around it decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from turbo_trader.market.grid import on_grid
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import SECOND
from turbo_trader.market.state import new_states
from turbo_trader.rules.equity import Holding, equity, trading_balance
from turbo_trader.rules.exits import Bracket
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.records import NEVER
from turbo_trader.rules.session import Session
from turbo_trader.rules.tiers import CapitalTier
from turbo_trader.rules.watchdog import Evidence
from turbo_trader.signals.filters import new_filters
from turbo_trader.trader.close_order import CloseOrder
from turbo_trader.trader.commands import Command, Note, Persist, Read, Stopped
from turbo_trader.trader.entry_blocks import Blocks
from turbo_trader.trader.events import Fill, StreamKind, WalletReport
from turbo_trader.trader.ids import Ids, boot_of
from turbo_trader.trader.ledger import Ledger
from turbo_trader.trader.pending_entry import PendingEntry
from turbo_trader.trader.persisted import Kept, PositionRecord, TotalsRecord, plain
from turbo_trader.trader.room import Room
from turbo_trader.trader.shadows import Shadows
from turbo_trader.trader.state_keys import Key
from turbo_trader.trader.stop_amendment import StopAmendment
from turbo_trader.trader.trade import Trade
from turbo_trader.trader.venue_position import VenuePosition

ZERO = Decimal(0)


@dataclass(slots=True)
class SymbolState:
    """One symbol: the venue's report on its position, our trade and bracket, and what is under way.

    Each part has one owner, the only module that writes it; other modules read, or call the owner.
    """

    s: int
    # listing
    instrument: Instrument
    taker: Decimal
    maker: Decimal
    next_instrument: Instrument | None = None  # read, with another tick or step: taken up once flat
    # booking
    trade: Trade | None = None
    held: Decimal = ZERO  # signed size by our fills
    early: list[Fill] = field(default_factory=list)  # closing fills that came before the opening they close
    stopped_out: dict[int, int] = field(default_factory=dict)  # direction -> time
    # entries
    entry: PendingEntry | None = None
    ended: dict[str, PendingEntry] = field(
        default_factory=dict
    )  # the last given up: a late fill is still ours
    # position_monitor
    bracket: Bracket | None = None  # as long as something is held
    alert_since: int | None = (
        None  # since when the price is at the stop: looked at every second until it is resolved
    )
    # parts that are modules of their own
    venue: VenuePosition = field(default_factory=VenuePosition)
    amendment: StopAmendment = field(default_factory=StopAmendment)
    close: CloseOrder = field(default_factory=CloseOrder)
    room: Room = field(default_factory=Room)
    blocks: Blocks = field(default_factory=Blocks)
    shadows: Shadows = field(default_factory=Shadows)

    @property
    def tick(self) -> Decimal:
        """The tick that prices are sent on: a coarser one that waits until the symbol is flat is in force at the venue already."""
        waiting = self.next_instrument
        return self.instrument.tick if waiting is None else max(self.instrument.tick, waiting.tick)

    def stop_out(self, direction: int, ts: int) -> None:
        """A trade in this direction has ended by its stop with a loss."""
        self.stopped_out[direction] = ts

    def resume_stopped_out(self, times: Mapping[int, int], now: int) -> None:
        """Of before a restart; times of the future hold nothing back."""
        self.stopped_out = {direction: min(ts, now) for direction, ts in times.items()}

    @property
    def open(self) -> bool:
        """Is there a position, by either report?"""
        return bool(self.venue.size or self.held)

    @property
    def at_rest(self) -> bool:
        """Is the position what the venue reports, and nothing under way?"""
        return self.entry is None and self.steady

    @property
    def steady(self) -> bool:
        """Is the position what the venue reports, and nothing but an entry under way?"""
        close, amendment = self.close, self.amendment
        closing = close.id or close.may_land or close.reason
        under_way = self.early or closing or amendment.in_flight or amendment.wanted
        return self.venue.size == self.held and not (under_way or self.blocks.unread)

    @property
    def unresolved(self) -> str:
        """What keeps the symbol from a new entry; "" = nothing."""
        if why := self.blocks.why:
            return why
        if self.entry is not None:
            return "an entry of unknown outcome" if self.entry.looked_up else "an entry is under way"
        if self.next_instrument is not None:
            return "its tick or step changed"
        if self.close.may_land:
            return "a close of unknown outcome may still land"
        return ""


class TraderState:
    """Everything the Trader knows, and the commands it is about to give."""

    def __init__(self, instruments: Sequence[Instrument], policy: Policy, boot: str, start_ts: int) -> None:
        self.policy = policy
        self.ids = Ids(boot)
        self.boots = {boot}  # nonces of all starts the journal knows: their orders are ours
        self.now = start_ts
        self.symbols = tuple(instrument.symbol for instrument in instruments)
        self.states = new_states(instruments, **policy.market_parameters())
        self.filters = new_filters(len(self.symbols))
        self.per_symbol = [
            SymbolState(s, i, policy.taker_fee, policy.maker_fee) for s, i in enumerate(instruments)
        ]
        self.by_symbol = {state.instrument.symbol: state for state in self.per_symbol}
        self.session = Session()
        self.ledger = Ledger()
        self.wallet: WalletReport | None = None
        self.offset = 0  # venue clock - ours, ns
        self.key_expiry_ts = NEVER
        self.maintenance = (NEVER, 0)  # announced begin and end, ns; end 0 = not known
        self.streams: dict[StreamKind, bool] = {}
        self.unguarded_ns = 0
        self.capital: CapitalTier | None = None  # the capital tier in force
        self.evidence = Evidence()  # of an edge: the trades closed since the last resume
        self.counts: dict[str, int] = {"trades": 0, "wins": 0, "losses": 0, "liquidations": 0, "A": 0, "B": 0}
        self.over = False  # its end has been reported: nothing is opened any more, whatever is still heard
        self.fill_heard = 0  # when a fill was last heard of, our time: snapshots asked for before are older
        self._out: list[Command] = []

    def ours(self, link_id: str) -> bool:
        """Is this the id of an order of ours, of this or an earlier start (or of its guard)?"""
        return boot_of(link_id) in self.boots

    def resume(self, kept: Kept) -> None:
        """Take up what an earlier run persisted of the whole."""
        self.boots.update(kept.boots)
        if kept.session is not None:
            self.session = kept.session
        if kept.ledger is not None:
            self.ledger = Ledger.from_ledger_record(kept.ledger, self.now)
        self.evidence = kept.totals.evidence
        self.unguarded_ns = kept.totals.unguarded_ns
        self.counts.update(kept.totals.counts)

    # -- commands

    def give(self, command: Command) -> None:
        """Add a command."""
        self._out.append(command)

    def end(self, reason: str) -> None:
        """The run is over."""
        self.over = True
        self.give(Stopped(self.now, reason))

    def note(self, name: str, level: str = "info", **fields: Any) -> None:
        """Add a line for log and journal."""
        self._out.append(Note(self.now, name, level, fields))

    def persist(self, key: str, value: Any) -> None:
        """Add a row of state that must survive (`persisted`), as it is now; {}: there is nothing any more."""
        self._out.append(Persist(self.now, key, plain(value)))

    def persist_session(self) -> None:
        """Persist the session: halts, pauses, limits."""
        self.persist(Key.SESSION.value, self.session)

    def persist_ledger(self) -> None:
        """Persist the books."""
        self.persist(Key.LEDGER.value, self.ledger.ledger_record())

    def persist_counts(self) -> None:
        """Persist what is counted over all runs, the evidence of an edge with it."""
        totals = TotalsRecord(counts=self.counts, evidence=self.evidence, unguarded_ns=self.unguarded_ns)
        self.persist(Key.TOTALS.value, totals)

    def persist_position(self, state: SymbolState) -> None:
        """Persist bracket and trade, and why it is being closed."""
        if state.bracket is not None and state.trade is not None:
            record = PositionRecord(
                bracket=state.bracket, trade=state.trade, held=state.held, closing=state.close.reason
            )
            self.persist(Key.POSITION.of(state.instrument.symbol), record)

    def read_position(self, state: SymbolState) -> None:
        """Ask the venue for the position and its last fills."""
        since = max(0, self.ledger.last_fill_ts - 60 * SECOND)
        self.give(Read(self.ids.next("read"), ("positions", "fills"), state.instrument.symbol, since=since))

    def freeze(self, state: SymbolState, why: str) -> None:
        """The symbol is not traded until a person has looked."""
        state.blocks.freeze(why)
        self.note("frozen", "error", symbol=state.instrument.symbol, why=why)

    def take(self) -> list[Command]:
        """The commands gathered since the last call."""
        commands, self._out = self._out, []
        return commands

    # -- figures

    def bid(self, state: SymbolState) -> Decimal | None:
        """Best bid, None without one."""
        ticks = int(self.states["bid"][state.s]) if self.states["book_valid"][state.s] else 0
        return state.instrument.price(ticks) if ticks else None

    def ask(self, state: SymbolState) -> Decimal | None:
        """Best ask, None without one."""
        ticks = int(self.states["ask"][state.s]) if self.states["book_valid"][state.s] else 0
        return state.instrument.price(ticks) if ticks else None

    def closable(self, state: SymbolState) -> Decimal | None:
        """The price a position could be closed at now: bid of a long, ask of a short; the last print where no book is recorded.

        A price from before the entry's fill is not in the position's favour: after a jump it would move stop and target at once.
        """
        s, trade = state.s, state.trade
        if self.states["has_book"][s]:
            price, ts = self.bid(state) if state.held > 0 else self.ask(state), int(self.states["book_ts"][s])
        else:
            ticks, ts = int(self.states["last"][s]), int(self.states["trade_ts"][s])
            price = state.instrument.price(ticks) if ticks else None
        if price is None or trade is None or ts >= trade.opened_ts:
            return price
        entry = on_grid(trade.entry, state.instrument.tick, up=state.held < 0)
        return min(price, entry) if state.held > 0 else max(price, entry)

    def mark(self, state: SymbolState) -> Decimal | None:
        """Mark price, None where there is none."""
        mark = float(self.states["mark"][state.s])
        return Decimal(repr(mark)) if mark > 0 else None

    def equity(self) -> Decimal:
        """E of the rules; 0 before the wallet is known."""
        return self.equity_at([(self.mark(each), self.closable(each)) for each in self.held])

    @property
    def held(self) -> list[SymbolState]:
        """The symbols with a position by our fills."""
        return [each for each in self.per_symbol if each.held and each.trade is not None]

    def equity_at(self, prices: Sequence[tuple[Decimal | None, Decimal | None]]) -> Decimal:
        """E with these (mark, closable price) of the symbols `held`; 0 before the wallet is known."""
        if self.wallet is None:
            return ZERO
        holdings = [
            Holding(1 if each.held > 0 else -1, abs(each.held), each.trade.entry, mark, closable, each.taker)
            for each, (mark, closable) in zip(self.held, prices, strict=True)
            if each.trade is not None
        ]
        return equity(self.ledger.balance, holdings)

    def balance(self) -> Decimal:
        """B of the rules."""
        wallet = self.wallet
        return (
            trading_balance(wallet.available, wallet.position_margin, wallet.order_margin) if wallet else ZERO
        )

    @property
    def positions_open(self) -> int:
        """Open positions with entries under way, and trades followed as shadows."""
        return sum(
            1
            for state in self.per_symbol
            if state.open or state.entry is not None or state.shadows.alone is not None
        )
