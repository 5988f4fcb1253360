"""Limits on the venue's timestamps: nothing that arrives moves the Trader's clock beyond the measured venue clock. Pure.

A row dated up to AHEAD later than that clock is taken as of now: clocks differ by as much. One dated later is refused, counted and
logged; its symbol is then read again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias, TypeVar

from turbo_trader.market.rows import MINUTE, SECOND
from turbo_trader.trader.events import (
    Event,
    Fill,
    OrderReport,
    PositionReport,
    ReadResult,
    Unread,
    WalletReport,
)

AHEAD: Final = 2 * SECOND  # at the venue's speed 1
MARKET_AHEAD: Final = 60 * SECOND  # market rows: taken as of now, they hold nothing back

Emit: TypeAlias = Callable[[str, str, dict[str, Any]], None]  # name, level, fields
R = TypeVar("R", OrderReport, Fill, PositionReport, WalletReport)


def too_early(ts: int, now: int, speed: float = 1.0, ahead: int = AHEAD) -> bool:
    """Is something dated `ts` (ns) from the future, by the measured venue clock `now` of a venue as fast as `speed`?"""
    return ts - now > ahead * max(1.0, speed)


@dataclass(slots=True)
class Alarm:
    """Counts one kind of oddity of one channel and logs it: at once, then at most once a minute with the count so far."""

    emit: Emit
    name: str
    channel: str
    level: str = "error"
    count: int = 0
    _next: int = field(default=0)

    def add(self, now: int, **fields: Any) -> None:
        """One more, at `now` (ns)."""
        self.count += 1
        if now >= self._next:
            self._next = now + MINUTE
            self.emit(self.name, self.level, {"channel": self.channel, **fields, "count": self.count})


class Arrivals:
    """The reports of one channel, as far as their times can be true."""

    def __init__(self, channel: str, emit: Emit) -> None:
        self.refused = Alarm(emit, "future-refused", channel)

    def event(self, event: Event, now: int, speed: float = 1.0) -> Event:
        """The event as the Trader may have it: dated no later than `now`, and `Unread` in place of a report from the future."""
        match event:
            case ReadResult():
                return self.read(event, now, speed)
            case OrderReport():
                return self._report(event, now, speed) or Unread(now, event.symbol)
            case Fill():
                return self._report(event, now, speed) or Unread(now, event.symbol)
            case PositionReport():
                return self._report(event, now, speed) or Unread(now, event.symbol)
            case WalletReport():
                return self._report(event, now, speed) or Unread(now, "USDT")
            case _:
                return event

    def read(self, result: ReadResult, now: int, speed: float = 1.0) -> ReadResult:
        """The answer without rows from the future; their symbols are `unread` in it."""
        orders, fills = self._kept(result.orders, now, speed), self._kept(result.fills, now, speed)
        positions = self._kept(result.positions, now, speed)
        wallet = self._report(result.wallet, now, speed) if result.wallet is not None else None
        early = {each.symbol for each in result.orders if too_early(each.ts, now, speed)}
        early |= {each.symbol for each in result.fills if too_early(each.ts, now, speed)}
        early |= {each.symbol for each in result.positions if too_early(each.ts, now, speed)}
        if result.wallet is not None and wallet is None:
            early.add("USDT")
        unread = tuple(sorted({*result.unread, *early}))
        return replace(result, orders=orders, fills=fills, positions=positions, wallet=wallet, unread=unread)

    def _kept(self, reports: Iterable[R], now: int, speed: float) -> tuple[R, ...]:
        kept = (self._report(each, now, speed) for each in reports)
        return tuple(each for each in kept if each is not None)

    def _report(self, report: R, now: int, speed: float) -> R | None:
        if too_early(report.ts, now, speed):
            symbol = "USDT" if isinstance(report, WalletReport) else report.symbol
            self.refused.add(now, symbol=symbol, ahead_s=round((report.ts - now) / SECOND, 3))
            return None
        return report if report.ts <= now else replace(report, ts=now)
