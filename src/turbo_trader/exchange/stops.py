"""TP, SL and trailing stop of positions: child orders that follow the position, and the trading-stop request."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from turbo_trader.exchange import stop_checks
from turbo_trader.exchange.accounts import Account, Position
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.open_orders import OpenOrders
from turbo_trader.exchange.orders import Order, carried_stops
from turbo_trader.exchange.requests import SetTradingStop, Stop
from turbo_trader.exchange.statements import Statements
from turbo_trader.market.order_terms import OrderStatus, OrderType, Side, StopMode, StopType, TimeInForce

_BY_PROFIT, _BY_LOSS = "CancelByOCOSlCanceledByTpTriggered", "CancelByOCOTpCanceledBySlTriggered"
_TWIN_FIRED: Final[dict[str, str]] = {
    StopType.TAKE_PROFIT: _BY_PROFIT, StopType.STOP_LOSS: _BY_LOSS,
    StopType.PARTIAL_TAKE_PROFIT: _BY_PROFIT, StopType.PARTIAL_STOP_LOSS: _BY_LOSS,
}  # fmt: skip


class Stops:
    """The stops of every position: one of each kind over the whole of it, and any number over parts."""

    def __init__(self, state: State, open_orders: OpenOrders, statements: Statements) -> None:
        self._state, self._open_orders, self._statements = state, open_orders, statements

    def attach(self, account: Account, parent: Order, opened: Decimal, now: int) -> None:
        """After a fill that opened: the order's TP/SL are the position's, once; or (Partial) a pair that grows with what fills."""
        pair = carried_stops(parent)
        if not pair:
            return
        position = account.position(*parent.key)
        if parent.tpsl_mode == StopMode.PARTIAL:
            growing = [child for child in parent.children if child.status == OrderStatus.UNTRIGGERED]
            for child in growing:
                child.qty += opened
                self._state.say(account.uid, child.message(now))
            if not growing:
                parent.children = self._add(account, position, pair, opened, parent.link_id, now)
        elif not parent.children:
            made = [self._put(account, position, stop, parent.link_id, now) for stop in pair]
            _couple(made)
            parent.children = tuple(made)

    def follow(self, account: Account, position: Position, now: int) -> None:
        """After a change of size: Full stops cover the whole position, Partial ones not more; all go when it is gone."""
        for child in list(position.stops.values()):
            size = abs(position.size)
            if not size or child.side == (1 if position.size > 0 else -1):
                self._open_orders.end(account, child, "CancelByTpSlTsClear", now)
                continue
            qty = min(child.qty, size) if child.tpsl_mode == StopMode.PARTIAL else size
            if child.qty != qty:
                child.qty = qty
                self._state.say(account.uid, child.message(now))

    def fired(self, account: Account, child: Order, now: int) -> None:
        """One of a pair was triggered: the other ends."""
        twin = child.partner
        if twin is not None and twin.status == OrderStatus.UNTRIGGERED:
            self._open_orders.end(account, twin, _TWIN_FIRED[child.stop_type], now)

    def set(self, account: Account, request: SetTradingStop, now: int) -> Reply:
        """The trading-stop request: changes the Full stops, or adds a Partial pair."""
        s = self._state.index[request.symbol]
        if request.position_idx not in account.indices(request.symbol):
            return Reply(10001, "position idx not match position mode")
        position = account.position(request.symbol, request.position_idx)
        if not position.size:
            return Reply(10001, "can not set tp/sl/ts for zero position")
        wanted = self._wanted(position, request, s)
        changes = {kind: stop for kind, stop in wanted.items() if _can_change(position.stop(kind), stop)}
        pair = carried_stops(request) if request.tpsl_mode == StopMode.PARTIAL else ()
        if not changes and not pair:
            return Reply(34040, "not modified")
        refusal = stop_checks.size(position, request, pair, self._state.instruments[s]) if pair else None
        for stop in (*changes.values(), *pair):
            if stop is not None and refusal is None:
                refusal = stop_checks.stop(self._state, position, stop, s)
        if refusal is not None:
            return refusal
        self._change(account, position, changes, now)
        if pair:
            self._add(account, position, pair, request.tp_size or request.sl_size or Decimal(0), "", now)
        self._statements.emit(account, position, now)
        return Reply()

    def _wanted(self, position: Position, request: SetTradingStop, s: int) -> dict[StopType, Stop | None]:
        """What the request says of each kind of Full stop: None removes it."""
        wanted: dict[StopType, Stop | None] = {}
        for kind, price, trigger_by in (
            (StopType.TAKE_PROFIT, request.take_profit, request.tp_trigger_by),
            (StopType.STOP_LOSS, request.stop_loss, request.sl_trigger_by),
        ):
            if price is not None and request.tpsl_mode != StopMode.PARTIAL:
                wanted[kind] = Stop(kind, price, trigger_by) if price else None
        child, active = position.stop(StopType.TRAILING), request.active_price
        distance = request.trailing_stop
        if distance is None and child is not None and active is not None:
            distance = child.distance
        if distance is None:
            return wanted
        if active is None and child is not None and child.distance == distance:
            active = child.trigger_price
        trail = Stop(StopType.TRAILING, active or self._state.last(s), distance=distance)
        return {**wanted, StopType.TRAILING: trail if distance else None}

    def _change(
        self, account: Account, position: Position, changes: dict[StopType, Stop | None], now: int
    ) -> None:
        """Make, change or remove Full stops; those of one request are a pair, one alone leaves its pair."""
        made = []
        for kind, stop in changes.items():
            child = position.stop(kind)
            if child is not None:
                _part(child)
            if stop is not None:
                made.append(self._put(account, position, stop, "", now))
            elif child is not None:
                self._open_orders.end(account, child, "CancelByUser", now)
        _couple([child for child in made if child.distance is None])

    def _put(self, account: Account, position: Position, stop: Stop, parent: str, now: int) -> Order:
        """Make the position's Full stop of a kind, or change it."""
        child = position.stop(stop.kind) or self._new(
            account, position, stop, abs(position.size), parent, now
        )
        child.trigger_price = stop.price
        child.trigger_by = stop.trigger_by
        if stop.distance is not None:
            last = self._state.last(self._state.index[position.symbol])
            child.distance = stop.distance
            child.best = last if stop.price == last else None
        self._state.say(account.uid, child.message(now))
        return child

    def _add(
        self,
        account: Account,
        position: Position,
        pair: tuple[Stop, ...],
        qty: Decimal,
        parent: str,
        now: int,
    ) -> tuple[Order, ...]:
        """Make Partial stops over `qty`."""
        made = [self._new(account, position, stop, qty, parent, now) for stop in pair]
        _couple(made)
        for child in made:
            self._state.say(account.uid, child.message(now))
        return tuple(made)

    def _new(
        self, account: Account, position: Position, stop: Stop, qty: Decimal, parent: str, now: int
    ) -> Order:
        s = self._state.index[position.symbol]
        d = 1 if position.size > 0 else -1
        kind, tif = (
            (OrderType.MARKET, TimeInForce.IOC) if stop.limit is None else (OrderType.LIMIT, TimeInForce.GTC)
        )
        child = Order(
            order_id=self._state.new_id(),
            link_id="",
            symbol=position.symbol,
            side=Side.closing(position.size),
            order_type=kind,
            time_in_force=tif,
            qty=qty,
            price=stop.limit,
            reduce_only=True,
            created_ts=now,
            position_idx=position.idx,
            close_on_trigger=True,
            parent_link_id=parent,
            create_type=f"CreateBy{stop.kind}",
            stop_type=stop.kind,
            trigger_price=stop.price,
            trigger_by=stop.trigger_by,
            trigger_direction=1 if stop.kind.takes_profit == (d > 0) else 2,
            tpsl_mode=StopMode.PARTIAL if stop.kind.partial else StopMode.FULL,
            last_price=self._state.last(s),
        )
        child.move(OrderStatus.UNTRIGGERED)
        account.orders[child.order_id] = child
        account.open_orders[child.order_id] = child
        position.stops[child.order_id] = child
        return child


def _couple(made: list[Order]) -> None:
    if len(made) == 2:
        made[0].partner, made[1].partner = made[1], made[0]


def _part(child: Order) -> None:
    twin = child.partner
    if twin is not None:
        twin.partner = child.partner = None


def _can_change(child: Order | None, stop: Stop | None) -> bool:
    """Would it be another stop? One that was triggered stays as it is."""
    if child is None or stop is None:
        return (child is not None and child.status == OrderStatus.UNTRIGGERED) or stop is not None
    if child.status != OrderStatus.UNTRIGGERED:
        return False
    return (child.trigger_price, child.trigger_by, child.distance) != (
        stop.price,
        stop.trigger_by,
        stop.distance,
    )
