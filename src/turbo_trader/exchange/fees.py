"""Fee rates by VIP level: Bybit's base rates for perpetuals, taker and maker. Regions differ."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

RATES: Final = tuple(
    (Decimal(taker), Decimal(maker))
    for taker, maker in (
        ("0.00055", "0.0002"), ("0.0004", "0.00018"), ("0.000375", "0.00016"), ("0.00035", "0.00014"),
        ("0.00032", "0.00012"), ("0.00032", "0.0001"),
    )
)  # fmt: skip
