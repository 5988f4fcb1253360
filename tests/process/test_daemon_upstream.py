"""The daemon on paper against another venue's market: `run --market bybit:URL`, as processes."""

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

from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.server_thread import ServedVenue, serve_in_thread
from turbo_trader.live import control_client
from turbo_trader.live.registry import Kind, Registry
from turbo_trader.market.reference import universe
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_603_600_000_000_000
DISCONNECTED = [True, False, True]  # of the public streams: up, lost, up again


def cut(venue: Venue) -> int:
    """Cut every stream of a venue."""
    lines = list(venue.lines)
    for line in lines:
        line.cut()
    return len(lines)


def hears_on() -> None:
    """Wait until the daemon has heard more of the market than now."""
    (daemon,) = Registry(Kind.DAEMON).running()
    before = control_client.ask(daemon, "status")["frames"]
    deadline = time.monotonic() + 20
    while control_client.ask(daemon, "status")["frames"] < before + 50:
        assert time.monotonic() < deadline, "no more frames"
        time.sleep(0.1)


def run(folder: Path, upstream: ServedVenue, *, enters: bool) -> tuple[dict[str, Any], list[bool], str]:
    """The daemon's report, ups and downs of its public streams, and all it said; the upstream is cut once it runs (or has a fill),
    and it is ended once it has recovered from that and heard on."""
    command = [sys.executable, "-m", "turbo_trader.console", "run", "--for", "120s", "--json"]
    process = subprocess.Popen(
        [*command, "--market", f"bybit:{upstream.url}", "--balance", "18"], cwd=folder,
        env={**os.environ, "JOURNAL_DIR": str(folder / "var")}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    said: list[str] = []
    public: list[bool] = []
    lost, heard = 0, False
    waited_for = " fill " if enters else "session begins"
    for line in process.stderr:
        said.append(line)
        if "stream=public" in line:
            public.append("up=True" in line)
        heard = heard or waited_for in line
        if heard and public == [True] and not lost:
            lost = upstream.call(cut)
        if public == DISCONNECTED and "stream=public" in line:
            hears_on()
            process.send_signal(signal.SIGINT)
    report = json.loads(process.stdout.read())
    assert process.wait() == 0
    assert lost == 3  # connections, five symbols each
    return report, public, "".join(said)


def check(folder: Path, *, speed: float, enters: bool) -> dict[str, Any]:
    market = SyntheticMarket(universe(), 2, START, 1.0)
    with serve_in_thread(Venue(market, VenueConfig("key", "secret", Decimal(1), speed))) as upstream:
        report, public, said = run(folder, upstream, enters=enters)
        orders = upstream.call(lambda venue: len(venue.exchange.accounts["1"].orders))
    assert f"{upstream.url}, live" in said
    assert "Traceback" not in said
    assert public == DISCONNECTED, said
    assert report["reason"].startswith("stopped by SIGINT")
    assert report["unguarded_seconds"] == 0
    assert orders == 0  # all of it took place at the venue between
    return report


@pytest.mark.slow  # its parts are in tests/exchange_server
def test_paper_runs_on_another_venues_market_and_outlives_its_loss(tmp_path: Path) -> None:
    check(tmp_path, speed=10.0, enters=False)


@pytest.mark.slow
def test_paper_trades_on_another_venues_market(tmp_path: Path) -> None:
    report = check(tmp_path, speed=20.0, enters=True)
    assert report["trades"] + report["open_positions"] > 0
