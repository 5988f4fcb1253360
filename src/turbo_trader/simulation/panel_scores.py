"""The panel signal in simulated time: bars close with the tape's prints, and are what the simulated venue's candles would be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.bars import minute_bars
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import BAR, FUNDING, KIND_MASK, MINUTE, RATE, SECOND, Rows
from turbo_trader.signals.asking import Asked, NoAnswer
from turbo_trader.signals.panel_bars import PanelBars
from turbo_trader.simulation.loop import Loop
from turbo_trader.trader.events import Event, Scored

DELAY: Final = 2 * SECOND  # from a close to its scores, as in the daemon


class PanelScores:
    """Asks at each close. `failed`: how many questions had no answer, and why the last one had none."""

    def __init__(
        self,
        asked: Asked,
        instruments: Sequence[Instrument],
        loop: Loop,
        deliver: Callable[[Event], None],
        history: Sequence[Rows] = (),
    ) -> None:
        """`history`: one-minute bars (BAR) per instrument before the market begins."""
        self._asked = asked
        self._loop = loop
        self._deliver = deliver
        self._past = [
            _SymbolPast(each, history[s] if s < len(history) else None) for s, each in enumerate(instruments)
        ]
        wanted = asked.wanted
        self._bars = PanelBars([each.symbol for each in instruments], wanted.interval_ns, wanted.bars)
        self.failed = (0, "")

    def add(self, s: int, rows: Rows) -> None:
        """Rows of a symbol that follow, whole minutes of them; they may lie ahead."""
        self._past[s].add(rows)

    def begin(self) -> None:
        """Ask from now on."""
        self._after(self._loop.now)

    def _after(self, now: int) -> None:
        close = self._asked.wanted.next_close(now - DELAY)
        self._loop.post(close + DELAY, lambda: self._ask(close))

    def _ask(self, close: int) -> None:
        self._after(close + DELAY)
        for s, past in enumerate(self._past):
            self._bars.put(s, past.closed(close, self._bars.interval_ns))
            if (settled := past.settled(close)) is not None:
                self._bars.fund(s, np.array([settled[0]]), np.array([settled[1]]))
        panel = self._bars.panel(close)
        if panel is None:
            return
        try:
            answer = self._asked.answer(panel)
        except NoAnswer as failure:
            self.failed = (self.failed[0] + 1, str(failure))
            return
        self._deliver(
            Scored(
                ts=self._loop.now, bar_end=close, interval=self._bars.interval_ns, directions=answer.directions,
                expected=answer.expected, horizons=answer.horizons,
            )
        )  # fmt: skip


class _Queue:
    """Rows of a growing past, given out by time."""

    def __init__(self) -> None:
        self._rows: Rows = cast("Rows", np.zeros(0, BAR))
        self._ts = np.zeros(0, np.int64)
        self._at = 0

    def add(self, rows: Rows) -> None:
        """Rows that follow."""
        left = self._rows[self._at :]
        self._rows = cast("Rows", np.concatenate([left, rows])) if len(left) else rows
        self._ts, self._at = np.ascontiguousarray(self._rows["ts"]), 0

    def take(self, time: int) -> Rows:
        """Those with ts < `time` that were not given out yet."""
        first = self._at
        self._at += int(np.searchsorted(self._ts[first:], time))
        return self._rows[first : self._at]


class _SymbolPast:
    """One symbol's minutes and funding rates as they become known."""

    def __init__(self, instrument: Instrument, history: Rows | None) -> None:
        self._tick, self._lot = float(instrument.tick), float(instrument.step)
        units = (instrument.tick, instrument.step)
        self._decimals = tuple(max(0, -int(unit.as_tuple().exponent)) for unit in units)
        self._interval = instrument.funding_interval_min * MINUTE
        self._minutes, self._rates = _Queue(), _Queue()
        self._close = 0.0  # of the newest minute given out
        self._next = 0  # the next minute to be given out, ns; 0: there is none yet
        self._began = 0  # ns; the venue knows no earlier settlement
        self._settled, self._rate = 0, 0.0
        if history is not None:
            self._add(history)

    def add(self, rows: Rows) -> None:
        """Tape rows that follow, whole minutes of them."""
        if len(rows):
            self._began = self._began or int(rows["ts"][0])
            self._add(minute_bars(rows, self._tick, self._lot))
            self._rates.add(rows[(rows["kind"] & KIND_MASK) == FUNDING])

    def _add(self, bars: Rows) -> None:
        if len(bars):
            self._next = self._next or int(bars["ts"][0])
            self._minutes.add(bars)

    def closed(self, close: int, interval: int) -> Rows:
        """Candles of `interval` that have ended at `close` since the last call; a minute without a print is flat."""
        if not 0 < self._next < close:
            return cast("Rows", np.zeros(0, BAR))
        known = self._minutes.take(close)
        known = known[known["ts"] >= self._next]  # a block that ends within a minute gives that minute twice
        minutes = np.zeros((close - self._next) // MINUTE, BAR)
        minutes["ts"] = self._next + MINUTE * np.arange(len(minutes))
        there = np.zeros(len(minutes), np.int64)
        there[(known["ts"] - self._next) // MINUTE] = np.arange(1, len(known) + 1)
        closes = np.concatenate([[self._close], known["close"]])[np.maximum.accumulate(there)]
        for name in ("open", "high", "low", "close"):
            minutes[name] = closes
        minutes[there > 0] = known
        self._next, self._close = close, float(closes[-1])
        return self._merged(minutes, interval)

    def _merged(self, minutes: NDArray[np.record], interval: int) -> Rows:
        """Candles as the venue writes them: prices and volumes with the decimals of tick and step."""
        opened = minutes["ts"] // interval
        first = np.flatnonzero(np.diff(opened, prepend=opened[0] - 1))
        last = np.append(first[1:], len(minutes)) - 1
        price, size = self._decimals
        bars = np.zeros(len(first), BAR)
        bars["ts"] = opened[first] * interval
        bars["open"] = np.round(minutes["open"][first], price)
        bars["high"] = np.round(np.maximum.reduceat(minutes["high"], first), price)
        bars["low"] = np.round(np.minimum.reduceat(minutes["low"], first), price)
        bars["close"] = np.round(minutes["close"][last], price)
        bars["volume"] = np.round(np.add.reduceat(minutes["volume"], first), size)
        return cast("Rows", bars)

    def settled(self, close: int) -> tuple[int, float] | None:
        """(time, rate) of the last settlement up to `close`, where it was not given out yet."""
        at = close // self._interval * self._interval
        if at <= max(self._settled, self._began):
            return None
        self._settled = at
        known = self._rates.take(at + SECOND)  # the venue notes it within a second
        if len(known):
            self._rate = float(known["lots"][-1]) / RATE
        return at, self._rate
