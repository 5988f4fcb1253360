"""`--record`: everything that was asked and answered is in the file, and no signature."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import websockets
from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP

from turbo_trader.exchange.protocol.faults_on_demand import FaultPlan, Faults
from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.exchange_server.server_thread import ServedVenue, serve_in_thread
from turbo_trader.market.errors import InputError

ORDER: dict[str, Any] = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Market",
    "qty": "0.01",
}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


async def listen(venue: ServedVenue, buy: Callable[[], Any]) -> None:
    """Authenticate, subscribe, buy, wait for the order's message."""
    expires = str(int(time.time() * 1_000) + 10_000)
    sign = hmac.new(b"secret", f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
    async with websockets.connect(f"{venue.stream}/v5/private", proxy=None) as stream:
        for said in ({"op": "auth", "args": ["key", expires, sign]}, {"op": "subscribe", "args": ["order"]}):
            await stream.send(json.dumps(said))
            assert json.loads(await stream.recv())["success"]
        await stream.send("no json")
        await stream.recv()
        await asyncio.to_thread(buy)
        while json.loads(await stream.recv()).get("topic") != "order":
            pass


def test_requests_operations_and_private_messages_are_recorded(
    make_venue: Callable[..., Venue], pybit_of: Callable[..., HTTP], tmp_path: Path
) -> None:
    path = tmp_path / "record.jsonl"
    with serve_in_thread(make_venue(record=path)) as venue:
        bybit = pybit_of(venue)
        asyncio.run(listen(venue, lambda: bybit.place_order(**ORDER)))
        with pytest.raises(InvalidRequestError):
            bybit.place_order(**{**ORDER, "qty": "0"})
        requests.get(f"{venue.url}/v5/nothing?a=b", timeout=5)
    found = lines(path)
    asked = [
        (line["asked"]["path"], line["key"], line["status"]) for line in found if line["kind"] == "request"
    ]
    assert asked == [("/v5/order/create", "key", 200)] * 2 + [("/v5/nothing", "", 404)]
    first, refused, lost = (line for line in found if line["kind"] == "request")
    assert (first["asked"]["body"]["qty"], first["answer"]["retCode"], first["fault"]) == ("0.01", 0, "")
    assert refused["answer"]["retCode"] == 10001
    assert lost["asked"]["query"] == "a=b"
    operations = [
        (line["asked"], line["answers"][0]["success"]) for line in found if line["kind"] == "operation"
    ]
    assert operations == [
        ({"op": "auth", "args": ["key"]}, True), ({"op": "subscribe", "args": ["order"]}, True), ("no json", False),
    ]  # fmt: skip
    messages = [line["sent"]["topic"] for line in found if line["kind"] == "message"]
    assert messages
    assert set(messages) == {"order"}


def test_a_fault_is_recorded_beside_what_it_spoilt(make_venue: Callable[..., Venue], tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    with serve_in_thread(make_venue(record=path)) as venue:
        venue.call(lambda served: setattr(served, "faults", Faults(FaultPlan.parse("drop_after=1"), 0, 1)))
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{venue.url}/v5/market/time", timeout=5)
        assert requests.get(f"{venue.url}/v5/market/time", timeout=5).status_code == 200
    assert [line["fault"] for line in lines(path)] == ["drop_after", ""]


def test_a_record_that_cannot_be_written_is_one_line(
    make_venue: Callable[..., Venue], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="--record"):
        make_venue(record=tmp_path)
