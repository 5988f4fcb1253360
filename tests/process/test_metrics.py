"""Metrics of a real simulated run: everything that board and rules name is there, and promtool agrees."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tests.console.metrics.test_families import BOARD, RULES, named
from tests.process.test_lockstep import OFTEN

RUN = [
    sys.executable,
    "-m",
    "turbo_trader.console",
    "run",
    "--no-ui",
    "--json",
    "--seed",
    "7",
    "--speed",
    "60",
]


def fetch(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


@pytest.mark.process
def test_a_run_says_everything_that_board_and_rules_name(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    daemon = subprocess.Popen(
        RUN, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, **OFTEN, "JOURNAL_DIR": "var", "METRICS": f"127.0.0.1:{port}"},
    )  # fmt: skip
    try:
        until, text, health = time.monotonic() + 120, "", 0
        while "turbo_trader_trades_total{" not in text:
            assert time.monotonic() < until, text[-2_000:]
            time.sleep(0.5)
            health = health or fetch(port, "/health")[0]
            text = fetch(port, "/metrics")[1]
        ready = fetch(port, "/ready")
    finally:
        daemon.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            daemon.wait(60)
        daemon.kill()
        out, _ = daemon.communicate()
    assert health == 200
    assert ready == (200, '{"ready": true, "reasons": []}\n')
    there = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert named(BOARD.read_text()) | named(RULES.read_text()) <= there
    assert 'turbo_trader_commands_total{command="entry",outcome="confirmed"}' in text
    assert "turbo_trader_journal_commit_seconds_count" in text
    assert "unguarded_seconds" in json.loads(out)  # it ended as always
    assert len(text) < 60_000


@pytest.mark.external("promtool")
@pytest.mark.parametrize(
    "check", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")], ids=["rules", "tests"]
)
def test_promtool_takes_the_rules_and_their_tests(check: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *check], cwd=RULES.parent, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout
