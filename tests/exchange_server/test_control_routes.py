"""The control routes of a served exchange: what an account, a market and the venue itself can be made to do while it runs."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
import websockets
from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP
from tests.exchange_server.client_calls import LOCAL, SYMBOL, lives, order, signed

from turbo_trader.exchange.protocol.render import text
from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.exchange_server.server_thread import ServedVenue, serve_in_thread


@pytest.fixture(scope="module")
def venue(make_venue: Callable[..., Venue]) -> Iterator[ServedVenue]:
    with serve_in_thread(make_venue(control=True, speed=20.0, vip=5)) as found:
        yield found


@pytest.fixture(scope="module")
def bybit(venue: ServedVenue, pybit_of: Callable[..., HTTP]) -> HTTP:
    return pybit_of(venue)


def test_a_position_is_deleveraged_on_demand(venue: ServedVenue, bybit: HTTP) -> None:
    def adl(**asked: Any) -> Any:
        return LOCAL.post(f"{venue.url}/control/adl", json={"symbol": SYMBOL, **asked}, timeout=5)

    bybit.place_order(category="linear", symbol=SYMBOL, side="Buy", orderType="Market", qty="0.02")
    held = Decimal(bybit.get_positions(category="linear", symbol=SYMBOL)["result"]["list"][0]["size"])
    assert adl(qty="0.005").json() == {"closed": "0.005"}
    assert adl().json() == {"closed": text(held - Decimal("0.005"))}
    assert adl().json() == {"closed": "0"}
    rows = bybit.get_executions(category="linear", symbol=SYMBOL, execType="AdlTrade")["result"]["list"]
    assert [(row["createType"], row["execQty"]) for row in rows] == [
        ("CreateByAdl_PassThrough", text(held - Decimal("0.005"))), ("CreateByAdl_PassThrough", "0.005"),
    ]  # fmt: skip
    for wrong in ({"symbol": "FOO"}, {"uid": "nobody"}, {"qty": "much"}, {"positionIdx": "x"}):
        assert adl(**wrong).status_code == 400


def test_an_account_pays_its_fees_in_the_coin_it_is_given(venue: ServedVenue, bybit: HTTP) -> None:
    def fees(**asked: Any) -> Any:
        return LOCAL.post(f"{venue.url}/control/fees", json=asked, timeout=5)

    assert fees(coin="MNT", price="0.8", balance="100").status_code == 200
    bybit.place_order(category="linear", symbol=SYMBOL, side="Buy", orderType="Market", qty="0.01")
    (row, *_) = bybit.get_executions(category="linear", symbol=SYMBOL)["result"]["list"]
    assert row["feeCurrency"] == "MNT"
    coins = bybit.get_wallet_balance(accountType="UNIFIED")["result"]["list"][0]["coin"]
    balance = {coin["coin"]: Decimal(coin["walletBalance"]) for coin in coins}
    assert balance["MNT"] == 100 - Decimal(row["execFee"])
    assert fees(coin="USDT").status_code == 200
    bybit.place_order(
        category="linear", symbol=SYMBOL, side="Sell", orderType="Market", qty="0.01", reduceOnly=True
    )
    (row, *_) = bybit.get_executions(category="linear", symbol=SYMBOL)["result"]["list"]
    assert row["feeCurrency"] in ("", "USDT")
    for wrong in (
        {"coin": "MNT", "price": "-1"},
        {"coin": "MNT", "price": "x"},
        {"price": "1"},
        {"coin": "MNT", "uid": "7"},
    ):
        assert fees(**wrong).status_code == 400


def test_the_speed_asked_for_and_reached_is_shown(venue: ServedVenue) -> None:
    shown = LOCAL.get(f"{venue.url}/control/time", timeout=5).json()
    assert set(shown) == {"now_ms", "speed", "reached", "slipped_s"}
    again = LOCAL.get(f"{venue.url}/control/time", timeout=5).json()
    assert again["now_ms"] >= shown["now_ms"]
    assert 0 < again["reached"] <= again["speed"] * 1.5
    assert again["slipped_s"] >= 0


def test_the_control_routes_are_off_by_default(served: ServedVenue) -> None:
    assert LOCAL.get(f"{served.url}/control/faults", timeout=5).status_code == 404


def test_who_is_gone_for_the_protected_window_loses_the_resting_orders(
    venue: ServedVenue, bybit: HTTP
) -> None:
    last = Decimal(bybit.get_tickers(category="linear", symbol=SYMBOL)["result"]["list"][0]["lastPrice"])
    price = str((last * Decimal("0.99")).quantize(Decimal("0.1")))

    async def come_and_go() -> None:
        async with websockets.connect(f"{venue.stream}/v5/private", proxy=None) as socket:
            await socket.send(signed())
            await socket.send(json.dumps({"op": "subscribe", "args": ["dcp.future"]}))
            assert [json.loads(await socket.recv())["success"] for _ in range(2)] == [True, True]
            await asyncio.sleep(0.3)  # longer than the window
            assert bybit.get_open_orders(category="linear", symbol=SYMBOL)["result"]["list"]

    assert bybit.set_dcp(product="DERIVATIVES", timeWindow=5) == {"retCode": 0, "retMsg": "success"}
    bybit.place_order(
        category="linear",
        symbol=SYMBOL,
        side="Buy",
        orderType="Limit",
        qty="0.01",
        price=price,
        orderLinkId="gone",
    )
    asyncio.run(asyncio.wait_for(come_and_go(), 10))
    for _ in range(100):
        rows = bybit.get_order_history(category="linear", orderLinkId="gone")["result"]["list"]
        if rows:
            break
        time.sleep(0.05)
    assert [(row["orderStatus"], row["cancelType"]) for row in rows] == [("Cancelled", "CancelByDCP")]


def test_maintenance_is_announced_closes_everything_and_ends(venue: ServedVenue, bybit: HTTP) -> None:
    now = int(bybit.get_server_time()["result"]["timeNano"]) // 1_000_000
    window = {"begin_ms": now + 20_000, "end_ms": now + 60_000, "title": "upgrade"}  # a wall second, two more

    async def listen() -> tuple[list[str], bool, int, int]:
        path = f"{venue.stream}/v5/public/misc/status"
        async with websockets.connect(path, proxy=None) as status:
            await status.send('{"op":"subscribe","args":["system.status"]}')
            await status.recv()
            answer = await asyncio.to_thread(
                LOCAL.post, f"{venue.url}/control/maintenance", json=window, timeout=5
            )
            assert answer.status_code == 200, answer.text
            states = [json.loads(await asyncio.wait_for(status.recv(), 10))["data"][0]["state"]]
            with contextlib.suppress(websockets.ConnectionClosed):
                while True:
                    states.append(json.loads(await asyncio.wait_for(status.recv(), 10))["data"][0]["state"])
        with pytest.raises(InvalidRequestError) as refused:
            await asyncio.to_thread(order, bybit, "closed")
        with pytest.raises(websockets.InvalidStatus) as shut:
            await websockets.connect(path, proxy=None)
        await asyncio.sleep(2.5)
        async with websockets.connect(path, proxy=None):
            served = True
        return states, served, refused.value.status_code, shut.value.response.status_code

    states, served, code, status = asyncio.run(listen())
    assert (set(states) - {"ongoing"}, served, code, status) == ({"scheduled"}, True, 10016, 403)
    assert not lives(bybit, "closed")
    assert [row["state"] for row in bybit.get_system_status()["result"]["list"]] == ["completed"]
    wrongs: tuple[Any, ...] = (
        {"end_ms": now},
        {"begin_ms": now + 90_000, "end_ms": now + 80_000},
        {"end_ms": "x"},
        [],
    )
    for wrong in wrongs:
        answer = LOCAL.post(f"{venue.url}/control/maintenance", json=wrong, timeout=5)
        assert answer.status_code == 400


def test_books_start_over_with_number_1(venue: ServedVenue) -> None:
    async def listen() -> list[tuple[str, str, int]]:
        topics = [f"orderbook.{depth}.{SYMBOL}" for depth in (1, 50, 1000)]
        seen: list[tuple[str, str, int]] = []
        async with websockets.connect(f"{venue.stream}/v5/public/linear", proxy=None) as stream:
            await stream.send(json.dumps({"op": "subscribe", "args": topics}))
            while {topic for topic, _, u in seen if u == 1} < set(topics):
                message = json.loads(await asyncio.wait_for(stream.recv(), 10))
                if "topic" in message:
                    seen.append((message["topic"], message["type"], message["data"]["u"]))
                if len(seen) == 10:
                    await asyncio.to_thread(LOCAL.post, f"{venue.url}/control/restart", timeout=5)
        return seen

    for topic, messages in itertools.groupby(
        sorted(asyncio.run(listen()), key=lambda m: m[0]), lambda m: m[0]
    ):
        kinds = [(kind, u) for _, kind, u in messages]
        began = kinds.index(("snapshot", 1))
        assert all(u > 1 for _, u in kinds[:began]), topic
        updates = [u for _, u in kinds[began:]]
        assert updates == list(range(1, len(updates) + 1)), topic
