"""Another venue as the market: two of ours, one listening to the other."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
import websockets
from pybit.unified_trading import HTTP
from websockets.sync.client import ClientConnection, connect

from turbo_trader.bybit.endpoints import loopback
from turbo_trader.exchange.protocol import shown_books
from turbo_trader.exchange.protocol.faults_on_demand import FaultPlan, Faults
from turbo_trader.exchange_server import upstream
from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.server_thread import ServedVenue, serve_in_thread
from turbo_trader.exchange_server.upstream import UpstreamMarket, upstream_market
from turbo_trader.live import startup
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.errors import InputError
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import ROW, TRADE, WHOLE
from turbo_trader.trader.events import MarketRows

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
BTC = {"category": "linear", "symbol": "BTCUSDT"}
TOPICS = ["orderbook.50.BTCUSDT", "publicTrade.BTCUSDT", "tickers.BTCUSDT"]
Emit = Callable[[str, str, dict[str, Any]], None]


@asynccontextmanager
async def chained(port: int, emit: Emit = lambda *_: None) -> AsyncIterator[Venue]:
    """A venue whose market is the one at `port`."""
    async with upstream_market(loopback(port), "chained", SYMBOLS, emit) as market:
        config = VenueConfig("key", "secret", Decimal(5_000), market.clock.speed, vip=5)
        yield Venue(market, config, frames=market, clock=market.clock.now)


@contextmanager
def chain(first: ServedVenue, emit: Emit = lambda *_: None) -> Iterator[ServedVenue]:
    with serve_in_thread(chained(first.port, emit)) as second:
        yield second


@pytest.fixture(scope="module")
def second(lively: ServedVenue) -> Iterator[ServedVenue]:
    with chain(lively) as found:
        yield found


@pytest.fixture
def client(second: ServedVenue, pybit_of: Callable[..., HTTP]) -> HTTP:
    return pybit_of(second)


def listed(answer: Any) -> list[Any]:
    return list(answer["result"]["list"])


@asynccontextmanager
async def listening(venue: ServedVenue) -> AsyncIterator[dict[str, list[str]]]:
    """Data frames of `TOPICS` as they come, by topic."""
    frames: dict[str, list[str]] = {topic: [] for topic in TOPICS}

    async def listen(stream: websockets.ClientConnection) -> None:
        async for raw in stream:
            topic = json.loads(raw).get("topic")
            if topic is not None:
                frames[topic].append(str(raw))

    async with websockets.connect(f"{venue.stream}/v5/public/linear", proxy=None) as stream:
        await stream.send(json.dumps({"op": "subscribe", "args": TOPICS}))
        job = asyncio.create_task(listen(stream))
        yield frames
        job.cancel()


async def come(frames: dict[str, list[str]], count: int) -> None:
    """Wait for so many frames of every topic."""
    async with asyncio.timeout(30):
        while min(map(len, frames.values())) < count:  # noqa: ASYNC110 - frames come by themselves
            await asyncio.sleep(0.05)


async def test_frames_of_the_upstream_are_passed_on_byte_for_byte(
    lively: ServedVenue, second: ServedVenue
) -> None:
    async with listening(lively) as theirs:
        await come(theirs, 1)  # whoever subscribed first has all that the other is given
        async with listening(second) as ours:
            await come(ours, 5)
        await asyncio.sleep(0.2)  # the second has them later than the first, which may be read later here
    for topic in TOPICS:
        passed, whole = ours[topic], theirs[topic]
        if not topic.startswith("publicTrade"):
            assert json.loads(passed.pop(0))["type"] == "snapshot"
        began = whole.index(passed[0])
        assert whole[began : began + len(passed)] == passed


def test_contracts_tickers_prints_and_bars_are_the_upstreams(
    lively: ServedVenue, client: HTTP, pybit_of: Callable[..., HTTP]
) -> None:
    first = pybit_of(lively)
    for method in ("get_instruments_info", "get_risk_limit"):
        assert listed(getattr(client, method)(**BTC)) == listed(getattr(first, method)(**BTC))
    there = {row["execId"]: row for row in listed(first.get_public_trade_history(**BTC, limit=1000))}
    here = listed(client.get_public_trade_history(**BTC, limit=5))
    there |= {row["execId"]: row for row in listed(first.get_public_trade_history(**BTC, limit=1000))}
    assert [there[row["execId"]] for row in here] == here
    before = int(listed(client.get_kline(**BTC, interval="1", limit=1000))[-1][0])
    asked = {**BTC, "interval": "1", "start": before, "end": before + 200 * 60_000}
    assert listed(client.get_kline(**asked)) == listed(first.get_kline(**asked))
    names = set(listed(first.get_tickers(**BTC))[0])
    assert set(listed(client.get_tickers(**BTC))[0]) == names


def test_orders_meet_the_upstreams_book_and_stay_here(
    lively: ServedVenue, client: HTTP, pybit_of: Callable[..., HTTP]
) -> None:
    there = listed(pybit_of(lively).get_executions(**BTC))
    client.place_order(**BTC, side="Buy", orderType="Market", qty="0.01", stopLoss="10000")
    (fill,) = listed(client.get_executions(**BTC))
    last = Decimal(listed(pybit_of(lively).get_tickers(**BTC))[0]["lastPrice"])
    assert abs(Decimal(fill["execPrice"]) / last - 1) < Decimal("0.01")
    assert listed(client.get_positions(**BTC))[0]["size"] == "0.01"
    assert listed(pybit_of(lively).get_executions(**BTC)) == there
    client.place_order(**BTC, side="Sell", orderType="Market", qty="0.01", reduceOnly=True)


def until(wanted: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


async def said_in_half_a_second(venue: ServedVenue) -> int:
    async with listening(venue) as frames:
        await asyncio.sleep(0.5)
        return sum(map(len, frames.values()))


async def heard(venue: ServedVenue) -> None:
    """Every topic says something again."""
    async with listening(venue) as frames:
        await come(frames, 1)


def to_the_end(stream: ClientConnection) -> None:
    while True:
        stream.recv(timeout=10)


@pytest.mark.long
def test_while_the_upstream_is_gone_the_market_stands_still_and_then_goes_on(
    make_venue: Callable[..., Venue], pybit_of: Callable[..., HTTP]
) -> None:
    reported: list[str] = []
    first = make_venue(speed=10.0, port=free_port())
    with ExitStack() as stack:
        with serve_in_thread(first) as served:
            second = stack.enter_context(chain(served, lambda name, level, fields: reported.append(name)))
            stream = stack.enter_context(connect(f"{second.stream}/v5/public/linear", proxy=None))
            stream.send(json.dumps({"op": "subscribe", "args": [*TOPICS, "orderbook.1.BTCUSDT"]}))
            assert all(stream.recv(timeout=10) for _ in range(20))
        with pytest.raises(websockets.ConnectionClosed):
            to_the_end(stream)
        assert "upstream-lost" in reported
        client = pybit_of(second)
        assert second.call(lambda venue: venue.data.levels(0, 1)) == ({}, {})
        asked: Any = client.place_order(**BTC, side="Buy", orderType="Market", qty="0.01")
        (row,) = listed(client.get_order_history(**BTC, orderId=asked["result"]["orderId"]))
        assert (row["orderStatus"], row["rejectReason"]) == ("Cancelled", "EC_NoImmediateQtyToFill")
        price = str(int(float(listed(client.get_tickers(**BTC))[0]["lastPrice"]) * 1.005))
        client.place_order(**BTC, side="Buy", orderType="Limit", qty="0.01", price=price)
        assert [row["orderStatus"] for row in listed(client.get_open_orders(**BTC))] == ["New"]
        assert asyncio.run(said_in_half_a_second(second)) == 0
        with serve_in_thread(first):
            until(lambda: reported.count("upstream-up") == 2)
            until(lambda: listed(client.get_positions(**BTC))[0]["size"] == "0.01")
            (fill,) = listed(client.get_executions(**BTC))
            assert (fill["execPrice"], fill["isMaker"]) == (price, True)
            asyncio.run(heard(second))


def test_a_gap_in_the_upstreams_book_is_passed_on_and_mended(
    make_venue: Callable[..., Venue], monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[str] = []
    with (
        serve_in_thread(make_venue(speed=10.0)) as first,
        chain(first, lambda name, level, fields: reported.append(name)) as second,
    ):
        plan = FaultPlan.parse("gap@orderbook.50.BTCUSDT=1")
        first.call(lambda venue: setattr(venue, "faults", Faults(plan, 0, 1)))
        until(lambda: reported == ["upstream-up", "upstream-lost", "upstream-up"])
        until(lambda: second.call(lambda venue: bool(venue.data.levels(0, 1)[0])))
        levels = second.call(lambda venue: venue.data.levels(0, 1))
    assert max(levels[0]) < min(levels[1])


HEAD = '"type":"snapshot","ts":1767603600000,"cts":1767603600000,"cs":1'
PRINT = '"T":1767603600000,"s":"BTCUSDT","S":"Buy","L":"PlusTick","i":"junk","BT":false'
JUNK = [
    '{"topic":"publicTrade.BTCUSDT"', '{"topic":"publicTrade.BTCUSDT","data":7}', '{"topic":{}}', '{"topic":"","data":"junk"}',
    f'{{"topic":"publicTrade.BTCUSDT",{HEAD},"data":[{{{PRINT},"v":"1","p":"1e999"}}]}}',
    f'{{"topic":"publicTrade.BTCUSDT",{HEAD},"data":[{{"junk":1}}]}}',
    f'{{"topic":"tickers.BTCUSDT",{HEAD},"data":{{"symbol":"BTCUSDT","markPrice":"junk"}}}}',
    f'{{"topic":"tickers.BTCUSDT",{HEAD.replace("1767603600000", "{}")},"data":{{"symbol":"junk"}}}}',
    f'{{"topic":"tickers.BTCUSDT",{HEAD},"data":["junk"]}}',
    f'{{"topic":"orderbook.50.BTCUSDT",{HEAD},"data":{{"s":"BTCUSDT","b":[["junk","1"]],"a":[],"u":7,"seq":1}}}}',
    f'{{"topic":"orderbook.50.BTCUSDT",{HEAD},"data":{{"s":"BTCUSDT","b":7,"a":[],"u":7,"seq":1}}}}',
    f'{{"topic":"orderbook.50.BTCUSDT",{HEAD},"data":{{"b":[["1","1"]],"a":[],"u":7}}}}',
]  # fmt: skip


def say_junk(venue: Venue) -> None:
    for line in venue.lines:
        line.answer([raw.encode() for raw in JUNK])


def test_frames_that_cannot_be_read_are_left_out_and_the_market_goes_on(
    make_venue: Callable[..., Venue],
) -> None:
    reported: list[str] = []
    said: list[str] = []
    with (
        serve_in_thread(make_venue(speed=10.0)) as first,
        chain(first, lambda name, level, fields: reported.append(name)) as second,
        connect(f"{second.stream}/v5/public/linear", proxy=None) as stream,
    ):
        stream.send(json.dumps({"op": "subscribe", "args": TOPICS}))
        first.call(say_junk)
        until(lambda: "frame-unreadable" in reported)
        after = first.call(lambda venue: venue.now) // 1_000_000 + 2_000
        while not said or json.loads(said[-1]).get("ts", 0) < after:
            said.append(str(stream.recv(timeout=10)))
    assert reported == ["upstream-up", "frame-unreadable"]
    assert not [raw for raw in said if "junk" in raw or raw in JUNK]


def test_a_symbol_the_upstream_does_not_have_is_named(lively: ServedVenue) -> None:
    async def opened() -> None:
        async with upstream_market(loopback(lively.port), "a", ("BTCUSDT", "FOOUSDT"), lambda *_: None):
            pass

    with pytest.raises(InputError, match="symbol FOOUSDT: "):
        asyncio.run(opened())


def test_an_upstream_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(startup, "REACH_S", 0.2)
    port = free_port()
    with (
        pytest.raises(InputError, match=f"127.0.0.1:{port}: the venue does not answer"),
        serve_in_thread(chained(port)),
    ):
        pass


def test_an_upstream_without_a_book_is_named(
    make_venue: Callable[..., Venue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "OPENING_S", 1.0)
    first = make_venue()
    monkeypatch.setattr(shown_books, "standing", lambda states, s, depth: None)
    with (
        serve_in_thread(first) as served,
        pytest.raises(InputError, match="no book of BTCUSDT, ETHUSDT, SOLUSDT within 1 s"),
        chain(served),
    ):
        pass


@pytest.mark.long
def test_an_upstream_that_was_restarted_ends_the_venue(
    make_venue: Callable[..., Venue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "CLOCK_S", 0.2)
    monkeypatch.setattr(upstream, "_RESTARTED_S", 1.0)
    port = free_port()

    async def listen(first: Any) -> None:
        async with chained(port):
            await asyncio.sleep(1.5)
            first.close()
            await asyncio.to_thread(first.enter_context, serve_in_thread(make_venue(speed=10.0, port=port)))
            await asyncio.sleep(20)

    with ExitStack() as first:
        first.enter_context(serve_in_thread(make_venue(speed=10.0, port=port)))
        with pytest.raises(InputError, match="its time went back"):
            asyncio.run(listen(first))


def test_what_comes_late_takes_place_when_it_comes() -> None:
    clock = VenueClock(lambda: 0, lambda: 1_000)
    market = UpstreamMarket("m", universe()[:1], clock, lambda *_: None)
    rows = np.array([(5, 10, 100, TRADE | WHOLE, 1, 0)], ROW).view(ROW)
    market.take(MarketRows(1_000, 0, rows))
    assert not len(market.read(0, 1_000))
    (row,) = market.read(0, 1_001)
    assert (row["ts"], row["price"]) == (1_000, 100)
    assert not len(market.read(0, 2_000))
