"""Control reaches the daemon that trades: real daemons side by side, killed, started twice and refused; verbs from any folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.server_thread import ServedVenue, serve_in_thread
from turbo_trader.live.registry import Kind, Registry
from turbo_trader.market.reference import universe
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_603_600_000_000_000
COMMAND = [sys.executable, "-m", "turbo_trader.console"]
WAIT_S = 300.0  # of a start on a busy machine
SYMBOLS = "BTCUSDT,ETHUSDT"


@dataclass
class House:
    """A folder of its own for every run, and a venue that all of them may use."""

    folder: Path
    venue: ServedVenue
    begun: list[subprocess.Popen[str]] = field(default_factory=list)

    def env(self, **extra: str) -> dict[str, str]:
        stream = self.venue.stream
        given = {
            "BYBIT_REST_URL": self.venue.url, "BYBIT_STREAM_URL": stream, "BYBIT_API_KEY": "key",
            "BYBIT_API_SECRET": "secret", "I_ACCEPT_THE_RISK": "true", "SIZE": "full",
            "TARGET_ASSETS": SYMBOLS,
        }  # fmt: skip
        return {**os.environ, **given, **extra}

    def begin(self, where: str, *args: str, **extra: str) -> subprocess.Popen[str]:
        """A daemon in a folder of its own."""
        (self.folder / where).mkdir(exist_ok=True)
        process = subprocess.Popen(
            [*COMMAND, "run", "--no-ui", *args], cwd=self.folder / where, env=self.env(**extra),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.begun.append(process)
        return process

    def verb(self, *args: str, where: str = "", **extra: str) -> subprocess.CompletedProcess[str]:
        """A verb, without a terminal, in any folder."""
        return subprocess.run(
            [*COMMAND, *args], cwd=self.folder / where, env=self.env(**extra), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=WAIT_S, check=False,
        )  # fmt: skip

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.verb("status", "--json").stdout)
        return found


def wait(what: Callable[[], object], why: Callable[[], str] = str) -> None:
    until = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < until, why()
        time.sleep(0.05)


def listening(*names: str) -> bool:
    return {each.name for each in Registry(Kind.DAEMON).running() if each.port} >= set(names)


def guards() -> list[int]:
    return [each.pid for each in Registry(Kind.GUARD).running()]


def one_line(done: subprocess.CompletedProcess[str], code: int) -> str:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("turbo-trader: ")]
    return line


@pytest.fixture
def house(tmp_path: Path, end_all: Callable[[Path], None]) -> Iterator[House]:
    traded = [i for i in universe() if i.symbol in SYMBOLS.split(",")]
    source = SyntheticMarket(traded, 1, START, 0.0)
    with serve_in_thread(Venue(source, VenueConfig("key", "secret", Decimal(50), limits=False))) as served:
        house = House(tmp_path, served)
        try:
            yield house
        finally:
            for process in house.begun:
                process.kill()
                process.communicate()
            end_all(tmp_path)


@pytest.mark.process
def test_verbs_reach_live_and_a_paper_daemon_side_by_side_whatever_is_started_beside(house: House) -> None:
    live = house.begin("one", MODE="live")
    wait(lambda: listening("live") and guards(), lambda: str(live.poll()))
    assert "faults 'drop=2'" in one_line(house.verb("run", "--faults", "drop=2", where="one"), 2)
    assert [path.name for path in (house.folder / "one" / "var").iterdir()] == ["live"]
    halted = house.verb("halt")  # one daemon: no name is needed, from another folder
    assert "halt: taken by daemon live" in halted.stdout, halted.stderr

    paper = house.begin("two", MODE="paper")
    wait(lambda: listening("live", "paper"), lambda: str(paper.poll()))
    said = house.status()
    assert [(each["name"], each["mode"], each["pid"]) for each in said["daemons"]] == [
        ("live", "live", live.pid), ("paper", "paper", paper.pid),
    ]  # fmt: skip
    assert said["daemons"][0]["environment"] == "mainnet"
    assert said["daemons"][0]["folder"] == str(house.folder / "one" / "var" / "live")
    assert [each["name"] for each in said["guards"]] == ["live"]
    for verb in (("flatten",), ("halt",), ("stop",), ("session", "new"), ("report",)):
        line = one_line(house.verb(*verb), 2)
        assert "live, paper" in line
        assert f"turbo-trader {' '.join(verb)} --daemon live" in line
    assert "taken by daemon paper" in house.verb("stop", "--daemon", "paper", where="one").stdout
    assert paper.wait(WAIT_S) == 0
    assert "taken by daemon live" in house.verb("stop", "--all", where="two").stdout
    out, err = live.communicate(timeout=WAIT_S)
    assert live.returncode == 0, err
    assert "BYBIT_REST_URL" in err
    assert "daemon    live" in err
    assert "ended" in out
    wait(lambda: not guards())  # nothing was open: it ends with its daemon


@pytest.mark.process
def test_a_daemon_killed_is_known_to_be_gone_and_its_guard_can_be_ended(house: House) -> None:
    daemon = house.begin("one", MODE="testnet")
    wait(lambda: listening("testnet") and guards(), lambda: str(daemon.poll()))
    daemon.kill()
    daemon.wait()
    assert (Path(os.environ["XDG_STATE_HOME"]) / "turbo-trader" / "daemons" / "testnet").exists()
    said = house.status()
    assert said["daemons"] == []
    assert "no daemon is running" in one_line(house.verb("flatten"), 2)
    (guard,) = said["guards"]
    assert "has ended" in house.verb("guard", "--stop").stdout
    assert not Path(f"/proc/{guard['pid']}").exists() or not guards()
    assert "no guard is running" in one_line(house.verb("guard", "--stop"), 2)


def test_of_two_starts_on_one_journal_one_wins_and_the_other_says_so_in_a_line(house: House) -> None:
    starts = [
        house.begin("one", "--for", "10s", MODE="demo") for _ in range(2)
    ]  # long enough for the later one to look
    ends = [process.communicate(timeout=WAIT_S) for process in starts]
    assert sorted(process.returncode for process in starts) == [0, 2], ends
    (err,) = [said for process, (_, said) in zip(starts, ends, strict=True) if process.returncode]
    (line,) = [line for line in err.splitlines() if line.startswith("turbo-trader: ")]
    assert "in use by another instance, daemon demo" in line


@pytest.mark.parametrize(
    ("extra", "code", "said"),
    [
        ({"BYBIT_API_SECRET": "wrong-secret"}, 2, "key"),
        ({"BYBIT_REST_URL": "http://127.0.0.1.evil.com:9000"}, 2, "BYBIT_REST_URL: expected"),
        pytest.param(
            {"BYBIT_STREAM_URL": ""},
            2,
            "BYBIT_REST_URL is set and BYBIT_STREAM_URL is not",
            marks=pytest.mark.slow,
        ),
        pytest.param({"TARGET_ASSETS": "NOSUCHUSDT"}, 2, "NOSUCHUSDT", marks=pytest.mark.slow),
        ({"I_ACCEPT_THE_RISK": "false"}, 3, "I_ACCEPT_THE_RISK"),
    ],
)
def test_a_refused_start_leaves_nothing(house: House, extra: dict[str, str], code: int, said: str) -> None:
    line = one_line(house.verb("run", "--no-ui", MODE="live", **extra), code)
    assert said in line
    assert not list(house.folder.iterdir())
    assert Registry(Kind.DAEMON).running() == Registry(Kind.GUARD).running() == []
    left = Path(os.environ["XDG_STATE_HOME"]).rglob("*")
    assert [path.name for path in left if path.is_file() and path.name != ".claims"] == []
