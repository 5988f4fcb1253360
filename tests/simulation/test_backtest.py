"""A backtest runs the whole Trader on the simulated exchange: deterministic, exact in money, honest without an edge."""

from __future__ import annotations

from decimal import Decimal
from functools import cache, partial
from typing import Any, ClassVar

import numpy as np
import pytest

from turbo_trader.market.reference import universe
from turbo_trader.market.rows import MINUTE, SECOND
from turbo_trader.market.tape import Tape
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.outcomes import OUTCOME, STOP, TARGET
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.figures import WEIGHED
from turbo_trader.simulation import backtest
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.simulation.network import Latency
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.commands import CancelOrder, Command, PlaceOrder, Scanned, SetLeverage, SetStops
from turbo_trader.trader.events import Event
from turbo_trader.trader.machine import Trader
from turbo_trader.trader.persisted import OUTCOMES

START = 1_767_603_600 * SECOND


@cache
def result(
    seed: int = 1,
    edge: float = 1.0,
    minutes: int = 45,
    balance: int = 100,
    feed_ms: int = 20,
    belief: Belief = Belief.WEIGHED,
    no_limits: bool = False,
) -> dict[str, Any]:
    instruments = universe()[:6]
    market = SyntheticMarket(instruments, seed, START, edge)
    rows = tuple(market.read(s, START + minutes * MINUTE) for s in range(len(instruments)))
    tape = Tape(instruments, rows, "made up", made_up=True)
    policy = Policy(belief=belief, calibration_min_samples=20, calibration_group=10, calibration_refit=60)
    test = Backtest(tape, policy, Decimal(balance), Latency(feed=feed_ms * 1_000_000), no_limits=no_limits)
    return test.run(tuple(market.history(i.symbol) for i in instruments))


def test_it_trades_on_a_market_with_an_edge_and_ends_flat_and_guarded() -> None:
    report = result()
    assert report["trades"] > 0
    assert report["open_positions"] == 0
    assert report["unguarded_seconds"] == 0
    assert report["wins"] + report["losses"] == report["trades"]


def test_progress_is_the_share_of_the_tape_that_is_played() -> None:
    instruments = universe()[:2]
    market = SyntheticMarket(instruments, 1, START, 1.0)
    rows = tuple(market.read(s, START + 10 * MINUTE) for s in range(len(instruments)))
    shares: list[float] = []
    Backtest(
        Tape(instruments, rows, "made up", made_up=True), Policy(), Decimal(50), progress=shares.append
    ).run()
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.2
    assert 0.9 < shares[-1] <= 1


@pytest.mark.parametrize("seed", [1, 2])
def test_the_wallet_adds_up_to_the_last_digit_and_is_the_venues(seed: int) -> None:
    report = result(seed=seed)
    assert (
        report["wallet"] == report["start_equity"] + report["realised"] - report["fees"] + report["funding"]
    )
    assert report["end_equity"] == report["wallet"]
    assert report["wallet_difference"] == 0


@pytest.mark.long
def test_twice_the_same_gives_the_same_decisions_and_another_seed_others() -> None:
    first = result()
    result.cache_clear()
    assert result()["decisions_sha256"] == first["decisions_sha256"]
    assert result(seed=2)["decisions_sha256"] != first["decisions_sha256"]


class Recorder(Trader):
    """A Trader whose decisions are written down with their times: scans to the bit, and what goes to the venue."""

    log: ClassVar[list[tuple[int, bytes]]]

    def handle(self, event: Event) -> list[Command]:
        commands = super().handle(event)
        for command in commands:
            if isinstance(command, Scanned):
                scans = command.rows.reshape(-1, len(self.symbols))
                self.log.extend((int(rows["ts"][0]), rows.tobytes()) for rows in scans)
            elif isinstance(command, PlaceOrder | CancelOrder | SetStops | SetLeverage):
                self.log.append((event.ts, repr(command).encode()))
        return commands


@pytest.mark.long
@pytest.mark.parametrize("minutes", [21, 33.7, 44])
def test_what_the_tape_says_later_changes_no_decision_before(
    monkeypatch: pytest.MonkeyPatch, minutes: float
) -> None:
    monkeypatch.setattr(backtest, "Trader", Recorder)
    instruments, cut = universe()[:6], START + int(minutes * MINUTE)
    market = SyntheticMarket(instruments, 1, START, 1.0)
    history = tuple(market.history(i.symbol) for i in instruments)
    rows = tuple(market.read(s, START + 45 * MINUTE) for s in range(len(instruments)))
    truncated = tuple(part[part["ts"] < cut] for part in rows)
    spoiled = tuple(part.copy() for part in rows)
    for part in spoiled:
        part["price"][part["ts"] >= cut] += 3

    def decided(parts: Any) -> list[tuple[int, bytes]]:
        Recorder.log = []
        Backtest(Tape(instruments, parts, "made up", made_up=True), Policy(), Decimal(50)).run(history)
        until = min(cut, max(int(part["ts"][-1]) for part in truncated))
        return [entry for entry in Recorder.log if entry[0] <= until]

    whole = decided(rows)
    assert len(whole) > 1.8 * minutes
    assert any(b"PlaceOrder" in said for _, said in whole)
    assert decided(truncated) == whole
    assert decided(spoiled) == whole


@pytest.mark.long
def test_latency_is_part_of_the_result() -> None:
    assert result(feed_ms=500)["decisions_sha256"] != result()["decisions_sha256"]


def test_the_funnel_narrows_and_its_blocks_add_up() -> None:
    funnel = result()["funnel"]
    assert (
        funnel["scans"]
        >= funnel["candidates"]
        >= funnel["pre_filter"]
        >= funnel["A"] + funnel["B"]
        >= funnel["passed"]
    )
    assert sum(funnel["blocks"].values()) + funnel["passed"] <= funnel["scans"]
    assert funnel["scans"] == result()["scans"]


def test_forecasts_have_outcomes_and_closed_trades_their_ev() -> None:
    found = result()["calibration"]
    assert found["over_all"]["outcomes"] > 0
    assert found["over_all"]["outcomes"] == sum(each["outcomes"] for each in found["symbols"].values())
    assert found["over_all"]["trades"]["closed"] == result()["trades"]
    assert found["over_all"]["trades"]["ev"] > 0
    assert sum(found["over_all"]["first"].values()) == found["over_all"]["outcomes"]


def test_measured_trades_nothing_before_it_has_outcomes() -> None:
    enforced = result(belief=Belief.MEASURED)
    assert enforced["calibration"]["over_all"]["outcomes"] > 0
    assert enforced["funnel"]["candidates"] > 0
    assert enforced["funnel"]["pre_filter"] == 0
    assert enforced["trades"] == 0


@pytest.mark.long
@pytest.mark.parametrize(("truth", "trades"), [(1.0, True), (0.0, False)])
def test_measured_trades_where_the_past_bore_the_model_out(
    monkeypatch: pytest.MonkeyPatch, truth: float, trades: bool
) -> None:
    rows = np.zeros(300, OUTCOME)
    rows["known_ts"], rows["horizon_s"], rows["hold_s"], rows["direction"] = START, 900.0, 1800.0, 1
    rows["forecasts"][:, WEIGHED] = np.linspace(0, 0.03, 300)
    rows["realised"] = truth * rows["forecasts"][:, WEIGHED]
    rows["confidences"][:, WEIGHED], rows["p_targets"][:, WEIGHED] = (
        np.linspace(0.5, 1, 300),
        np.linspace(0, 1, 300),
    )
    rows["first"] = np.where(np.arange(300) % 10 < 6, TARGET, STOP)
    remembering = partial(Trader, restored={OUTCOMES: {"rows": rows}})
    monkeypatch.setattr(backtest, "Trader", remembering)
    result.cache_clear()
    report = result(belief=Belief.MEASURED, balance=50)
    result.cache_clear()
    assert report["funnel"]["candidates"] > 0
    assert (report["trades"] > 0) is trades


def test_the_keys_of_the_rates_are_there() -> None:
    found = result()
    assert set(found) >= {
        "symbols", "hours", "hours_open", "scans", "trades", "trades_per_hour_15", "trades_per_hour_15_open",
        "net_bp_per_trade", "no_limits", "belief", "size", "funnel", "halted",
    }  # fmt: skip
    assert (found["no_limits"], found["belief"], found["size"]) == (False, "weighed", "full")
    assert found["halted"] is None  # the flatten at the end of the tape is no halt
    assert 0 < found["hours_open"] <= found["hours"] == pytest.approx(0.75, abs=0.02)


def test_under_asked_it_trades_and_without_limits_every_entry_is_of_the_same_account() -> None:
    asked = result(belief=Belief.ASKED, balance=18)
    free = result(belief=Belief.ASKED, balance=18, no_limits=True)
    assert asked["trades"] > 0
    assert free["no_limits"]
    assert free["trades"] >= asked["trades"]
    assert free["hours_open"] >= asked["hours_open"]
    assert free["transfers"] != 0  # topped up outside the books
    assert free["net_pnl"] == free["realised"] - free["fees"] + free["funding"]
