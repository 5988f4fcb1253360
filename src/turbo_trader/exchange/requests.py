"""An account's requests to the Exchange, typed, and the exits they carry. Prices in USDT, quantities in coins."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from turbo_trader.market.order_terms import Side, StopMode, StopType, TimeInForce, TriggerBy


@dataclass(frozen=True, slots=True)
class Slippage:
    """How far from the best opposite price a market order may go: so many ticks, or per cent."""

    kind: str  # TickSize, Percent
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BookPrice:
    """A limit price to be taken from the book: of the own side (Queue) or the other (Counterparty), so many levels deep from 1."""

    side: str
    level: int


@dataclass(kw_only=True, frozen=True, slots=True)
class CreateOrder:
    """Place an order. `take_profit` and `stop_loss` become children: of the position (Full) or of what fills (Partial)."""

    symbol: str
    side: Side
    order_type: str  # OrderType; another is refused
    qty: Decimal
    price: Decimal | None = None
    time_in_force: str = TimeInForce.GTC
    link_id: str = ""
    reduce_only: bool = False
    close_on_trigger: bool = False
    position_idx: int = 0
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    tp_trigger_by: str = TriggerBy.LAST
    sl_trigger_by: str = TriggerBy.LAST
    trigger_price: Decimal | None = None  # makes it conditional
    trigger_direction: int = 0  # 1 rises to, 2 falls to
    trigger_by: str = TriggerBy.LAST
    tpsl_mode: str = StopMode.FULL
    tp_limit: Decimal | None = None  # Partial only: a limit order fires
    sl_limit: Decimal | None = None
    smp: str = (
        "None"  # against an own resting order: CancelMaker, CancelTaker, CancelBoth; None trades with it
    )
    slippage: Slippage | None = None  # of a market order
    book_price: BookPrice | None = None  # in place of a limit price

    @property
    def key(self) -> tuple[str, int]:
        """(symbol, positionIdx) of the position the order is for."""
        return self.symbol, self.position_idx

    @property
    def reduces(self) -> bool:
        """It may only close: asked so, or a sell on the long side or a buy on the short side of hedge mode."""
        return self.reduce_only or (self.side, self.position_idx) in ((Side.SELL, 1), (Side.BUY, 2))


@dataclass(frozen=True, slots=True)
class AmendOrder:
    """Change an open order; None leaves a figure as it is. `qty` is the new total; 0 removes its TP or SL."""

    symbol: str
    order_id: str = ""
    link_id: str = ""
    qty: Decimal | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    trigger_by: str | None = None
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    tp_trigger_by: str | None = None
    sl_trigger_by: str | None = None
    tpsl_mode: str | None = None
    tp_limit: Decimal | None = None
    sl_limit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel one order; the order id wins where both are given."""

    symbol: str
    order_id: str = ""
    link_id: str = ""


@dataclass(frozen=True, slots=True)
class CancelAll:
    """Cancel orders of a symbol ("" = all). `order_filter`: "" everything, Order (in the book), OpenOrder (all but children of
    positions), or StopOrder (waiting for a trigger), of these with `stop_type` Stop only those that are no children either."""

    symbol: str = ""
    order_filter: str = ""
    stop_type: str = ""


@dataclass(kw_only=True, frozen=True, slots=True)
class SetTradingStop:
    """Change the position's TP, SL and trailing stop: None leaves one as it is, 0 removes it. Partial adds a pair."""

    symbol: str
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    tp_trigger_by: str = TriggerBy.LAST
    sl_trigger_by: str = TriggerBy.LAST
    position_idx: int = 0
    trailing_stop: Decimal | None = None  # distance
    active_price: Decimal | None = None  # where it begins to trail; None: at once
    tpsl_mode: str = StopMode.FULL
    tp_size: Decimal | None = None  # Partial only
    sl_size: Decimal | None = None
    tp_limit: Decimal | None = None
    sl_limit: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SetLeverage:
    """Set the symbol's leverage; that of the short side may differ in hedge mode."""

    symbol: str
    leverage: Decimal
    short: Decimal | None = None


@dataclass(frozen=True, slots=True)
class AddMargin:
    """Add margin to a position, or take back (negative) what was added."""

    symbol: str
    amount: Decimal
    position_idx: int = 0


@dataclass(frozen=True, slots=True)
class SetAutoMargin:
    """Let the venue add margin to a position instead of liquidating it, or no longer."""

    symbol: str
    on: bool
    position_idx: int = 0


@dataclass(frozen=True, slots=True)
class SwitchMode:
    """Set the position mode of a symbol ("" = all without positions and orders): hedge, or one-way."""

    symbol: str
    hedge: bool


@dataclass(frozen=True, slots=True)
class SetMarginMode:
    """Set the account's margin mode: cross, or isolated."""

    cross: bool


Request: TypeAlias = (
    CreateOrder
    | AmendOrder
    | CancelOrder
    | CancelAll
    | SetTradingStop
    | SetLeverage
    | AddMargin
    | SetAutoMargin
    | SwitchMode
    | SetMarginMode
)


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
