"""The daemon as a real process over the loopback exchange: an entry with its stop, clean ends, refusals in one line."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "turbo_trader.console"]
#: Rules that find something to do within a minute.
OFTEN = {
    "KALMAN_WARMUP": "10", "OU_SAMPLES": "480", "MICRO_TURBO_SIGNAL_INTERVAL": "5", "OFI_THRESHOLD": "0", "OU_THRESHOLD": "0",
    "TURBO_MIN_SNR": "0", "TURBO_MIN_CONFIDENCE": "0", "TURBO_MIN_EV": "0", "TURBO_FEE_MULTIPLIER": "0", "FLAT_EDGE": "0",
    "BELIEF": "weighed", "STALE_BOOK": "30", "ENTRY_RECV_WINDOW": "10000",
}  # fmt: skip


def environment(folder: Path, **extra: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "PYTHONPATH", "TURBO_TRADER_CACHE", "XDG_STATE_HOME")
    }
    return {**kept, "JOURNAL_DIR": str(folder / "var"), **extra}


def turbo(folder: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *args],
        cwd=folder,
        env=environment(folder, **env),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def started(folder: Path, *options: str, **env: str) -> subprocess.Popen[str]:
    """A daemon that has recovered."""
    process = subprocess.Popen(
        [*COMMAND, "run", "--no-ui", *options],
        cwd=folder,
        env=environment(folder, **env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "recovered" in line:
            break
    return process


def one_line(result: subprocess.CompletedProcess[str], code: int) -> str:
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith("turbo-trader: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], str]:
    folder = tmp_path_factory.mktemp("run")
    result = turbo(folder, "run", "--speed", "60", "--for", "5s", "--seed", "2", "--json", **OFTEN)
    assert result.returncode == 0, result.stderr
    return folder, json.loads(result.stdout), result.stderr


def test_a_run_enters_with_its_stop_on_the_venue_and_reports_itself(
    finished: tuple[Path, dict[str, Any], str],
) -> None:
    _, report, said = finished
    assert report["scans"] > 0
    assert " entry " in said
    assert report["trades"] + report["open_positions"] > 0
    assert report["unguarded_seconds"] == 0
    assert "made up, proves nothing" in said
    assert "60 times faster" in said


def test_the_wallet_is_start_plus_results_minus_fees_plus_funding_to_the_last_digit(
    finished: tuple[Path, dict[str, Any], str],
) -> None:
    _, report, _ = finished
    parts = {
        name: Decimal(report[name])
        for name in ("start_equity", "realised", "fees", "funding", "transfers", "wallet")
    }
    assert (
        parts["wallet"]
        == parts["start_equity"] + parts["realised"] - parts["fees"] + parts["funding"] + parts["transfers"]
    )
    assert Decimal(report["wallet_difference"]) == 0


def test_afterwards_explain_funnel_and_status_answer_from_the_journal(
    finished: tuple[Path, dict[str, Any], str],
) -> None:
    folder, report, _ = finished
    explained = turbo(folder, "explain", "BTCUSDT")
    assert explained.returncode == 0, explained.stderr
    assert "gate 1 data" in explained.stdout
    assert "first blocker" in explained.stdout or "nothing blocked" in explained.stdout
    funnel = json.loads(turbo(folder, "funnel", "--json").stdout)
    assert 0 < funnel["funnel"]["scans"] <= report["scans"]
    status = json.loads(turbo(folder, "status", "--json").stdout)
    assert status["daemons"] == status["guards"] == []
    assert status["last_run"]["scans"] > 0
    assert "not among" in one_line(turbo(folder, "explain", "FOOUSDT"), 2)


@pytest.mark.parametrize(
    ("number", "env", "left"),
    [
        pytest.param(signal.SIGINT, {}, True, marks=pytest.mark.process),
        (signal.SIGTERM, {}, True),
        pytest.param(signal.SIGTERM, {"ON_TERM": "flatten"}, False, marks=pytest.mark.process),
    ],
)
def test_a_signal_ends_it_cleanly_with_the_summary_and_leaves_positions_by_default(
    tmp_path: Path, number: signal.Signals, env: dict[str, str], left: bool
) -> None:
    process = started(tmp_path, **env)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "ended" in out
    assert ("positions left to their stops" in out) is left
    assert "journal" in out


@pytest.mark.process
def test_the_paper_venue_ends_with_its_daemon_even_after_kill_9(tmp_path: Path) -> None:
    process = started(tmp_path, "--speed", "1")  # the wall's clock: a process of its own
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert children
    process.kill()
    process.wait()
    for _ in range(100):
        if not any(Path(f"/proc/{child}").exists() for child in children):
            break
        time.sleep(0.1)
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_status_and_stop_reach_a_running_daemon(tmp_path: Path) -> None:
    process = started(tmp_path)
    (daemon,) = json.loads(turbo(tmp_path, "status", "--json").stdout)["daemons"]
    assert daemon["name"] == daemon["mode"] == "paper"
    assert daemon["pid"] == process.pid
    assert daemon["private_up"] is True
    halted = turbo(tmp_path, "halt").stdout
    assert "entries: none, halted by command; needed: `turbo-trader resume`" in halted
    reported = turbo(tmp_path, "status").stdout
    assert max(map(len, reported.splitlines())) <= 80
    assert re.search(r"history     \S+ halt by \S+ \(control\)", reported)
    assert turbo(tmp_path, "stop").returncode == 0
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert re.search(r"stopped by \S+ \(control\)", out)
    assert "running     no" in turbo(tmp_path, "status").stdout


def test_bad_input_is_one_clear_line_and_exit_code_2(tmp_path: Path) -> None:
    """Of the process; all others: tests/console/test_refusals.py."""
    assert "MICRO_TURBO_SIGNAL_INTERVAL" in one_line(
        turbo(tmp_path, "run", MICRO_TURBO_SIGNAL_INTERVAL="x"), 2
    )
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        line = one_line(turbo(tmp_path, "exchange", "--port", str(taken.getsockname()[1])), 2)
    assert "--port" in line


def test_help_is_quick_and_names_every_verb(tmp_path: Path) -> None:
    began = time.monotonic()
    result = turbo(tmp_path, "--help")
    assert time.monotonic() - began < 5
    for verb in ("run", "backtest", "exchange", "status", "stop", "explain", "tape"):
        assert verb in result.stdout
