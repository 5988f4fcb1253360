"""What cannot be as it was asked for is said before anything is compiled, prepared, started or written."""

from __future__ import annotations

import shlex
import socket
import sys
from pathlib import Path

import pytest

from turbo_trader.console import kernels, markets
from turbo_trader.console.command_line import run_verb


class SlowWork(Exception):
    """Something began that takes long."""


@pytest.fixture
def nothing_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder; whatever takes long fails."""
    from turbo_trader.console import start

    def begin(*_: object, **__: object) -> None:
        raise SlowWork

    monkeypatch.chdir(tmp_path)
    for module in (kernels, start):
        monkeypatch.setattr(module, "compile_missing", begin)
    monkeypatch.setattr(markets, "_synthetic", begin)
    monkeypatch.setattr(markets, "_tape", begin)


def refused(given: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Runs the verb; returns its exit code."""
    monkeypatch.setattr(sys, "argv", ["turbo-trader", *shlex.split(given)])
    with pytest.raises(SystemExit) as ended:
        run_verb()
    return int(ended.value.code or 0)


BOTH = [
    ("--faults dropp=1", "'dropp=1': unknown; did you mean drop?"),
    ("--faults drop=2", "drop=2"),
    ("--faults drop", "write NAME=NUMBER"),
    ("--faults drop=0.6,error=0.6", "add up to more than 1"),
    ("--market moon", "'moon': must be"),
    ("--market tape:nowhere", "nowhere: no such tape"),
    ("--market tape:notes.txt", "notes.txt: not a tape"),
    ("--market tape:empty", "empty: no bars"),
    ("--market bybit:moon", "bybit:http://HOST:PORT"),
    ("--market bybit --speed 2", "leave it out"),
    ("--market bybit --start now", "leave it out"),
    ("--market tape:bars --start now", "leave it out"),
    ("--start soon", "--start"),
    ("--start 1800-01-01", "from 2000 to 2099"),
    ("--balance 0", "--balance"),
    ("--edge 1000", "--edge"),
    ("--seed x", "--seed"),
]


@pytest.mark.usefixtures("nothing_slow")
@pytest.mark.parametrize(
    ("given", "said"),
    [(f"{verb} {options}", said) for verb in ("run --no-ui", "exchange --port 0") for options, said in BOTH]
    + [
        ("backtest nowhere", "nowhere: no such tape"),
        ("run --for soon", "40s or 2m"),
        ("run --signal nothing.py", "nothing.py: cannot be read"),
        ("run --signal nothing", "nothing: no such signal"),
        ("run --speed 1 --signal nothing", "nothing: no such signal"),
        ("run --journal-dir notes.txt", "journal folder notes.txt"),
        ("run --journal-dir /dev/null/x", "journal folder /dev/null/x"),
        ("exchange --port 70000", "--port"),
        ("exchange --host no.such.host.invalid", "no.such.host.invalid:9000"),
        ("exchange --port 0 --record nowhere/record.jsonl", "--record nowhere/record.jsonl: No such file or directory"),
        ("exchange --port 0 --record empty", "--record empty: Is a directory"),
        ("exchange --port 0 --fee-coin USDT", "--fee-coin"),
        ("chaos --faults dropp=1", "dropp"),
        ("chaos --situation calm", "'calm': unknown"),
        ("chaos --defect nothing", "'nothing': none of the"),
        ("chaos --balance none", "--balance"),
        ("chaos --symbols 99", "symbols 99: the universe has 15"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_the_slow_work(
    given: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("no tape")
    (tmp_path / "empty").mkdir()
    (tmp_path / "bars").mkdir()
    (tmp_path / "bars" / "BTCUSDT.csv").touch()
    before = sorted(tmp_path.rglob("*"))
    assert refused(given, monkeypatch) == 2
    assert said in " ".join(line.strip() for line in capsys.readouterr().err.splitlines())
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("nothing_slow")
@pytest.mark.parametrize(
    ("name", "value", "verb"),
    [(name, value, verb) for verb in ("run --no-ui", "exchange --port 0")
     for name, value in [("FAULTS", "dropp=1"), ("MARKET_START", "soon"), ("TARGET_ASSETS", "FOO"), ("TURBO_MAX_POSITIONS", "x")]],
)  # fmt: skip
def test_so_is_what_the_environment_says(
    name: str, value: str, verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    assert refused(verb, monkeypatch) == 2
    assert value in capsys.readouterr().err


@pytest.mark.usefixtures("nothing_slow")
def test_a_port_in_use_is_refused_before_the_slow_work(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert refused(f"exchange --port {port}", monkeypatch) == 2
    assert f"127.0.0.1:{port}: Address already in use: choose another with --port" in capsys.readouterr().err


@pytest.mark.usefixtures("nothing_slow")
def test_so_is_the_address_of_the_metrics(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("METRICS", f"127.0.0.1:{port}")
        assert refused("run --no-ui", monkeypatch) == 2
    assert f"METRICS 127.0.0.1:{port}: Address already in use; choose another" in capsys.readouterr().err


@pytest.mark.usefixtures("nothing_slow")
@pytest.mark.parametrize("given", ["run --no-ui", "exchange --port 0", "chaos --seeds 1"])
def test_what_can_be_goes_on_to_the_slow_work(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["turbo-trader", *given.split()])
    with pytest.raises(SlowWork):
        run_verb()
