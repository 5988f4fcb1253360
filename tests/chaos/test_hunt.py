"""The hunt for planted defects: names."""

from __future__ import annotations

import pytest

from turbo_trader.chaos.hunt import defect_named
from turbo_trader.market.errors import InputError


@pytest.mark.parametrize(
    ("name", "hint"), [("size-trippled", "did you mean size-tripled?"), ("qqq", "listed in chaos/")]
)
def test_an_unknown_defect_is_one_short_line_with_the_nearest_name(name: str, hint: str) -> None:
    with pytest.raises(InputError) as raised:
        defect_named(name)
    assert hint in str(raised.value)
    assert len(str(raised.value)) < 180
