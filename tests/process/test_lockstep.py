"""`turbo-trader run` on the made-up market, as processes: the same seed trades the same, however busy the machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.journal.readers import notes

RUN = [sys.executable, "-m", "turbo_trader.console", "run", "--no-ui", "--json", "--seed", "7"]
#: Rules that trade often and not for long.
OFTEN = {
    "KALMAN_WARMUP": "10", "OU_SAMPLES": "480", "MICRO_TURBO_SIGNAL_INTERVAL": "10", "OFI_THRESHOLD": "0", "OU_THRESHOLD": "0",
    "TURBO_MIN_SNR": "0", "TURBO_MIN_CONFIDENCE": "0", "TURBO_MIN_EV": "0", "TURBO_FEE_MULTIPLIER": "0", "FLAT_EDGE": "0",
    "TURBO_HORIZON": "60", "TURBO_MAX_HOLD": "60", "COOLDOWN_HORIZONS": "0", "TARGET_ASSETS": "BTCUSDT,SOLUSDT,DOGEUSDT",
}  # fmt: skip


def begin(folder: Path, *options: str) -> subprocess.Popen[str]:
    folder.mkdir()
    return subprocess.Popen(
        [*RUN, *options], cwd=folder, env={**os.environ, **OFTEN, "JOURNAL_DIR": "var"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def end(process: subprocess.Popen[str]) -> tuple[dict[str, Any], str]:
    """Its report, and what it said on stderr."""
    out, err = process.communicate(timeout=400)
    assert process.returncode == 0, err[-4_000:]
    return dict(json.loads(out)), err


def has_entered(folder: Path) -> bool:
    """Has a run opened something?"""
    return any('"event": "entry"' in log.read_text() for log in folder.glob("var/paper-*/turbo-trader.jsonl"))


def said(folder: Path) -> list[dict[str, Any]]:
    """What the journal notes of a run's trades, without the ids, which carry the start's own number."""
    (journal,) = (folder / "var").glob("paper-*")
    kept = ("entry", "fill", "zone", "exit", "trade", "entry-ended", "limit")
    return [
        {name: value for name, value in note.items() if name not in ("id", "trade")}
        for note in notes(journal, last=100_000)
        if note["name"] in kept
    ]


@pytest.mark.process
def test_a_busy_and_stopped_machine_trades_the_same_to_the_last_digit(tmp_path: Path) -> None:
    """Also what it says of its speed: asked for, and reached."""
    calm, said_calm = end(begin(tmp_path / "calm", "--speed", "max", "--for", "4m"))
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        other = begin(tmp_path / "busy", "--speed", "60", "--for", "4s")
        until = time.monotonic() + 200
        while not has_entered(tmp_path / "busy"):
            assert time.monotonic() < until
            assert other.poll() is None
            time.sleep(0.05)
        other.send_signal(signal.SIGSTOP)
        time.sleep(1.5)
        other.send_signal(signal.SIGCONT)
        loaded, said_loaded = end(other)
    finally:
        busy.kill()
        busy.wait()
    assert calm["trades"] > 0
    assert said(tmp_path / "busy") == said(tmp_path / "calm")
    figures = ("scans", "trades", "fees", "realised", "wallet", "unguarded_seconds", "funnel")
    assert {name: loaded[name] for name in figures} == {name: calm[name] for name in figures}
    assert "as fast as this machine" in said_calm
    assert "60 times" in said_loaded
    assert calm["daemon"]["speed"] > 1
    assert loaded["daemon"]["speed"] > 1


@pytest.mark.slow  # a busy machine trades the same: in the suite, above
def test_faults_of_the_made_up_venue_come_from_their_seed(tmp_path: Path) -> None:
    options = (
        "--speed",
        "max",
        "--for",
        "4m",
        "--faults",
        "drop=0.05,delay=0.05,disconnect=0.002,gap=0.002",
    )
    runs = [begin(tmp_path / name, *options) for name in ("one", "two")]
    (one, _), (two, _) = map(end, runs)
    assert one["daemon"]["connections"] == two["daemon"]["connections"] > 3
    assert said(tmp_path / "one") == said(tmp_path / "two")
    assert one["wallet"] == two["wallet"]
    assert Decimal(one["wallet_difference"]) == 0
