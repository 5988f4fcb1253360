"""An order's life: the table of its states, enforced; docs/simulated-exchange.md prints it.

```
                New ──► PartiallyFilled ──► Filled
 created ──►     │            │  └────────► Cancelled (what was filled stays filled)
                 └────────────┴──────────►  Filled, Cancelled, Rejected directly
 conditional:   Untriggered ──► Triggered ──► New ...          Untriggered ──► Deactivated, Cancelled
```
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from turbo_trader.exchange.messages import OPEN, OrderMessage
from turbo_trader.exchange.queue import Place
from turbo_trader.exchange.requests import CreateOrder, SetTradingStop, Slippage, Stop
from turbo_trader.market.order_terms import OrderStatus as S
from turbo_trader.market.order_terms import Side, StopMode, StopType, TriggerBy

_BOOKED: Final = frozenset(
    {S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED, S.REJECTED}
)  # what an order in the book may become
TRANSITIONS: Final[dict[S, frozenset[S]]] = {
    S.CREATED: _BOOKED | {S.NEW, S.UNTRIGGERED},
    S.NEW: _BOOKED,
    S.PARTIALLY_FILLED: _BOOKED - {S.REJECTED},
    S.UNTRIGGERED: frozenset({S.TRIGGERED, S.DEACTIVATED, S.CANCELLED}),
    S.TRIGGERED: _BOOKED | {S.NEW},
    S.FILLED: frozenset(),
    S.CANCELLED: frozenset(),
    S.REJECTED: frozenset(),
    S.DEACTIVATED: frozenset(),
}
#: Children of a position, as its stops name themselves: of the whole position, and of a part of it.
FULL: Final = (StopType.TAKE_PROFIT, StopType.STOP_LOSS, StopType.TRAILING)
PARTIAL: Final = (StopType.PARTIAL_TAKE_PROFIT, StopType.PARTIAL_STOP_LOSS)
STOP_TYPES: Final = FULL + PARTIAL
FINAL: Final = frozenset(state for state, following in TRANSITIONS.items() if not following)


class ImpossibleTransition(Exception):
    """The Exchange tried to move an order against the table: a bug of the Exchange."""


@dataclass(slots=True)
class Order:
    """One order of one account."""

    order_id: str
    link_id: str
    symbol: str
    side: Side
    order_type: str
    time_in_force: str
    qty: Decimal
    price: Decimal | None
    reduce_only: bool
    created_ts: int
    position_idx: int = 0
    close_on_trigger: bool = False
    parent_link_id: str = ""
    create_type: str = "CreateByUser"
    stop_type: str = ""
    trigger_price: Decimal | None = None
    trigger_direction: int = 0
    trigger_by: str = TriggerBy.LAST
    distance: Decimal | None = None  # of a trailing stop; `trigger_price` is then where it wakes
    best: Decimal | None = None  # the best last price since it woke
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    tp_trigger_by: str = TriggerBy.LAST
    sl_trigger_by: str = TriggerBy.LAST
    tpsl_mode: str = StopMode.FULL
    tp_limit: Decimal | None = None
    sl_limit: Decimal | None = None
    status: S = S.CREATED
    filled: Decimal = Decimal(0)
    filled_value: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    cancel_type: str = "UNKNOWN"
    reject_reason: str = "EC_NoError"
    children: tuple[Order, ...] = field(default=(), repr=False, compare=False)  # what its TP/SL became
    partner: Order | None = field(
        default=None, repr=False, compare=False
    )  # the other of a pair: ends when this one fires
    smp: str = "None"  # what becomes of it or of an own resting order that it meets
    smp_order_id: str = ""  # the own order that it met, where that ended one of them
    slippage: Slippage | None = None
    bound: Decimal | None = None  # the worst price of a market order
    last_price: Decimal | None = None  # when it was made
    closed_pnl: Decimal = Decimal(0)  # of what it closed, with both fees in USDT
    coin_fees: dict[str, Decimal] = field(default_factory=dict)  # paid in other coins
    updated_ts: int = 0  # when its last change was reported
    place: Place = field(default_factory=Place)
    margin: Decimal = Decimal(0)  # held while it rests

    @property
    def key(self) -> tuple[str, int]:
        """(symbol, positionIdx) of the position the order is for."""
        return self.symbol, self.position_idx

    @property
    def protecting(self) -> bool:
        """Has it a TP or SL, or is it one?"""
        return self.take_profit is not None or self.stop_loss is not None or self.stop_type in STOP_TYPES

    @property
    def leaves(self) -> Decimal:
        """What is not filled yet; 0 once the order is final."""
        return Decimal(0) if self.status in FINAL else self.qty - self.filled

    @property
    def open(self) -> bool:
        """Resting in the book or waiting for its trigger."""
        return self.status in OPEN

    @property
    def resting(self) -> bool:
        """In the book."""
        return self.status in (S.NEW, S.PARTIALLY_FILLED)

    @property
    def limit(self) -> Decimal:
        """The price of a limit order; ValueError where an order has none."""
        if self.price is None:
            raise ValueError(f"order {self.order_id} has no price")
        return self.price

    @property
    def limit_or_bound(self) -> Decimal | None:
        """The worst price it may trade at; None while a market order was not matched yet."""
        return self.bound if self.price is None else self.price

    def book(self, qty: Decimal, price: Decimal, fee: Decimal) -> None:
        """Count a fill."""
        self.filled += qty
        self.filled_value += qty * price
        self.fee += fee
        self.move(S.FILLED if self.filled == self.qty else S.PARTIALLY_FILLED)

    def move(self, status: S) -> None:
        """Go to `status`; ImpossibleTransition when the table does not allow it."""
        if status not in TRANSITIONS[self.status]:
            raise ImpossibleTransition(f"order {self.order_id}: {self.status} -> {status}")
        self.status = status

    def cancel(self, cancel_type: str, reason: str = "EC_PerCancelRequest") -> None:
        """End unfilled or partly filled, saying why."""
        self.cancel_type = cancel_type
        self.reject_reason = reason
        self.move(S.CANCELLED)

    def message(self, ts: int) -> OrderMessage:
        """The order as it is now."""
        return OrderMessage(
            ts=ts,
            symbol=self.symbol,
            order_id=self.order_id,
            link_id=self.link_id,
            parent_link_id=self.parent_link_id,
            side=self.side,
            order_type=self.order_type,
            time_in_force=self.time_in_force,
            qty=self.qty,
            price=self.limit_or_bound,
            filled=self.filled,
            filled_value=self.filled_value,
            fee=self.fee,
            status=self.status,
            reduce_only=self.reduce_only,
            close_on_trigger=self.close_on_trigger,
            position_idx=self.position_idx,
            create_type=self.create_type,
            cancel_type=self.cancel_type,
            reject_reason=self.reject_reason,
            stop_type=self.stop_type,
            trigger_price=self.trigger_price,
            trigger_direction=self.trigger_direction,
            trigger_by=self.trigger_by,
            take_profit=self.take_profit,
            stop_loss=self.stop_loss,
            created_ts=self.created_ts,
            tpsl_mode=self.tpsl_mode if self.protecting else "",
            tp_trigger_by=self.tp_trigger_by,
            sl_trigger_by=self.sl_trigger_by,
            tp_limit=self.tp_limit,
            sl_limit=self.sl_limit,
            smp=self.smp,
            smp_order_id=self.smp_order_id,
            slippage=self.slippage,
            last_price=self.last_price,
            closed_pnl=self.closed_pnl,
            coin_fees=tuple(self.coin_fees.items()),
        )


def carried_stops(of: Order | CreateOrder | SetTradingStop) -> tuple[Stop, ...]:
    """The TP and SL carried: of the whole position, or of a part of it."""
    profit, loss = StopType.TAKE_PROFIT, StopType.STOP_LOSS
    if of.tpsl_mode == StopMode.PARTIAL:
        profit, loss = StopType.PARTIAL_TAKE_PROFIT, StopType.PARTIAL_STOP_LOSS
    carried = (
        (profit, of.take_profit, of.tp_trigger_by, of.tp_limit),
        (loss, of.stop_loss, of.sl_trigger_by, of.sl_limit),
    )
    return tuple(Stop(kind, price, by, None, limit) for kind, price, by, limit in carried if price)
