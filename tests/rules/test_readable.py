from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.rules.readable import readable


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("0.6666666666666666666666666667"), "0.66666667"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("-1.663723361234"), "-1.6637234"),
        (Decimal("112960.5"), "112960.5"),
        (Decimal("123456789.123"), "123456789"),
        (Decimal("0.13715398"), "0.13715398"),
        (Decimal(0), "0"),
        ("0.6666666666666666666666666667", "0.66666667"),
        ("paper-20261128-115628", "paper-20261128-115628"),
        (0.1 + 0.2, "0.3"),
        (1_767_603_600_000_000_000, "2026-01-05T09:00:00Z"),
        (12_345, "12345"),
        (True, "yes"),
        ({"OFI": 0.25, "VWAP": None}, "OFI 0.25, VWAP None"),
        ([], "none"),
    ],
)
def test_a_value_is_written_for_a_person(value: Any, text: str) -> None:
    assert readable(value) == text
