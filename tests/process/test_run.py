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
        (signal.SIGINT, {}, True),
        (signal.SIGTERM, {}, True),
        (signal.SIGTERM, {"ON_TERM": "flatten"}, False),
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
    assert "entries: none, halted: halted by command; needed: `turbo-trader resume`" in halted
    reported = turbo(tmp_path, "status").stdout
    assert max(map(len, reported.splitlines())) <= 80
    assert re.search(r"history     \S+ halt by \S+ \(control\)", reported)
    assert turbo(tmp_path, "stop").returncode == 0
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert re.search(r"stopped by \S+ \(control\)", out)
    assert "running     no" in turbo(tmp_path, "status").stdout


@pytest.mark.parametrize(
    ("args", "env", "said"),
    [
        (["run", "--market", "tape:nowhere"], {}, "nowhere: no such tape"),
        (["run", "--market", "moon"], {}, "must be synthetic, tape:PATH, bybit or bybit:URL"),
        (["run", "--market", "bybit:moon"], {}, "bybit:http://HOST:PORT"),
        (["run", "--market", "bybit", "--speed", "2"], {}, "leave it out"),
        (["run", "--balance", "0"], {}, "--balance"),
        (["run", "--for", "soon"], {}, "40s or 2m"),
        (["run"], {"MICRO_TURBO_SIGNAL_INTERVAL": "x"}, "MICRO_TURBO_SIGNAL_INTERVAL"),
        (["run"], {"SEED": "x"}, "SEED"),
        (["run"], {"TARGET_ASSETS": "FOO"}, "FOOUSDT"),
        (["run", "--mode", "real"], {}, "--mode"),
        (["run", "--nonsense"], {}, "--nonsense"),
        (["backtest", "nowhere"], {}, "nowhere: no such tape"),
        (["tape", "info", "nowhere.parquet"], {}, "no such tape"),
        (["stop"], {}, "running"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_code_2(
    tmp_path: Path, args: list[str], env: dict[str, str], said: str
) -> None:
    assert said in one_line(turbo(tmp_path, *args, **env), 2)


@pytest.mark.parametrize("mode", ["live", "testnet"])
def test_a_real_venue_without_keys_is_refused_with_what_is_missing(tmp_path: Path, mode: str) -> None:
    line = one_line(turbo(tmp_path, "run", "--mode", mode), 3)
    assert "BYBIT_API_KEY" in line
    assert not (tmp_path / "var").exists()


def test_an_unwritable_journal_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file, not a folder")
    assert "journal folder" in one_line(turbo(tmp_path, "run"), 2)


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        line = one_line(turbo(tmp_path, "exchange", "--port", str(taken.getsockname()[1])), 2)
    assert "--port" in line


def test_orders_by_websocket_are_refused_at_start_where_the_venue_takes_none(
    tmp_path: Path,
) -> None:
    given = {"MODE": "demo", "BYBIT_API_KEY": "a-key", "BYBIT_API_SECRET": "a-secret"}
    line = one_line(turbo(tmp_path, "run", ORDER_ENTRY="websocket", **given), 2)
    assert line.endswith("the demo environment takes orders by REST only; set ORDER_ENTRY=rest")
    assert not list(tmp_path.iterdir())


def test_help_is_quick_and_names_every_verb(tmp_path: Path) -> None:
    began = time.monotonic()
    result = turbo(tmp_path, "--help")
    assert time.monotonic() - began < 5
    for verb in ("run", "backtest", "exchange", "status", "stop", "explain", "tape"):
        assert verb in result.stdout


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["60000,1,1,1,1,5", "180000,1,1,1,1,5"], "line 3: a gap"),
        (["60000,1,1,1,1,5", "60000,1,1,1,1,5"], "line 3: a repeated time"),
        (["120000,1,1,1,1,5", "60000,1,1,1,1,5"], "line 3: a time before"),
        (["60000,1,2,x,1,5"], "line 2: not 6 numbers"),
        (["60000,1,0.5,1,1,5"], "line 2: high or low"),
    ],
)
def test_malformed_bars_name_file_and_line(tmp_path: Path, lines: list[str], said: str) -> None:
    (tmp_path / "bars").mkdir()
    (tmp_path / "bars" / "BTCUSDT.csv").write_text(
        "ts_ms,open,high,low,close,volume\n" + "\n".join(lines) + "\n"
    )
    line = one_line(turbo(tmp_path, "backtest", "bars"), 2)
    assert "BTCUSDT.csv" in line
    assert said in line
