"""The wallet by our own books: start + results - fees + funding + transfers, to the last digit, beside the venue's word."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from turbo_trader.trader.events import Fill, WalletReport

ZERO = Decimal(0)


@dataclass(slots=True)
class Ledger:
    """Every change of the wallet has its cause. Money USDT."""

    start: Decimal | None = None
    begun: int = 0  # when it was read (ns): what happened before is in it
    results: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO  # > 0 received
    transfers: Decimal = ZERO
    seen: dict[str, None] = field(default_factory=dict)  # execution ids, in order
    last_fill_ts: int = 0

    @property
    def balance(self) -> Decimal:
        """What the wallet must hold."""
        return (self.start or ZERO) + self.results - self.fees + self.funding + self.transfers

    def add(self, fill: Fill, result: Decimal) -> bool:
        """Book an execution once; False where it was booked before."""
        if fill.exec_id in self.seen:
            return False
        self.seen[fill.exec_id] = None
        if len(self.seen) > 10_000:
            del self.seen[next(iter(self.seen))]
        self.last_fill_ts = max(self.last_fill_ts, fill.ts)
        if fill.kind == "Funding":
            self.funding -= fill.fee
        else:
            self.results += result
            self.fees += fill.fee
        return True

    def difference(self, report: WalletReport) -> Decimal:
        """The venue's word less ours: 0, or something that is not booked yet."""
        return report.balance - self.balance

    def transfer(self, amount: Decimal) -> None:
        """A deposit, withdrawal or bonus."""
        self.transfers += amount

    def to_dict(self) -> dict[str, Any]:
        """Plain values; the last 200 execution ids."""
        money = {name: str(getattr(self, name)) for name in ("results", "fees", "funding", "transfers")}
        start = None if self.start is None else str(self.start)
        return {
            **money,
            "start": start,
            "begun": self.begun,
            "seen": list(self.seen)[-200:],
            "last_fill_ts": self.last_fill_ts,
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Ledger:
        """The ledger `to_dict` wrote."""
        money = {name: Decimal(value[name]) for name in ("results", "fees", "funding", "transfers")}
        start = None if value["start"] is None else Decimal(value["start"])
        return cls(
            start,
            value.get("begun", 0),
            **money,
            seen=dict.fromkeys(value["seen"]),
            last_fill_ts=value["last_fill_ts"],
        )
