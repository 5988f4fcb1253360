"""Requests as they cross the wire, read without the code that wrote them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from turbo_trader.bybit.rest import Request


@dataclass(frozen=True, slots=True)
class Order:
    """An order request. Prices USDT, `qty` base coin; what the request leaves out is None or ""."""

    link_id: str
    symbol: str
    side: int
    qty: Decimal
    kind: str
    time_in_force: str
    price: Decimal | None
    reduce_only: bool
    stop: Decimal | None
    take_profit: Decimal | None
    triggers: tuple[str, ...]  # by which price stop and take profit fire, and the mode
    window_ms: int


@dataclass(frozen=True, slots=True)
class StopChange:
    """A change of a position's stop or take profit; None leaves one as it is."""

    symbol: str
    stop: Decimal | None
    take_profit: Decimal | None


@dataclass(frozen=True, slots=True)
class Cancel:
    """The cancellation of one order."""

    symbol: str
    link_id: str
    order_id: str


@dataclass(frozen=True, slots=True)
class Leverage:
    """A leverage for a symbol."""

    symbol: str
    leverage: Decimal


@dataclass(frozen=True, slots=True)
class Unexpected:
    """A request that changes something and that the rules do not know."""

    target: str
    body: str


Sent: TypeAlias = Order | StopChange | Cancel | Leverage | Unexpected


def read_request(request: Request) -> Sent | None:
    """What a request asks the venue to change; None where it only reads."""
    if request.method == "GET":
        return None
    body = json.loads(request.body)
    match request.target:
        case "/v5/order/create":
            return _order(body, int(request.headers["X-BAPI-RECV-WINDOW"]))
        case "/v5/position/trading-stop":
            return StopChange(body["symbol"], _number(body, "stopLoss"), _number(body, "takeProfit"))
        case "/v5/order/cancel":
            return Cancel(body["symbol"], body.get("orderLinkId", ""), body.get("orderId", ""))
        case "/v5/position/set-leverage":
            return Leverage(body["symbol"], Decimal(body["buyLeverage"]))
        case target:
            return Unexpected(target, request.body.decode())


def _order(body: dict[str, Any], window_ms: int) -> Order:
    return Order(
        link_id=body.get("orderLinkId", ""),
        symbol=body["symbol"],
        side=1 if body["side"] == "Buy" else -1,
        qty=Decimal(body["qty"]),
        kind=body["orderType"],
        time_in_force=body.get("timeInForce", ""),
        price=_number(body, "price"),
        reduce_only=body.get("reduceOnly", False) is True,
        stop=_number(body, "stopLoss"),
        take_profit=_number(body, "takeProfit"),
        triggers=tuple(str(body.get(name, "")) for name in ("slTriggerBy", "tpTriggerBy", "tpslMode")),
        window_ms=window_ms,
    )


def _number(body: dict[str, Any], name: str) -> Decimal | None:
    return Decimal(body[name]) if name in body else None
