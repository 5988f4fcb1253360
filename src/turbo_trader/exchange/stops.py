"""TP and SL of positions: child orders that follow the position, and the trading-stop request."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from turbo_trader.exchange.accounts import Account, Position
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.orders import Order
from turbo_trader.exchange.requests import SetTradingStop

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange

_SCALED = 10_000  # prices in the venue's messages are x 10^4


class Stops:
    """The Full-mode pair of every position."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def attach(self, account: Account, parent: Order, now: int) -> None:
        """At the first fill of an order that opens: make its TP/SL the position's pair."""
        position = account.position(*parent.key)
        if parent.take_profit is not None:
            self._set(
                account, position, "TakeProfit", parent.take_profit, parent.tp_trigger_by, parent.link_id, now
            )
        if parent.stop_loss is not None:
            self._set(
                account, position, "StopLoss", parent.stop_loss, parent.sl_trigger_by, parent.link_id, now
            )

    def follow(self, account: Account, position: Position, now: int) -> None:
        """After a change of size: the pair covers the whole position, and goes when it is gone."""
        for child in (position.take_profit, position.stop_loss):
            if child is None:
                continue
            if not position.size or child.side == (1 if position.size > 0 else -1):
                self._remove(account, position, child, "CancelByTpSlTsClear", now)
            elif child.qty != abs(position.size) and child.status == "Untriggered":
                child.qty = abs(position.size)
                self._exchange.say(account.uid, child.message(now))

    def set(self, account: Account, request: SetTradingStop, now: int) -> Reply:
        """The trading-stop request."""
        s = self._exchange.index[request.symbol]
        if request.position_idx not in account.indices(request.symbol):
            return Reply(10001, "position idx not match position mode")
        position = account.position(request.symbol, request.position_idx)
        if not position.size:
            return Reply(10001, "can not set tp/sl/ts for zero position")
        wanted = (
            ("TakeProfit", request.take_profit, request.tp_trigger_by, position.take_profit),
            ("StopLoss", request.stop_loss, request.sl_trigger_by, position.stop_loss),
        )
        changes = [item for item in wanted if item[1] is not None and not _same(item[1], item[2], item[3])]
        if not changes:
            return Reply(34040, "not modified")
        for kind, price, trigger_by, _ in changes:
            refusal = self._refusal(s, position, kind, price, trigger_by) if price else None
            if refusal is not None:
                return refusal
        for kind, price, trigger_by, child in changes:
            if price:
                self._set(account, position, kind, price, trigger_by, "", now)
            elif child is not None:
                self._remove(account, position, child, "CancelByUser", now)
        self._exchange.fills.tell_position(account, position, now)
        return Reply()

    def _refusal(
        self, s: int, position: Position, kind: str, price: Decimal | None, trigger_by: str
    ) -> Reply | None:
        """Why a TP or SL price cannot stand: off the tick, or on the wrong side of the price that triggers it."""
        instrument = self._exchange.instruments[s]
        if price is None or price % instrument.tick:
            return Reply(10001, "The price is not a multiple of the tick size")
        base = self._exchange.mark(s) if trigger_by == "MarkPrice" else self._exchange.last(s)
        d = 1 if position.size > 0 else -1
        above = (kind == "TakeProfit") == (d > 0)
        if price > base if above else price < base:
            return None
        side = "Buy" if d > 0 else "Sell"
        relation = "greater" if above else "lower"
        scaled, at = int(price * _SCALED), int(base * _SCALED)
        return Reply(
            10001, f"{kind}:{scaled} set for {side} position should {relation} base_price:{at}??{trigger_by}"
        )

    def _set(
        self,
        account: Account,
        position: Position,
        kind: str,
        price: Decimal,
        trigger_by: str,
        parent: str,
        now: int,
    ) -> None:
        child = position.take_profit if kind == "TakeProfit" else position.stop_loss
        if child is None:
            child = self._new_child(account, position, kind, parent, now)
        child.trigger_price = price
        child.trigger_by = trigger_by
        child.qty = abs(position.size)
        self._exchange.say(account.uid, child.message(now))

    def _new_child(self, account: Account, position: Position, kind: str, parent: str, now: int) -> Order:
        d = 1 if position.size > 0 else -1
        child = Order(
            self._exchange.new_id(), "", position.symbol, -d, "Market", "IOC", abs(position.size), None, True, now,
            position_idx=position.idx, close_on_trigger=True, parent_link_id=parent, create_type=f"CreateBy{kind}", stop_type=kind,
            trigger_direction=1 if (kind == "TakeProfit") == (d > 0) else 2,
        )  # fmt: skip
        child.move("Untriggered")
        account.orders[child.order_id] = child
        account.open_orders[child.order_id] = child
        if kind == "TakeProfit":
            position.take_profit = child
        else:
            position.stop_loss = child
        return child

    def _remove(self, account: Account, position: Position, child: Order, cancel_type: str, now: int) -> None:
        if child is position.take_profit:
            position.take_profit = None
        elif child is position.stop_loss:
            position.stop_loss = None
        if child.status == "Untriggered":
            child.cancel_type = cancel_type
            child.move("Deactivated")
            account.open_orders.pop(child.order_id, None)
            self._exchange.say(account.uid, child.message(now))


def _same(price: Decimal | None, trigger_by: str, child: Order | None) -> bool:
    if not price or child is None:
        return not price and child is None
    return (child.trigger_price, child.trigger_by) == (price, trigger_by)
