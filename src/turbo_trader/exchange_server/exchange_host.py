"""The simulated exchange on loopback: one Exchange, one market, a clock that may run faster, sockets around them.

Every few milliseconds the venue's time moves on: market rows up to it drive the Exchange, subscribers get what changed, accounts
get their messages. At speeds above 1 book pushes are merged so that clients can bear the frames per wall second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from turbo_trader.exchange.accounts import FeeCoin
from turbo_trader.exchange.exchange_machine import Exchange, ExchangeConfig
from turbo_trader.exchange.exchange_state import RATES
from turbo_trader.exchange.instrument_changes import finer
from turbo_trader.exchange.messages import Message
from turbo_trader.exchange.protocol.faults_on_demand import FaultPlan, Faults
from turbo_trader.exchange.protocol.maintenance import Notices, StatusFeed
from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.exchange.protocol.private_stream import PrivateClient
from turbo_trader.exchange.protocol.public_stream import PublicClient, PublicFeed
from turbo_trader.exchange.protocol.rate_limits import ADDRESS_BAN, RateLimits
from turbo_trader.exchange.protocol.rest_face import RestFace
from turbo_trader.exchange.protocol.signing import Key
from turbo_trader.exchange.protocol.symbol_market import Print
from turbo_trader.exchange.protocol.trade_stream import TradeClient
from turbo_trader.exchange_server.exchange_clock import VenueClock
from turbo_trader.exchange_server.line import Client, Lines
from turbo_trader.exchange_server.market_moves import MarketMoves
from turbo_trader.exchange_server.market_source import Frames, MarketSource
from turbo_trader.exchange_server.request_record import RequestRecord
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.record_copies import joined
from turbo_trader.market.rows import DAY, SECOND, Rows

TICK_NS = 10_000_000  # of the wall's time, between two steps of the venue's time
SLICE_NS = 50_000_000  # of the wall's time that a step may take
FRAMES_PER_SECOND = 600  # book frames a wall second over all symbols, at speeds above 1
KEPT_NS = (
    7 * DAY
)  # how long filled orders, executions and log entries are remembered, as on Bybit's demo accounts
PUSH_NS = 10_000_000  # the fastest cadence (orderbook.1) at speed 1
FEE_COINS = Decimal(1_000)  # of the coin that fees are paid in, at the beginning
OPENING_NS = 5_000_000_000  # how long the venue's time may run before it is served, so that no client meets an empty book

Report = Callable[[str, str, dict[str, Any]], None]  # name, level, fields


@dataclass(frozen=True, slots=True)
class VenueConfig:
    """What to serve. `balance` USDT of the one account; `speed`: venue seconds a wall second; `host`: the default lets this machine
    alone in; port 0: any free one; `control`: serve the control routes; `keys`: more keys, each of its account; `limits`: rate
    limits and the limits of connections; `ban_ns`: how long who asks too often is barred; `vip` 0 to 5: higher limits of orders and
    lower fees; `demo`: as on Bybit's demo accounts, no /v5/trade and no fee rates, but money for the asking; `footprint_ns`: how
    long fills stay taken from the book, None until their level changes; `hedge`, `cross`: accounts begin in hedge mode, with cross
    margin; `fee_coin`: they pay their fees in it, and have FEE_COINS of it; `record`: a file that gets all that was asked and
    answered."""

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
    ban_ns: int = ADDRESS_BAN
    demo: bool = False
    footprint_ns: int | None = None
    hedge: bool = False
    cross: bool = False
    fee_coin: FeeCoin | None = None
    record: Path | None = None
    push_ns: int | None = None  # between two pushes of a book; None: as the speed allows


class Venue:
    """Exchange, faces and clients. `server.serve` runs it; `faults` may be replaced at any time."""

    def __init__(
        self,
        source: MarketSource,
        config: VenueConfig,
        *,
        frames: Frames | None = None,
        clock: Callable[[], int] | None = None,
        report: Report | None = None,
        wall: Callable[[], int] | None = None,
    ) -> None:
        """`frames`: public frames that are passed on as they are; `clock`: the venue's time (ns) where it is another one's, instead
        of one that runs from the source's start; `report` hears when the machine is too slow for the speed; `wall`: the machine's
        time (ns), where it is a simulated one."""
        self.source = source
        self.config = config
        self.clock = VenueClock(source.start, config.speed, clock, wall)
        self._frames = frames
        self._report = report or (lambda *_: None)
        self._reported_ns = 0  # slipped when it was last reported
        taker, maker = RATES[config.vip]
        rules = ExchangeConfig(taker, maker, footprint_ns=config.footprint_ns, keep_ns=KEPT_NS)
        self.exchange = Exchange(source.instruments, rules)
        self.moves = MarketMoves(self.exchange)
        self.now = source.start
        self.data = MarketData(
            self.exchange, {i.symbol: source.history(i.symbol) for i in source.instruments}
        )
        self.feed = PublicFeed(self.data, frames.topics if frames is not None else ())
        self.keys: dict[str, Key] = {}
        here = (config.host,) if config.host == "127.0.0.1" else ()
        for key in (Key(key=config.key, secret=config.secret, uid="1", addresses=here), *config.keys):
            self.add_key(key)
        self.limits = RateLimits(config.vip, config.ban_ns) if config.limits else None
        self.notices = Notices()
        self.status = StatusFeed(self.notices)
        self.rest = RestFace(
            self.data, self.keys, config.speed, self.limits, demo=config.demo, notices=self.notices
        )
        self.faults = Faults(config.faults, config.fault_seed)
        self.record = RequestRecord(config.record) if config.record is not None else None
        self.lines = Lines()
        self._numbers = 0
        self._waiting = [source.read(s, 0) for s in range(len(source.instruments))]
        self._grids = [(1, 1)] * len(source.instruments)  # ticks and steps now, of those of the source
        merged = int(config.speed * len(source.instruments) / FRAMES_PER_SECOND * 1e9)
        self.push_ns = config.push_ns or (PUSH_NS if config.speed <= 1 else max(2 * PUSH_NS, merged))
        self._tick_ns = config.push_ns or TICK_NS
        self._next_push = self.now

    def add_key(self, key: Key) -> None:
        """Let a key in, in place of one of the same name; a new uid is a new account with the balance of the first."""
        if key.uid not in self.exchange.accounts:
            self.exchange.add_account(
                key.uid, self.config.balance, hedge=self.config.hedge, cross=self.config.cross, now=self.now
            )
            if self.config.fee_coin is not None:
                self.exchange.pay_fees_in(key.uid, self.config.fee_coin, FEE_COINS, self.now)
        self.keys[key.key] = key

    def relist(self, new: Instrument) -> None:
        """Change an instrument from now on; InputError where the tape cannot follow (`Listing.relist`)."""
        s = self.exchange.index[new.symbol]
        self.moves.check_grid(s, new)
        k, m = self.exchange.listing.relist(new)
        self.moves.regrid(s, k)
        self._grids[s] = self._grids[s][0] * k, self._grids[s][1] * m
        self._waiting[s] = finer(self._waiting[s], k, m)
        self.data.regrid(s, k, m)
        if k > 1 or m > 1:
            self.feed.renew(new.symbol)

    @property
    def passes_on(self) -> bool:
        """Are the market's own frames passed on as they are?"""
        return self._frames is not None

    # -- time

    def open(self) -> None:
        """Run ahead until each symbol has a book, five seconds at most, then to another's time: who connects first is to find a
        market, and is answered at once."""
        while not self._has_books() and self._next_push < self.source.start + OPENING_NS:
            self.advance(self._next_push)
            self._next_push += self.push_ns
        if self.clock.given is not None:
            self.catch_up()

    def _has_books(self) -> bool:
        return all(all(self.data.levels(s, 1)) for s in range(len(self.source.instruments)))

    def start_clock(self) -> None:
        """The venue's time begins to run now."""
        self.clock.begin(self.now)

    def step(self) -> None:
        """Move to the venue's time of this moment, pushing at its cadence on the way.

        Where the machine cannot keep up, or stood still, requests must not starve: a time that waits slows down; one that does not
        is caught up with at once, and the pushes between are left out.
        """
        until, enough = self.clock.now(), self.clock.elapsed_ns() + SLICE_NS
        while self._next_push <= until:
            if self.clock.elapsed_ns() >= enough:
                if self.clock.waits:
                    self._slow_down(until - self._next_push)
                    until = self._next_push
                    break
                self._next_push = until - (until - self.source.start) % self.push_ns
            frames = self.advance(self._next_push)
            for line in self.lines.of(PublicClient) if frames else ():
                if isinstance(line.client, PublicClient):
                    line.deliver(line.client.push(frames), self.faults)
            self._next_push += self.push_ns
        self._move_private(until)

    def catch_up(self) -> int:
        """Bring the Exchange to this moment (before a request); returns the venue's time."""
        if self._next_push <= self.clock.now():
            self.step()
        self._move_private(self.clock.now())
        return self.now

    def _slow_down(self, behind_ns: int) -> None:
        """Leave time out, and say so at each doubling of what was left out."""
        self.clock.slip(behind_ns)
        if self.clock.slipped_ns < max(SECOND, 2 * self._reported_ns):
            return
        self._reported_ns = self.clock.slipped_ns
        reached, lost = self.clock.reached(), self.clock.slipped_ns / 1e9
        self._report(
            "venue-slow",
            "warning",
            {"speed": self.config.speed, "reached": round(reached, 1), "slipped_s": round(lost, 1)},
        )

    def advance(self, until: int) -> dict[str, list[bytes]]:
        """Let the market and the accounts run up to `until`, a second at a time; returns the public frames due, by topic."""
        prints: dict[int, list[Print]] = {}
        while True:
            part = min(until, self.now + SECOND)
            self._move_private(part)
            for s in range(len(self.source.instruments)):
                reported = self.data.take(s, self._released(s))
                if reported:
                    prints.setdefault(s, []).extend(reported)
            self.data.note(part)
            if part >= until:
                break
        if self._frames is not None:
            self._pass_on(self._frames.said(until))
        return self.feed.push(until, prints) | self.status.push(until)

    def _pass_on(self, said: list[bytes]) -> None:
        """What the market said of itself; where it was lost, whoever listens to it here is lost too."""
        for raw in said:
            if raw:
                self.feed.hear(raw)
                continue
            self.feed.forget()
            self.cut(PublicClient)

    def _released(self, s: int) -> Rows:
        rows, self._waiting[s] = self._waiting[s], self._waiting[s][:0]
        return rows

    def _move_private(self, until: int) -> None:
        if until > self.now:
            for s in range(len(self.source.instruments)):
                rows = self.moves.through(s, finer(self.source.read(s, until), *self._grids[s]), until)
                if len(rows):
                    self.exchange.advance(s, rows, 0, until)
                    waiting = self._waiting[s]
                    self._waiting[s] = joined([waiting, rows]) if len(waiting) else rows
            self.exchange.settle(until)
            clients = [line.client for line in self.lines.of(PrivateClient)]
            protected = {c.uid for c in clients if isinstance(c, PrivateClient) and c.protected}
            self.rest.signed.protection.look(until, protected)
            self.now = until
        self.publish()

    def publish(self) -> None:
        """Send the accounts' messages."""
        by_uid: dict[str, list[Message]] = {}
        for uid, message in self.exchange.drain():
            by_uid.setdefault(uid, []).append(message)
        for line in self.lines.of(PrivateClient):
            if isinstance(line.client, PrivateClient):
                frames = line.client.push(self.now, by_uid.get(line.client.uid, ()))
                if self.record is not None:
                    self.record.messages(self.now, line.connection, frames)
                line.deliver(frames, self.faults)
        if self.notices.closed(self.now) and self.lines:
            self.cut(PublicClient, PrivateClient, TradeClient)

    async def run(self) -> None:
        """Let time run until cancelled; at speed 1 a step falls on each push."""
        self.start_clock()
        while True:
            self.step()
            await asyncio.sleep((self._tick_ns - self.clock.elapsed_ns() % self._tick_ns) / 1e9)

    def restart_books(self) -> None:
        """The service of order books restarts, as if it had been restarted."""
        for book in self.data.books:
            book.restart()
        self.feed.restart()

    def cut(self, *kinds: type[Client]) -> int:
        """Cut the stream connections of these kinds silently; returns how many."""
        lines = self.lines.of(*kinds)
        for line in lines:
            line.cut()
        return len(lines)

    def connection(self) -> str:
        """A new connection's id."""
        self._numbers += 1
        return f"sim-{self._numbers}"
