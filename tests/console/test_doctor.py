"""`turbo-trader doctor` as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from turbo_trader.console.verbs.doctor import check_lines
from turbo_trader.live.checks import Check, Level


def doctor(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BYBIT_")}
    return subprocess.run(
        [sys.executable, "-m", "turbo_trader.console", "doctor", *options],
        cwd=folder, env={**kept, "BYBIT_DOMAIN": "invalid", **environment}, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


def test_without_keys_it_says_what_is_missing(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--mode", "testnet", "--json")
    assert done.returncode == 1
    assert not done.stderr
    answer = json.loads(done.stdout)
    found = {check["name"]: check for check in answer["checks"]}
    assert (answer["worst"], found["key"]["level"], found["venue"]["level"]) == ("fail", "fail", "fail")
    assert "BYBIT_API_KEY, BYBIT_API_SECRET missing" in found["key"]["found"]
    assert {"disk", "journal", "instance"} <= set(found)


def test_a_key_file_that_others_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("the-key\nthe-secret\n")
    path.chmod(0o644)
    done = doctor(tmp_path, "--mode", "live", BYBIT_KEY_FILE=str(path))
    assert done.returncode == 3
    assert "chmod 600" in done.stdout
    assert "the-secret" not in done.stdout + done.stderr


@pytest.mark.long
def test_paper_is_examined_against_its_own_venue(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--json")
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"key", "permissions", "position mode", "venue", "clock", "balance", "disk"} <= set(found)
    assert "18.00 USDT" in found["balance"]["found"]
    assert not (tmp_path / "var").exists()


def test_long_findings_are_folded_below_their_own_column() -> None:
    found = "18.00 USDT can trade 0 of 15 symbols; BTCUSDT: loss at stop allows 109.73 USDT, below the least size of 135.00"
    check = Check("balance", Level.FAIL, found, "see `turbo-trader feasible`; " * 4)
    lines = [line.plain for line in check_lines(check)]
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("fail    balance        18.00 USDT")
    assert all(line.startswith(" " * 23) for line in lines[1:])
    assert " ".join(line[23:].strip() for line in lines).startswith(f"{found} -> see")


def test_a_database_that_does_not_answer_is_said_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://trader:s3cr3t@127.0.0.1:1/trading"
    done = doctor(tmp_path, "--mode", "testnet", "--json", JOURNAL_URL=url)
    found = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert (done.returncode, found["database"]["level"]) == (1, "fail")
    assert "journal-testnet" in found["database"]["found"]
    assert "is the server up" in found["database"]["fix"]
    assert "s3cr3t" not in done.stdout + done.stderr
