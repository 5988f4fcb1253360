"""Equity and drawdown from trades and prices, and what is kept of a long curve."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from turbo_trader.reports.equity_curve import EquityCurve, equity_curve, thinned
from turbo_trader.reports.run_data import FillRecord, Prices, TradeRecord

NO_PRICES = Prices(np.zeros(0, np.int64), (), np.zeros((0, 0)))


def _trade(opened: int, closed: int, net: str, **fields: object) -> TradeRecord:
    return TradeRecord(
        id="x", symbol="XRPUSDT", tier="A", direction=1, decided_ts=opened, opened_ts=opened, closed_ts=closed,
        net=Decimal(net), qty=Decimal(10), entry=Decimal(2), **fields,  # type: ignore[arg-type]
    )  # fmt: skip


def test_equity_steps_by_the_net_result_at_each_close() -> None:
    curve = equity_curve(Decimal(100), 1, [_trade(2, 10, "5"), _trade(11, 20, "-21")], NO_PRICES)
    assert curve.ts.tolist() == [1, 10, 20]
    assert curve.equity.tolist() == [100.0, 105.0, 84.0]
    assert curve.worst == pytest.approx(-0.2)


def test_an_open_trade_counts_at_the_mid_of_each_scan_less_its_entry_fee() -> None:
    prices = Prices(np.array([5, 15], np.int64), ("XRPUSDT",), np.array([[2.1], [1.9]]))
    fee = FillRecord(2, 1, Decimal(10), Decimal(2), Decimal("0.25"))
    curve = equity_curve(Decimal(100), 1, [_trade(2, 0, "0", fills=[fee])], prices)
    assert curve.equity.tolist() == pytest.approx([100.0, 100.75, 98.75])


def test_nothing_at_all_is_an_empty_curve() -> None:
    curve = equity_curve(Decimal(0), 0, [], NO_PRICES)
    assert (len(curve.ts), curve.worst) == (0, 0.0)


def test_a_long_curve_is_thinned_and_keeps_its_extremes() -> None:
    rng = np.random.default_rng(1)
    equity = 100 + np.cumsum(rng.normal(size=100_000))
    drawdown = equity / np.maximum.accumulate(equity) - 1
    found = thinned(EquityCurve(np.arange(100_000), equity, drawdown), 2_400)
    assert len(found.ts) <= 2_401
    assert (found.equity.min(), found.equity.max()) == (equity.min(), equity.max())
    assert found.worst == drawdown.min()
    assert (found.ts[0], found.ts[-1]) == (0, 99_999)
