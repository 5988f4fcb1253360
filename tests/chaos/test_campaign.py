"""Many seeds: totals, the command that plays one again, shrinking."""

from __future__ import annotations

import shlex
from typing import Any

import pytest

from turbo_trader.chaos import campaign
from turbo_trader.chaos.campaign import Options, total
from turbo_trader.chaos.play import Chaos
from turbo_trader.chaos.shrinking import shrink
from turbo_trader.chaos.situations import SITUATIONS
from turbo_trader.market.errors import InputError
from turbo_trader.simulation.faults import parse_faults


def result(seed: int, violation: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "seed": seed, "simulated_s": 60.0, "cpu_seconds": 0.5, "speed": 120.0, "lives": 3, "entries": 2, "trades": 1,
        "trace": "", "faults": {"drop_before": 2}, "notes": {}, "violation": violation,
    }  # fmt: skip


def test_the_total_has_seeds_times_faults_crashes_trades_and_violations() -> None:
    broken = {"invariant": "I2", "seed": 2, "command": "turbo-trader chaos --from 2"}
    figures = total([result(1), result(2, broken)], wall=3.0)
    assert figures["seeds"] == 2
    assert figures["simulated_seconds"] == 120
    assert figures["wall_seconds"] == 3.0
    assert figures["faults"] == {"drop_before": 4}
    assert figures["crashes"] == 4
    assert figures["trades"] == 2
    assert figures["violations"] == [broken]


def test_the_command_names_every_option_in_force() -> None:
    options = Options(
        first=1,
        hours=0.4,
        situation="losing",
        faults="heavy,crash=0",
        balance="75",
        edge=0.5,
        symbols=2,
        rules={"MAX_LEVERAGE": "20"},
    )
    phrases = shlex.split(options.command(7))
    assert phrases[0] == "MAX_LEVERAGE=20"
    assert phrases[1:3] == ["turbo-trader", "chaos"]
    given = dict(zip(phrases[3::2], phrases[4::2], strict=True))
    assert given == {
        "--from": "7", "--seeds": "1", "--situation": "losing", "--hours": "0.4", "--faults": "heavy,crash=0", "--balance": "75",
        "--symbols": "2", "--edge": "0.5",
    }  # fmt: skip


def test_mixed_seeds_are_played_in_each_situation_in_turn() -> None:
    options = Options()
    assert {options.of(seed).name for seed in range(len(SITUATIONS))} == set(SITUATIONS)


def test_an_unknown_situation_is_named() -> None:
    with pytest.raises(InputError, match="calm"):
        Options(situation="calm").of(1)


def test_shrinking_drops_faults_time_and_symbols_that_are_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Chaos, seed: int) -> dict[str, Any]:
        """Breaks wherever requests are lost."""
        broken = {"invariant": "I2", "simulated_s": 60.0}
        return result(seed, broken if self.rates.drop_before else None)

    monkeypatch.setattr(Chaos, "play", fails)
    lines: list[str] = []
    violation = {"seed": 3, "invariant": "I2", "simulated_s": 60.0}
    smallest = shrink(
        Options(situation="faulty", faults="heavy,drop_before=0.123456789"), violation, 40, lines.append
    )
    assert parse_faults(smallest.faults) == parse_faults("drop_before=0.123456789")
    assert smallest.symbols == 1
    assert smallest.hours < 0.05
    assert lines


def test_what_breaks_within_seconds_is_shrunk_to_the_least_time_that_can_be_played(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = {"invariant": "I7", "simulated_s": 5.0}
    monkeypatch.setattr(Chaos, "play", lambda self, seed: result(seed, dict(broken)))
    smallest = shrink(Options(), {"seed": 1, **broken}, 9, lambda _: None)
    assert smallest.hours == 0.02


def test_a_command_has_its_numbers_to_the_last_digit() -> None:
    phrases = Options(hours=0.123456789, edge=1.0).command(1)
    assert "--hours 0.123456789 " in phrases
    assert phrases.endswith("--edge 1")


def test_a_seed_with_two_traces_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    traces = iter(("one", "two"))
    monkeypatch.setattr(Chaos, "play", lambda self, seed: {**result(seed), "trace": next(traces)})
    violation = campaign.play_seed(Options(), campaign.TWICE)["violation"]
    assert violation["invariant"] == "I11"
    assert violation["command"].startswith("turbo-trader chaos")
