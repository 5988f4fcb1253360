"""Markets of paper and of `exchange`: how fast their time runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from turbo_trader.console.markets import open_market, speed_of
from turbo_trader.console.settings import load_settings
from turbo_trader.rules.policy import Policy


@pytest.mark.parametrize(("asked", "runs", "serves"), [(None, 30.0, 1.0), (5.0, 5.0, 5.0)])
async def test_the_made_up_market_hurries_for_run_and_keeps_time_for_the_clients_of_others(
    asked: float | None, runs: float, serves: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings(market="synthetic", speed=asked)
    assert speed_of(settings) == runs
    async with open_market(settings, Policy(), lambda *_: None) as market:
        assert market.speed == serves
