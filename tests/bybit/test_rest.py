"""Signed calls over HTTP: each answer has its outcome, nothing is asked twice, and secrets stay inside."""

import asyncio
import gc
import hashlib
import hmac
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.canned_servers import Canned, Request, canned

from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.endpoints import Endpoints, Keys
from turbo_trader.bybit.rest import Lane, Signer
from turbo_trader.bybit.venue_errors import FENCED, NO_ANSWER, NOT_SENT, Action
from turbo_trader.trader.events import Outcome

KEYS = Keys("THE-API-KEY", "THE-API-SECRET")
Reply = tuple[int, bytes] | None  # None: hang up without an answer
ORDER = Call(
    "place_order",
    "create",
    {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.001"},
)


class Server:
    url: str

    def __init__(self) -> None:
        self.reply: Callable[[str], Reply] = lambda path: (200, envelope(0))
        self.seen: list[Request] = []

    def answer(self, asked: Request) -> Canned | None:
        self.seen.append(asked)
        found = self.reply(asked.target)
        return Canned(found[1], found[0], headers={"X-Bapi-Limit-Status": "7"}) if found else None


def envelope(code: int, message: str = "", result: dict[str, Any] | None = None) -> bytes:
    return json.dumps(
        {"retCode": code, "retMsg": message, "result": result or {}, "retExtInfo": {}, "time": 1700000000000}
    ).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    with canned(made.answer) as made.url:
        yield made


def lane(url: str, connections: int = 2, timeout: float = 2.0) -> Lane:
    return Lane(
        connections, Endpoints("loopback", url, "", ""), KEYS, lambda: 1_700_000_000_000_000_000, timeout
    )


async def test_a_call_is_signed_over_what_is_sent_by_our_clock(server: Server) -> None:
    answer = await lane(server.url).call(ORDER)
    assert answer.ok
    assert answer.headers["X-Bapi-Limit-Status"] == "7"
    asked = server.seen[0]
    assert asked.headers["X-BAPI-TIMESTAMP"] == "1700000000000"
    prehash = b"1700000000000" + KEYS.key.encode() + b"5000" + asked.body
    assert asked.headers["X-BAPI-SIGN"] == hmac.new(KEYS.secret.encode(), prehash, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    ("status", "body", "outcome", "action"),
    [
        (200, envelope(110007, "ab not enough for new order"), Outcome.REJECTED, Action.RECONCILE),
        (200, envelope(10016, "Server error"), Outcome.UNKNOWN, Action.RECONCILE),
        (200, envelope(10006, "Too many visits!"), Outcome.REJECTED, Action.WAIT),
        (200, envelope(110072, "OrderLinkedID is duplicate"), Outcome.UNKNOWN, Action.RECONCILE),
        (200, envelope(424242, "new in 2027"), Outcome.UNKNOWN, Action.RECONCILE),
        (200, b"<html>", Outcome.UNKNOWN, Action.RECONCILE),
        (200, b"[1]", Outcome.UNKNOWN, Action.RECONCILE),
        (403, b"access too frequent", Outcome.REJECTED, Action.BAN),
        (502, b"bad gateway", Outcome.UNKNOWN, Action.RECONCILE),
        (429, b"", Outcome.UNKNOWN, Action.RECONCILE),
    ],
)
async def test_each_answer_has_its_outcome_and_is_asked_once(
    server: Server, status: int, body: bytes, outcome: Outcome, action: Action
) -> None:
    server.reply = lambda path: (status, body)
    answer = await lane(server.url).call(ORDER)
    assert (answer.verdict.outcome, answer.verdict.action) == (outcome, action)
    assert len(server.seen) == 1


async def test_s10_a_timeout_and_a_hang_up_are_unknown_and_never_sent_again(server: Server) -> None:
    server.reply = lambda path: None
    answer = await lane(server.url).call(ORDER)
    assert (answer.code, answer.verdict.outcome) == (NO_ANSWER, Outcome.UNKNOWN)

    def slow(path: str) -> Reply:
        time.sleep(0.5)
        return 200, envelope(0)

    server.reply = slow
    answer = await lane(server.url, timeout=0.1).call(ORDER)
    assert (answer.code, answer.verdict.outcome) == (NO_ANSWER, Outcome.UNKNOWN)
    assert len(server.seen) == 2


async def test_a_refused_connection_certainly_did_nothing() -> None:
    answer = await lane("http://127.0.0.1:1").call(ORDER)
    assert (answer.code, answer.verdict.outcome) == (NOT_SENT, Outcome.REJECTED)


async def test_where_a_connection_is_idle_a_request_has_left_before_anything_is_awaited(
    server: Server,
) -> None:
    one = lane(server.url, connections=1)
    assert (await one.call(ORDER)).ok
    coming = one.call(ORDER)
    until = time.monotonic() + 5
    while len(server.seen) < 2 and time.monotonic() < until:
        time.sleep(0.001)  # noqa: ASYNC251 - the event loop is to stand still
    assert len(server.seen) == 2
    assert (await coming).ok


async def test_a_request_nobody_waits_for_any_more_holds_no_connection(server: Server) -> None:
    one = lane(server.url, connections=1)
    assert (await one.call(ORDER)).ok
    one.call(ORDER).close()
    assert (await asyncio.wait_for(one.call(ORDER), 2)).ok
    await asyncio.wait_for(one.close(), 2)
    assert len(server.seen) == 3


async def test_what_waited_too_long_for_a_connection_does_not_leave(server: Server) -> None:
    release = threading.Event()

    def reply(path: str) -> Reply:
        release.wait(5)
        return 200, envelope(0)

    server.reply = reply
    one = lane(server.url, connections=1)
    first = asyncio.create_task(one.call(ORDER))
    await asyncio.sleep(0.05)
    late = await one.call(ORDER, patience=0.1)
    assert (late.code, late.verdict.outcome) == (NOT_SENT, Outcome.REJECTED)
    release.set()
    assert (await first).ok
    assert len(server.seen) == 1


@pytest.mark.clock
async def test_one_lane_never_waits_for_another(server: Server) -> None:
    def reply(path: str) -> Reply:
        time.sleep(0.6 if "kline" in path else 0.0)
        return 200, envelope(0)

    server.reply = reply
    history, exits = lane(server.url), lane(server.url)
    kline = Call("get_kline", "market", {"category": "linear", "symbol": "BTCUSDT", "interval": "1"})
    bulk = [asyncio.create_task(history.call(kline)) for _ in range(4)]
    await asyncio.sleep(0.05)
    began = time.monotonic()
    assert (await exits.call(ORDER)).ok
    assert time.monotonic() - began < 0.5
    await asyncio.gather(*bulk)


async def test_secrets_are_in_no_repr_log_or_message(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.reply = lambda path: (200, envelope(10004, f"error sign! origin_string[1700{KEYS.key}5000]"))
    answer = await lane(server.url).call(ORDER)
    session = Signer(KEYS, lambda: 0, lambda: True)
    for text in (repr(answer), answer.message, repr(session), str(session), caplog.text):
        assert KEYS.key not in text
        assert KEYS.secret not in text


async def test_s47_without_the_right_to_write_a_write_never_leaves_but_reads_do(server: Server) -> None:
    held = [True, False, False]
    lane = Lane(1, Endpoints("loopback", server.url, "", ""), KEYS, time.time_ns, 5.0, lambda: held.pop(0))
    assert (await lane.call(ORDER)).ok
    refused = await lane.call(ORDER)
    assert (refused.code, refused.verdict.outcome) == (FENCED, Outcome.REJECTED)
    assert (
        await lane.call(Call("get_positions", "positions", {"category": "linear", "settleCoin": "USDT"}))
    ).ok
    assert [asked.target.split("?")[0] for asked in server.seen] == ["/v5/order/create", "/v5/position/list"]
    assert held == [False]
    await lane.close()


async def test_s47_the_right_is_asked_for_after_the_time_stamp_is_taken(server: Server) -> None:
    """So that a process stopped between the two sends a request the venue refuses for its age."""
    order: list[str] = []

    def clock() -> int:
        order.append("stamp")
        return time.time_ns()

    def permit() -> bool:
        order.append("asked")
        return True

    lane = Lane(1, Endpoints("loopback", server.url, "", ""), KEYS, clock, 5.0, permit)
    await lane.call(ORDER)
    assert order[-2:] == ["stamp", "asked"]
    await lane.close()


async def test_public_data_is_read_without_the_key(server: Server) -> None:
    await lane(server.url).call(Call("get_kline", "market", {"symbol": "BTCUSDT", "interval": "1"}))
    assert not [name for name in server.seen[0].headers if name.lower().startswith("x-bapi")]


async def test_an_answer_that_nobody_waits_for_any_more_is_no_warning(server: Server) -> None:
    warned: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: warned.append(context))
    server.reply = lambda path: None
    calls = lane(server.url, connections=1)
    await calls.call(ORDER)
    connection = await calls._pool.take(1.0)
    answer = connection.exchange("POST", "/", {}, b"", 1.0)
    while not answer.done():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    del answer
    gc.collect()
    await asyncio.sleep(0.01)
    assert warned == []
