"""Where the simulated venue's market comes from: what a source is, and the tape as one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from turbo_trader.exchange.protocol.passing import read
from turbo_trader.market.bars import minute_bars
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.recording import frames
from turbo_trader.market.rows import Rows
from turbo_trader.market.tape import Tape


class MarketSource(Protocol):
    """Where market rows come from, in the venue's time."""

    instruments: tuple[Instrument, ...]
    start: int
    label: str

    def history(self, symbol: str) -> Rows:
        """One-minute bars (BAR) before `start`."""

    def read(self, s: int, until: int) -> Rows:
        """Rows of symbol `s` with ts < `until` not read yet."""

    def ended(self, now: int) -> bool:
        """Is there nothing more from `now` on?"""


class Frames(Protocol):
    """Public frames that a market has itself, to be passed on as they are."""

    @property
    def topics(self) -> Collection[str]:
        """What they may be of."""

    def said(self, until: int) -> list[bytes]:
        """Those of before `until` (ns) not given yet, in order; an empty one where the connection they came by was lost."""


class TapeSource:
    """Releases the rows of a tape by time. The first `history_ns` of it are given as bars, so that a daemon can warm up at once."""

    def __init__(self, tape: Tape, history_ns: int = 0) -> None:
        self.instruments = tape.instruments
        self.start = min(tape.start + history_ns, tape.end)
        self.label = tape.source + (" (rebuilt from one-minute bars)" if tape.rebuilt else "")
        self._rows = tape.rows
        self._at = [0] * len(tape.rows)
        self.end = tape.end
        self._index = {instrument.symbol: s for s, instrument in enumerate(tape.instruments)}

    def history(self, symbol: str) -> Rows:
        """One-minute bars of the tape's prints before `start`."""
        s = self._index[symbol]
        rows = self._rows[s]
        before = rows[: np.searchsorted(rows["ts"], self.start)]
        instrument = self.instruments[s]
        return minute_bars(before, float(instrument.tick), float(instrument.step))

    def read(self, s: int, until: int) -> Rows:
        """Rows with ts < `until` not read yet; the first read has everything before `start` too, so that the book is whole."""
        first = self._at[s]
        self._at[s] = int(np.searchsorted(self._rows[s]["ts"], until))
        return self._rows[s][first : self._at[s]]

    def ended(self, now: int) -> bool:
        """Has the tape been read to its end?"""
        return now >= self.end


class RecordedFrames:
    """The frames of a recording, each at the time it was pushed at; those of before `start` are left out."""

    def __init__(self, path: Path, start: int) -> None:
        self.topics = frozenset(topic for _, topic, _ in self._timed(path, start))
        self._frames = self._timed(path, start)
        self._ahead = next(self._frames, None)

    def said(self, until: int) -> list[bytes]:
        """Those pushed before `until`."""
        due = []
        while self._ahead is not None and self._ahead[0] < until:
            due.append(self._ahead[2])
            self._ahead = next(self._frames, None)
        return due

    @staticmethod
    def _timed(path: Path, start: int) -> Iterator[tuple[int, str, bytes]]:
        for _, raw in frames(path):
            head = read(raw)
            if head.topic and (ts := head.ts * 1_000_000) >= start:
                yield ts, head.topic, raw
