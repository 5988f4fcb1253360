"""`turbo-trader exchange` as a process: stopped and continued, its time is the wall's again; where it begins is said by --start."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

STOPPED_S = 2.5  # more than a stamp may be ahead of the venue's time


@dataclass
class Running:
    """An exchange of one symbol, and a client that measured its clock once."""

    process: subprocess.Popen[str]
    session: requests.Session
    url: str
    offset_ms: int = 0

    def measure(self) -> None:
        self.session.get(f"{self.url}/v5/market/time", timeout=10)  # connects
        before = time.time_ns()
        venue = int(self.session.get(f"{self.url}/v5/market/time", timeout=10).json()["result"]["timeNano"])
        self.offset_ms = (venue - (before + time.time_ns()) // 2) // 1_000_000

    def signed(self) -> dict[str, Any]:
        """A signed read, stamped by the clock measured before."""
        stamp, query = str(time.time_ns() // 1_000_000 + self.offset_ms), "accountType=UNIFIED"
        text = f"{stamp}key5000{query}".encode()
        headers = {
            "X-BAPI-API-KEY": "key", "X-BAPI-TIMESTAMP": stamp, "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": hmac.new(b"secret", text, hashlib.sha256).hexdigest(),
        }  # fmt: skip
        url = f"{self.url}/v5/account/wallet-balance?{query}"
        return dict(self.session.get(url, headers=headers, timeout=10).json())


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    begun: list[subprocess.Popen[str]] = []

    def start(*options: str) -> Running:
        command = [
            sys.executable,
            "-m",
            "turbo_trader.console",
            "exchange",
            "--port",
            "0",
            "--json",
            *options,
        ]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
            env={**os.environ, "TARGET_ASSETS": "BTCUSDT"},
        )  # fmt: skip
        begun.append(process)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write('{"key": "key", "secret": "secret"}\n')
        process.stdin.flush()
        session = requests.Session()
        session.trust_env = False
        found = Running(process, session, f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}")
        found.measure()
        return found

    yield start
    for process in begun:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.process
@pytest.mark.parametrize("options", [("--start", "2026-01-05T09:00Z"), ()], ids=["fixed", "now"])
def test_a_time_synced_client_stays_right_over_a_stopped_exchange(
    begin: Callable[..., Running], options: tuple[str, ...]
) -> None:
    running = begin(*options)
    assert running.signed()["retCode"] == 0
    running.process.send_signal(signal.SIGSTOP)
    time.sleep(STOPPED_S)
    running.process.send_signal(signal.SIGCONT)
    codes = []
    until = time.monotonic() + 1.0
    while time.monotonic() < until:
        codes.append(running.signed()["retCode"])
        time.sleep(0.05)
    assert set(codes) == {0}
    before = running.offset_ms
    running.measure()
    assert abs(running.offset_ms - before) < 100


@pytest.mark.process
def test_at_speed_1_the_market_begins_now_and_its_candles_are_new(begin: Callable[..., Running]) -> None:
    running = begin()
    assert abs(running.offset_ms) < 100
    url = f"{running.url}/v5/market/kline?category=linear&symbol=BTCUSDT&interval=1&limit=3"
    rows = running.session.get(url, timeout=10).json()["result"]["list"]
    minutes = [int(row[0]) // 60_000 for row in rows]
    assert time.time_ns() // 60_000_000_000 - minutes[0] <= 1
    assert minutes == list(range(minutes[0], minutes[0] - 3, -1))


def test_faster_markets_begin_at_a_fixed_time(begin: Callable[..., Running]) -> None:
    running = begin("--speed", "5")
    reported = running.session.get(f"{running.url}/v5/market/time", timeout=10).json()["result"]["timeSecond"]
    assert 1_767_603_600 <= int(reported) < 1_767_603_600 + 3_600
