"""Scans taken in one go decide, and say, what they do one by one: on a flat account and while positions are held.

So does an Exchange that is moved only when something can happen there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from tests.simulation.test_decisions import FORCED, START

from turbo_trader.market.reference import universe
from turbo_trader.market.rows import KIND_MASK, MARK, MINUTE, SECOND, Rows
from turbo_trader.market.tape import Tape
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation import cursors
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.simulation.cursors import Cursors
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.commands import Command, Note, Resolved, Scanned
from turbo_trader.trader.events import Event, MarketAhead
from turbo_trader.trader.machine import Trader

#: Every signal counts; brackets are the policy's, so that positions are held for long.
EAGER: dict[str, Any] = {
    "turbo_min_snr": Decimal("0.1"), "turbo_min_confidence": Decimal(0), "a_min_others": 0,
}  # fmt: skip


class Kept:
    """Keeps what a run says, in order, and its scans, which come one by one or several at once."""

    def __init__(self) -> None:
        self.lines: list[Any] = []
        self.scans = b""

    def event(self, event: Event) -> None:
        """Not kept."""

    def command(self, command: Command) -> None:
        """Keep notes, outcomes and scans as plain values."""
        match command:
            case Note():
                self.lines.append((command.ts, command.name, command.level, command.fields))
            case Resolved():
                self.lines.append((command.ts, command.rows.tobytes()))
            case Scanned():
                self.scans += command.rows.tobytes()
            case _:
                pass


@dataclass(frozen=True)
class Market:
    """A tape, and the minutes before it."""

    tape: Tape
    history: tuple[Rows, ...]


def made_up(seed: int, minutes: int) -> Market:
    instruments = universe()[:3]
    market = SyntheticMarket(instruments, seed, START, edge=1.0)
    rows = tuple(market.read(s, START + minutes * MINUTE) for s in range(len(instruments)))
    history = tuple(market.history(instrument.symbol) for instrument in instruments)
    return Market(Tape(instruments, rows, "made up", made_up=True), history)


def shaken(rows: Rows, rng: np.random.Generator) -> Rows:
    """With silences of up to two minutes, and with marks that lie apart from the market for a while."""
    found = rows.copy()
    begin, end = int(rows["ts"][0]), int(rows["ts"][-1])
    for _ in range(3):
        first = int(rng.integers(begin, end))
        found = found[(found["ts"] < first) | (found["ts"] >= first + int(rng.integers(1, 120)) * SECOND)]
    for _ in range(4):
        first = int(rng.integers(begin, end))
        apart = (
            ((found["kind"] & KIND_MASK) == MARK) & (found["ts"] >= first) & (found["ts"] < first + MINUTE)
        )
        factor = 1.0 + float(rng.normal(0.0, 0.004))
        for name in ("price", "lots"):
            found[name][apart] = np.round(found[name][apart] * factor)
    return found


def shaken_up(seed: int, minutes: int) -> Market:
    rng = np.random.default_rng(seed)
    market = made_up(seed, minutes)
    rows = tuple(shaken(rows, rng) for rows in market.tape.rows)
    return replace(market, tape=replace(market.tape, rows=rows))


def run(
    market: Market, policy: Policy, *, no_limits: bool = False
) -> tuple[dict[str, Any], list[Any], bytes]:
    kept = Kept()
    test = Backtest(market.tape, policy, Decimal(18), recorder=kept, no_limits=no_limits)
    result = test.run(market.history)
    return {name: value for name, value in result.items() if name != "seconds"}, kept.lines, kept.scans


@pytest.mark.parametrize(
    ("seed", "changes"),
    [
        (4, FORCED),
        (6, EAGER),
        (4, {**FORCED, "micro_turbo_signal_interval": 5}),
    ],
)
def test_scans_in_one_go_decide_what_they_do_one_by_one(
    seed: int, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    market, policy = made_up(seed, 40), Policy(**changes)
    taken: list[int] = []
    handle = Trader.handle

    def counted(trader: Trader, event: Event) -> list[Command]:
        commands = handle(trader, event)
        if isinstance(event, MarketAhead):
            taken.append(sum(len(command.rows) // 3 for command in commands if isinstance(command, Scanned)))
        return commands

    monkeypatch.setattr(Trader, "handle", counted)
    ahead = run(market, policy)
    assert sum(taken) > 10
    assert ahead[0]["trades"] > 0
    monkeypatch.setattr(Trader, "quiet_until", lambda _: 0)
    assert run(market, policy) == ahead


@pytest.mark.long
@pytest.mark.parametrize(("seed", "minutes"), [(4, 30), (6, 25)])
def test_shaken_tapes_give_the_same_in_one_go_and_step_by_step(
    seed: int, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    market, policy = shaken_up(seed, minutes), Policy(**FORCED)
    as_it_is = run(market, policy, no_limits=True)
    assert as_it_is[0]["trades"] > 0
    with monkeypatch.context() as one_by_one:
        one_by_one.setattr(Trader, "quiet_until", lambda _: 0)
        assert run(market, policy, no_limits=True) == as_it_is
    with monkeypatch.context() as at_every_step:
        at_every_step.setattr(Cursors, "calm", lambda *_: False)
        assert run(market, policy, no_limits=True) == as_it_is


@pytest.mark.parametrize("piece", [40, 700])
def test_a_tape_read_in_pieces_gives_the_same(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    market, policy = made_up(4, 30), Policy(**FORCED)
    at_once = run(market, policy)
    assert at_once[0]["trades"] > 0
    monkeypatch.setattr(cursors, "_PIECE", piece)
    assert run(market, policy) == at_once


def test_without_limits_every_scan_after_a_trade_sees_the_balance_again() -> None:
    result, lines, _ = run(made_up(4, 40), Policy(**FORCED), no_limits=True)
    names = [line[1] for line in lines if isinstance(line[1], str)]
    assert result["trades"] > 2
    assert names.count("transfer") == result["trades"]
    assert "discrepancy" not in names
    assert result["end_equity"] == Decimal(18)
