"""The venue itself: its clock, its keys, its cadences."""

from __future__ import annotations

import asyncio
import itertools
import json
import socket
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.exchange.protocol import shown_books
from turbo_trader.exchange.protocol.public_stream import PublicClient
from turbo_trader.exchange.protocol.rest_face import HttpRequest
from turbo_trader.exchange.protocol.signing import Key
from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.exchange_server.server import serve
from turbo_trader.exchange_server.sockets import Connection
from turbo_trader.market.rows import ROW, TRADE, WHOLE

MS = 1_000_000


async def test_a_venue_whose_time_stops_for_an_error_ends_with_it(
    make_venue: Callable[..., Venue], monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = make_venue()

    def broken() -> None:
        raise ArithmeticError("broken")

    async def served() -> None:
        async with serve(venue):
            monkeypatch.setattr(venue, "step", broken)
            await asyncio.sleep(20)

    with pytest.raises(ArithmeticError):
        await asyncio.wait_for(served(), 10)


async def test_an_answer_in_two_writes_does_not_wait_for_the_first_to_be_acknowledged(
    make_venue: Callable[..., Venue], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, options = Connection.connection_made, []

    def seen(self: Connection, transport: Any) -> None:
        made(self, transport)
        options.append(transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    monkeypatch.setattr(Connection, "connection_made", seen)
    async with serve(make_venue()) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /v5/market/time HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(5):
            while not options:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        writer.close()
    assert options == [1]


def test_a_key_of_a_new_uid_brings_an_account_of_its_own(make_venue: Callable[..., Venue]) -> None:
    venue = make_venue(keys=(Key(key="second", secret="s", uid="2"),))
    assert venue.exchange.wallet("1") == venue.exchange.wallet("2") == Decimal(10_000)
    assert venue.exchange.accounts["1"] is not venue.exchange.accounts["2"]


def test_accounts_begin_in_hedge_mode_and_with_cross_margin_where_wanted(
    make_venue: Callable[..., Venue],
) -> None:
    venue = make_venue(hedge=True, cross=True, keys=(Key(key="second", secret="s", uid="2"),))
    for account in venue.exchange.accounts.values():
        assert account.cross
        assert all(account.indices(instrument.symbol) == (1, 2) for instrument in venue.source.instruments)
    plain = make_venue().exchange.accounts["1"]
    assert not plain.cross
    assert plain.indices("BTCUSDT") == (0,)


@pytest.mark.parametrize(("vip", "taker", "maker"), [(0, "0.00055", "0.0002"), (3, "0.00035", "0.00014")])
def test_fees_are_those_of_the_vip_level(
    make_venue: Callable[..., Venue], vip: int, taker: str, maker: str
) -> None:
    exchange = make_venue(vip=vip).exchange
    assert exchange.fee_rates("1", "BTCUSDT") == (Decimal(taker), Decimal(maker))


def test_who_connects_first_finds_a_market(make_venue: Callable[..., Venue]) -> None:
    venue = make_venue()
    assert not all(venue.data.levels(0, 1))
    venue.open()
    for s in range(len(venue.source.instruments)):
        bids, asks = venue.data.levels(s, 1)
        assert max(bids) < min(asks)
    opened = venue.now
    assert venue.source.start < opened < venue.source.start + 5_000 * MS
    venue.start_clock()
    venue.catch_up()
    assert opened <= venue.now < opened + 1_000 * MS


@pytest.mark.clock
def test_a_machine_too_slow_for_the_speed_has_a_slower_market_and_answers_still(
    make_venue: Callable[..., Venue], monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = make_venue(speed=1000.0)
    venue.start_clock()
    advance = venue.advance

    def slow(until: int) -> Any:
        time.sleep(0.03)  # for each push of some 25 ms of wall time
        return advance(until)

    monkeypatch.setattr(venue, "advance", slow)
    began = time.monotonic()
    while time.monotonic() - began < 1.0:
        stepped = time.monotonic()
        venue.step()
        assert time.monotonic() - stepped < 0.5  # requests get their turn
    slipped = venue.clock.slipped_ns / 1e9
    assert 0.05 < slipped < 1.0
    passed = (venue.now - venue.source.start) / 1e9
    assert passed <= 1000.0 * (time.monotonic() - began - slipped) + 1.0


def messages(client: PublicClient, venue: Venue, until_ms: int, step_ms: int = 10) -> list[dict[str, Any]]:
    found = []
    for n in range(step_ms, until_ms + 1, step_ms):
        found += client.push(venue.advance(venue.source.start + n * MS))
    return [json.loads(raw) for raw in found]


@pytest.mark.parametrize(
    ("topic", "cadence_ms"), [("orderbook.1", 10), ("orderbook.50", 20), ("orderbook.200", 100), ("orderbook.1000", 200),
                              ("orderbook.rpi", 100), ("tickers", 100), ("kline.1", 1_000), ("priceLimit", 300)],
)  # fmt: skip
def test_topics_keep_their_cadence(make_venue: Callable[..., Venue], topic: str, cadence_ms: int) -> None:
    venue = make_venue()
    client = PublicClient(venue.feed, "one")
    client.take(json.dumps({"op": "subscribe", "args": [f"{topic}.BTCUSDT"]}).encode(), venue.now)
    found = messages(client, venue, 8_000)
    times = [message["ts"] for message in found]
    assert len(times) > 3
    assert all((time - venue.source.start // MS) % cadence_ms == 0 for time in times)


def test_the_book_with_retail_quotes_is_that_of_50_levels_with_none_of_them(
    make_venue: Callable[..., Venue],
) -> None:
    venue = make_venue()
    client = PublicClient(venue.feed, "one")
    asked = {"op": "subscribe", "args": ["orderbook.50.BTCUSDT", "orderbook.rpi.BTCUSDT"]}
    client.take(json.dumps(asked).encode(), venue.now)
    shown_books: dict[str, dict[str, dict[str, list[str]]]] = {}
    for message in messages(client, venue, 5_000, 100):
        book = shown_books.setdefault(message["topic"], {"b": {}, "a": {}})
        for side in "ba":
            for price, *sizes in message["data"][side]:
                book[side][price] = sizes
    plain, retail = (
        {
            side: {price: sizes for price, sizes in levels.items() if sizes[0] != "0"}
            for side, levels in book.items()
        }
        for book in (shown_books["orderbook.50.BTCUSDT"], shown_books["orderbook.rpi.BTCUSDT"])
    )
    assert len(plain["b"]) > 10
    assert retail == {
        side: {p: [*sizes, "0"] for p, sizes in levels.items()} for side, levels in plain.items()
    }


def test_the_best_level_comes_whole_and_again_after_three_seconds_without_a_change(
    make_venue: Callable[..., Venue], monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = make_venue()
    client = PublicClient(venue.feed, "one")
    client.take(b'{"op":"subscribe","args":["orderbook.1.BTCUSDT"]}', venue.now)
    moving = messages(client, venue, 3_000)
    assert {message["type"] for message in moving} == {"snapshot"}
    assert all(len(message["data"]["b"]) == len(message["data"]["a"]) == 1 for message in moving)
    stands = shown_books.standing(venue.exchange.states, 0, 1)
    monkeypatch.setattr(shown_books, "standing", lambda states, s, depth: stands)
    still = [json.loads(raw) for n in range(3_010, 10_000, 10)
             for raw in client.push(venue.advance(venue.source.start + n * MS))]  # fmt: skip
    assert [b["ts"] - a["ts"] for a, b in itertools.pairwise(still)] == [3_000]
    assert len({message["data"]["u"] for message in still}) == 1


def test_the_rest_book_is_that_of_the_1000_level_stream(make_venue: Callable[..., Venue]) -> None:
    venue = make_venue()
    client = PublicClient(venue.feed, "one")
    venue.advance(venue.source.start + 2_000 * MS)
    raws = client.take(b'{"op":"subscribe","args":["orderbook.1000.BTCUSDT"]}', venue.now)[1:]
    query = b"category=linear&symbol=BTCUSDT&limit=1000"
    sides: dict[str, dict[str, str]] = {}
    updates = 0
    for n in range(2_010, 6_000, 10):
        for message in map(json.loads, raws):
            sides = {"b": {}, "a": {}} if message["type"] == "snapshot" else sides
            for name, side in sides.items():
                side |= dict(message["data"][name])
                sides[name] = {price: size for price, size in side.items() if size != "0"}
            reported = message
            updates += 1
        asked = HttpRequest("GET", "/v5/market/orderbook", query, {}, b"")
        book = json.loads(venue.rest.handle(venue.now, asked).body)["result"]
        assert (book["u"], book["seq"]) == (reported["data"]["u"], reported["data"]["seq"])
        assert (dict(book["b"]), dict(book["a"])) == (sides["b"], sides["a"])
        raws = client.push(venue.advance(venue.source.start + n * MS))
    assert updates > 3


def test_all_subscribers_of_a_topic_get_the_same_frames(make_venue: Callable[..., Venue]) -> None:
    venue = make_venue()
    early, late = PublicClient(venue.feed, "one"), PublicClient(venue.feed, "two")
    ask = b'{"op":"subscribe","args":["orderbook.50.BTCUSDT"]}'
    early.take(ask, venue.now)
    messages(early, venue, 2_000)
    snapshot = json.loads(late.take(ask, venue.now)[1])
    both = []
    for n in range(2_010, 6_000, 10):
        frames = venue.advance(venue.source.start + n * MS)
        assert early.push(frames) == late.push(frames)
        both += late.push(frames)
    assert snapshot["type"] == "snapshot"
    assert json.loads(both[0])["data"]["u"] == snapshot["data"]["u"] + 1
    assert all(json.loads(raw)["type"] == "delta" for raw in both)


def test_prints_of_a_minute_s_last_moment_belong_to_it(make_venue: Callable[..., Venue]) -> None:
    venue = make_venue()
    venue.advance(venue.source.start + 58_000 * MS)
    late = venue.source.start + 59_995 * MS  # between two pushes, the second of which begins the next minute
    row = np.array([(late, 7_000_000, int(venue.exchange.states["last"][0]), TRADE | WHOLE, 1, 0)], ROW).view(
        ROW
    )
    read = venue.source.read
    venue.source.read = lambda s, until: row if (s, until) == (0, late + 5 * MS) else read(s, until)[:0]  # type: ignore[method-assign]
    venue.advance(late + 5 * MS)
    bars = list(venue.data.symbols[0].bars)
    assert [b[0] - a[0] for a, b in itertools.pairwise(bars)] == [1] * (len(bars) - 1)
    assert bars[-1][0] * 60_000 * MS == late + 5 * MS
    assert bars[-2][5] >= 7_000
