"""An open trade of ours on one symbol. `booking` writes it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

ZERO: Final = Decimal(0)


@dataclass(kw_only=True, slots=True)
class Trade:
    """What it has cost and earned so far. Money USDT, times ns UTC."""

    entry_id: str
    direction: int
    trade_tier: int
    opened_ts: int
    qty: Decimal = ZERO  # largest size
    opened_value: Decimal = ZERO
    closed_value: Decimal = ZERO
    closed_qty: Decimal = ZERO
    result: Decimal = ZERO  # before fees and funding
    fees: Decimal = ZERO
    funding: Decimal = ZERO  # > 0 received
    reason: str = ""
    range_tail: Decimal = ZERO
    stage: str = ""  # at which it was made (SIZE=earned)
    ev: float | None = None  # net EV the gates used at the entry, fraction of notional; None = not known
    honest_ev: float | None = None  # that of the exits as executed under `weighed`
    floor: Decimal = ZERO  # as its entry's

    @property
    def entry(self) -> Decimal:
        """Average fill of the opening."""
        return self.opened_value / self.qty if self.qty else ZERO

    @property
    def net(self) -> Decimal:
        """Result after fees and funding."""
        return self.result - self.fees + self.funding

    def because(self, reason: str) -> None:
        """It is being closed for this reason, unless another came first."""
        self.reason = self.reason or reason

    @property
    def crumb(self) -> bool:
        """Smaller than the least size of a trade: filled in part, say."""
        return self.opened_value < self.floor
