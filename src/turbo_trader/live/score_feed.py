"""The panel signal in the daemon: bars from the venue's candles, a call at each close, the scores to the Trader.

Bars are read, not gathered from prints: a restart, a gap in the stream and a run without either then show the signal the same. A
signal that fails or is slow is an event and gives no scores; it delays nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import numpy as np

from turbo_trader.bybit.reads import ReadFailed, closed_bars, settled_rates
from turbo_trader.live.gateway import Gateway
from turbo_trader.market.rows import MINUTE, SECOND
from turbo_trader.signals.asking import Answer, Asked, NoAnswer, Wanted
from turbo_trader.signals.panel_bars import PanelBars
from turbo_trader.signals.panel_signal import Panel
from turbo_trader.trader.events import Event, Scored

GRACE: Final = 2 * SECOND  # after a close, until its candle is final
_AGAIN: Final = 3  # closed bars that are read again each time, should one have been read too early
_RETRY_S: Final = 5.0
_TRIES, _TRY_S = 4, 0.25  # a candle that the venue's clock has not closed yet is asked for again

Emit = Callable[[str, str, dict[str, Any]], None]


class Scorer(Protocol):
    """A panel signal that may take its time, somewhere it cannot hold the daemon up."""

    @property
    def wanted(self) -> Wanted: ...

    async def begin(self) -> None:
        """Get ready; what fails here fails at the first question."""

    async def answer(self, panel: Panel) -> Answer:
        """The scores at the panel's end. NoAnswer where there are none, also where they would come too late."""

    async def end(self) -> None:
        """It is not asked any more."""


class InPlace:
    """A signal asked on the daemon's own loop: where time is simulated, so that it stands still meanwhile."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    @property
    def wanted(self) -> Wanted:
        """As the signal's."""
        return self._asked.wanted

    async def begin(self) -> None:
        """Nothing to do."""

    async def answer(self, panel: Panel) -> Answer:
        """Its answer, at once."""
        return self._asked.answer(panel)

    async def end(self) -> None:
        """Nothing to do."""


class ScoreFeed:
    """Reads the bars, asks, delivers."""

    def __init__(
        self,
        scorer: Scorer,
        symbols: Sequence[str],
        gateway: Gateway,
        deliver: Callable[[Event], None],
        emit: Emit,
    ) -> None:
        self._scorer = scorer
        self._gateway = gateway
        self._deliver = deliver
        self._emit = emit
        wanted = scorer.wanted
        self._bars = PanelBars(symbols, wanted.interval_ns, wanted.bars)
        self._asked = 0  # the last close it was asked at

    async def run(self) -> None:
        """Fill the history, then ask at each close, until cancelled."""
        wanted, clock = self._scorer.wanted, self._gateway.clock
        try:
            await self._scorer.begin()
            while not await self._read(wanted.bars):
                await clock.sleep(_RETRY_S)
            self._emit(
                "signal", "info", {"signal": wanted.name, "minutes": wanted.interval_ns // MINUTE, "bars": wanted.bars}
            )  # fmt: skip
            while True:
                close = wanted.next_close(max(self._asked, clock.now() - GRACE))
                await asyncio.sleep(clock.wall_seconds(close + GRACE))
                if clock.now() < close + GRACE:
                    continue
                self._asked = close
                await self._ask(close)
        finally:
            await self._scorer.end()

    async def _ask(self, close: int) -> None:
        for _ in range(_TRIES):
            missing = (close - self._known()) // self._bars.interval_ns
            await self._read(int(min(missing + _AGAIN, self._bars.bars)))
            if self._known() >= close - self._bars.interval_ns:
                break
            await asyncio.sleep(_TRY_S)
        panel = self._bars.panel(close)
        if panel is None:
            self._emit(
                "signal-warming", "info", {"signal": self._scorer.wanted.name, "bars": self._bars.bars}
            )
            return
        try:
            answer = await self._scorer.answer(panel)
        except NoAnswer as failure:
            self._failed(str(failure))
            await self._scorer.begin()
            return
        self._deliver(
            Scored(
                ts=self._gateway.clock.now(), bar_end=close, interval=self._bars.interval_ns, directions=answer.directions,
                expected=answer.expected, horizons=answer.horizons,
            )
        )  # fmt: skip

    def _known(self) -> int:
        """Up to which bar (its opening, ns) every symbol is known."""
        return min(self._bars.newest(s) for s in range(len(self._bars.symbols)))

    def _failed(self, why: str) -> None:
        self._emit("signal-failed", "warning", {"signal": self._scorer.wanted.name, "why": why[:300]})

    async def _read(self, count: int) -> bool:
        """Read the last `count` closed bars of every symbol; has any been read?"""
        found = await asyncio.gather(*(self._read_one(s, count) for s in range(len(self._bars.symbols))))
        return any(found)

    async def _read_one(self, s: int, count: int) -> bool:
        gateway, symbol = self._gateway, self._bars.symbols[s]
        history, now = gateway.requests.history, gateway.clock.now()
        minutes = self._bars.interval_ns // MINUTE
        try:
            rows = await gateway.run(closed_bars(history, symbol, count, now, minutes=minutes))
            rates = await gateway.run(settled_rates(history, symbol)) if self._settled(s, now) else []
        except (ReadFailed, ValueError, IndexError) as error:
            self._failed(f"no bars of {symbol}: {error}")
            return False
        self._bars.put(s, rows)
        if rates:
            self._bars.fund(
                s, np.array([at for at, _ in rates], np.int64), np.array([rate for _, rate in rates])
            )
        return bool(len(rows))

    def _settled(self, s: int, now: int) -> bool:
        """May a settlement have come since the last read? They come on whole hours."""
        newest = self._bars.newest(s)
        return not newest or now // (60 * MINUTE) != newest // (60 * MINUTE)
