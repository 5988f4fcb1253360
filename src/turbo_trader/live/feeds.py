"""Public and private feeds: connections, frames to rows, gaps.

A frame is decoded and decided on as it comes off the socket. There is no queue: a daemon that cannot keep up leaves frames to the
socket's flow control, and what it then trades on is reported by their exchange times (the data gate). While no frame can lead to
anything (`Router.rest_s`), frames wait in the socket for a moment and are read together: they come when they are read.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from turbo_trader.bybit.endpoints import Keys
from turbo_trader.bybit.streams import AUTH_AHEAD_MS, Stream, StreamConfig
from turbo_trader.bybit.topics import PRIVATE_TOPICS, RefusedTopic, groups, public_topics
from turbo_trader.live.daemon_settings import FeedSettings
from turbo_trader.live.silence import BOOK, LONGEST_S, TICKER, Silence
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.frame_json import Unread
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import GAP, KIND_MASK, ROW, SECOND, WHOLE, Rows
from turbo_trader.runtime.arrivals import MARKET_AHEAD, Alarm, too_early
from turbo_trader.runtime.private_messages import PrivateMessages
from turbo_trader.trader.events import Event, MarketRows, StreamKind, StreamStatus

WATCH_S = 1.0  # between two looks for silent topics
_GAP_PAUSE_S = 2.0  # between two renewals of a connection
_HELPED_S = 10.0  # a symbol that is in trouble again sooner was not helped by the last one


class Decoder(Protocol):
    """market.frames.FrameDecoder: one connection's frames to rows; keeps the books' continuity, so one per connection."""

    def decode(self, raw: bytes) -> tuple[int, Rows] | None:
        """Symbol index and rows of a data frame; None for anything else."""

    def decode_all(self, raws: Sequence[bytes], unread: Unread) -> Iterable[tuple[int, Rows]]:
        """The same of frames that came together, neighbours of one topic joined; `unread` gets the error of one it cannot read."""


NewDecoder = Callable[[], Decoder]
Deliver = Callable[[Event], None]
Emit = Callable[[str, str, dict[str, object]], None]
RestS = Callable[[Sequence[int]], float]
TakeRows = Callable[[int, Rows], None]


class PublicFeed:
    """One public connection for some symbols: its frames become MarketRows, a lost connection becomes GAP rows."""

    def __init__(
        self, indices: Sequence[int], instruments: Sequence[Instrument], *, settings: FeedSettings, clock: VenueClock,
        deliver: Deliver, changed: Callable[[str], None], emit: Emit, last_ts: Callable[[int], int], new_decoder: NewDecoder,
        rest_s: RestS, take_rows: TakeRows,
    ) -> None:  # fmt: skip
        self.up = False
        self.frames = 0
        self.gaps = 0
        self.unreadable = 0
        self._indices = tuple(indices)
        self._instruments = tuple(instruments)
        self._silence = Silence(self._indices, settings.silence_s)
        self._clock = clock
        self._deliver = deliver
        self._rows = take_rows
        self._changed = changed
        self._emit = emit
        self._last_ts = last_ts
        self._new_decoder = new_decoder
        self._decoder = new_decoder()
        self._renewed = -math.inf
        self._patience: dict[int, tuple[float, float]] = {}  # by symbol: the last renewal, s before the next
        self.heard = 0.0  # the last frame, s of the steady clock
        self.early = Alarm(emit, "future-refused", "public")
        self._settings = settings
        self._refused: set[str] = set()  # topics the venue does not give on this connection
        self.stream = Stream(
            self._config(),
            on_frames=self._take,
            on_up=self._on_up,
            on_down=self._on_down,
            now_ms=lambda: clock.stamp() // 1_000_000,
            on_topic_refused=self._on_topic_refused,
            rest_s=lambda: rest_s(self._indices) if self.up else 0.0,
        )

    def _config(self) -> StreamConfig:
        """Closed symbols are not asked for."""
        names = [self._instruments[i].symbol for i in self._indices if not self._instruments[i].closed]
        topics = public_topics(names, self._settings.book_depth)
        return StreamConfig(self._settings.url, topics, self._settings.silence_s if topics else 0.0)

    def listed(self, instrument: Instrument) -> None:
        """A symbol's status as read now: one that has closed is not asked for again, one that has opened is."""
        known = [i for i in self._indices if self._instruments[i].symbol == instrument.symbol]
        for i in known:
            changed = self._instruments[i].closed != instrument.closed
            before, after = self._instruments[:i], self._instruments[i + 1 :]
            self._instruments = (*before, replace(self._instruments[i], status=instrument.status), *after)
            if changed:
                self.stream.config = self._config()
                self.stream.renew(f"{instrument.symbol} is {instrument.status}")

    async def watch(self) -> None:
        """Renew the connection when one of its topics says nothing though the others do."""
        while True:
            await asyncio.sleep(WATCH_S)
            if not self.up:
                continue
            if silent := self._silence.silent(self._seconds()):
                names = ", ".join(
                    f"{topic} of {self._instruments[symbol].symbol}" for symbol, topic in silent
                )
                self.stream.renew(f"silent: {names}")

    def regrid(self, instruments: Sequence[Instrument], symbol: int) -> None:
        """From now on in these units; the connection is made again when `symbol` is one of its own."""
        self._instruments = tuple(instruments)
        if symbol in self._indices:
            self._decoder = self._new_decoder()
            self.stream.renew(f"{instruments[symbol].symbol} has a new tick or step")

    def _take(self, raws: list[bytes]) -> None:
        self.frames += len(raws)
        for symbol, rows in self._decoder.decode_all(raws, self._on_unread):
            self._take_rows(symbol, rows)
        left_out: Counter[str] | None = getattr(self._decoder, "left_out", None)  # not every decoder counts
        if left_out:
            self._emit("prints-left-out", "info", {"reasons": dict(left_out)})
            left_out.clear()

    def _on_unread(self, error: Exception) -> None:
        self.unreadable += 1
        if self.unreadable == 1:
            self._emit("frame-unreadable", "warning", {"error": f"{type(error).__name__}: {error}"[:200]})

    def _take_rows(self, symbol: int, rows: Rows) -> None:
        """Frames of one topic."""
        now, ours = self._seconds(), self._clock.now()
        self.heard = now
        latest, _, _, kind, _, _ = rows.item(-1)  # a symbol's rows never go back in time
        kind &= KIND_MASK
        if latest > ours:
            if too_early(latest, ours, self._clock.speed, MARKET_AHEAD):
                ahead = (latest - ours) / SECOND
                self.early.add(ours, symbol=self._instruments[symbol].symbol, ahead_s=round(ahead, 3))
                self._renew(
                    now, symbol, f"a frame of {self._instruments[symbol].symbol} dated {ahead:,.0f} s ahead"
                )
                return
            np.minimum(rows["ts"], ours, out=rows["ts"])
        self._silence.heard(symbol, kind, now)
        self._rows(symbol, rows)
        if kind == GAP:
            self.gaps += 1
            self._renew(now, symbol, f"a gap in the book of {self._instruments[symbol].symbol}")

    def _seconds(self) -> float:
        """Of the clock that never jumps."""
        return self._clock.steady() / 1e9

    def _renew(self, now: float, symbol: int, why: str) -> None:
        """A new connection for the sake of one symbol. Where that does not help it waits twice as long each time, ten minutes at
        most: its neighbours must not lose their connection again and again for it."""
        last, pause = self._patience.get(symbol, (-math.inf, _GAP_PAUSE_S))
        if now - max(last + pause, self._renewed + _GAP_PAUSE_S) <= 0:
            return
        helped = now - last > max(_HELPED_S, 2 * pause)
        self._patience[symbol] = now, _GAP_PAUSE_S if helped else min(LONGEST_S, 2 * pause)
        self._renewed = now
        self.stream.renew(why)

    def _on_topic_refused(self, refused: RefusedTopic) -> None:
        self._refused.add(refused.topic)
        meaning = "not listened to until the next connection; the symbol's data stay incomplete"
        self._emit("topic-refused", "error", {"topic": refused.topic, "why": refused.why, "meaning": meaning})

    def _on_up(self) -> None:
        self.up = True
        given = set(self.stream.config.topics) - self._refused
        names = [(i, self._instruments[i].symbol) for i in self._indices]
        owed = {(i, BOOK): f"orderbook.{self._settings.book_depth}.{name}" for i, name in names}
        owed |= {(i, TICKER): f"tickers.{name}" for i, name in names}
        self._silence.begin(self._seconds(), [key for key, topic in owed.items() if topic not in given])
        self._changed("")

    def _on_down(self, reason: str) -> None:
        self.up = False
        self._refused.clear()
        self._decoder = self._new_decoder()
        now = self._clock.now()
        for symbol in self._indices:
            self._deliver(MarketRows(now, symbol, gap_row(self._last_ts(symbol))))
        self._changed(reason)


class PublicFeeds:
    """All public connections; tells the Trader "public up" when all are up and "down" when the first one is lost."""

    def __init__(
        self, settings: FeedSettings, instruments: Sequence[Instrument], clock: VenueClock, deliver: Deliver, emit: Emit,
        *, last_ts: Callable[[int], int], new_decoder: NewDecoder, rest_s: RestS = lambda _: 0.0, take_rows: TakeRows | None = None,
    ) -> None:  # fmt: skip
        """`take_rows`: gets the rows of frames, else they are delivered as events."""
        names = [instrument.symbol for instrument in instruments]
        most = settings.symbols_per_connection
        self.up = False
        self.symbols = tuple(names)
        self._clock = clock
        self._deliver = deliver
        self.feeds = [
            PublicFeed(
                group,
                instruments,
                settings=settings,
                clock=clock,
                deliver=deliver,
                changed=self._changed,
                emit=emit,
                last_ts=last_ts,
                new_decoder=new_decoder,
                rest_s=rest_s,
                take_rows=take_rows or (lambda s, rows: deliver(MarketRows(clock.now(), s, rows))),
            )
            for group in groups(range(len(names)), names, settings.book_depth, most)
        ]

    def regrid(self, instruments: Sequence[Instrument], symbol: int) -> None:
        """A symbol has a new tick or step."""
        for feed in self.feeds:
            feed.regrid(instruments, symbol)

    def listed(self, instrument: Instrument) -> None:
        """An instrument as the venue has it now."""
        for feed in self.feeds:
            feed.listed(instrument)

    def read_on(self) -> None:
        """Frames may lead to something again: none waits any longer."""
        for feed in self.feeds:
            feed.stream.read_on()

    def _changed(self, reason: str) -> None:
        up = all(feed.up for feed in self.feeds)
        if up != self.up:
            self.up = up
            self._deliver(StreamStatus(self._clock.now(), StreamKind.PUBLIC, up, reason))


class PrivateFeed:
    """The account's stream: its messages become reports."""

    def __init__(self, url: str, keys: Keys, clock: VenueClock, deliver: Deliver, emit: Emit) -> None:
        self.up = False
        self.heard = 0.0  # the last message, s of the steady clock
        self._clock = clock
        self._deliver = deliver
        self._messages = PrivateMessages(clock, deliver, emit)
        self.stream = Stream(
            StreamConfig(
                url,
                PRIVATE_TOPICS,
                keys=keys,
                auth_ahead_ms=round(AUTH_AHEAD_MS * max(1.0, clock.speed)),
                all_needed=True,
            ),
            on_frames=self._take,
            on_up=self._on_up,
            on_down=self._on_down,
            now_ms=lambda: clock.stamp() // 1_000_000,
        )

    @property
    def unreadable(self) -> int:
        """Messages and rows that could not be read so far."""
        return self._messages.unreadable

    def _take(self, raws: list[bytes]) -> None:
        self.heard = self._clock.steady() / 1e9
        for raw in raws:
            self._messages.take(raw)

    def _on_up(self) -> None:
        self.up = True
        self._deliver(StreamStatus(self._clock.now(), StreamKind.PRIVATE, up=True))

    def _on_down(self, reason: str) -> None:
        self.up = False
        self._deliver(StreamStatus(self._clock.now(), StreamKind.PRIVATE, up=False, reason=reason))


def gap_row(ts: int) -> Rows:
    """One GAP frame: the book is void until the next snapshot."""
    row = np.zeros(1, ROW)
    row["ts"] = ts
    row["kind"] = GAP | WHOLE
    return row
