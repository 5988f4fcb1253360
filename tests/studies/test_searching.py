"""What a search costs: CPU beyond its trials, and what that says of many workers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studies.searching import Spent, lines, spent, written
from turbo_trader.lab.data import read_market
from turbo_trader.lab.made_up_panels import MadeUpPanel


def test_cost_beyond_the_trials_leaves_the_beginning_out() -> None:
    none, two = Spent(5.0, 1.0, 5.0), Spent(40.0, 2.16, 64.0)
    text = "\n".join(lines(60, 1.0, none, two))
    assert "+2.16 s, +3.6%" in text
    assert "speed-up with two free cores: 1.93; wall allowed 36.0 s" in text
    assert "20.0 ms a trial, so 1,000 workers are busy from 20.0 s a trial on" in text


def test_cpu_time_does_not_count_what_is_waited() -> None:
    import time

    assert spent(lambda: time.sleep(0.2)).cpu < 0.1 < spent(lambda: time.sleep(0.2)).wall


def test_panel_written_as_files_is_read_as_it_was(tmp_path: Path) -> None:
    panel = MadeUpPanel(days=2, symbols=2).panel(1)
    written(panel, tmp_path)
    found = read_market(tmp_path).panel
    assert found.symbols == tuple(sorted(panel.symbols))
    place = [panel.symbols.index(symbol) for symbol in found.symbols]
    assert np.array_equal(found.close, panel.close[:, place])
    assert found.volume.sum() == pytest.approx(panel.volume.sum())
