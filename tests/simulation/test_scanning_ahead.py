"""Scans taken in one go decide, and say, what they do one by one: on a flat account and while positions are held."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.simulation.test_decisions import FORCED, START

from turbo_trader.market.reference import universe
from turbo_trader.market.rows import MINUTE
from turbo_trader.market.tape import Tape
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.commands import Command, Note, Resolved, Scanned
from turbo_trader.trader.events import Event, MarketAhead
from turbo_trader.trader.machine import Trader

#: Every signal counts; brackets are the policy's, so that positions are held for long.
EAGER: dict[str, Any] = {
    "turbo_min_snr": Decimal("0.1"), "turbo_min_confidence": Decimal(0), "a_min_others": 0,
}  # fmt: skip


class Kept:
    """Keeps what a run says, in order."""

    def __init__(self) -> None:
        self.lines: list[Any] = []

    def event(self, event: Event) -> None:
        """Not kept."""

    def command(self, command: Command) -> None:
        """Keep notes, scans and outcomes as plain values."""
        match command:
            case Note():
                self.lines.append((command.ts, command.name, command.level, command.fields))
            case Scanned() | Resolved():
                self.lines.append((command.ts, command.rows.tobytes()))
            case _:
                pass


def tape(seed: int, minutes: int) -> Tape:
    instruments = universe()[:3]
    market = SyntheticMarket(instruments, seed, START, edge=1.0)
    rows = tuple(market.read(s, START + minutes * MINUTE) for s in range(len(instruments)))
    return Tape(instruments, rows, "made up", made_up=True)


def run(tape: Tape, policy: Policy) -> tuple[dict[str, Any], list[Any]]:
    kept = Kept()
    result = Backtest(tape, policy, Decimal(18), recorder=kept).run()
    return {name: value for name, value in result.items() if name != "seconds"}, kept.lines


@pytest.mark.parametrize(
    ("seed", "changes"),
    [
        (4, FORCED),
        (6, EAGER),
    ],
)
def test_scans_in_one_go_decide_what_they_do_one_by_one(
    seed: int, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    market, policy = tape(seed, 40), Policy(**changes)
    taken: list[int] = []
    handle = Trader.handle

    def counted(trader: Trader, event: Event) -> list[Command]:
        commands = handle(trader, event)
        if isinstance(event, MarketAhead):
            taken.append(sum(isinstance(command, Scanned) for command in commands))
        return commands

    monkeypatch.setattr(Trader, "handle", counted)
    ahead = run(market, policy)
    assert sum(taken) > 10
    monkeypatch.setattr(Trader, "quiet_until", lambda _: 0)
    assert run(market, policy) == ahead
