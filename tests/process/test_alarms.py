"""Alarms of real processes: a paper run with dead targets beside a good one, and a guard whose daemon was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.console.alarms.conftest import PASSWORD, Receiver, receiver
from tests.process.test_lockstep import OFTEN

from turbo_trader.exchange_server.server_thread import ServedVenue
from turbo_trader.journal.epochs import FOLDER

TURBO = [sys.executable, "-m", "turbo_trader.console"]


@pytest.fixture
def listening() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.mark.process
def test_a_run_sends_what_happens_and_dead_targets_change_nothing(
    tmp_path: Path, listening: Receiver
) -> None:
    def run(name: str, **env: str) -> dict[str, object]:
        folder = tmp_path / name
        folder.mkdir()
        done = subprocess.run(
            [*TURBO, "run", "--no-ui", "--json", "--seed", "7", "--speed", "max", "--for", "4m"],
            cwd=folder, env={**os.environ, **OFTEN, "JOURNAL_DIR": "var", **env}, capture_output=True, text=True, timeout=300,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert PASSWORD not in done.stdout + done.stderr
        return dict(json.loads(done.stdout))

    plain = run("plain")
    with receiver(0) as hanging:
        refused = f"json://user:{PASSWORD}@127.0.0.1:1/?rto=1&cto=1"
        sent = run("sent", NOTIFY=f"{hanging.url} {refused} {listening.url}", NOTIFY_INTERVAL="0")
    listening.wait("the daemon has ended: stopped by time limit")
    for said in ("the daemon trades", "an entry: ", "a trade is over: ", "turbo-trader paper: "):
        assert said in listening.text
    figures = ("scans", "trades", "fees", "realised", "wallet", "funnel")
    assert {name: sent[name] for name in figures} == {name: plain[name] for name in figures}
    kept = [path for path in (tmp_path / "sent").rglob("*") if path.is_file()]
    assert kept
    assert not [path for path in kept if PASSWORD.encode() in path.read_bytes()]


@pytest.mark.slow  # its parts are in tests/console/alarms
def test_the_guard_says_that_the_daemon_is_gone(
    tmp_path: Path, listening: Receiver, served: ServedVenue
) -> None:
    lease = tmp_path / "var" / "demo" / FOLDER
    lease.mkdir(parents=True)
    (lease / "1").symlink_to("daemon-999999")  # of a daemon that was killed: it renews no more
    stream = served.url.replace("http", "ws")
    guard = subprocess.Popen(
        [*TURBO, "guard", "--mode", "demo"], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "BYBIT_API_KEY": "key", "BYBIT_API_SECRET": "secret", "BYBIT_REST_URL": served.url,
             "BYBIT_STREAM_URL": stream, "NOTIFY": listening.url, "JOURNAL_DIR": "var"},
    )  # fmt: skip
    try:
        listening.wait("no daemon: it was killed", 60)
        assert "turbo-trader demo guard: daemon-gone" in listening.text
        guard.send_signal(signal.SIGTERM)
        guard.wait(20)
    finally:
        guard.kill()
        _, said = guard.communicate()
    assert PASSWORD not in said
    assert "the guard has ended" not in listening.text  # a clean end is none
