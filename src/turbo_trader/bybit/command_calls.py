"""The Trader's commands as REST calls: pybit method, endpoint group and parameters, all numbers as plain decimal strings."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from turbo_trader.market.order_terms import OrderType, StopMode, TriggerBy
from turbo_trader.trader.commands import CancelOrder, PlaceOrder, SetLeverage, SetStops, WriteCommand


@dataclass(frozen=True, slots=True)
class Call:
    """One REST call. `cancel`: 110001 is benign. `protective`: it closes, cancels or guards, and uses the exits' share."""

    method: str  # of pybit.unified_trading.HTTP
    group: str  # of the request budget
    params: dict[str, Any]
    protective: bool = False
    cancel: bool = False
    recv_window_ms: int = 5_000

    @property
    def opens(self) -> bool:
        """May it open a position?"""
        return self.method == "place_order" and not self.protective

    @property
    def writes(self) -> bool:
        """Does it change anything at the venue?"""
        return not self.method.startswith("get_")


def plain(value: Decimal | None) -> str | None:
    """A number in plain notation, without exponent; None stays None (left out of the request)."""
    return None if value is None else format(value, "f")


def call(command: WriteCommand) -> Call:
    """The REST call that carries out a command."""
    match command:
        case PlaceOrder():
            return _place(command)
        case CancelOrder():
            ids = {"orderLinkId": command.link_id} if command.link_id else {"orderId": command.order_id}
            params: dict[str, Any] = {"category": "linear", "symbol": command.symbol, **ids}
            return Call("cancel_order", "cancel", params, protective=True, cancel=True)
        case SetStops():
            return _stops(command)
        case SetLeverage():
            leverage = format(command.leverage, "f")
            params = {
                "category": "linear",
                "symbol": command.symbol,
                "buyLeverage": leverage,
                "sellLeverage": leverage,
            }
            return Call("set_leverage", "set-leverage", params)


def _place(command: PlaceOrder) -> Call:
    params: dict[str, Any] = {
        "category": "linear",
        "symbol": command.symbol,
        "side": command.side.venue_name,
        "orderType": command.order_type,
        "qty": plain(command.qty),
        "timeInForce": command.time_in_force,
        "positionIdx": command.position_idx,
        "orderLinkId": command.id,
        "reduceOnly": command.reduce_only,
    }
    if command.price is not None and command.order_type == OrderType.LIMIT:
        params["price"] = plain(command.price)
    if command.stop_loss is not None:
        params |= {
            "stopLoss": plain(command.stop_loss),
            "slTriggerBy": TriggerBy.LAST,
            "slOrderType": OrderType.MARKET,
        }
    if command.take_profit is not None:
        params |= {
            "takeProfit": plain(command.take_profit),
            "tpTriggerBy": TriggerBy.LAST,
            "tpOrderType": OrderType.MARKET,
        }
    if command.stop_loss is not None or command.take_profit is not None:
        params["tpslMode"] = StopMode.FULL
    return Call(
        "place_order", "create", params, protective=command.reduce_only, recv_window_ms=command.recv_window_ms
    )


def _stops(command: SetStops) -> Call:
    params: dict[str, Any] = {
        "category": "linear",
        "symbol": command.symbol,
        "tpslMode": StopMode.FULL,
        "positionIdx": command.position_idx,
    }
    if command.stop_loss is not None:
        params |= {"stopLoss": plain(command.stop_loss), "slTriggerBy": TriggerBy.LAST}
    if command.take_profit is not None:
        params |= {"takeProfit": plain(command.take_profit), "tpTriggerBy": TriggerBy.LAST}
    return Call("set_trading_stop", "trading-stop", params, protective=True)
