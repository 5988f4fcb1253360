"""Faults on demand over real sockets: what the client sees, and what the venue did all the same."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests
import websockets
from pybit.exceptions import FailedRequestError, InvalidRequestError
from pybit.unified_trading import HTTP
from tests.exchange_server.client_calls import LOCAL, SYMBOL, frames, inject, lives, order, signed

from turbo_trader.exchange.protocol.faults_on_demand import FaultPlan, Faults
from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.exchange_server.server_thread import ServedVenue, serve_in_thread


@pytest.fixture(scope="module")
def venue(make_venue: Callable[..., Venue]) -> Iterator[ServedVenue]:
    with serve_in_thread(make_venue(control=True, speed=20.0, vip=5)) as found:
        yield found


@pytest.fixture(scope="module")
def bybit(venue: ServedVenue, pybit_of: Callable[..., HTTP]) -> HTTP:
    return pybit_of(venue)


@pytest.fixture(autouse=True)
def none_left_over(venue: ServedVenue) -> Iterator[None]:
    yield
    venue.call(lambda served: setattr(served, "faults", Faults()))


def test_a_request_dropped_before_processing_leaves_nothing(venue: ServedVenue, bybit: HTTP) -> None:
    inject(venue, "drop_before@order/create=1", times=1)
    with pytest.raises(requests.exceptions.ConnectionError):
        order(bybit, "before")
    assert not lives(bybit, "before")


def test_a_request_dropped_after_processing_lives_without_an_answer(venue: ServedVenue, bybit: HTTP) -> None:
    inject(venue, "drop_after@order/create=1", times=1)
    with pytest.raises(requests.exceptions.ConnectionError):
        order(bybit, "after")
    assert lives(bybit, "after")
    with pytest.raises(InvalidRequestError) as again:
        order(bybit, "after")
    assert again.value.status_code == 110072


@pytest.mark.parametrize("code", [10002, 10006, 10019, 110021, 110063, 110079, 110085, 110118])
def test_refusals_by_code_process_nothing(venue: ServedVenue, bybit: HTTP, code: int) -> None:
    inject(venue, f"ret_{code}=1", times=1)
    with pytest.raises(InvalidRequestError) as caught:
        order(bybit, f"code-{code}")
    assert caught.value.status_code == code
    assert not lives(bybit, f"code-{code}")


@pytest.mark.parametrize("status", [403, 429])
def test_refusals_by_status_process_nothing(venue: ServedVenue, bybit: HTTP, status: int) -> None:
    inject(venue, f"http_{status}=1", times=1)
    with pytest.raises(FailedRequestError) as caught:
        order(bybit, f"status-{status}")
    assert caught.value.status_code == status
    assert not lives(bybit, f"status-{status}")


@pytest.mark.parametrize("name", ["ret_10000", "http_502", "ret_10016"])
def test_server_errors_say_nothing_of_the_order(venue: ServedVenue, bybit: HTTP, name: str) -> None:
    inject(venue, f"{name}@order/create=1", times=12)
    for n in range(12):
        with pytest.raises((FailedRequestError, InvalidRequestError)):
            order(bybit, f"{name}-{n}")
    alive = [lives(bybit, f"{name}-{n}") for n in range(12)]
    assert any(alive)
    assert not all(alive)


def test_a_half_open_connection_never_answers(venue: ServedVenue, pybit_of: Callable[..., HTTP]) -> None:
    inject(venue, "half_open@order/create=1", times=1)
    with pytest.raises(requests.exceptions.ReadTimeout):
        order(pybit_of(venue, timeout=0.4), "half")


@pytest.mark.clock
def test_delays_are_as_long_as_the_plan_allows(venue: ServedVenue, bybit: HTTP) -> None:
    inject(venue, "slow=0.5,delay=0.5,delay_s=0.2", times=6)
    began = time.monotonic()
    for n in range(6):
        order(bybit, f"slow-{n}")
    assert 0.1 < time.monotonic() - began < 3
    assert all(lives(bybit, f"slow-{n}") for n in range(6))


def test_the_control_route_counts_and_refuses_a_wrong_plan(venue: ServedVenue, bybit: HTTP) -> None:
    inject(venue, "ret_10006@account=1", times=1)
    with pytest.raises(InvalidRequestError):
        bybit.get_wallet_balance(accountType="UNIFIED")
    shown = LOCAL.get(f"{venue.url}/control/faults", timeout=5).json()
    assert shown["counts"] == {"ret_10006": 1}
    assert shown["faults"].startswith("ret_10006@account=1")
    for wrong in ("{", "[]", '{"faults": "dorp=1"}', '{"faults": "drop=1", "times": []}'):
        answer = LOCAL.post(f"{venue.url}/control/faults", data=wrong, timeout=5)
        assert answer.status_code == 400
        assert answer.json()["error"]


def test_a_book_gap_shows_as_a_jump_of_u(venue: ServedVenue) -> None:
    async def updates(count: int) -> list[int]:
        async with websockets.connect(f"{venue.stream}/v5/public/linear", proxy=None) as socket:
            await socket.send(json.dumps({"op": "subscribe", "args": [f"orderbook.50.{SYMBOL}"]}))
            await socket.recv()
            return [json.loads(await socket.recv())["data"]["u"] for _ in range(count)]

    quiet = asyncio.run(updates(15))
    assert quiet == list(range(quiet[0], quiet[0] + 15))
    inject(venue, "gap=0.4")
    found = asyncio.run(updates(15))
    assert any(b - a > 1 for a, b in itertools.pairwise(found))


def test_sockets_are_cut_by_a_fault_and_by_hand(venue: ServedVenue) -> None:
    async def ends(by_hand: bool) -> None:
        async with websockets.connect(f"{venue.stream}/v5/public/linear", proxy=None) as socket:
            await socket.send(json.dumps({"op": "subscribe", "args": [f"orderbook.50.{SYMBOL}"]}))
            if by_hand:
                cut = await asyncio.to_thread(LOCAL.post, f"{venue.url}/control/disconnect", timeout=5)
                assert cut.json()["cut"] >= 1
            await frames(socket, 5.0)
            assert socket.close_code == 1006

    asyncio.run(asyncio.wait_for(ends(by_hand=True), 10))
    inject(venue, "disconnect@orderbook=1", times=1)
    asyncio.run(asyncio.wait_for(ends(by_hand=False), 10))


def test_a_silent_socket_stays_open(venue: ServedVenue) -> None:
    async def quiet() -> None:
        async with websockets.connect(f"{venue.stream}/v5/public/linear", proxy=None) as socket:
            await socket.send(json.dumps({"op": "subscribe", "args": [f"orderbook.50.{SYMBOL}"]}))
            await frames(socket, 0.4)
            await (await socket.ping())  # the connection stands

    inject(venue, "silent=1", times=1)
    asyncio.run(asyncio.wait_for(quiet(), 10))


def test_private_messages_come_twice_late_and_in_another_order(venue: ServedVenue, bybit: HTTP) -> None:
    async def seen() -> list[tuple[str, str]]:
        async with websockets.connect(f"{venue.stream}/v5/private", proxy=None) as socket:
            await socket.send(signed())
            await socket.send(
                json.dumps({"op": "subscribe", "args": ["order", "execution", "position", "wallet"]})
            )
            await socket.recv()
            await socket.recv()
            for side in ("Buy", "Sell"):
                await asyncio.to_thread(
                    bybit.place_order,
                    category="linear", symbol=SYMBOL, side=side, orderType="Market", qty="0.01",
                )  # fmt: skip
            return [(frame["topic"], frame["id"]) for frame in await frames(socket, 0.6)]

    inject(venue, "duplicate=0.3,reorder=0.3,late=0.2,delay_s=0.3")
    found = asyncio.run(asyncio.wait_for(seen(), 20))
    numbers = [int(number.rpartition("-")[2]) for _, number in found]
    assert len(set(numbers)) < len(numbers)  # some twice
    assert numbers != sorted(numbers)  # some overtaken
    assert set(range(1, max(numbers) + 1)) == set(numbers)  # none lost
    position: Any = bybit.get_positions(category="linear", symbol=SYMBOL)
    assert Decimal(position["result"]["list"][0]["size"]) == 0


def test_faults_may_be_in_force_from_the_start(
    make_venue: Callable[..., Venue], pybit_of: Callable[..., HTTP]
) -> None:
    venue = make_venue(faults=FaultPlan.parse("ret_10016=1"), fault_seed=4)
    with serve_in_thread(venue) as served, pytest.raises(InvalidRequestError):
        pybit_of(served).get_server_time()


def test_a_stale_read_is_that_of_the_last_time(venue: ServedVenue, bybit: HTTP) -> None:
    inject(venue, "stale@nowhere=1")  # from now on answers are remembered
    assert not lives(bybit, "stale")
    order(bybit, "stale")
    inject(venue, "stale@order/realtime=1", times=1)
    assert not lives(bybit, "stale")  # as before the order
    assert lives(bybit, "stale")
    bybit.cancel_order(category="linear", symbol=SYMBOL, orderLinkId="stale")


def test_fields_nobody_knows_are_in_every_object(venue: ServedVenue, bybit: HTTP) -> None:
    inject(venue, "extra=1")
    answer: Any = bybit.get_tickers(category="linear", symbol=SYMBOL)
    assert answer["unheardOf"] == answer["result"]["list"][0]["unheardOf"] == {}
    assert Decimal(answer["result"]["list"][0]["lastPrice"]) > 0

    async def listen() -> dict[str, Any]:
        async with websockets.connect(f"{venue.stream}/v5/public/linear", proxy=None) as stream:
            await stream.send(json.dumps({"op": "subscribe", "args": [f"orderbook.1.{SYMBOL}"]}))
            while "unheardOf" not in (message := json.loads(await asyncio.wait_for(stream.recv(), 10))):
                pass
            return dict(message)

    message = asyncio.run(listen())
    assert (message["data"]["s"], message["data"]["unheardOf"]) == (SYMBOL, {})
