"""What a client asks of a served exchange in these tests, and the control routes beside it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
from typing import Any

import requests
import websockets
from pybit.unified_trading import HTTP

from turbo_trader.exchange_server.server_thread import ServedVenue

SYMBOL = "BTCUSDT"
LOCAL = requests.Session()
LOCAL.trust_env = False


def inject(venue: ServedVenue, text: str, times: int = 0) -> None:
    answer = LOCAL.post(f"{venue.url}/control/faults", json={"faults": text, "times": times}, timeout=5)
    assert answer.status_code == 200, answer.text


def order(bybit: HTTP, link_id: str) -> Any:
    return bybit.place_order(
        category="linear",
        symbol=SYMBOL,
        side="Buy",
        orderType="Limit",
        qty="0.001",
        price="50000",
        orderLinkId=link_id,
    )


def lives(bybit: HTTP, link_id: str) -> bool:
    found: Any = bybit.get_open_orders(category="linear", symbol=SYMBOL, orderLinkId=link_id)
    return bool(found["result"]["list"])


async def frames(socket: websockets.ClientConnection, quiet_s: float) -> list[Any]:
    """What comes until nothing comes for so long, or the connection ends."""
    found = []
    with contextlib.suppress(TimeoutError, websockets.ConnectionClosed):
        while True:
            found.append(json.loads(await asyncio.wait_for(socket.recv(), quiet_s)))
    return found


def signed(secret: str = "secret", key: str = "key") -> str:
    expires = int(time.time() * 1000) + 10_000
    sign = hmac.new(secret.encode(), f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
    return json.dumps({"op": "auth", "args": [key, expires, sign]})
