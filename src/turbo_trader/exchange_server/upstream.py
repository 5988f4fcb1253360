"""Another V5 venue as the market: Bybit's public streams, or another simulated exchange. It is only read.

What it says takes place here when it comes: rows carry the time of their arrival by its clock, so that what was over before an
order came does not fill it. Its frames are passed on as they are. While it cannot be heard books are void, prices stand still, and
our public streams are cut, as the upstream's was.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, cast

import numpy as np

from turbo_trader.bybit.endpoints import Endpoints, Keys
from turbo_trader.bybit.topics import public_topics
from turbo_trader.exchange.protocol.passing import check
from turbo_trader.live import startup
from turbo_trader.live.async_contexts import beside
from turbo_trader.live.daemon_settings import FeedSettings
from turbo_trader.live.feeds import PublicFeeds
from turbo_trader.live.gateway import Emit, Gateway
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.errors import InputError
from turbo_trader.market.frame_json import Unread, one_by_one
from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.record_copies import joined
from turbo_trader.market.rows import BAR, GAP, KIND_MASK, ROW, SNAPSHOT, Rows
from turbo_trader.trader.events import Event, MarketRows, StreamStatus

DEPTH: Final = 50  # levels of the upstream's books
HISTORY_MIN: Final = 2 * 1_440
OPENING_S: Final = 15.0  # in which every symbol must have sent its book
CLOCK_S: Final = 10.0  # between two measurements of the upstream's clock
_RESTARTED_S: Final = 60.0  # wall seconds; a clock that goes back by more is another's
_CONNECTIONS: Final = {"exits": 1, "reads": 4, "history": 4}


class UpstreamMarket:
    """A market source that is fed by `take`, and the frames it was fed with."""

    def __init__(
        self, label: str, instruments: tuple[Instrument, ...], clock: VenueClock, emit: Emit
    ) -> None:
        self.label = label
        self.instruments = instruments
        self.clock = clock
        self.start = clock.now()
        self.topics = public_topics([instrument.symbol for instrument in instruments], DEPTH)
        self.bars: dict[str, Rows] = {}
        self.booked = asyncio.Event()  # every symbol has sent its book
        self._emit = emit
        self._unbooked = set(range(len(instruments)))
        self._rows: list[list[Rows]] = [[] for _ in instruments]
        self._said: list[bytes] = []

    # -- what the upstream says

    def decoder(self) -> _Listening:
        """A decoder for one connection."""
        return _Listening(FrameDecoder(self.instruments), self._said)

    def take(self, event: Event) -> None:
        """Rows that came, as of now; a gap is a connection that was lost or is about to be made again."""
        if isinstance(event, StreamStatus) and event.up:
            self._emit("upstream-up", "info", {"reason": event.reason})
        elif isinstance(event, StreamStatus):
            self._emit("upstream-lost", "warning", {"reason": event.reason})
        if not isinstance(event, MarketRows):
            return
        rows = event.rows
        rows["ts"] = event.ts
        self._rows[event.symbol].append(rows)
        kind = int(rows["kind"][0]) & KIND_MASK
        if kind == GAP:
            self._said.append(b"")
        elif kind == SNAPSHOT:
            self._unbooked.discard(event.symbol)
            if not self._unbooked:
                self.booked.set()

    @property
    def missing(self) -> list[str]:
        """Symbols without a book so far."""
        return [self.instruments[s].symbol for s in sorted(self._unbooked)]

    # -- what the venue reads

    def history(self, symbol: str) -> Rows:
        """One-minute bars before the start; none where the upstream did not give them."""
        return self.bars.get(symbol, cast("Rows", np.zeros(0, BAR)))

    def read(self, s: int, until: int) -> Rows:
        """Rows that came before `until` and were not read yet."""
        parts = self._rows[s]
        n = next((n for n, part in enumerate(parts) if part["ts"][0] >= until), len(parts))
        ready, self._rows[s] = parts[:n], parts[n:]
        return joined(ready) if ready else cast("Rows", np.zeros(0, ROW))

    def said(self, until: int) -> list[bytes]:
        """Frames that came since the last call."""
        del until  # all have come
        said = self._said.copy()
        self._said.clear()
        return said

    def ended(self, now: int) -> bool:
        """False: it may come back at any time."""
        del now
        return False


@dataclass(frozen=True, slots=True)
class _Listening:
    """A decoder that notes the frames that are to be passed on: those that can be read, here and by whoever passes them on."""

    decoder: FrameDecoder
    said: list[bytes]

    @property
    def left_out(self) -> Counter[str]:
        """Of the decoder."""
        return self.decoder.left_out

    def decode_all(self, raws: Sequence[bytes], unread: Unread) -> Iterable[tuple[int, Rows]]:
        """As the decoder does, one by one."""
        return one_by_one(self.decode, raws, unread)

    def decode(self, raw: bytes) -> tuple[int, Rows] | None:
        """As the decoder does; ValueError also for what could not be passed on. A gap is not: the connection is lost for it."""
        check(raw)
        found = self.decoder.decode(raw)
        if found is None or int(found[1]["kind"][0]) & KIND_MASK != GAP:
            self.said.append(raw)
        return found


@asynccontextmanager
async def upstream_market(
    where: Endpoints, label: str, symbols: Sequence[str], emit: Emit
) -> AsyncIterator[UpstreamMarket]:
    """The market of `where`, listened to while the context lasts. InputError where it does not answer, lacks a symbol or tells no
    book, and later on where its time goes back."""
    clock = VenueClock()
    gateway = Gateway(where, Keys("", ""), clock, emit, connections=_CONNECTIONS)
    try:
        await startup.reach(gateway, where.rest)
        instruments = await startup.read_instruments(gateway, symbols, emit)
        market = UpstreamMarket(label, instruments, clock, emit)
        settings = FeedSettings(where.public, DEPTH)
        feeds = PublicFeeds(
            settings, instruments, clock, market.take, emit, last_ts=lambda _: 0, new_decoder=market.decoder
        )
        jobs = [job for feed in feeds.feeds for job in (feed.stream.run(), feed.watch())]
        async with beside(*jobs, _keep_time(gateway, where.rest)):
            await _open(gateway, market, where, emit)
            yield market
    finally:
        await gateway.close()


async def _open(gateway: Gateway, market: UpstreamMarket, where: Endpoints, emit: Emit) -> None:
    """Fill the history, and wait for the books."""
    symbols = [instrument.symbol for instrument in market.instruments]
    found = await asyncio.gather(
        *(startup.backfill(gateway, symbol, s, HISTORY_MIN, emit) for s, symbol in enumerate(symbols))
    )
    market.bars = {symbol: given.bars for symbol, given in zip(symbols, found, strict=True) if given}
    try:
        async with asyncio.timeout(OPENING_S):
            await market.booked.wait()
    except TimeoutError:
        missing = ", ".join(market.missing)
        raise InputError(f"{where.public}: no book of {missing} within {OPENING_S:g} s") from None
    await gateway.sync_clock()
    market.start = market.clock.now()


async def _keep_time(gateway: Gateway, where: str) -> None:
    """Measure the upstream's clock again and again."""
    while True:
        await asyncio.sleep(CLOCK_S)
        clock = gateway.clock
        if await gateway.sync_clock() and clock.ahead_s() > _RESTARTED_S * clock.speed:
            raise InputError(f"{where}: its time went back: it was restarted, and this venue must be too")
