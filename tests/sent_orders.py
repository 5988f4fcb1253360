"""An entry and a close as the Trader sends them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from turbo_trader.market.order_terms import OrderType, Side, TimeInForce
from turbo_trader.trader.commands import PlaceOrder, Purpose


def entry(name: str = "e1", **more: Any) -> PlaceOrder:
    """Buy 0.001 BTC at 60,000, with a stop at 59,000."""
    given: dict[str, Any] = {
        "qty": Decimal("0.001"),
        "price": Decimal(60000),
        "stop_loss": Decimal(59000),
        **more,
    }
    return PlaceOrder(
        id=name, symbol="BTCUSDT", side=Side.BUY, order_type=OrderType.LIMIT, time_in_force=TimeInForce.IOC,
        reduce_only=False, purpose=Purpose.ENTRY, **given,
    )  # fmt: skip


def close(name: str = "x1", **more: Any) -> PlaceOrder:
    """Sell them at market."""
    return PlaceOrder(
        id=name, symbol="BTCUSDT", side=Side.SELL, order_type=OrderType.MARKET, time_in_force=TimeInForce.IOC,
        reduce_only=True, purpose=Purpose.CLOSE, **{"qty": Decimal("0.001"), **more},
    )  # fmt: skip
