"""The terms of orders, as the venue writes them: the trader, the simulated exchange and the wire share them."""

from __future__ import annotations

from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Final


class Side(IntEnum):
    """Of an order or a fill: the sign of what it adds to a position. `NONE`: neither, as of a funding charge."""

    BUY = 1
    SELL = -1
    NONE = 0

    @classmethod
    def named(cls, text: object) -> Side:
        """The side of the venue's name; NONE where it is no side."""
        return SIDES.get(text, cls.NONE) if isinstance(text, str) else cls.NONE

    @classmethod
    def opening(cls, direction: Decimal | int) -> Side:
        """What opens a position of this sign."""
        return cls.BUY if direction > 0 else cls.SELL

    @classmethod
    def closing(cls, size: Decimal | int) -> Side:
        """What closes a position of this signed size."""
        return cls.SELL if size > 0 else cls.BUY

    @property
    def venue_name(self) -> str:
        """Buy, Sell, or "" for none."""
        return _SIDE_NAMES[self]


SIDES: Final = {"Buy": Side.BUY, "Sell": Side.SELL}
_SIDE_NAMES: Final = {Side.BUY: "Buy", Side.SELL: "Sell", Side.NONE: ""}


class Direction(IntEnum):
    """Of a position or a forecast: the sign of its size."""

    LONG = 1
    SHORT = -1
    NONE = 0

    @property
    def text(self) -> str:
        """long, short or none."""
        return self.name.lower()


class OrderType(StrEnum):
    """At a price or better, or at whatever the book gives."""

    LIMIT = "Limit"
    MARKET = "Market"


class TimeInForce(StrEnum):
    """How long an order may stay."""

    IOC = "IOC"  # what does not fill at once is cancelled
    FOK = "FOK"  # all at once, or nothing
    GTC = "GTC"
    POST_ONLY = "PostOnly"  # cancelled where it would take


class OrderStatus(StrEnum):
    """An order's life at the venue. A status not known here keeps the venue's own name, and is not final."""

    CREATED = "Created"  # made, and not in the book yet: no report says so
    NEW = "New"
    PARTIALLY_FILLED = "PartiallyFilled"
    FILLED = "Filled"
    CANCELLED = "Cancelled"
    REJECTED = "Rejected"
    UNTRIGGERED = "Untriggered"
    TRIGGERED = "Triggered"
    DEACTIVATED = "Deactivated"


class ExecKind(StrEnum):
    """What made an execution (execType). A kind not known here keeps the venue's own name."""

    TRADE = "Trade"
    FUNDING = "Funding"
    LIQUIDATION = "BustTrade"
    ADL = "AdlTrade"
    DELIVERY = "Delivery"
    SETTLEMENT = "Settle"
    BLOCK_TRADE = "BlockTrade"
    MOVED_POSITION = "MovePosition"
    SPREAD_TRADE = "FutureSpread"
    CORPORATE_ACTION = "CorporateAction"


class StopType(StrEnum):
    """What a conditional order is (stopOrderType): a child of a position, of a part of it, or somebody's own."""

    TAKE_PROFIT = "TakeProfit"
    STOP_LOSS = "StopLoss"
    TRAILING = "TrailingStop"
    PARTIAL_TAKE_PROFIT = "PartialTakeProfit"
    PARTIAL_STOP_LOSS = "PartialStopLoss"
    CONDITIONAL = "Stop"

    @property
    def takes_profit(self) -> bool:
        """Of the whole position or of a part."""
        return self in (StopType.TAKE_PROFIT, StopType.PARTIAL_TAKE_PROFIT)

    @property
    def stops_loss(self) -> bool:
        """Of the whole position or of a part; a trailing stop does not."""
        return self in (StopType.STOP_LOSS, StopType.PARTIAL_STOP_LOSS)

    @property
    def partial(self) -> bool:
        """Of a part of a position."""
        return self in (StopType.PARTIAL_TAKE_PROFIT, StopType.PARTIAL_STOP_LOSS)


class TriggerBy(StrEnum):
    """The price that fires a conditional order."""

    LAST = "LastPrice"
    MARK = "MarkPrice"
    INDEX = "IndexPrice"


class SelfMatch(StrEnum):
    """Which of two orders of one account ends where they would trade with each other (smpType)."""

    NONE = "None"
    MAKER = "CancelMaker"
    TAKER = "CancelTaker"
    BOTH = "CancelBoth"


class SlippageIn(StrEnum):
    """What the slippage that a market order allows is counted in (slippageToleranceType)."""

    TICKS = "TickSize"
    PERCENT = "Percent"


class BookSide(StrEnum):
    """The side of the book that an order takes its price from (bboSideType): its own, or the other."""

    QUEUE = "Queue"
    COUNTERPARTY = "Counterparty"


class StopMode(StrEnum):
    """What a stop is for (tpslMode): the whole position, or a part of it."""

    FULL = "Full"
    PARTIAL = "Partial"
