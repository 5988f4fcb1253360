"""The volatility study sees what reverts and what does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studies.volatility import main, pairs, row

Floats = np.ndarray


def walks(rng: np.random.Generator, decay: float, count: int = 6, minutes: int = 12_000) -> list[Floats]:
    """Random walks whose log variance reverts by `decay` a minute; 1: it stays as it is."""
    out = []
    for _ in range(count):
        level, logs = rng.normal(), np.empty(minutes)
        for i in range(minutes):
            level = decay * level + np.sqrt(1 - decay**2) * rng.normal()
            logs[i] = level
        out.append(np.cumsum(5e-4 * np.exp(0.5 * logs) * rng.standard_normal(minutes)))
    return out


def loss(cells: list[str]) -> float:
    return float(cells[1])


def test_where_volatility_reverts_the_slow_average_helps() -> None:
    rng = np.random.default_rng(1)
    fast, slow, came = pairs(walks(rng, 0.99), 30, 1440)
    mixed = fast**0.75 * slow**0.25
    alone, helped = (row("", f, came, fast / slow) for f in (fast, mixed))
    assert loss(helped) < loss(alone)
    assert float(alone[2]) > 1.2  # after quiet the fast one says too little,
    assert float(alone[6]) < 0.95  # after noise too much


def test_where_volatility_stays_neither_strays() -> None:
    rng = np.random.default_rng(2)
    fast, slow, came = pairs(walks(rng, 1.0), 30, 1440)
    for cells in (row("", fast, came, slow), row("", slow, came, slow)):
        assert all(float(x) == pytest.approx(1.0, abs=0.1) for x in cells[2:7])


def test_a_folder_without_bars_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path)])
    assert ended.value.code == 2
