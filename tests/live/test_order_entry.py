"""Order entry over the trade socket, against scripted sockets: what leaves, by which way, and what is known of it."""

from __future__ import annotations

import asyncio
import json
import logging
from decimal import Decimal

import pytest
from tests.live.trade_venue import KEYS, Asked, TradeVenue, Way, connected, reply, until
from tests.sent_orders import close, entry
from websockets.asyncio.server import ServerConnection

from turbo_trader.bybit import streams
from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.command_calls import Call, call
from turbo_trader.bybit.endpoints import endpoints, loopback
from turbo_trader.bybit.venue_errors import FENCED, NO_ANSWER, NOT_SENT, classify
from turbo_trader.live.gateway import Gateway
from turbo_trader.market.errors import InputError
from turbo_trader.trader.commands import CancelOrder, SetStops
from turbo_trader.trader.events import Outcome


async def test_answers_find_their_requests_in_any_order_and_only_once() -> None:
    held: list[Asked] = []

    async def backwards(socket: ServerConnection, asked: Asked) -> None:
        held.append(asked)
        if len(held) == 3:
            await socket.send('{"retCode":0,"op":"order.create"}')
            await socket.send("not JSON")
            for n, each in enumerate(reversed(held)):
                await socket.send(reply(each, (0, 110007, 10016)[n], "said"))
                await socket.send(reply(each, 110001, "once more"))

    async with connected(TradeVenue(backwards)) as way:
        answers = await asyncio.gather(*(way.socket.call(call(entry(f"e{n}"))) for n in range(3)))
    assert [answer.code for answer in answers] == [10016, 110007, 0]
    assert [answer.verdict.outcome for answer in answers] == [
        Outcome.UNKNOWN,
        Outcome.REJECTED,
        Outcome.CONFIRMED,
    ]
    names = [asked["reqId"] for asked in held]
    assert len(set(names)) == 3
    assert all(len(name) <= 36 for name in names)


async def test_s10_without_an_answer_in_time_it_is_unknown_and_the_connection_made_again() -> None:
    async def never(socket: ServerConnection, asked: Asked) -> None:
        pass

    venue = TradeVenue(never)
    async with connected(venue, answer_s=0.2) as way:
        answer = await way.socket.call(call(entry("e1")))
        assert (answer.code, answer.verdict.outcome) == (NO_ANSWER, Outcome.UNKNOWN)
        later = await way.socket.call(call(entry("e2")))
        assert later.code == NOT_SENT
        await until(lambda: venue.connections == 2 and way.socket.up)
    assert len(venue.orders) == 1
    assert [reported["way"] for reported in way.reported] == ["websocket", "rest", "websocket"]


async def test_s10_all_that_was_under_way_when_the_connection_broke_is_unknown() -> None:
    async def third(socket: ServerConnection, asked: Asked) -> None:
        if asked["args"][0]["orderLinkId"] == "e2":
            socket.transport.abort()

    venue = TradeVenue(third)
    async with connected(venue, answer_s=60.0) as way, asyncio.timeout(5):  # at once, not when time is up
        answers = await asyncio.gather(*(way.socket.call(call(entry(f"e{n}"))) for n in range(3)))
    assert {answer.code for answer in answers} == {NO_ANSWER}
    assert len({asked["args"][0]["orderLinkId"] for asked in venue.orders}) == len(venue.orders) == 3


async def test_before_it_is_authenticated_nothing_is_handed_over() -> None:
    venue = TradeVenue()
    venue.authenticates.clear()
    async with connected(venue, wait=False) as way:
        await until(lambda: venue.connections == 1)
        await asyncio.sleep(0.05)
        assert (await way.socket.call(call(entry("e1")))).code == NOT_SENT
        venue.authenticates.set()
        await until(lambda: way.socket.up)
        assert (await way.socket.call(call(entry("e2")))).ok
    assert [asked["args"][0]["orderLinkId"] for asked in venue.orders] == ["e2"]


async def test_a_refused_authentication_is_reported_and_nothing_handed_over() -> None:
    venue = TradeVenue()
    venue.auth_code = 10004
    async with connected(venue, wait=False) as way:
        await until(lambda: bool(way.reported))
        assert not way.socket.up
        assert (await way.socket.call(call(entry("e1")))).code == NOT_SENT
    assert venue.orders == []
    (reported,) = way.reported
    assert (reported["name"], reported["way"]) == ("order-entry", "rest")
    assert reported["why"].startswith("authentication refused: for ['***',")


async def test_the_first_refused_connection_is_reported_and_no_second() -> None:
    way = Way("ws://127.0.0.1:1/v5/trade", 1.0, lambda: True)
    assert (await way.socket.call(call(entry("e0")))).code == NOT_SENT
    await asyncio.sleep(0.8)
    way.running.cancel()
    await asyncio.gather(way.running, return_exceptions=True)
    assert [reported["way"] for reported in way.reported] == ["rest"]


async def test_s47_the_right_to_write_is_asked_as_it_is_handed_over_after_the_stamp() -> None:
    order: list[str] = []
    held = [True, False]

    def permit() -> bool:
        order.append("asked")
        return held.pop(0)

    venue = TradeVenue()
    async with connected(venue, permit=permit) as way:
        now = way.clock.stamp

        def stamp() -> int:
            order.append("stamp")
            return now()

        way.clock.stamp = stamp  # type: ignore[method-assign]
        assert (await way.socket.call(call(entry("e1")))).ok
        assert order == ["stamp", "asked"]
        refused = await way.socket.call(call(entry("e2")))
    assert (refused.code, refused.verdict.outcome) == (FENCED, Outcome.REJECTED)
    assert [asked["args"][0]["orderLinkId"] for asked in venue.orders] == ["e1"]


@pytest.mark.parametrize("code", [10019, 10004])
async def test_a_restart_or_a_lost_authentication_asks_for_a_new_connection(code: int) -> None:
    async def restarting(socket: ServerConnection, asked: Asked) -> None:
        await socket.send(reply(asked, code, f"sorry {KEYS.key}"))

    venue = TradeVenue(restarting)
    async with connected(venue) as way:
        answer = await way.socket.call(call(entry("e1")))
        assert (answer.code, answer.message) == (code, "sorry ***")
        assert answer.verdict.outcome is Outcome.REJECTED
        await until(lambda: venue.connections == 2 and way.socket.up)


async def test_trade_socket_that_answers_no_ping_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PING_S", 0.05)
    monkeypatch.setattr(streams, "PONG_S", 0.3)
    venue = TradeVenue()
    async with connected(venue) as way:
        await asyncio.sleep(0.7)
        assert (venue.connections, way.socket.up) == (1, True)  # answers to pings are enough
        venue.silent = True
        await until(lambda: venue.connections == 2)
    assert venue.pings > 3
    assert way.reported[1]["why"] == "a ping was not answered within 0.3 s"


async def test_at_the_end_nothing_new_is_taken_and_what_is_under_way_is_answered() -> None:
    async def late(socket: ServerConnection, asked: Asked) -> None:
        await asyncio.sleep(0.3)
        await socket.send(reply(asked))

    venue = TradeVenue(late)
    async with connected(venue) as way:
        under_way = asyncio.create_task(way.socket.call(call(entry("e1"))))
        await until(lambda: bool(venue.orders))
        way.running.cancel()
        await asyncio.sleep(0.05)
        assert (await way.socket.call(call(entry("e2")))).code == NOT_SENT
        assert (await under_way).ok
        await asyncio.gather(way.running, return_exceptions=True)
    assert len(venue.orders) == 1


async def test_neither_key_secret_nor_signature_reaches_a_log_or_a_repr(
    caplog: pytest.LogCaptureFixture,
) -> None:
    signatures: list[str] = []

    class Echo(TradeVenue):
        async def handler(self, socket: ServerConnection) -> None:
            raw = await socket.recv()
            signatures.append(json.loads(raw)["args"][2])
            await socket.send(json.dumps({"op": "auth", "retCode": 0, "echo": str(raw)}))
            asked = json.loads(await socket.recv())
            await socket.send(reply(asked, 110007, f"{KEYS.key} {KEYS.secret}"))
            await socket.wait_closed()

    caplog.set_level(logging.DEBUG)
    logging.getLogger("websockets.server").setLevel(logging.WARNING)  # the venue's side, not ours
    async with connected(Echo()) as way:
        answer = await way.socket.call(call(entry("e1")))
        texts = [repr(answer), answer.message, repr(way.socket), repr(way.reported), caplog.text]
    assert '"op"' not in caplog.text, "a frame was logged, if only its ends"
    for text in texts:
        for secret in (KEYS.key, KEYS.secret, signatures[0]):
            assert secret not in text


class Rest:
    """A lane that accepts everything."""

    def __init__(self) -> None:
        self.seen: list[Call] = []

    async def call(self, call: Call, patience: float = 0.0) -> Answer:
        self.seen.append(call)
        return Answer(classify(0), 0, "", 0)

    async def close(self) -> None:
        pass


def gateway_of(way: Way) -> tuple[Gateway, Rest]:
    gateway = Gateway(loopback(1), KEYS, way.clock, lambda name, level, fields: None, socket=way.socket)
    rest = Rest()
    gateway._lanes = dict.fromkeys(gateway._lanes, rest)  # type: ignore[arg-type]
    return gateway, rest


async def test_entries_and_cancels_go_by_socket_closes_and_stops_by_rest() -> None:
    venue = TradeVenue()
    async with connected(venue) as way:
        gateway, rest = gateway_of(way)
        assert gateway.order_entry == "websocket"
        for command in (
            entry("e1"),
            CancelOrder("c1", "BTCUSDT", "e1"),
            close(),
            SetStops("s1", "BTCUSDT", Decimal(1), None),
        ):
            assert (await gateway.send(command)).outcome is Outcome.CONFIRMED
    assert [asked["op"] for asked in venue.orders] == ["order.create", "order.cancel"]
    assert [call.method for call in rest.seen] == ["place_order", "set_trading_stop"]
    assert gateway.order_entry == "rest"


async def test_while_the_socket_is_not_up_orders_go_by_rest_once() -> None:
    venue = TradeVenue()
    venue.auth_code = 10004
    async with connected(venue, wait=False) as way:
        gateway, rest = gateway_of(way)
        assert (await gateway.send(entry("e1"))).outcome is Outcome.CONFIRMED
    assert [call.params["orderLinkId"] for call in rest.seen] == ["e1"]
    assert venue.orders == []


@pytest.mark.parametrize("code", [10000, 10006, 10016, 10019, 110072, None])
async def test_s10_what_was_handed_over_is_never_sent_again_by_rest(code: int | None) -> None:
    async def answering(socket: ServerConnection, asked: Asked) -> None:
        if code is None:
            socket.transport.abort()
        else:
            await socket.send(reply(asked, code))

    venue = TradeVenue(answering)
    async with connected(venue) as way:
        gateway, rest = gateway_of(way)
        result = await gateway.send(entry("e1"))
    assert result.outcome is classify(NO_ANSWER if code is None else code).outcome
    assert (len(venue.orders), rest.seen) == (1, [])


@pytest.mark.clock
async def test_s28_the_limits_in_an_answer_hold_back_the_next_order_by_either_way() -> None:
    async def used_up(socket: ServerConnection, asked: Asked) -> None:
        reset = str(way.clock.now() // 1_000_000 + 400)
        header = {"X-Bapi-Limit": "10", "X-Bapi-Limit-Status": "0", "X-Bapi-Limit-Reset-Timestamp": reset}
        await socket.send(reply(asked, 0, "OK", **header))

    async with connected(TradeVenue(used_up)) as way:
        gateway, rest = gateway_of(way)
        loop = asyncio.get_running_loop()
        await gateway.send(entry("e1"))
        began = loop.time()
        await gateway.send(close())
        assert 0.2 < loop.time() - began < 2
    assert len(rest.seen) == 1


def test_the_demo_environment_refuses_it_in_one_line() -> None:
    endpoints("mainnet").check_order_entry("websocket")
    endpoints("demo").check_order_entry("rest")
    assert endpoints("testnet").trade == "wss://stream-testnet.bybit.com/v5/trade"
    with pytest.raises(
        InputError, match=r"^ORDER_ENTRY=websocket: the demo environment .*; set ORDER_ENTRY=rest$"
    ):
        endpoints("demo").check_order_entry("websocket")
