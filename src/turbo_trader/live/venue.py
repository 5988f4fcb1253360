"""The simulated Bybit on loopback: one Exchange, one market, a clock that may run faster, sockets around them.

Every few milliseconds the venue's time moves on: market rows up to it drive the Exchange, subscribers get what changed, accounts
get their messages. At speeds above 1 book pushes are merged so that clients can bear the frames per wall second.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

import numpy as np
import uvicorn

from turbo_trader.exchange.listing import finer
from turbo_trader.exchange.machine import Exchange, ExchangeConfig
from turbo_trader.exchange.messages import Message
from turbo_trader.exchange.protocol.faults import FaultPlan, Faults
from turbo_trader.exchange.protocol.limits import RateLimits
from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.exchange.protocol.private import PrivateClient
from turbo_trader.exchange.protocol.public import PublicClient, PublicFeed
from turbo_trader.exchange.protocol.rest import RestFace
from turbo_trader.exchange.protocol.signing import Key
from turbo_trader.live.venue_line import Line
from turbo_trader.live.venue_sockets import LARGEST_BODY, Connection, VenueSockets
from turbo_trader.market.errors import InputError
from turbo_trader.market.events import DAY, Rows
from turbo_trader.market.instruments import Instrument

TICK_S = 0.01  # wall seconds between two steps of the venue's time
SLICE_S = 0.05  # wall seconds a step may take
FRAMES_PER_SECOND = 600  # book frames a wall second over all symbols, at speeds above 1
KEPT_NS = (
    7 * DAY
)  # how long filled orders, executions and log entries are remembered, as on Bybit's demo accounts
PUSH_NS = 10_000_000  # the fastest cadence (orderbook.1) at speed 1
OPENING_NS = 5_000_000_000  # how long the venue's time may run before it is served, so that no client meets an empty book


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


@dataclass(frozen=True, slots=True)
class VenueConfig:
    """What to serve. `balance` USDT of the one account; `speed`: venue seconds a wall second; port 0: any free one;
    `control`: serve the control routes; `keys`: more keys, each of its account; `limits`: rate limits and the limits of
    connections, `vip` 0 to 5 raising those of orders; `demo`: as on Bybit's demo accounts, no /v5/trade and no fee rates;
    `footprint_ns`: how long fills stay taken from the book, None until their level changes; `hedge`, `cross`: accounts begin in
    hedge mode, with cross margin."""

    key: str
    secret: str = field(repr=False)
    balance: Decimal
    speed: float = 1.0
    host: str = "127.0.0.1"
    port: int = 0
    faults: FaultPlan = field(default_factory=FaultPlan)
    fault_seed: int = 0
    control: bool = False
    keys: tuple[Key, ...] = ()
    limits: bool = True
    vip: int = 0
    demo: bool = False
    footprint_ns: int | None = None
    hedge: bool = False
    cross: bool = False


class Venue:
    """Exchange, faces and clients. `serve` runs it; `faults` may be replaced at any time."""

    def __init__(self, source: MarketSource, config: VenueConfig) -> None:
        self.source = source
        self.config = config
        self.exchange = Exchange(
            source.instruments, ExchangeConfig(footprint_ns=config.footprint_ns, keep_ns=KEPT_NS)
        )
        self.now = source.start
        self.data = MarketData(
            self.exchange, {i.symbol: source.history(i.symbol) for i in source.instruments}
        )
        self.feed = PublicFeed(self.data)
        self.keys: dict[str, Key] = {}
        here = (config.host,) if config.host == "127.0.0.1" else ()
        for key in (Key(config.key, config.secret, "1", addresses=here), *config.keys):
            self.add_key(key)
        self.limits = RateLimits(config.vip + 1) if config.limits else None
        self.rest = RestFace(self.data, self.keys, config.speed, self.limits, demo=config.demo)
        self.faults = Faults(config.faults, config.fault_seed)
        self.lines: dict[Line, None] = {}  # stream connections, oldest first
        self.began = time.monotonic()
        self.slipped_s = 0.0  # wall seconds of market time lost because the machine was too slow
        self._numbers = 0
        self._waiting = [source.read(s, 0) for s in range(len(source.instruments))]
        self._grids = [(1, 1)] * len(source.instruments)  # ticks and steps now, of those of the source
        merged = int(config.speed * len(source.instruments) / FRAMES_PER_SECOND * 1e9)
        self.push_ns = PUSH_NS if config.speed <= 1 else max(2 * PUSH_NS, merged)
        self._next_push = self.now

    def add_key(self, key: Key) -> None:
        """Let a key in, in place of one of the same name; a new uid is a new account with the balance of the first."""
        if key.uid not in self.exchange.accounts:
            self.exchange.add_account(
                key.uid, self.config.balance, hedge=self.config.hedge, cross=self.config.cross, now=self.now
            )
        self.keys[key.key] = key

    def relist(self, new: Instrument) -> None:
        """Change an instrument from now on; InputError where the tape cannot follow (`Listing.relist`)."""
        s = self.exchange.index[new.symbol]
        k, m = self.exchange.listing.relist(new)
        self._grids[s] = self._grids[s][0] * k, self._grids[s][1] * m
        self._waiting[s] = finer(self._waiting[s], k, m)
        self.data.regrid(s, k, m)
        if k > 1 or m > 1:
            self.feed.renew(new.symbol)

    # -- time

    def open(self) -> None:
        """Run ahead until each symbol has a book, five seconds at most: who connects first is to find a market."""
        while not self._has_books() and self._next_push < self.source.start + OPENING_NS:
            self.advance(self._next_push)
            self._next_push += self.push_ns

    def _has_books(self) -> bool:
        return all(all(self.data.levels(s, 1)) for s in range(len(self.source.instruments)))

    def start_clock(self) -> None:
        """The venue's time begins to run now."""
        self.began = time.monotonic() - (self.now - self.source.start) / (self.config.speed * 1e9)

    def step(self) -> None:
        """Move to the venue's time of this moment, pushing at its cadence on the way.

        On a machine that cannot keep up with the speed the venue's time is slower than asked: it must not starve the requests.
        """
        until, enough = self._due(), time.monotonic() + SLICE_S
        while self._next_push <= until:
            if time.monotonic() > enough:
                behind = (until - self._next_push) / (self.config.speed * 1e9)
                self.began += behind
                self.slipped_s += behind
                until = self._next_push
                break
            frames = self.advance(self._next_push)
            for line in list(self.lines) if frames else ():
                if isinstance(line.client, PublicClient):
                    line.deliver(line.client.push(frames), self.faults)
            self._next_push += self.push_ns
        self._move_private(until)

    def catch_up(self) -> int:
        """Bring the Exchange to this moment (before a request); returns the venue's time."""
        if self._next_push <= self._due():
            self.step()
        self._move_private(self._due())
        return self.now

    def _due(self) -> int:
        """The venue's time of this moment, ns."""
        return self.source.start + int((time.monotonic() - self.began) * self.config.speed * 1e9)

    def advance(self, until: int) -> dict[str, list[bytes]]:
        """Let the market and the accounts run up to `until`; returns the public frames due, by topic."""
        self._move_private(until)
        prints = {}
        for s in range(len(self.source.instruments)):
            told = self.data.take(s, self._released(s))
            if told:
                prints[s] = told
        self.data.note(until)
        return self.feed.push(until, prints)

    def _released(self, s: int) -> Rows:
        rows, self._waiting[s] = self._waiting[s], self._waiting[s][:0]
        return rows

    def _move_private(self, until: int) -> None:
        if until > self.now:
            for s in range(len(self.source.instruments)):
                rows = finer(self.source.read(s, until), *self._grids[s])
                if len(rows):
                    self.exchange.advance(s, rows, 0, until)
                    waiting = self._waiting[s]
                    self._waiting[s] = (
                        np.concatenate([waiting, rows]).view(rows.dtype) if len(waiting) else rows
                    )
            self.exchange.settle(until)
            clients = [line.client for line in self.lines]
            protected = {c.uid for c in clients if isinstance(c, PrivateClient) and c.protected}
            self.rest.signed.protection.look(until, protected)
            self.now = until
        self.tell()

    def tell(self) -> None:
        """Send the accounts' messages."""
        by_uid: dict[str, list[Message]] = {}
        for uid, message in self.exchange.drain():
            by_uid.setdefault(uid, []).append(message)
        for line in list(self.lines):
            if isinstance(line.client, PrivateClient):
                line.deliver(line.client.push(self.now, by_uid.get(line.client.uid, ())), self.faults)

    async def run(self) -> None:
        """Let time run until cancelled; at speed 1 a step falls on each push."""
        self.start_clock()
        while True:
            self.step()
            await asyncio.sleep(TICK_S - (time.monotonic() - self.began) % TICK_S)

    def connection(self) -> str:
        """A new connection's id."""
        self._numbers += 1
        return f"sim-{self._numbers}"


class _Server(uvicorn.Server):
    """uvicorn, with signals left to whoever runs the loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@contextlib.asynccontextmanager
async def serve(venue: Venue) -> AsyncIterator[int]:
    """Serve `venue` while the context lasts; yields the port. InputError when the address cannot be had. Should the venue's time
    stop for an error, the context is cancelled and raises it: a venue that stands still must not go on answering."""
    config = venue.config
    server = _Server(
        uvicorn.Config(
            VenueSockets(venue).app(),
            host=config.host,
            port=config.port,
            log_level="error",
            lifespan="off",
            http=Connection,
            ws="websockets-sansio",
            ws_max_size=LARGEST_BODY,
            ws_per_message_deflate=False,  # 70 KB a connection, and each frame packed for each client: loopback needs neither
            ws_ping_interval=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
    )
    socket = _bind(config.host, config.port)
    venue.open()
    job = asyncio.create_task(server.serve(sockets=[socket]))
    clock = asyncio.create_task(venue.run())
    clock.add_done_callback(functools.partial(_stop_with, asyncio.current_task()))
    try:
        yield int(socket.getsockname()[1])
    finally:
        clock.cancel()
        server.should_exit = True
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await clock
        finally:
            await job
            socket.close()


def _stop_with(served: asyncio.Task[Any] | None, clock: asyncio.Task[None]) -> None:
    if not clock.cancelled() and clock.exception() is not None and served is not None:
        served.cancel()


def _bind(host: str, port: int) -> Any:
    import socket

    # named as TCP, else asyncio leaves Nagle's algorithm on and the second write of an answer waits 40 ms
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        raise InputError(
            f"{host}:{port}: {error.strerror}: choose another with --port, or 0 for any"
        ) from None
    found.listen(256)
    return found
