"""The network between Trader and Exchange: how long things take, ns. Constant delays; faults are added on top elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

MILLISECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Latency:
    """One-way delays: market data to the Trader, requests to the venue, replies and private messages back."""

    feed: int = 20 * MILLISECOND
    request: int = 30 * MILLISECOND
    reply: int = 20 * MILLISECOND
    stream: int = 20 * MILLISECOND

    def __post_init__(self) -> None:
        if min(self.feed, self.request, self.reply, self.stream) < 0:
            raise ValueError("a latency cannot be negative")
