"""The long null test measures what it says, here on few bars."""

from __future__ import annotations

import numpy as np

from studies.rebuilt_figures import coefficients, walk_bars
from turbo_trader.market.reference import universe


def test_coefficients_of_a_short_walk_are_within_three_standard_errors_of_nothing() -> None:
    xrp = next(instrument for instrument in universe() if instrument.symbol == "XRPUSDT")
    bars = walk_bars(2_000, 120, 1, 2.2, float(xrp.tick))
    assert (bars["high"] >= np.maximum(bars["open"], bars["close"])).all()
    found = coefficients(bars, xrp, 1, "random")
    for name in ("order flow", "prints", "past return"):
        assert abs(found[name]) < 3 * found["standard error"], name
    assert found["order flow, same 30 s"] > 0.5
    assert found["rows a bar"] >= 30
