"""Bars gathered into panels: late, repeated and missing ones, and nothing beyond the panel's end."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from turbo_trader.market.rows import BAR, MINUTE, Rows
from turbo_trader.signals.panel_bars import PanelBars
from turbo_trader.signals.panel_signal import Panel

START = 28_000_000 * MINUTE


def bars(first: int, closes: list[float]) -> Rows:
    rows = np.zeros(len(closes), BAR)
    rows["ts"] = START + MINUTE * (first + np.arange(len(closes)))
    for name in ("open", "high", "low", "close"):
        rows[name] = closes
    rows["volume"] = 1.0
    return cast("Rows", rows)


def made(count: int = 4) -> PanelBars:
    return PanelBars(("A", "B"), MINUTE, count)


def panel_at(gathered: PanelBars, minute: int) -> Panel:
    panel = gathered.panel(START + minute * MINUTE)
    assert panel is not None
    return panel


def test_panel_needs_its_whole_length() -> None:
    gathered = made()
    gathered.put(0, bars(0, [1.0, 2.0, 3.0]))
    assert gathered.panel(START + 3 * MINUTE) is None
    gathered.put(0, bars(3, [4.0]))
    panel = panel_at(gathered, 4)
    assert panel.close[:, 0].tolist() == [1.0, 2.0, 3.0, 4.0]
    assert np.isnan(panel.close[:, 1]).all()
    assert panel.now_ns == START + 4 * MINUTE


def test_bar_read_again_replaces_the_one_known() -> None:
    gathered = made(2)
    gathered.put(0, bars(0, [1.0, 2.0]))
    gathered.put(0, bars(1, [2.5, 3.0]))
    assert panel_at(gathered, 3).close[:, 0].tolist() == [2.5, 3.0]


def test_missing_bar_is_nan_and_a_later_one_of_another_symbol_stays_hidden() -> None:
    gathered = made(3)
    gathered.put(0, bars(0, [1.0, 2.0]))
    gathered.put(0, bars(3, [4.0]))
    gathered.put(1, bars(0, [5.0, 6.0, 7.0, 8.0]))
    assert panel_at(gathered, 3).close[-1].tolist() == pytest.approx([np.nan, 7.0], nan_ok=True)


@pytest.mark.parametrize("step", [1, 7, 50, 400])
def test_room_moves_on_for_ever_whatever_the_steps(step: int) -> None:
    gathered = made(5)
    for first in range(0, 2_000, step):
        gathered.put(0, bars(first, [float(first + k) for k in range(step)]))
        end = first + step
        if end >= 5:
            shown = panel_at(gathered, end).close[:, 0]
            assert shown.tolist() == [float(end - 5 + k) for k in range(5)]


def test_long_history_that_comes_late_is_taken_in() -> None:
    gathered = made(100)
    gathered.put(1, bars(99, [1.0]))
    gathered.put(0, bars(0, [float(k) for k in range(100)]))
    assert panel_at(gathered, 100).close[0, 0] == 0.0


def test_gap_longer_than_the_room_leaves_nothing_old_behind() -> None:
    gathered = made(3)
    gathered.put(0, bars(0, [1.0] * 4))
    gathered.put(0, bars(5_000, [2.0]))
    assert panel_at(gathered, 5_001).close[:, 0].tolist() == pytest.approx([np.nan, np.nan, 2.0], nan_ok=True)


def test_funding_is_the_last_rate_settled_up_to_each_bars_end() -> None:
    gathered = made(4)
    gathered.put(0, bars(0, [1.0] * 4))
    gathered.fund(0, np.array([START + 2 * MINUTE]), np.array([0.0001]))
    gathered.fund(0, np.array([START + 2 * MINUTE, START + 4 * MINUTE]), np.array([0.0001, -0.0003]))
    shown = panel_at(gathered, 4).funding[:, 0]
    assert shown.tolist() == pytest.approx([np.nan, 0.0001, 0.0001, -0.0003], nan_ok=True)


def test_panel_is_read_only() -> None:
    gathered = made(2)
    gathered.put(0, bars(0, [1.0, 2.0]))
    with pytest.raises(ValueError, match="read-only"):
        panel_at(gathered, 2).close[0, 0] = 3.0
