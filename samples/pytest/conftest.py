"""A simulated Bybit for the tests of your own bot: copy this file beside them and use the fixture `bybit`.

It starts `turbo-trader exchange` on a free port, for one test, with the control routes on; it ends with the test.
"""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

SYMBOLS = "BTCUSDT,ETHUSDT"  # what is traded there


@dataclass(frozen=True)
class Bybit:
    """Where it listens, and the key of its account."""

    url: str  # of REST
    stream: str  # of the streams, without their path
    key: str = "simulated-key"
    secret: str = "simulated-secret"  # noqa: S105 - of a made-up account

    def control(self, route: str, **body: Any) -> dict[str, Any]:
        """Make something happen, as control("market", symbol="BTCUSDT", move="jump", percent=-5)."""
        asked = urllib.request.Request(f"{self.url}/control/{route}", json.dumps(body).encode())  # noqa: S310
        asked.add_header("Content-Type", "application/json")
        return _answer(asked)

    def account(self) -> dict[str, Any]:
        """The account's books at the exchange: balance, positions, open orders, trades."""
        rows: list[dict[str, Any]] = _answer(f"{self.url}/control/accounts")["accounts"]
        return rows[0]


@pytest.fixture
def bybit() -> Iterator[Bybit]:
    """An exchange with one account of 1,000 USDT, its market at ten times the speed."""
    command = [
        "turbo-trader",
        "exchange",
        "--port",
        "0",
        "--json",
        "--control",
        "--balance",
        "1000",
        "--speed",
        "10",
    ]
    process = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TARGET_ASSETS": SYMBOLS},
    )
    assert process.stdout is not None
    try:
        ready = json.loads(process.stdout.readline())  # printed once it can be asked
        yield Bybit(ready["url"], ready["stream"])
    finally:
        process.terminate()
        process.wait(30)


def _answer(asked: str | urllib.request.Request) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(asked, timeout=30) as said:
        found: dict[str, Any] = json.load(said)
        return found
