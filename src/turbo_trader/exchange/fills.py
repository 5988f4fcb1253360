"""The effects of a fill: on the order, the position and its stops, the wallet and its log, and the account's other orders."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from turbo_trader.exchange.accounts import ZERO, Account, Position
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.funding_charges import Funding
from turbo_trader.exchange.messages import SETTLED_IN, UNIT, ExecutionMessage, LogEntry
from turbo_trader.exchange.open_orders import OpenOrders
from turbo_trader.exchange.orders import Order
from turbo_trader.exchange.statements import Statements
from turbo_trader.exchange.stops import Stops
from turbo_trader.market.order_terms import ExecKind

_LOGGED: Final = {
    ExecKind.TRADE: "TRADE",
    ExecKind.LIQUIDATION: "LIQUIDATION",
    ExecKind.ADL: "ADL",
    ExecKind.DELIVERY: "DELIVERY",
}


@dataclass(kw_only=True, frozen=True, slots=True)
class _Fill:
    """What is filled, and what it costs: `paid` of `coin`, at `rate` of the value."""

    qty: Decimal
    price: Decimal
    rate: Decimal
    coin: str
    paid: Decimal
    maker: bool
    kind: ExecKind
    now: int

    @property
    def fee(self) -> Decimal:
        """USDT."""
        return self.paid if self.coin == SETTLED_IN else ZERO


@dataclass(kw_only=True, frozen=True, slots=True)
class _Booked:
    """What a fill did to its position: closed quantity, realised result before fees, opening fees of what it closed."""

    closed: Decimal
    result: Decimal
    open_fee: Decimal


class Fills:
    """Books fills."""

    def __init__(
        self, state: State, funding: Funding, stops: Stops, open_orders: OpenOrders, statements: Statements
    ) -> None:
        self._state, self._funding, self._stops = state, funding, stops
        self._open_orders, self._statements = open_orders, statements

    def fill(
        self, account: Account, order: Order, qty: Decimal, price: Decimal,
        *, maker: bool, now: int, kind: ExecKind = ExecKind.TRADE
    ) -> None:  # fmt: skip
        """Book one fill: order, position, wallet, log, messages; then what follows from the new position."""
        position = account.position(*order.key)
        s = self._state.index[order.symbol]
        self._funding.charge(account, position, s, now)  # settlements before this fill saw the old size
        rate = ZERO if kind == ExecKind.DELIVERY else account.maker if maker else account.taker
        coin, paid = _payable(account, (qty * price * rate).quantize(UNIT))
        fill = _Fill(qty=qty, price=price, rate=rate, coin=coin, paid=paid, maker=maker, kind=kind, now=now)
        booked = self._book(account, order, position, fill)
        if coin != SETTLED_IN:
            self._pay(account, order, position, coin, paid, now)
        execution = self._execution(order, position, fill, booked)
        account.executions.append(execution)
        if order.order_id in account.orders:  # there are executions without an order
            self._state.say(account.uid, order.message(now))
        self._state.say(account.uid, execution)
        self._follow(account, order, position, opened=qty - booked.closed, now=now)
        self._statements.emit(account, position, now)

    def _book(self, account: Account, order: Order, position: Position, fill: _Fill) -> _Booked:
        """Order, position, wallet and log."""
        qty, fee = fill.qty, fill.fee
        order.book(qty, fill.price, fee)
        if not order.leaves:
            account.open_orders.pop(order.order_id, None)
        open_fee = position.share_fee(order.side, qty, fee)
        closed, result = position.apply(order.side, qty, fill.price, fill.now)
        change = result - fee
        closing_fee = (fee * closed / qty).quantize(UNIT)
        order.closed_pnl += result - open_fee - closing_fee
        position.seq += 1
        # of a flip, the new position has cost its share of the fee so far
        position.realised_now += closing_fee - fee if closed and qty > closed else change
        position.realised_ever += change
        account.book(
            LogEntry(
                ts=fill.now,
                id=self._state.new_id(),
                symbol=order.symbol,
                kind=_LOGGED[fill.kind],
                side=order.side,
                qty=qty,
                price=fill.price,
                cash_flow=result,
                funding=ZERO,
                fee=fee,
                change=change,
                balance=account.balance + change,
                order_id=order.order_id,
                link_id=order.link_id,
                size=position.size,
            )
        )
        return _Booked(closed=closed, result=result, open_fee=open_fee)

    def _execution(self, order: Order, position: Position, fill: _Fill, booked: _Booked) -> ExecutionMessage:
        state, s = self._state, self._state.index[order.symbol]
        return ExecutionMessage(
            ts=fill.now,
            symbol=order.symbol,
            exec_id=state.new_id(),
            order_id=order.order_id,
            link_id=order.link_id,
            side=order.side,
            price=fill.price,
            qty=fill.qty,
            fee=fill.paid,
            fee_rate=fill.rate,
            kind=fill.kind,
            is_maker=fill.maker,
            closed_qty=booked.closed,
            pnl=booked.result,
            order_price=order.limit_or_bound,
            order_qty=order.qty,
            leaves=order.leaves,
            order_type=order.order_type,
            stop_type=order.stop_type,
            create_type=order.create_type,
            mark_price=state.mark(s),
            index_price=state.index_price(s),
            seq=position.seq,
            open_fee=booked.open_fee,
            leverage=position.leverage,
            fee_coin=fill.coin,
            tick=state.instruments[s].tick,
        )

    def _pay(
        self, account: Account, order: Order, position: Position, coin: str, paid: Decimal, now: int
    ) -> None:
        """A fee in another coin: a line of the log of its own."""
        order.coin_fees[coin] = order.coin_fees.get(coin, ZERO) + paid
        account.book(
            LogEntry(
                ts=now,
                id=self._state.new_id(),
                symbol=order.symbol,
                kind="TRADE",
                side=order.side,
                qty=ZERO,
                price=ZERO,
                cash_flow=ZERO,
                funding=ZERO,
                fee=paid,
                change=-paid,
                balance=account.coins[coin] - paid,
                order_id=order.order_id,
                link_id=order.link_id,
                size=position.size,
                coin=coin,
            )
        )

    def _follow(
        self, account: Account, order: Order, position: Position, *, opened: Decimal, now: int
    ) -> None:
        """Stops, reduce-only orders and margins after a change of the position."""
        self._stops.follow(account, position, now)
        if opened:
            self._stops.attach(account, order, opened, now)
        self._open_orders.trim(account, position, now)
        self._open_orders.hold(account, position)
        self._open_orders.shed(account, now)


def _payable(account: Account, charged: Decimal) -> tuple[str, Decimal]:
    """Coin and amount of a fee of `charged` USDT: another coin where the account wants that and has enough; rebates are USDT."""
    other = account.fee_coin
    if other is None or charged <= 0:
        return SETTLED_IN, charged
    amount = (charged / other.price).quantize(UNIT)
    enough = amount <= account.coins.get(other.name, ZERO)
    return (other.name, amount) if enough else (SETTLED_IN, charged)
