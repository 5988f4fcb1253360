"""The study of windows finds what is there: full reversion in a clear case, none on a random walk's bars."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from studies.ou_window import HORIZON, bars_table, slope, walk_bars

pytestmark = pytest.mark.long


def test_a_clear_reversion_is_realised_in_full() -> None:
    b, error, share = slope(1, 400, 5.0, 480, HORIZON, True)
    assert b == pytest.approx(1.0, abs=0.2)
    assert 0.0 < error < 0.1
    assert share > 0.99


def test_the_fits_that_pass_on_a_random_walk_predict_nothing() -> None:
    rng = np.random.default_rng(1)
    predicted: list[float] = []
    realised: list[float] = []
    tried = 0
    for _ in range(60):
        y = np.cumsum(rng.normal(0, 4e-4, 1000))
        out = np.empty((len(y), 4))
        found = walk_bars(y, 480, HORIZON, out)
        tried += 1000 - 480 - HORIZON + 1
        predicted.extend(out[:found, 1])
        realised.extend(out[:found, 3])
    assert len(predicted) / tried < 0.08
    assert abs(np.dot(predicted, realised) / np.dot(predicted, predicted)) < 0.4


def test_bars_of_a_folder_become_a_table(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 4e-4, 3000)))
    lines = ["ts_ms,open,high,low,close,volume"]
    lines += [f"{60_000 * k},{c:.6f},{c:.6f},{c:.6f},{c:.6f},1" for k, c in enumerate(close)]
    (tmp_path / "X.csv.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    assert bars_table(tmp_path).count("\n") == 6
