"""The hunt for planted defects: names."""

from __future__ import annotations

import pytest

from turbo_trader.chaos.hunt import defect_named
from turbo_trader.chaos.planted import hunted
from turbo_trader.market.errors import InputError


@pytest.mark.parametrize(
    ("name", "hint"), [("size-trippled", "did you mean size-tripled?"), ("qqq", "listed in chaos/")]
)
def test_an_unknown_defect_is_one_short_line_with_the_nearest_name(name: str, hint: str) -> None:
    with pytest.raises(InputError) as raised:
        defect_named(name)
    assert hint in str(raised.value)
    assert len(str(raised.value)) < 180


def test_the_known_seed_of_a_defect_is_played_first_then_all_others() -> None:
    assert list(hunted(1, 4, 3)) == [3, 1, 2, 4]
    assert list(hunted(1, 3, 1)) == [1, 2, 3]
    assert list(hunted(10, 2, 3)) == [10, 11]
