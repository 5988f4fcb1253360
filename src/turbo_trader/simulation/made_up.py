"""Days on the made-up market: the whole Trader in simulated time, the market made minute by minute as it is needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from turbo_trader.exchange.exchange_machine import Exchange, ExchangeConfig
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import DAY, MINUTE
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.asking import Asked
from turbo_trader.simulation.network import Latency
from turbo_trader.simulation.panel_scores import PanelScores
from turbo_trader.simulation.simulation import Simulation
from turbo_trader.simulation.sinks import Sink, Sinks
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.commands import Command, Note
from turbo_trader.trader.control_verbs import ControlVerb
from turbo_trader.trader.events import Backfill, Control, Event
from turbo_trader.trader.machine import Trader

UID: Final = "backtest"
START: Final = 1_767_603_600_000_000_000  # 2026-01-05 09:00 UTC, as `run` has it
BLOCK: Final = 10 * MINUTE
CLOSING: Final = MINUTE


@dataclass(slots=True)
class Notes:
    """A sink that keeps what is said of trades and stages."""

    found: list[Note] = field(default_factory=list)
    keep: tuple[str, ...] = ("entry", "trade", "shadow-ended", "stage", "halt", "limit")

    def event(self, event: Event) -> None:
        """Events are not kept."""

    def command(self, command: Command) -> None:
        """Keep a note that is asked for."""
        if isinstance(command, Note) and command.name in self.keep:
            self.found.append(command)

    def of(self, name: str) -> list[Note]:
        """Notes of a name, in order."""
        return [note for note in self.found if note.name == name]


@dataclass(frozen=True, slots=True)
class MadeUp:
    """What to play. `edges`: (from which hour on, predictability put into the market), in order."""

    instruments: Sequence[Instrument]
    policy: Policy
    balance: Decimal = Decimal(18)
    days: float = 7.0
    edges: Sequence[tuple[float, float]] = ((0.0, 1.0),)
    new_session_daily: bool = False
    progress: Callable[[Simulation], None] | None = None  # called after each ten simulated minutes
    recorder: Sink | None = None  # gets everything the run does
    asked: Asked | None = None  # the panel signal that entries come from; None: the five signals

    def play(self, seed: int) -> dict[str, Any]:
        """Play it to the end, close what is open, and give the result (plain values and Decimals)."""
        began = time.perf_counter()
        market = SyntheticMarket(self.instruments, seed, START, self.edges[0][1])
        exchange = Exchange(self.instruments, ExchangeConfig())
        exchange.add_account(UID, self.balance)
        notes = Notes()
        trader = Trader(self.instruments, self.policy, boot=UID, start_ts=market.start, read_when_quiet=False)
        count = range(len(self.instruments))
        simulation = Simulation(
            trader, exchange, [market.read(s, market.start) for s in count], uid=UID, latency=Latency(),
            sink=Sinks(notes, self.recorder), start=market.start,
        )  # fmt: skip
        simulation.start(lambda *_: trader)
        for s, instrument in enumerate(self.instruments):
            simulation.deliver(Backfill(market.start, s, market.history(instrument.symbol)))
        end = market.start + int(self.days * DAY)
        scores = self._scores(simulation, market)
        self._play(simulation, market, end, scores)
        simulation.deliver(Control(simulation.now, ControlVerb.FLATTEN, "end of the run"))
        self._play(simulation, market, end + CLOSING, scores)
        wallet = exchange.wallet(UID)
        stages = [{"ts": note.ts, **note.fields} for note in notes.of("stage")]
        first = next((each["ts"] for each in stages if each["stage"] == "earned"), None)
        nets = [float(note.fields["net_fraction"]) for note in notes.of("trade")]
        return {
            "source": market.label,
            "seed": seed,
            "symbols": [instrument.symbol for instrument in self.instruments],
            "size": self.policy.size,
            "balance": self.balance,
            "days": self.days,
            "edges": [list(each) for each in self.edges],
            **trader.summary(),
            "end_equity": wallet,
            "net_pnl": wallet - self.balance,
            "net_bp_per_trade": 1e4 * sum(nets) / len(nets) if nets else None,
            "stage_changes": stages,
            "earned": first is not None,
            "earned_after_hours": None if first is None else (first - market.start) / 3.6e12,
            "seconds": round(time.perf_counter() - began, 3),
        }

    def _scores(self, simulation: Simulation, market: SyntheticMarket) -> PanelScores | None:
        if self.asked is None:
            return None
        past = [market.history(instrument.symbol) for instrument in self.instruments]
        scores = PanelScores(self.asked, self.instruments, simulation.loop, simulation.deliver, past)
        scores.begin()
        return scores

    def _play(
        self, simulation: Simulation, market: SyntheticMarket, end: int, scores: PanelScores | None
    ) -> None:
        while simulation.now < end and not simulation.process.stopped:
            until = min(end, (simulation.now // BLOCK + 1) * BLOCK)
            hours = (simulation.now - market.start) / 3.6e12
            market.set_edge([edge for since, edge in self.edges if since <= hours][-1])
            for s in range(len(self.instruments)):
                rows = market.read(s, until + MINUTE)
                simulation.cursors.extend(s, rows)
                if scores is not None:
                    scores.add(s, rows)
            simulation.run(until)
            if self.new_session_daily and until % DAY == 0:
                simulation.deliver(Control(simulation.now, ControlVerb.SESSION_NEW, "backtest"))
            if self.progress is not None:
                self.progress(simulation)
