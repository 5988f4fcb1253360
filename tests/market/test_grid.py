"""On the grid, on the right side, and readable by a venue."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_trader.market.grid import on_grid
from turbo_trader.market.reference import universe

D = Decimal


@pytest.mark.parametrize(
    ("value", "step", "up", "text"),
    [
        ("50", "0.01", False, "50"), ("1200", "1", False, "1200"), ("1200.4", "10", True, "1210"), ("100", "0.1", True, "100"),
        ("100.05", "0.1", False, "100.0"), ("0.00001234", "0.0000001", True, "0.0000124"),
    ],
)  # fmt: skip
def test_plain_text(value: str, step: str, up: bool, text: str) -> None:
    got = on_grid(D(value), D(step), up)
    assert got == D(text)
    assert "E" not in str(got)


@given(
    value=st.decimals(min_value=D("0.0001"), max_value=D(10**6), places=6),
    step=st.sampled_from([D("0.0001"), D("0.01"), D("0.5"), D(1), D(10), D("1E+2")]),
    up=st.booleans(),
)
def test_not_beyond_and_nearest(value: Decimal, step: Decimal, up: bool) -> None:
    got = on_grid(value, step, up)
    assert got % step == 0
    assert 0 <= (got - value if up else value - got) < step
    assert "E+" not in str(got)


@given(
    value=st.decimals(min_value=D("0.001"), max_value=D(10**7), places=6),
    step=st.sampled_from([D("0.000001"), D("0.1"), D(5), D(10), D("1E+2"), D("1E+3")]),
)
def test_an_instrument_never_gives_an_exponent(value: Decimal, step: Decimal) -> None:
    instrument = replace(universe()[0], tick=step, step=step)
    below, above = instrument.floor_price(value), instrument.ceil_price(value)
    assert below <= value <= above
    assert instrument.floor_qty(value) == below
    assert instrument.price(instrument.ticks(above)) == above
    assert instrument.qty(instrument.lots(above)) == above
    given_back = (below, above, instrument.floor_qty(value), instrument.price(7), instrument.qty(70))
    assert not any("E" in str(number) for number in given_back)
