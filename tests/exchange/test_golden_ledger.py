"""A day of one account, worked by hand: every line of its transaction log and its results, to the last digit.

BTC in lots of 0.001, taker 0.00055, maker 0.0002; what is shared out is rounded to 1e-8, sums stay exact.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.protocol.routes_positions import PositionRoutes
from turbo_trader.market.rows import SECOND

D = Decimal
EIGHT_HOURS = 8 * 3_600 * SECOND

#: kind, side, quantity, price, cash flow, funding, fee, balance after it, size after it
LEDGER = [
    ("TRANSFER_IN", 0, "0", "0", "1000", "0", "0", "1000", "0"),
    # 0.100 x 50,001.0 = 5,000.1; x 0.00055
    ("TRADE", 1, "0.100", "50001.0", "0", "0", "2.750055", "997.249945", "0.100"),
    # rested: 0.040 x 49,990.0 = 1,999.6; x 0.0002. The position costs 6,999.7
    ("TRADE", 1, "0.040", "49990.0", "0", "0", "0.39992", "996.850025", "0.140"),
    # 0.140 x 50,100 x 0.0001
    ("SETTLEMENT", 1, "0.140", "50100.0", "0", "-0.7014", "0", "996.148625", "0.140"),
    # 0.060 x 50,200 = 3,012, less 6,999.7 x 0.06 / 0.14 = 2,999.87142857
    ("TRADE", -1, "0.060", "50200.0", "12.12857143", "0", "1.6566", "1006.62059643", "0.080"),
    # closes 0.080: 4,016 less the 3,999.82857143 that are left; opens a short of 0.020; fee of 5,020
    ("TRADE", -1, "0.100", "50200.0", "16.17142857", "0", "2.761", "1020.031025", "-0.020"),
    # -0.020 x 50,000 x 0.0002: a short receives
    ("SETTLEMENT", -1, "0.020", "50000.0", "0", "0.2", "0", "1020.231025", "-0.020"),
    # taken over at 50,200 x (1 + 1/50) = 51,204: loses 0.020 x 1,004; fee of 1,024.08
    ("LIQUIDATION", 1, "0.020", "51204.0", "-20.08", "0", "0.563244", "999.587781", "0.000"),
]
#: closing side, closed, entry value, exit value, opening fee, closing fee, result without funding
CLOSED = [
    # opening fees 3.149975: 6/14 of them, 8/14 of them, then 2/10 of 2.761
    (-1, "0.060", "2999.87142857", "3012", "1.349989285714", "1.6566", "9.121982144286"),
    (-1, "0.080", "3999.82857143", "4016", "1.799985714286", "2.2088", "12.162642855714"),
    (1, "0.020", "1004", "1024.08", "0.5522", "0.563244", "-21.195444"),
]


def settle(rig: Any) -> None:
    rig.now = (rig.now // EIGHT_HOURS + 1) * EIGHT_HOURS
    rig.x.settle(rig.now)


@pytest.fixture
def day(rig: Any) -> Any:
    """Lived through."""
    assert rig.market(1, "0.100") == 0
    assert rig.limit(1, "0.040", "49990.0") == 0
    rig.trade(499_800, 100, -1)  # through it
    rig.mark(501_000)
    rig.funding("0.0001")
    settle(rig)
    rig.book(502_000, 502_010)
    assert rig.market(-1, "0.060") == 0
    assert rig.market(-1, "0.100") == 0
    rig.mark(500_000)
    rig.funding("0.0002")
    settle(rig)
    assert rig.do(ask.SetLeverage("BTCUSDT", D(50))) == 0
    rig.mark(513_000)
    return rig


def test_every_change_of_the_wallet_has_its_entry(day: Any) -> None:
    found = [
        (e.kind, e.side, e.qty, e.price, e.cash_flow, e.funding, e.fee, e.balance, e.size)
        for e in day.x.accounts["u"].log
    ]
    assert found == [(kind, side, *map(D, figures)) for kind, side, *figures in LEDGER]


def test_each_entry_is_the_change_and_they_add_up(day: Any) -> None:
    log = day.x.accounts["u"].log
    assert all(e.change == e.cash_flow + e.funding - e.fee for e in log)
    assert sum(e.change for e in log) == day.x.wallet("u") == D("999.587781")


def test_closed_results_carry_both_fees_and_no_funding(day: Any) -> None:
    answer = PositionRoutes(day.x).closed_pnl("u", {"category": "linear", "symbol": "BTCUSDT"}, day.now)
    rows = answer.result["list"][::-1]
    names = ("cumEntryValue", "cumExitValue", "openFee", "closeFee", "closedPnl")
    for row, (side, closed, *figures) in zip(rows, CLOSED, strict=True):
        assert (row["side"], D(row["closedSize"])) == ("Buy" if side > 0 else "Sell", D(closed))
        for name, figure in zip(names, figures, strict=True):
            assert D(row[name]) == pytest.approx(D(figure), abs=D("1e-8")), name


def test_results_of_the_position_are_those_of_the_log(day: Any) -> None:
    assert day.position().realised_ever == D("999.587781") - 1_000
