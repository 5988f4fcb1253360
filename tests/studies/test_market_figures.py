"""The figures of recorded and synthetic markets are what their names say, and the shipped ones are the recorded ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studies.market_figures import synthetic_bars, synthetic_books, table
from studies.recorded_figures import bar_figures, recorded_depth, slippage
from turbo_trader.market.depth import depth_of
from turbo_trader.market.reference import universe

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def test_slippage_is_the_average_price_of_walking_both_sides_against_mid() -> None:
    bids, asks = [(99.0, 1.0), (98.0, 10.0)], [(101.0, 1.0), (102.0, 10.0)]
    assert slippage(bids, asks, 50.0) == pytest.approx(100.0)  # within the best level: half the spread
    bought = 1.0 + (203.0 - 101.0) / 102.0
    sold = 1.0 + (203.0 - 99.0) / 98.0
    expected = ((203.0 / bought / 100 - 1) + (1 - 203.0 / sold / 100)) / 2 * 1e4
    assert slippage(bids, asks, 203.0) == pytest.approx(expected)
    assert np.isnan(slippage(bids, asks, 1e6))


def test_bar_figures_of_known_returns() -> None:
    draws = np.random.default_rng(1)
    leader = draws.standard_normal(20_000) * 1e-3
    figures = bar_figures(2.0 * leader + draws.standard_normal(20_000) * 1e-3, leader)
    assert figures["beta"] == pytest.approx(2.0, abs=0.03)
    assert figures["correlation"] == pytest.approx(2 / 5**0.5, abs=0.01)
    assert figures["kurtosis"] == pytest.approx(3.0, abs=0.2)
    assert abs(figures["acf_1"]) < 0.02


def test_the_table_has_recorded_and_synthetic_side_by_side() -> None:
    text = table("T", ("a",), {"X": {"a": 1.0}, "Z": {"a": 3.0}}, {"X": {"a": 2.0}, "Y": {"a": float("nan")}})
    assert text.splitlines()[2:] == [
        "| symbol | a |",
        "|---|---|",
        "| X | 1 / 2 |",
        "| Y | - / - |",
        "| Z | 3 / - |",
    ]


def test_the_synthetic_market_has_the_figures_it_was_fitted_to() -> None:
    instruments = universe()[:4]
    bars = synthetic_bars(instruments, (1, 2, 3), 0.0)
    assert bars["BTCUSDT"]["sd_bp"] == pytest.approx(5.3, rel=0.3)
    assert bars["ETHUSDT"]["correlation"] == pytest.approx(0.74, abs=0.1)
    assert bars["SOLUSDT"]["kurtosis"] > 5
    assert bars["BTCUSDT"]["acf_1"] > 0.1
    books = synthetic_books(instruments, 1, 30, 0.0)
    assert books["BTCUSDT"]["flow_now"] > 0.3
    assert books["BTCUSDT"]["slip_1e+06"] == pytest.approx(1.06, rel=0.6)
    assert books["BTCUSDT"]["prints"] > 20


def test_the_depth_model_goes_through_the_figures_at_100k_and_1m() -> None:
    depth = depth_of("XRPUSDT")
    for usd, slip in ((1e5, 1.345e-4), (1e6, 6.34e-4)):
        far = (usd / depth.scale) ** (1 / depth.power)
        steps = np.linspace(0.0, 1.0, 100_001)
        mean = np.mean(
            far * steps ** (1 / depth.power)
        )  # price of the marginal dollar, averaged over the order
        assert depth.spread / 2 + mean == pytest.approx(slip, rel=0.01)


@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")
def test_the_shipped_depth_figures_are_the_recorded_ones() -> None:
    import json

    from turbo_trader.market import depth

    shipped = json.loads(Path(depth.__file__).with_name("depth_figures.json").read_text())["symbols"]
    recorded = recorded_depth(DATA)
    for symbol, row in shipped.items():
        assert row["spread_bp"] == pytest.approx(recorded[symbol]["spread"], rel=0.05), symbol
        assert row["slip_100k_bp"] == pytest.approx(recorded[symbol]["slip_1e+05"], rel=0.05), symbol
        assert row["slip_1m_bp"] == pytest.approx(recorded[symbol]["slip_1e+06"], rel=0.05), symbol
