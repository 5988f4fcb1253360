"""The Trader: a deterministic state machine. Events in, commands out; no sockets, no clock, no randomness, no files, no await."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from turbo_trader.market.compiled import linked
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.kernel import REACHED, consume
from turbo_trader.market.order_terms import ExecKind
from turbo_trader.market.rows import ROW, SECOND, Rows
from turbo_trader.market.state import States
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.records import NEVER
from turbo_trader.rules.scan_funnel import Funnel
from turbo_trader.rules.strengths import Strengths
from turbo_trader.signals.filters import Filters
from turbo_trader.trader import events
from turbo_trader.trader.amending import Amending
from turbo_trader.trader.booking import Booking
from turbo_trader.trader.calibrating import Calibrating
from turbo_trader.trader.closing import Closing
from turbo_trader.trader.commanding import Commanding
from turbo_trader.trader.commands import Command
from turbo_trader.trader.entries import Entries
from turbo_trader.trader.environment import Environment
from turbo_trader.trader.fitting import Fitting
from turbo_trader.trader.flattening import Flattening
from turbo_trader.trader.instances import Instances
from turbo_trader.trader.limits import Limits
from turbo_trader.trader.listing import Listing
from turbo_trader.trader.persisted import Kept, decode
from turbo_trader.trader.position_monitor import PositionMonitor
from turbo_trader.trader.recovery import Recovery
from turbo_trader.trader.resuming import Resuming
from turbo_trader.trader.rhythm import Rhythm
from turbo_trader.trader.scan_groups import ALONE, Workers
from turbo_trader.trader.scanning import Scanner
from turbo_trader.trader.scanning_ahead import Ahead
from turbo_trader.trader.staging import Staging
from turbo_trader.trader.trader_state import SymbolState, TraderState
from turbo_trader.trader.view import View, summary, view

_OF_TIME = (
    events.Clock,
    events.NoiseFitted,
    events.Scored,
)  # after these a look finds nothing that it would not find anyway
#: After these a look at the account is due, and what a scan rests on beside the account stays as it is.
_OF_ACCOUNT = (
    events.Fill, events.OrderReport, events.PositionReport, events.WalletReport, events.CommandResult, events.ReadResult,
    events.Transferred,
)  # fmt: skip


class Trader:
    """Decides. `states` may be advanced by a shell with `market.kernel.advance`; `next_time` says when a Clock is wanted."""

    def __init__(
        self,
        instruments: Sequence[Instrument],
        policy: Policy,
        boot: str,
        start_ts: int,
        restored: dict[str, dict[str, Any]] | None = None,
        *,
        read_when_quiet: bool = True,
        workers: Workers = ALONE,
    ) -> None:
        """`boot`: a nonce no two starts share (1-12 letters or digits). `restored`: what was persisted, by key; UnreadableState
        where it makes no sense (`persisted`).

        `read_when_quiet`: read the account each 30 s also where nothing has happened on it since a read that agreed. A venue that
        is simulated without faults has said everything by its stream. `workers` share the scans of a market that is known ahead.
        """
        self._state = TraderState(instruments, policy, boot, start_ts)
        self._closing = Closing(self._state)
        self._amending = Amending(self._state, self._closing)
        self._monitor = PositionMonitor(
            self._state,
            self._amending,
            self._closing,
            lambda each: self._scanner.confirmed(each),  # noqa: PLW0108 - the scanner comes later
        )
        self._listing = Listing(self._state, self._closing, self._amending)
        kept = decode(restored or {})
        self._staging = Staging(self._state, kept.world, kept.signal)
        self._booking = Booking(self._state, self._monitor, self._amending, self._closing, self._staging)
        self._entries = Entries(self._state, self._staging)
        self._calibrating = Calibrating(self._state, kept.signal)
        self._scanner = Scanner(self._state, self._entries, self._calibrating, self._staging)
        self._fitting = Fitting(self._state)
        self._instances = Instances(self._state)
        self._recovery = Recovery(
            self._state, self._monitor, self._booking, self._instances, self._staging, start_ts,
            read_when_quiet=read_when_quiet,
        )  # fmt: skip
        self._flattening = Flattening(self._state, self._closing, self._entries, self._recovery)
        self._environment = Environment(self._state, self._listing, self._recovery)
        self._commanding = Commanding(self._state, self._entries, self._flattening, self._staging)
        self._limits = Limits(self._state, self._flattening)
        self._ahead = Ahead(self._state, self._scanner, self._calibrating, self._fitting, self._limits, workers)  # fmt: skip
        self._consume = linked(consume, self._state.states, 0, np.zeros(1, ROW), 0)  # a microsecond less
        self._looks = Rhythm(int(policy.monitor_interval * SECOND))
        self._unscanned = False  # more than a report has come since the last scan
        self._due: int | None = None  # next_time, until an event changes more than a market state
        self._state.note("policy", overridden=policy.overridden())
        self._resume(kept)

    def _resume(self, kept: Kept) -> None:
        """What was persisted comes back, in the order in which one part needs another."""
        Resuming(
            state=self._state, booking=self._booking, monitor=self._monitor, entries=self._entries, closing=self._closing,
            recovery=self._recovery,
        ).resume(kept)  # fmt: skip
        self._staging.resume(kept)
        self._calibrating.resume(kept.outcomes, kept.forecaster)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols in the order of `states`."""
        return self._state.symbols

    @property
    def states(self) -> States:
        """Market states, one record per symbol."""
        return self._state.states

    @property
    def filters(self) -> Filters:
        """Signal filters, one record per symbol."""
        return self._state.filters

    def next_time(self) -> int:
        """When the next Clock is wanted at the latest, ns."""
        if self._due is None:
            self._due = self._next_due()
        return self._due

    def idle_until(self, symbols: Sequence[int]) -> int:
        """Until when (ns) no frame of these leads to anything: none is held, watched or under way; 0: one is."""
        for each in (self._state.per_symbol[s] for s in symbols):
            if each.open or each.bracket is not None or each.unresolved or not each.at_rest:
                return 0
        return self.next_time()

    def _next_due(self) -> int:
        due = [self._recovery.next_ns]
        if self._ready:
            due.append(self._scanner.next_ns)
            if self._holding:
                due.append(self._looks.next_ns)
            if turn := self._state.session.next_time_ns():
                due.append(turn)
        due += [
            at for at in (self._monitor.next_ns(), self._entries.next_ns(), self._flattening.next_ns()) if at
        ]
        return max(min(due), self._state.now)

    def quiet_until(self) -> int:
        """Until when (ns) nothing but scans is due and nothing on the account can move before a watch is hit, so that scans may
        be taken ahead (`MarketAhead`); 0: something may."""
        state = self._state
        if (
            self._unscanned
            or self._limits.stale
            or self._staging.active
            or self._flattening.active
            or not self._ready
        ):
            return 0
        if any(each.unresolved for each in state.per_symbol):
            return 0
        held = [each for each in state.per_symbol if each.open]
        if held and (self._limits.near or not all(self._monitor.at_rest(each) for each in held)):
            return 0
        due = self._monitor.next_ns(), self._listing.next_ns(), state.session.next_time_ns()
        return min(self._recovery.next_ns, self._ahead.until, *(at or NEVER for at in due))

    def view(self) -> View:
        """What a person is shown."""
        tier = self._scanner.tier
        return view(
            self._state, tier.name if tier is not None else "", self._staging, reconciled=self._recovery.done
        )

    @property
    def refusal(self) -> str:
        """Why the session allows no entries now; "" when it does."""
        return self._state.session.refusal(self._state.now)

    @property
    def scanned(self) -> tuple[Funnel, Strengths]:
        """How far the scans of this run came, and how strong their signals were."""
        return self._scanner.counts.funnel, self._scanner.counts.strengths

    def summary(self) -> dict[str, Any]:
        """The figures of the whole run."""
        counts = self._scanner.counts
        figures = summary(self._state, counts.funnel, counts.scans)
        stages = {"stages": self._staging.stages, "evidence": self._staging.sentence}
        return {**figures, **stages, "outcomes_lost": self._calibrating.lost}

    def handle(self, event: events.Event) -> list[Command]:
        """Take one event; returns what is to be done, in order."""
        self._state.now = max(self._state.now, event.ts)
        if isinstance(event, events.MarketAhead):
            return self._scan_ahead(event)
        if isinstance(event, events.MarketRows):
            if not self.take_rows(event.ts, event.symbol, event.rows):
                return []  # nothing but a market state has changed: almost every frame
            self._pass_by()
        else:
            self._pass_by()
            self._take(event)
        self._due = None
        self._listing.settle()
        self._flattening.settle()
        self._recovery.after()
        self._want_look()
        if self._state.over:
            self._scanner.counts.end(self._state.equity())
        return self._state.take()

    def _scan_ahead(self, event: events.MarketAhead) -> list[Command]:
        last = self._ahead.take(event)
        if last:
            self._looks.done(last)
            self._pass_by()
            self._recovery.on_clock()
        self._due = None
        return self._state.take()

    def _pass_by(self) -> None:
        """Looks and reads that were due before now were left out, where they could have brought nothing."""
        self._looks.pass_by(self._state.now)
        self._recovery.pass_by()

    def _take(self, event: events.Event) -> None:
        match event:
            case events.Watched():
                self._on_price(self._state.per_symbol[event.symbol])
                return
            case events.Clock():
                self._on_clock()
            case events.Fill() | events.OrderReport() | events.PositionReport() | events.WalletReport():
                self._on_report(event)
            case events.CommandResult():
                self._on_result(event)
            case events.ReadResult():
                self._recovery.on_read(event)  # books the fills a look-up brought before it is judged
                self._entries.on_lookup(event)
            case events.NoiseFitted():
                self._fitting.on_fitted(event)
            case events.Scored():
                self._scanner.scores.take(event)
            case events.Control():
                self._commanding.on_control(event)
            case _:
                self._environment.on_event(event)
        if not isinstance(event, _OF_TIME):
            self._limits.stale = True
            self._unscanned = self._unscanned or not isinstance(event, _OF_ACCOUNT)

    # -- market and clock

    def _on_price(self, state: SymbolState) -> None:
        self._monitor.on_price(state)
        self._limits.on_price(state, self._monitor.watch)

    def take_rows(self, ts: int, s: int, rows: Rows) -> bool:
        """The rows of a `MarketRows`. Did a price leave the watch of a position? Where the symbol has no watch, this is all that
        they lead to, and a shell need not make an event of them."""
        self._state.now = max(self._state.now, ts)
        at, count = 0, len(rows)
        left = False
        while at < count:
            at, reason = self._consume(self._state.states, s, rows, at)
            if reason != REACHED:
                left = True
                self._on_price(self._state.per_symbol[s])
        return left

    def _on_clock(self) -> None:
        state = self._state
        self._recovery.on_clock()
        self._entries.on_clock()
        self._listing.on_clock()
        self._monitor.on_clock()
        self._flattening.on_clock()
        if not self._ready:
            return
        scanning = state.now >= self._scanner.next_ns
        watching = self._holding and state.now >= self._looks.due
        if scanning or watching or state.session.next_time_ns() <= state.now:
            self._looks.done(state.now)
            equity = state.equity()
            self._limits.look(equity)
            if self._holding:
                self._limits.give_room(equity, self._monitor.watch)
            if scanning:
                self._unscanned = False
                self._scanner.scan(equity)
                self._fitting.on_scan()

    @property
    def _holding(self) -> bool:
        return any(each.held for each in self._state.per_symbol)

    def _want_look(self) -> None:
        """May a look at the account find something that no watch tells of?"""
        restless = self._monitor.restless
        sure = self._holding and not self._limits.stale
        if sure and not any(restless(each) for each in self._state.per_symbol if each.open):
            self._looks.wanted = NEVER
        else:
            self._looks.wanted = 0

    @property
    def _ready(self) -> bool:
        """Recovered, wallet known, private stream up, the run not over."""
        state = self._state
        known = self._recovery.done and state.wallet is not None
        return known and state.streams.get(events.StreamKind.PRIVATE, False) and not state.over

    # -- the venue's report

    def _on_report(self, report: events.Report) -> None:
        if isinstance(report, events.WalletReport):
            self._booking.on_wallet(report)
            return
        if not isinstance(report, events.PositionReport):
            self._instances.notice(report.link_id)
        state = self._state.by_symbol.get(report.symbol)
        if state is None:
            return
        if isinstance(report, events.Fill):
            if self._booking.on_fill(state, report):
                self._state.fill_heard = self._state.now
                if report.kind != ExecKind.FUNDING:
                    self._entries.on_filled(state)
        elif isinstance(report, events.PositionReport):
            self._booking.on_position(state, report)
        elif report.link_id:
            self._entries.on_report(state, report)
            self._closing.on_report(state, report)

    def _on_result(self, result: events.CommandResult) -> None:
        for state in self._state.per_symbol:
            if state.entry is not None and result.id == state.entry.leverage_id:
                self._entries.on_leverage(state, result)
                return
            if state.entry is not None and state.entry.id == result.id:
                self._entries.on_result(state, result)
                if result.outcome is events.Outcome.REJECTED and not result.later:
                    self._recovery.soon()  # what we knew did not hold
                return
            if state.entry is not None and state.entry.cancel_id == result.id:
                self._entries.on_cancel(state, result)
                return
            close = state.close
            if result.id in (state.amendment.id, close.id) or result.id in close.may_land:
                self._amending.on_result(state, result)
                self._closing.on_result(state, result)
                return
