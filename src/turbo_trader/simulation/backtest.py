"""A backtest: the whole Trader over a tape, trading on the simulated exchange in process."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, cast

import numpy as np

from turbo_trader.exchange.exchange_machine import Exchange, ExchangeConfig
from turbo_trader.market.record_copies import joined
from turbo_trader.market.rows import DAY, Rows
from turbo_trader.market.tape import Tape
from turbo_trader.rules.model_calibration import report
from turbo_trader.rules.outcomes import OUTCOME
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.trade_report import whole_report
from turbo_trader.signals.asking import Asked
from turbo_trader.simulation.decisions import DecisionDigest
from turbo_trader.simulation.measuring import OpenTime, entries_by_limit, rates, without_limits
from turbo_trader.simulation.network import Latency
from turbo_trader.simulation.panel_scores import PanelScores
from turbo_trader.simulation.simulation import Simulation
from turbo_trader.simulation.sinks import Sink, Sinks
from turbo_trader.simulation.workers import Threads
from turbo_trader.trader.commands import (
    CancelOrder,
    Command,
    Note,
    PlaceOrder,
    Resolved,
    Scanned,
    SetLeverage,
    SetStops,
)
from turbo_trader.trader.control_verbs import ControlVerb
from turbo_trader.trader.events import Backfill, Control, Event
from turbo_trader.trader.machine import Trader

UID = "backtest"
_KEPT = 2 * DAY  # what the venue remembers of orders, executions and transfers: no read reaches farther back
_SEARCHED = 50_000  # objects made: hardly one of them is part of a circle
CLOSING_TIME = 60 * 1_000_000_000  # simulated time given to close what is open at the end of the tape


@dataclass
class Decisions:
    """A sink that keeps a digest of every scan and every write command, in order, the notes of trades, and outcomes."""

    digest: DecisionDigest
    notes: list[Note] = field(default_factory=list)
    outcomes: list[Rows] = field(default_factory=list)
    open_time: OpenTime = field(default_factory=OpenTime)
    refusal: Callable[[], str] = str
    closed: Callable[[], None] = lambda: None  # called when a trade has ended
    scanned: Callable[[int], None] = lambda _: None  # called with the time of the last scan
    keep: tuple[str, ...] = ("trade", "halt", "limit", "liquidation", "entry")

    def event(self, event: Event) -> None:
        """Events are not decisions."""

    def command(self, command: Command) -> None:
        """Add a command to the digest."""
        match command:
            case Scanned():
                self.digest.scan(command.rows)
                self.scanned(command.ts)
                self._look(command.rows)
            case PlaceOrder() | CancelOrder() | SetStops() | SetLeverage():
                self.digest.command(command)
            case Resolved():
                self.outcomes.append(command.rows)
            case Note() if command.name in self.keep:
                self.notes.append(command)
                if command.name == "trade":
                    self.closed()
            case _:
                pass

    def _look(self, rows: Rows) -> None:
        """The session says the same at all scans of one command: nothing happens between them."""
        count, refusal = self.digest.count, self.refusal()
        candidates = np.any(rows["candidate"].reshape(-1, count), axis=1).tolist()
        for ts, found in zip(rows["ts"][::count].tolist(), candidates, strict=True):
            self.open_time.look(ts, refusal, candidates=found)


@dataclass(kw_only=True, frozen=True)
class _Played:
    """A run at its end; `wallet`: USDT then, `halted`: since when, and why, entries were not allowed any more."""

    trader: Trader
    decisions: Decisions
    wallet: Decimal
    halted: dict[str, Any] | None


@dataclass(frozen=True)
class Backtest:
    """What to run: a tape, the rules, a starting balance (USDT), the network.

    `new_session_daily`: at each 00:00 UTC a new session is asked for, as a user may. `no_limits`, for measuring only: session
    limits, pauses and watchdog are off, and after each trade the wallet is brought back to `balance` by a transfer, outside the
    books, so that every entry is sized as if equity were that.
    """

    tape: Tape
    policy: Policy
    balance: Decimal
    latency: Latency = field(default_factory=Latency)
    new_session_daily: bool = False
    no_limits: bool = False
    recorder: Sink | None = None  # gets everything the run does
    threads: int = 1  # that share the scans; the results are the same
    asked: Asked | None = None  # the panel signal that entries come from; None: the five signals
    progress: Callable[[float], None] | None = (
        None  # called with the share of the tape that is played, at each scan
    )

    def run(self, history: Sequence[Rows] = ()) -> dict[str, Any]:
        """Run it to the end of the tape, close what is open, and return the result (plain values and Decimals).

        `history`: one-minute bars (BAR) per instrument before the tape, for the warm-up.
        """
        started = time.perf_counter()
        gc.freeze()  # what is there now stays: only what the run makes is searched for garbage, and seldom
        searched = gc.get_threshold()
        gc.set_threshold(_SEARCHED, *searched[1:])
        workers = Threads(self.threads)
        try:
            played = self._play(history, workers)
        finally:
            workers.close()
            gc.set_threshold(*searched)
            gc.unfreeze()
        return {
            "source": self.tape.source,
            "rebuilt": self.tape.rebuilt,
            "symbols": [instrument.symbol for instrument in self.tape.instruments],
            "events": sum(len(rows) for rows in self.tape.rows),
            "seconds": round(time.perf_counter() - started, 3),
            **self._figures(played),
        }

    def _play(self, history: Sequence[Rows], workers: Threads) -> _Played:
        exchange = Exchange(self.tape.instruments, ExchangeConfig(keep_ns=_KEPT))
        exchange.add_account(UID, self.balance)
        start, end = self.tape.start, self.tape.end
        trader = Trader(
            self.tape.instruments,
            self._policy,
            boot="backtest",
            start_ts=start,
            read_when_quiet=False,
            workers=workers,
        )
        decisions = Decisions(DecisionDigest(trader.symbols), refusal=lambda: trader.refusal)
        simulation = Simulation(
            trader, exchange, self.tape.rows, uid=UID, latency=self.latency,
            sink=Sinks(decisions, self.recorder), start=start, workers=workers,
        )  # fmt: skip
        simulation.start(lambda *_: trader)
        for s, bars in enumerate(history):
            simulation.deliver(Backfill(start, s, bars))
        if self.asked is not None:
            scores = PanelScores(
                self.asked, self.tape.instruments, simulation.loop, simulation.deliver, history
            )
            for s, rows in enumerate(self.tape.rows):
                scores.add(s, rows)
            scores.begin()
        if self.no_limits:
            decisions.closed = partial(self._top_up, simulation)
        if (progress := self.progress) is not None:
            decisions.scanned = lambda ts: progress(min(1.0, (ts - start) / (end - start)))
        self._run(simulation, end)
        halted = self._halted(decisions.open_time)  # the end itself is no halt
        simulation.deliver(Control(simulation.now, ControlVerb.FLATTEN, "end of tape"))
        simulation.run(end + CLOSING_TIME)
        return _Played(trader=trader, decisions=decisions, wallet=exchange.wallet(UID), halted=halted)

    @property
    def _policy(self) -> Policy:
        return without_limits(self.policy) if self.no_limits else self.policy

    def _figures(self, played: _Played) -> dict[str, Any]:
        """The results of the run."""
        decisions, wallet, policy = played.decisions, played.wallet, self._policy
        summary = played.trader.summary()
        trades = [{"ts": note.ts, **note.fields} for note in decisions.notes if note.name == "trade"]
        span = self.tape.start, self.tape.end
        figures = rates(trades, span, decisions.open_time.ns, len(self.tape.instruments))
        return {
            **summary,
            **figures,
            "signal": policy.signal,
            "belief": policy.belief,
            "size": policy.size,
            "no_limits": self.no_limits,
            "halted": played.halted,
            "entries_by_limit": entries_by_limit([n.fields for n in decisions.notes if n.name == "entry"]),
            "end_equity": wallet,
            "net_pnl": wallet - self.balance - summary["transfers"],
            "calibration": self._calibration(decisions),
            "report": whole_report(trades, *played.trader.scanned, (self.balance, wallet), figures["hours"]),
            "decisions_sha256": decisions.digest.hexdigest(),
        }

    def _run(self, simulation: Simulation, end: int) -> None:
        """To the end of the tape, with a new session at each midnight UTC where asked for."""
        if self.new_session_daily:
            for midnight in range((simulation.now // DAY + 1) * DAY, end, DAY):
                simulation.run(midnight)
                simulation.deliver(Control(simulation.now, ControlVerb.SESSION_NEW, "backtest"))
        simulation.run(end)

    def _top_up(self, simulation: Simulation) -> None:
        """Bring the wallet back to the balance once the trade's fills are booked at the venue."""
        missing = self.balance - simulation.exchange.wallet(UID)
        if missing:
            simulation.transfer(missing)

    def _halted(self, open_time: OpenTime) -> dict[str, Any] | None:
        """Since when, and why, entries were not allowed any more when the tape ended; None where they were."""
        if not open_time.halted_at:
            return None
        at = datetime.fromtimestamp(open_time.halted_at / 1e9, UTC)
        return {"at": at.isoformat(timespec="seconds"), "why": open_time.why}

    def _calibration(self, decisions: Decisions) -> dict[str, Any]:
        """What `turbo-trader calibration --json` says of a journal, of this run."""
        symbols = [instrument.symbol for instrument in self.tape.instruments]
        rows = joined([cast("Rows", np.zeros(0, OUTCOME)), *decisions.outcomes])
        trades = [note.fields for note in decisions.notes if note.name == "trade"]
        return report(rows, symbols, trades)
