"""`turbo-trader notify test` as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.console.alarms.conftest import PASSWORD, Receiver, receiver

from turbo_trader.console.alarms import addresses
from turbo_trader.console.verbs.notify import send_test
from turbo_trader.market.errors import InputError

REFUSED = f"json://user:{PASSWORD}@127.0.0.1:1/?rto=1&cto=1"


def notify(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NOTIFY")}
    done = subprocess.run(
        [sys.executable, "-m", "turbo_trader.console", "notify", "test", *options],
        cwd=folder, env={**kept, **environment}, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert PASSWORD not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def listening() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


def test_each_target_is_one_line_and_one_that_fails_is_exit_code_1(
    tmp_path: Path, listening: Receiver
) -> None:
    done = notify(tmp_path, NOTIFY=f"{listening.url} {REFUSED}")
    assert done.returncode == 1
    first, second = done.stdout.splitlines()
    assert first == "1 (json): delivered"
    assert second.startswith("2 (json): failed: A Connection error occurred")
    assert done.stderr == "turbo-trader: not delivered to 1 of 2: 2 (json)\n"
    assert listening.got[0]["title"] == "turbo-trader paper: test"


def test_all_delivered_is_exit_code_0(tmp_path: Path, listening: Receiver) -> None:
    file = tmp_path / "targets"
    file.write_text(listening.url)
    file.chmod(0o600)
    done = notify(tmp_path, "--json", NOTIFY_FILE=str(file))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"targets": [{"target": "1 (json)", "delivered": True, "why": ""}]}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "NOTIFY and NOTIFY_FILE are empty"),
        ({"NOTIFY": f"nonsense://user:{PASSWORD}@host"}, "NOTIFY: target 1 (nonsense)"),
        ({"NOTIFY": PASSWORD}, "NOTIFY: address 1 is none"),
        ({"NOTIFY_FILE": "absent"}, "NOTIFY_FILE absent: No such file"),
    ],
)
def test_what_cannot_be_used_is_exit_code_2_and_one_line(
    tmp_path: Path, given: dict[str, str], said: str
) -> None:
    done = notify(tmp_path, **given)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "find_spec", lambda name: None)
    monkeypatch.setenv("NOTIFY", "json://127.0.0.1:1/")
    with pytest.raises(InputError, match=r"turbo-trader\[notify\]"):
        send_test()
