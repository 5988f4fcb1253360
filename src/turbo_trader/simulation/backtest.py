"""A backtest: the whole Trader over a tape, trading on the simulated exchange in process."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

import numpy as np

from turbo_trader.exchange.machine import Exchange, ExchangeConfig
from turbo_trader.market.events import Rows
from turbo_trader.market.tape import Tape
from turbo_trader.rules.calibration import report
from turbo_trader.rules.outcomes import OUTCOME
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.report import whole_report
from turbo_trader.simulation.network import Latency
from turbo_trader.simulation.shell import Simulation
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
from turbo_trader.trader.events import Backfill, Control, Event, FeeRates, StreamStatus
from turbo_trader.trader.machine import Trader

UID = "backtest"
CLOSING_TIME = 60 * 1_000_000_000  # simulated time given to close what is open at the end of the tape


@dataclass
class Decisions:
    """A sink that keeps a running SHA-256 of every scan and every wire command, in order, the notes of trades, and outcomes."""

    digest: Any = field(default_factory=hashlib.sha256)
    notes: list[Note] = field(default_factory=list)
    outcomes: list[Rows] = field(default_factory=list)
    keep: tuple[str, ...] = ("trade", "halt", "limit", "liquidation")

    def event(self, event: Event) -> None:
        """Events are not decisions."""

    def command(self, command: Command) -> None:
        """Add a command to the digest."""
        match command:
            case Scanned():
                self.digest.update(command.rows.tobytes())
            case PlaceOrder() | CancelOrder() | SetStops() | SetLeverage():
                self.digest.update(repr(command).encode())
            case Resolved():
                self.outcomes.append(command.rows)
            case Note() if command.name in self.keep:
                self.notes.append(command)
            case _:
                pass


@dataclass(frozen=True)
class Backtest:
    """What to run: a tape, the rules, a starting balance (USDT), the network."""

    tape: Tape
    policy: Policy
    balance: Decimal
    latency: Latency = field(default_factory=Latency)

    def run(self, history: Sequence[Rows] = ()) -> dict[str, Any]:
        """Run it to the end of the tape, close what is open, and return the result (plain values and Decimals).

        `history`: one-minute bars (BAR) per instrument before the tape, for the warm-up.
        """
        started = time.perf_counter()
        start, end = self.tape.start, self.tape.end
        exchange = Exchange(self.tape.instruments, ExchangeConfig())
        exchange.add_account(UID, self.balance)
        trader = Trader(self.tape.instruments, self.policy, boot="backtest", start_ts=start)
        decisions = Decisions()
        simulation = Simulation(
            trader, exchange, self.tape.rows, uid=UID, latency=self.latency, sink=decisions, start=start
        )
        for s, bars in enumerate(history):
            simulation.deliver(Backfill(start, s, bars))
        self._open(simulation, exchange, start)
        simulation.run(end)
        simulation.deliver(Control(simulation.now, "flatten", "end of tape"))
        simulation.run(end + CLOSING_TIME)
        summary = trader.summary()
        wallet = exchange.wallet(UID)
        trades = [note.fields for note in decisions.notes if note.name == "trade"]
        hours = (end - start) / 3.6e12
        told = whole_report(trades, *trader.scanned, (self.balance, wallet), hours)
        return {
            "source": self.tape.source,
            "rebuilt": self.tape.rebuilt,
            "symbols": [instrument.symbol for instrument in self.tape.instruments],
            "events": sum(len(rows) for rows in self.tape.rows),
            "seconds": round(time.perf_counter() - started, 3),
            **summary,
            "end_equity": wallet,
            "net_pnl": wallet - self.balance,
            "calibration": self._calibration(decisions),
            "report": told,
            "decisions_sha256": decisions.digest.hexdigest(),
        }

    def _calibration(self, decisions: Decisions) -> dict[str, Any]:
        """What `turbo-trader calibration --json` says of a journal, of this run."""
        symbols = [instrument.symbol for instrument in self.tape.instruments]
        rows = cast("Rows", np.concatenate([np.zeros(0, OUTCOME), *decisions.outcomes]))
        trades = [note.fields for note in decisions.notes if note.name == "trade"]
        return {"mode": self.policy.calibration, **report(rows, symbols, trades)}

    def _open(self, simulation: Simulation, exchange: Exchange, start: int) -> None:
        """What a live shell learns before it trades: fee rates, and that the streams are up."""
        for instrument in self.tape.instruments:
            taker, maker = exchange.fee_rates(UID, instrument.symbol)
            simulation.deliver(FeeRates(start, instrument.symbol, taker, maker))
        for stream in ("public", "private"):
            simulation.deliver(StreamStatus(start, stream, up=True))
