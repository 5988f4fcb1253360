"""The band of order prices."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.exchange import price_band
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import FINE, INDEX, MARK, ROW, SECOND, WHOLE

BTC = universe()[0]  # X 0.01, Y 0.02
D = Decimal


def test_an_amended_price_stays_in_the_venues_band(rig: Any) -> None:
    rig.limit(1, "0.010", "49990.0", link_id="in")
    rig.x.accounts["u"].moves_prices = False
    assert rig.amend("in", price="60000.0") == 30208


def band(rig: Any) -> tuple[Decimal, Decimal]:
    """Highest price of a buy, lowest of a sell."""
    return price_band.edge(rig.x, 0, 1), price_band.edge(rig.x, 0, -1)


def test_a_price_out_of_band_is_moved_to_its_edge_unless_the_account_wants_otherwise(rig: Any) -> None:
    highest, lowest = band(rig)
    assert highest % BTC.tick == lowest % BTC.tick == 0
    assert lowest < 50_000 < highest
    rig.book(599_990, 600_000)  # so that nothing trades
    rig.limit(1, "0.001", "59999.0", link_id="buy", time_in_force="PostOnly")
    assert (rig.order("buy").price, rig.order("buy").status) == (highest, "New")
    assert rig.amend("buy", price="59998.0") == 0
    assert rig.order("buy").price == highest
    rig.x.accounts["u"].moves_prices = False
    assert rig.limit(1, "0.001", "59999.0") == 30208
    assert rig.limit(1, "0.001", str(highest)) == 0
    assert rig.limit(1, "0.001", str(highest + BTC.tick)) == 30208


def test_a_price_off_the_tick_is_not_moved(rig: Any) -> None:
    assert rig.limit(1, "0.001", "60000.05") == 10001


@pytest.mark.parametrize(
    ("index", "highest", "lowest"),
    [
        (50_000, "50500.0", "49500.0"),  # mark (1 +- X)
        (50_700, "50700.0", "49500.0"),  # the index, which is further up
        (52_000, "51000.0", "49500.0"),  # never beyond mark (1 + Y)
        (49_200, "50500.0", "49200.0"),
        (45_000, "50500.0", "49000.0"),
    ],
)
def test_the_band_follows_mark_and_index(rig: Any, index: int, highest: str, lowest: str) -> None:
    prices = [(MARK, 500_000), (INDEX, index * 10)]
    rows = [(rig.now + SECOND, ticks * FINE, ticks, kind | WHOLE, 0, 0) for kind, ticks in prices]
    rig.feed(np.array(rows, ROW))
    assert band(rig) == (D(highest), D(lowest))


@pytest.mark.parametrize(
    ("side", "price", "code"),
    [(1, "1999999.8", 0), (1, "1999999.9", 110003), (-1, "0.1", 0), (-1, "0.0", 10001)],
)
def test_a_price_the_instrument_cannot_have_is_refused_not_moved(
    rig: Any, side: int, price: str, code: int
) -> None:
    assert rig.limit(side, "0.001", price) == code
    assert rig.limit(1, "0.001", "50000.0", trigger_price=D("2000000.0"), trigger_direction=1) == 110003
