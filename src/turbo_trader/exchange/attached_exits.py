"""The TP, SL and trailing stops that orders and requests carry."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from turbo_trader.exchange.requests import CreateOrder, SetTradingStop
from turbo_trader.market.order_terms import StopMode, StopType, TriggerBy

if TYPE_CHECKING:
    from turbo_trader.exchange.orders import Order


@dataclass(frozen=True, slots=True)
class Stop:
    """What a child is to do: fire at `price`, or begin there to trail `distance` behind the best last price.

    What fires is a market order, or one at `limit`.
    """

    kind: StopType
    price: Decimal
    trigger_by: str = TriggerBy.LAST
    distance: Decimal | None = None
    limit: Decimal | None = None


def exits(of: Order | CreateOrder | SetTradingStop) -> tuple[Stop, ...]:
    """The TP and SL carried: of the whole position, or of a part of it."""
    profit, loss = StopType.TAKE_PROFIT, StopType.STOP_LOSS
    if of.tpsl_mode == StopMode.PARTIAL:
        profit, loss = StopType.PARTIAL_TAKE_PROFIT, StopType.PARTIAL_STOP_LOSS
    carried = (
        (profit, of.take_profit, of.tp_trigger_by, of.tp_limit),
        (loss, of.stop_loss, of.sl_trigger_by, of.sl_limit),
    )
    return tuple(Stop(kind, price, by, None, limit) for kind, price, by, limit in carried if price)
