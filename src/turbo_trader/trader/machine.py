"""The Trader: a deterministic state machine. Events in, commands out; no sockets, no clock, no randomness, no files, no await."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from turbo_trader.market.events import SECOND
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.kernel import REACHED, advance, backfill
from turbo_trader.market.state import States
from turbo_trader.rules.funnel import Funnel
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.records import NEVER
from turbo_trader.rules.strengths import Strengths
from turbo_trader.rules.watchdog import Evidence
from turbo_trader.signals.filters import Filters
from turbo_trader.trader import events as told
from turbo_trader.trader.booking import Booking
from turbo_trader.trader.calibrating import OUTCOMES, Calibrating
from turbo_trader.trader.commands import Command
from turbo_trader.trader.desk import Desk, SymbolDesk
from turbo_trader.trader.entries import Entries
from turbo_trader.trader.fitting import Fitting
from turbo_trader.trader.flattening import Flattening
from turbo_trader.trader.guarding import Guarding
from turbo_trader.trader.instances import Instances
from turbo_trader.trader.limits import Limits
from turbo_trader.trader.listing import Listing
from turbo_trader.trader.recovery import Recovery
from turbo_trader.trader.rhythm import Rhythm
from turbo_trader.trader.scanning import Scanner
from turbo_trader.trader.staging import WORLD, Staging
from turbo_trader.trader.view import View, summary, view


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
    ) -> None:
        """`boot`: a nonce no two starts share (1-12 letters or digits). `restored`: what was persisted, by key.

        `read_when_quiet`: read the account each 30 s also where nothing has happened on it since a read that agreed. A venue that
        is simulated without faults has said everything by its stream.
        """
        self._desk = Desk(instruments, policy, boot, start_ts)
        self._guarding = Guarding(self._desk, self._confirmed)
        self._listing = Listing(self._desk, self._guarding)
        self._staging = Staging(self._desk, str((restored or {}).get(WORLD, {}).get("name", "")))
        self._booking = Booking(self._desk, self._guarding, self._staging)
        self._entries = Entries(self._desk, self._staging)
        self._calibrating = Calibrating(self._desk)
        self._scanner = Scanner(self._desk, self._entries, self._calibrating, self._staging)
        self._fitting = Fitting(self._desk)
        self._instances = Instances(self._desk)
        self._recovery = Recovery(
            self._desk, self._guarding, self._booking, self._instances, self._staging, start_ts,
            read_when_quiet=read_when_quiet,
        )  # fmt: skip
        self._flattening = Flattening(self._desk, self._guarding, self._entries, self._recovery)
        self._limits = Limits(self._desk, self._flattening)
        self._looks = Rhythm(int(policy.monitor_interval * SECOND))
        self._asked = False  # something has happened since the last look
        self._due: int | None = None  # next_time, until an event changes more than a market state
        self._desk.note("policy", overridden=policy.overridden())
        if restored:
            self._recovery.restore(restored)
            self._staging.restore(restored)
            if OUTCOMES in restored:
                self._calibrating.restore(restored[OUTCOMES])

    @property
    def symbols(self) -> tuple[str, ...]:
        """Symbols in the order of `states`."""
        return self._desk.symbols

    @property
    def states(self) -> States:
        """Market states, one record per symbol."""
        return self._desk.states

    @property
    def filters(self) -> Filters:
        """Signal filters, one record per symbol."""
        return self._desk.filters

    def next_time(self) -> int:
        """When the next Clock is wanted at the latest, ns."""
        if self._due is None:
            self._due = self._next_due()
        return self._due

    def _next_due(self) -> int:
        due = [self._recovery.next_ns]
        if self._ready:
            due.append(self._scanner.next_ns)
            if self._holding:
                due.append(self._looks.next_ns)
            if turn := self._desk.session.next_time_ns():
                due.append(turn)
        due += [
            at for at in (self._guarding.next_ns(), self._entries.next_ns(), self._flattening.next_ns()) if at
        ]
        return max(min(due), self._desk.now)

    def view(self) -> View:
        """What a person is shown."""
        tier = self._scanner.tier
        return view(self._desk, tier.name if tier is not None else "", self._staging)

    @property
    def refusal(self) -> str:
        """Why the session allows no entries now; "" when it does."""
        return self._desk.session.refusal(self._desk.now)

    @property
    def scanned(self) -> tuple[Funnel, Strengths]:
        """How far the scans of this run came, and how strong their signals were."""
        return self._scanner.funnel, self._scanner.strengths

    def summary(self) -> dict[str, Any]:
        """The figures of the whole run."""
        figures = summary(self._desk, self._scanner.funnel, self._scanner.scans)
        stages = {"stages": self._staging.stages, "evidence": self._staging.sentence}
        return {**figures, **stages, "outcomes_lost": self._calibrating.lost}

    def handle(self, event: told.Event) -> list[Command]:
        """Take one event; returns what is to be done, in order."""
        self._desk.now = max(self._desk.now, event.ts)
        if isinstance(event, told.MarketRows):
            if not self._on_rows(event):
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
        if self._desk.over:
            self._scanner.hourly.end(self._desk.equity())
        return self._desk.take()

    def _pass_by(self) -> None:
        """Looks and reads that were due before now were left out, where they could have brought nothing."""
        self._looks.pass_by(self._desk.now)
        self._limits.pass_by()
        self._recovery.pass_by()

    def _take(self, event: told.Event) -> None:
        match event:
            case told.Watched():
                self._on_price(self._desk.desks[event.symbol])
                return
            case told.Clock():
                self._on_clock()
            case told.Fill() | told.OrderReport() | told.PositionReport() | told.WalletReport():
                self._on_report(event)
            case told.CommandResult():
                self._on_result(event)
            case told.ReadResult():
                self._recovery.on_read(event)  # books the fills a look-up brought before it is judged
                self._entries.on_lookup(event)
            case told.NoiseFitted():
                self._fitting.on_fitted(event)
            case told.Control():
                self._on_control(event)
            case _:
                self._on_environment(event)
        if not isinstance(event, told.Clock | told.NoiseFitted):
            self._asked = True
            self._recovery.heard(event)

    # -- market and clock

    def _on_price(self, desk: SymbolDesk) -> None:
        self._guarding.on_price(desk)
        self._limits.on_price(desk, self._guarding.watch)

    def _on_rows(self, event: told.MarketRows) -> bool:
        """Did a price leave the watch of a position?"""
        at, count, s = 0, len(event.rows), event.symbol
        until = int(event.rows["ts"][-1]) + 1 if count else 0
        left = False
        while at < count:
            at, reason = advance(self._desk.states, s, event.rows, at, until)
            if reason != REACHED:
                left = True
                self._on_price(self._desk.desks[s])
        return left

    def _on_clock(self) -> None:
        desk = self._desk
        self._recovery.on_clock()
        self._entries.on_clock()
        self._listing.on_clock()
        self._guarding.on_clock()
        self._flattening.on_clock()
        if not self._ready:
            return
        scanning = desk.now >= self._scanner.next_ns
        watching = self._holding and desk.now >= self._looks.due
        if scanning or watching or desk.session.next_time_ns() <= desk.now:
            self._looks.done(desk.now)
            self._asked = False
            equity = desk.equity()
            self._limits.look(equity)
            if self._holding:
                self._limits.give_room(equity, self._guarding.watch)
            if scanning:
                self._scanner.scan(equity)
                self._fitting.on_scan()

    def _confirmed(self, desk: SymbolDesk) -> bool:
        return self._scanner.confirmed(desk)

    @property
    def _holding(self) -> bool:
        return any(each.held for each in self._desk.desks)

    def _want_look(self) -> None:
        """From when on can a look at the account find something that no watch tells of?"""
        self._limits.after(self._holding, self._asked)
        if not self._holding:
            self._looks.wanted = 0
            return
        restless = self._guarding.restless
        if self._asked or self._limits.near or any(restless(each) for each in self._desk.desks if each.open):
            self._looks.wanted = 0
        else:
            self._looks.wanted = self._limits.next_ns

    @property
    def _ready(self) -> bool:
        """Recovered, wallet known, private stream up, the run not over."""
        desk = self._desk
        known = self._recovery.done and desk.wallet is not None
        return known and desk.streams.get("private", False) and not desk.over

    # -- the venue's word

    def _on_report(self, report: told.Report) -> None:
        if isinstance(report, told.WalletReport):
            self._booking.on_wallet(report)
            return
        if not isinstance(report, told.PositionReport):
            self._instances.notice(report.link_id)
        desk = self._desk.by_symbol.get(report.symbol)
        if desk is None:
            return
        if isinstance(report, told.Fill):
            if self._booking.on_fill(desk, report):
                self._desk.fill_heard = self._desk.now
                if report.kind != "Funding":
                    self._entries.on_filled(desk)
        elif isinstance(report, told.PositionReport):
            self._booking.on_position(desk, report)
        elif report.link_id:
            self._entries.on_report(desk, report)
            self._guarding.on_close_report(desk, report)

    def _on_result(self, result: told.CommandResult) -> None:
        for desk in self._desk.desks:
            if desk.entry is not None and result.id == desk.entry.leverage_id:
                self._entries.on_leverage(desk, result, None)
                return
            if desk.entry is not None and desk.entry.id == result.id:
                self._entries.on_result(desk, result)
                if result.outcome is told.Outcome.REJECTED and not result.later:
                    self._recovery.soon()  # what we knew did not hold
                return
            if desk.entry is not None and desk.entry.cancel_id == result.id:
                self._entries.on_cancel(desk, result)
                return
            if result.id in (desk.stop_id, desk.close_id) or result.id in desk.closes:
                self._guarding.on_stop_result(desk, result)
                self._guarding.on_close_result(desk, result)
                return

    def _on_environment(self, event: told.Event) -> None:
        desk = self._desk
        match event:
            case told.StreamStatus():
                was = desk.streams.get(event.stream, False)
                desk.streams[event.stream] = event.up
                desk.note(
                    "stream",
                    "info" if event.up else "warning",
                    stream=event.stream,
                    up=event.up,
                    why=event.reason,
                )
                if event.up and not was and event.stream == "private":
                    self._recovery.soon()
            case told.Unread():
                if not event.symbol or event.symbol == "USDT" or event.symbol in desk.by_symbol:
                    self._recovery.after_odd()
            case told.Backfill():
                backfill(desk.states, event.symbol, event.bars)
            case told.InstrumentUpdate():
                each = desk.by_symbol.get(event.instrument.symbol)
                if each is not None:
                    self._listing.on_update(each, event.instrument)
            case told.KeyExpiry():
                desk.key_expiry_ts = event.at
            case told.Maintenance():
                desk.maintenance = (NEVER, 0) if event.begin is None else (event.begin, event.end)
            case told.FeeRates():
                each = desk.by_symbol.get(event.symbol)
                if each is not None:
                    each.taker, each.maker = event.taker, event.maker
            case told.ClockOffset():
                desk.offset = event.offset
            case told.Woken():
                desk.note("woken", "warning", epoch=event.epoch)
                desk.boots.update(event.boots)
                self._recovery.again()
            case _:
                raise TypeError(f"not an event of the Trader: {type(event).__name__}")

    # -- a person's word

    def _on_control(self, event: told.Control) -> None:
        desk = self._desk
        desk.note("control", "warning", verb=event.verb, by=event.by)
        match event.verb:
            case "halt":
                desk.session.halt(desk.now, event.by)
            case "resume":
                desk.evidence = Evidence()
                desk.persist_counts()
                desk.session.resume(desk.now, event.by)
            case "session_new":
                desk.session.session_new(desk.now, event.by, desk.equity())
            case "explore":
                self._staging.explore()
            case "flatten":
                self._flattening.begin(event.by, "flatten")
            case "stop" if not event.args.get("leave"):
                self._flattening.stop(event.by)
            case "stop":
                self._entries.resting.withdraw_all("stop")
                desk.end(f"stopped by {event.by}, positions left to their stops")
            case _:
                desk.note("control-unknown", "error", verb=event.verb)
        desk.persist("session", desk.session)
