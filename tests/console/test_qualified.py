"""Before the first live order the banner says what the trades so far say of an edge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.reports.conftest import write_run

from turbo_trader.bybit.endpoints import Keys, loopback
from turbo_trader.console import start as starting
from turbo_trader.console.qualified import qualified_facts
from turbo_trader.console.settings import Settings
from turbo_trader.console.start import Ground
from turbo_trader.rules.choices import TradeSize
from turbo_trader.rules.policy import Policy

make_settings: Any = Settings  # every field has a default, which the type checker cannot see


def test_live_says_the_verdict_on_the_last_run_that_closed_a_trade(tmp_path: Path) -> None:
    write_run(tmp_path / "paper-1", 2)
    write_run(tmp_path / "paper-2", 0)
    ((name, text),) = qualified_facts("live", tmp_path / "live", tmp_path)
    assert name == "qualify"
    assert text.startswith("paper-1: not enough evidence: 2 trades on 1 day: at least 30 on 10 are wanted")


def test_without_any_trade_there_is_not_enough_evidence(tmp_path: Path) -> None:
    ((_, text),) = qualified_facts("live", tmp_path / "live", tmp_path)
    assert text == "not enough evidence: no run and no backtest has closed a trade yet"


def test_once_live_has_closed_a_trade_its_own_figures_count(tmp_path: Path) -> None:
    write_run(tmp_path / "live", 1)
    assert qualified_facts("live", tmp_path / "live", tmp_path) == []


@pytest.mark.parametrize(("mode", "said"), [("live", True), ("paper", False), ("testnet", False)])
def test_banner_has_it_in_live_alone(tmp_path: Path, mode: str, said: bool) -> None:
    settings = make_settings(mode=mode, journal_dir=tmp_path)
    ground = Ground(endpoints=loopback(9), keys=Keys("k" * 8, "s" * 8), symbols=("BTCUSDT",), market="Bybit")
    lines = starting.banner(settings, Policy(size=TradeSize.EARNED), ground, "here", tmp_path / "live")
    assert any(line.startswith("qualify ") for line in lines) is said
    assert all(len(line) <= 80 for line in lines)
