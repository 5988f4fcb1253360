"""Signed routes of orders and executions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.exchange_machine import Exchange
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.orders import FINAL, Order
from turbo_trader.exchange.protocol import params as read
from turbo_trader.exchange.protocol import render
from turbo_trader.market.order_terms import (
    BookSide,
    OrderStatus,
    OrderType,
    Side,
    SlippageIn,
    StopMode,
    TimeInForce,
)

Params = Mapping[str, Any]
LARGEST_BATCH: Final = 20
TOO_MANY = Reply(10006, "Too many visits. Exceeded the API Rate Limit.")


@dataclass(frozen=True, slots=True)
class BatchReply(Reply):
    """The answer to a batch: code and message of each item in `codes`, in the items' order."""

    codes: tuple[tuple[int, str], ...] = field(default=())


class OrderRoutes:
    """Each takes (account id, parameters, now ns) and returns a Reply whose result is the envelope's."""

    def __init__(self, exchange: Exchange) -> None:
        self._x = exchange

    def create(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/order/create."""
        return self._x.handle(now, uid, _wanted(params))

    def pre_check(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/order/pre-check: as create, but nothing is placed."""
        return self._x.pre_check(now, uid, _wanted(params))

    def amend(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/order/amend."""
        read.linear(params)
        request = ask.AmendOrder(
            read.string(params, "symbol"), *_ids(params), qty=read.number(params, "qty"), price=read.price(params, "price"),
            trigger_price=read.price(params, "triggerPrice"), trigger_by=read.string(params, "triggerBy", "") or None,
            take_profit=read.number(params, "takeProfit"), stop_loss=read.number(params, "stopLoss"),
            tp_trigger_by=read.string(params, "tpTriggerBy", "") or None,
            sl_trigger_by=read.string(params, "slTriggerBy", "") or None,
            tpsl_mode=read.string(params, "tpslMode", "") or None,
            tp_limit=read.price(params, "tpLimitPrice"), sl_limit=read.price(params, "slLimitPrice"),
        )  # fmt: skip
        return self._x.handle(now, uid, request)

    def cancel(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/order/cancel."""
        read.linear(params)
        return self._x.handle(now, uid, ask.CancelOrder(read.string(params, "symbol"), *_ids(params)))

    def cancel_all(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/order/cancel-all."""
        read.linear(params)
        symbol = read.string(params, "symbol", "")
        if not symbol and not params.get("settleCoin") and not params.get("baseCoin"):
            raise read.Refused("params error: symbol, baseCoin or settleCoin is required")
        if not symbol and not read.settled_here(params):
            return Reply(result={"list": [], "success": "1"})
        which = read.string(params, "orderFilter", ""), read.string(params, "stopOrderType", "")
        return self._x.handle(now, uid, ask.CancelAll(symbol, *which))

    # -- batches

    def batch(self, route: str, uid: str, params: Params, now: int, granted: int) -> BatchReply:
        """POST /v5/order/{create,amend,cancel}-batch: each item by itself; those above `granted` find the rate limit."""
        read.linear(params)
        items = batch_items(params)
        one: Callable[[str, Params, int], Reply] = {
            "order/create-batch": self.create, "order/amend-batch": self.amend, "order/cancel-batch": self.cancel,
        }[route]  # fmt: skip
        shown, codes = [], []
        for n, item in enumerate(items):
            try:
                reply = one(uid, {**item, "category": "linear"}, now) if n < granted else TOO_MANY
            except read.Refused as refusal:
                reply = refusal.reply
            ids = {
                "orderId": reply.result.get("orderId", ""),
                "orderLinkId": str(reply.result.get("orderLinkId", item.get("orderLinkId", ""))),
            }
            row = {"category": "linear", "symbol": str(item.get("symbol", "")), **ids}
            if route == "order/create-batch":
                row["createAt"] = render.ms(now) if reply.code == 0 else ""
            shown.append(row)
            codes.append((reply.code, reply.message))
        return BatchReply(result={"list": shown}, codes=tuple(codes))

    # -- reads

    def open_orders(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/order/realtime: open orders, with openOnly=1 the last that ended; by id either."""
        del now
        account = self._account(uid, params)
        orders = self._chosen(account, params)
        if not params.get("orderId") and not params.get("orderLinkId"):
            if not any(params.get(name) for name in ("symbol", "settleCoin", "baseCoin")):
                raise read.Refused("params error: symbol, settleCoin or baseCoin is required")
            orders = [o for o in orders if o.open == (params.get("openOnly") != "1")]
        return _page([render.order(o.message(o.updated_ts)) for o in orders[:500]], params, 50, 20, "orderId")

    def order_history(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/order/history: final orders, newest first."""
        status = params.get("orderStatus")
        if status and status not in FINAL:
            return Reply(181017, "OrderStatus must be final status.")
        account = self._account(uid, params)
        start, end = read.period(params, now)
        found = [
            render.order(o.message(o.updated_ts))
            for o in self._chosen(account, params)
            if not o.open and status in (None, "", o.status) and start <= o.created_ts <= end
        ]
        return _page(found, params, 50, 20, "orderId")

    def executions(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/execution/list, newest first."""
        account = self._account(uid, params)
        start, end = read.period(params, now)
        symbols = read.chosen(params, self._x.index)
        wanted = {name: params.get(key) for name, key in _EXECUTION_FILTERS.items() if params.get(key)}
        found = [
            render.execution(e)
            for e in reversed(account.executions)
            if start <= e.ts <= end
            and e.symbol in symbols
            and all(getattr(e, name) == value for name, value in wanted.items())
        ]
        return _page(found, params, 100, 50, "execId")

    # -- inside

    def _account(self, uid: str, params: Params) -> Account:
        read.linear(params)
        return self._x.accounts[uid]

    def _chosen(self, account: Account, params: Params) -> list[Order]:
        """Orders by id, or of a symbol or coin, newest first; of a filter."""
        order_id, link_id = params.get("orderId"), params.get("orderLinkId")
        symbols, kind = read.chosen(params, self._x.index), params.get("orderFilter")
        if order_id or link_id:
            found = account.orders.get(order_id or account.links.get(link_id or "", ""))
            return [found] if found is not None and found.symbol in symbols else []
        orders = [o for o in reversed(account.orders.values()) if o.symbol in symbols]
        if kind in ("Order", "StopOrder"):
            orders = [o for o in orders if _waits(o) == (kind == "StopOrder")]
        return orders


def _wanted(params: Params) -> ask.CreateOrder:
    """The order a request describes; Refused where it describes none."""
    read.linear(params)
    kind = read.string(params, "orderType")
    tif = read.string(params, "timeInForce", "") or (
        TimeInForce.GTC if kind == OrderType.LIMIT else TimeInForce.IOC
    )
    side = Side.named(read.string(params, "side"))
    qty = read.number(params, "qty")
    if side is Side.NONE or qty is None:
        raise read.Refused("params error: side or qty invalid")
    return ask.CreateOrder(
        symbol=read.string(params, "symbol"),
        side=side,
        order_type=kind,
        qty=qty,
        price=read.price(params, "price") if kind == OrderType.LIMIT else None,
        time_in_force=tif,
        link_id=read.string(params, "orderLinkId", ""),
        reduce_only=read.flag(params, "reduceOnly"),
        close_on_trigger=read.flag(params, "closeOnTrigger"),
        position_idx=read.whole(params, "positionIdx", 0, -9, 9),
        take_profit=read.price(params, "takeProfit"),
        stop_loss=read.price(params, "stopLoss"),
        tp_trigger_by=read.trigger(params, "tpTriggerBy"),
        sl_trigger_by=read.trigger(params, "slTriggerBy"),
        trigger_price=read.price(params, "triggerPrice"),
        trigger_direction=read.whole(params, "triggerDirection", 0, 0, 9),
        trigger_by=read.trigger(params, "triggerBy"),
        tpsl_mode=read.string(params, "tpslMode", "") or StopMode.FULL,
        tp_limit=read.limit(params, "tp"),
        sl_limit=read.limit(params, "sl"),
        smp=read.string(params, "smpType", "") or "None",
        slippage=_slippage(params),
        book_price=_book_price(params) if kind == OrderType.LIMIT else None,
    )


def _waits(order: Order) -> bool:
    """Does it wait for a trigger; did it ever, where it has ended?"""
    return order.status == OrderStatus.UNTRIGGERED if order.open else bool(order.stop_type)


def _ids(params: Params) -> tuple[str, str]:
    """Order id and link id, of which there must be one."""
    ids = read.string(params, "orderId", ""), read.string(params, "orderLinkId", "")
    if not any(ids):
        raise read.Refused("params error: orderId or orderLinkId is required")
    return ids


def _slippage(params: Params) -> ask.Slippage | None:
    kind, amount = read.string(params, "slippageToleranceType", ""), read.number(params, "slippageTolerance")
    if kind in ("", "UNKNOWN") and amount is None:
        return None
    if kind not in set(SlippageIn) or amount is None:
        raise read.Refused("params error: slippageToleranceType or slippageTolerance invalid")
    return ask.Slippage(kind, amount)


def _book_price(params: Params) -> ask.BookPrice | None:
    side, level = read.string(params, "bboSideType", ""), read.whole(params, "bboLevel", 0, 0, 9)
    if not side and not level:
        return None
    if side not in set(BookSide) or not 1 <= level <= 5:
        raise read.Refused("params error: bboSideType or bboLevel invalid")
    return ask.BookPrice(side, level)


def batch_items(params: Params) -> list[Mapping[str, Any]]:
    """The items of a batch; Refused when they are none, too many, or not objects."""
    items = params.get("request")
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise read.Refused("params error: request must be a list of orders")
    if len(items) > LARGEST_BATCH:
        raise read.Refused(f"The number of orders in a batch exceeds {LARGEST_BATCH}")
    return items


def _page(rows: list[dict[str, Any]], params: Params, most: int, default: int, key: str) -> Reply:
    shown, cursor = read.page(rows, params, most, default, key)
    return Reply(result={"category": "linear", "list": shown, "nextPageCursor": cursor})


_EXECUTION_FILTERS = {"order_id": "orderId", "link_id": "orderLinkId", "kind": "execType"}
