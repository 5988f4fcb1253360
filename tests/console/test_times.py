"""Times and durations as people write them."""

import pytest

from turbo_trader.console.times import parse_duration
from turbo_trader.market.errors import InputError


@pytest.mark.parametrize(
    ("text", "seconds"), [("40s", 40), ("2m", 120), ("1.5h", 5400), ("3d", 259200), ("7", 7)]
)
def test_a_number_and_a_unit_are_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "0s", "-1m", "2 weeks", "1e3", "nan", "1_0m", "\uff11\uff10m", "\u0663m", "9" * 400 + "d", "36526d"],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match="40s or 2m"):
        parse_duration(text)
