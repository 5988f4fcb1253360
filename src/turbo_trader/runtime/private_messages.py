"""Messages of a private stream, read row by row: reports for the Trader, and what could not be read or trusted. No I/O."""

from __future__ import annotations

from collections.abc import Callable

from turbo_trader.bybit import decode
from turbo_trader.bybit.schemas import OddRow, Unreadable
from turbo_trader.runtime.arrivals import Alarm, Arrivals, Emit
from turbo_trader.runtime.clock import MeasuredClock
from turbo_trader.trader.events import Event, Unread


class PrivateMessages:
    """Takes the messages of one channel, hands on what is in them."""

    def __init__(self, clock: MeasuredClock, deliver: Callable[[Event], None], emit: Emit) -> None:
        self.unreadable = 0  # messages and rows so far
        self._clock = clock
        self._deliver = deliver
        self._odd = Alarm(emit, "message-unreadable", "private")
        self._arrivals = Arrivals("private", emit)

    def take(self, raw: bytes) -> None:
        """One message, whatever its bytes are."""
        now = self._clock.now()
        try:
            reports = decode.private(decode.frame(raw), now, self._on_odd)
        except Unreadable as error:
            self._on_odd(OddRow("", "", str(error)))
            self._deliver(Unread(now, ""))
            return
        for report in reports:
            self._deliver(self._arrivals.event(report, now, self._clock.speed))

    def _on_odd(self, odd: OddRow) -> None:
        """Its neighbours are delivered all the same; what it says of a symbol is read again."""
        self.unreadable += 1
        now = self._clock.now()
        self._odd.add(now, topic=odd.where, symbol=odd.symbol, error=odd.why)
        if odd.symbol:
            self._deliver(Unread(now, odd.symbol))
