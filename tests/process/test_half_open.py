"""A real daemon whose streams go half-open: a proxy between it and the venue swallows all, and later lets it through again."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.bybit.streams import PING_S, PONG_S
from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.server_thread import serve_in_thread
from turbo_trader.market.reference import universe
from turbo_trader.simulation.synthetic import SyntheticMarket

SYMBOLS = "BTCUSDT,ETHUSDT"


class Proxy:
    """Passes bytes between clients and a port; while `swallows`, it takes them and passes none on, as a dead route does."""

    def __init__(self, port: int) -> None:
        self.swallows = False
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._ended.is_set():
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self._target)) as venue:
            others = {client: venue, venue: client}
            lost = False
            while not self._ended.is_set():
                for ready in select.select(list(others), [], [], 0.2)[0]:
                    data = ready.recv(65_536)
                    if not data:
                        return
                    lost = (
                        lost or self.swallows
                    )  # what was swallowed once never comes: the connection stays dead
                    if not lost:
                        others[ready].sendall(data)

    def close(self) -> None:
        self._ended.set()
        self._listener.close()


@pytest.fixture
def daemon(
    tmp_path: Path, end_all: Callable[[Path], None]
) -> Iterator[tuple[Proxy, Callable[[], list[dict[str, Any]]], subprocess.Popen[bytes]]]:
    """A daemon whose streams pass a proxy, and the lines of its log so far."""
    traded = [i for i in universe() if i.symbol in SYMBOLS.split(",")]
    market = SyntheticMarket(traded, 1, 1_767_603_600_000_000_000, 0.0)
    with serve_in_thread(Venue(market, VenueConfig("key", "secret", Decimal(50), limits=False))) as served:
        proxy = Proxy(served.port)
        env = {
            **os.environ, "MODE": "testnet", "BYBIT_REST_URL": served.url, "BYBIT_STREAM_URL": f"ws://127.0.0.1:{proxy.port}",
            "BYBIT_API_KEY": "key", "BYBIT_API_SECRET": "secret", "TARGET_ASSETS": SYMBOLS, "JOURNAL_DIR": str(tmp_path),
        }  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "turbo_trader.console", "run", "--no-ui"], env=env, cwd=tmp_path,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

        def said() -> list[dict[str, Any]]:
            path = tmp_path / "testnet" / "turbo-trader.jsonl"
            text = path.read_text() if path.exists() else ""
            return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

        try:
            yield proxy, said, process
        finally:
            process.kill()
            process.wait()
            proxy.close()
            end_all(tmp_path)


@pytest.mark.process
def test_swallowed_streams_are_noticed_made_again_and_the_account_read(daemon: Any) -> None:
    proxy, said, process = daemon

    def streams(up: bool) -> set[str]:
        return {line["stream"] for line in said() if line["event"] == "stream" and line["up"] is up}

    def wait(what: Callable[[], object], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < until, said()[-10:]
            assert process.poll() is None
            time.sleep(0.1)

    wait(lambda: streams(up=True) >= {"private", "public"}, 120)
    proxy.swallows = True
    wait(lambda: streams(up=False) >= {"private", "public"}, PING_S + PONG_S + 20)
    reasons = {line["why"] for line in said() if line["event"] == "stream" and not line["up"]}
    assert any("ping" in why for why in reasons), reasons
    before = len(said())
    proxy.swallows = False
    wait(
        lambda: (
            {line["stream"] for line in said()[before:] if line["event"] == "stream" and line["up"]}
            >= {"private", "public"}
        ),
        60,
    )
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
