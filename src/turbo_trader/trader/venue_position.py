"""The venue's report on one position. Only this module writes its fields."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from turbo_trader.market.rows import MINUTE
from turbo_trader.trader.events import PositionReport, Source

ZERO: Final = Decimal(0)


@dataclass(kw_only=True, slots=True)
class VenuePosition:
    """What the venue last reported, and what it has confirmed since. Prices and margin USDT, times ns UTC."""

    size: Decimal = ZERO  # signed, base coin
    entry_price: Decimal = ZERO
    leverage: Decimal | None = None
    stop: Decimal | None = None
    backstop: Decimal | None = None
    liq_price: Decimal | None = None
    margin: Decimal = ZERO
    seq: int = -1
    taken: int = 0  # when the last report was true
    stop_since: int = (
        0  # when the last confirmed change was sent: an earlier report says nothing about the stops
    )
    unguarded_since: int = 0  # since when it shows a position of ours without a stop; 0: it does not

    def outlived(self, report: PositionReport) -> bool:
        """Have only reports of lower numbers come for a minute, this read too? Then the number was none, or the venue's count began
        again."""
        return report.source is Source.REST and report.ts - self.taken > MINUTE

    def take(self, report: PositionReport) -> None:
        """A report that is not older than the last."""
        self.seq, self.taken = report.seq, report.ts
        self.size = report.size
        self.leverage = report.leverage
        if report.ts >= self.stop_since:
            self.stop = report.stop_loss
            self.backstop = report.take_profit
        self.liq_price = report.liq_price
        self.margin = report.margin or ZERO
        self.entry_price = report.entry_price or ZERO

    def resize(self, size: Decimal) -> None:
        """A fill or a snapshot says more than the last report on the size."""
        self.size = size

    def set_leverage(self, leverage: Decimal | None) -> None:
        """The leverage was set, or is not known any more (None)."""
        self.leverage = leverage

    def confirm(self, stop: Decimal | None, backstop: Decimal | None, asked_ts: int) -> None:
        """A stop change sent at `asked_ts` was taken; None: that one was not changed."""
        self.stop_since = asked_ts
        if stop is not None:
            self.stop = stop
        if backstop is not None:
            self.backstop = backstop

    def unguarded(self, ts: int) -> None:
        """It shows a position of ours without a stop."""
        self.unguarded_since = self.unguarded_since or ts

    def covered(self, ts: int) -> int:
        """It shows a stop, or no position of ours: how long it did not, ns."""
        since, self.unguarded_since = self.unguarded_since, 0
        return max(0, ts - since) if since else 0
