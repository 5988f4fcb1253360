"""The daemon around a scripted Trader, against a venue of canned answers: what it is given, how it is asked, and how it ends."""

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turbo_trader.bybit.endpoints import Keys
from turbo_trader.journal import readers
from turbo_trader.journal.schema import FILE
from turbo_trader.live.control_client import ask
from turbo_trader.live.daemon_settings import DaemonSettings
from turbo_trader.live.registry import Kind, Registry
from turbo_trader.live.shell import Shell
from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import LAST
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.trader.commands import Note, Read, Scanned
from turbo_trader.trader.events import (
    Clock,
    CommandResult,
    Control,
    Fill,
    MarketRows,
    Outcome,
    ReadResult,
    StreamStatus,
)


async def test_it_starts_feeds_the_trader_and_ends_cleanly(shells: Any, tmp_path: Path) -> None:
    def script(trader: Any, event: Any) -> Sequence[Any]:
        if isinstance(event, StreamStatus) and event.stream == "private" and event.up:
            return [
                Read("r1", ("positions", "orders", "fills", "wallet"), since=shells.NOW_MS * 10**6),
                shells.entry("e1"),
                Note(event.ts, "hello"),
            ]
        return []

    venue, trader = shells.Venue(), shells.Scripted(script)
    summary = await shells.run(venue, trader, tmp_path)
    assert (summary.reason, summary.failed, summary.trader) == ("stop by time limit", False, {"trades": 0})
    (bars,) = [event.bars for event in trader.events if hasattr(event, "bars")]
    assert len(bars) == 1_500
    assert (np.diff(bars["ts"]) == 60_000_000_000).all()
    assert trader.of(Fill)[0].exec_id == "e"
    assert trader.of(MarketRows)[0].rows["kind"][0] & LAST
    assert trader.of(ReadResult)[0].outcome is Outcome.CONFIRMED
    assert trader.of(CommandResult)[0] == CommandResult(
        ts=trader.of(CommandResult)[0].ts, id="e1", outcome=Outcome.CONFIRMED
    )
    assert venue.created[0]["stopLoss"] == "59000"
    assert readers.overview(tmp_path)["intents"] == {"confirmed": 1}
    assert readers.notes(tmp_path, "hello")


async def test_rows_of_a_scan_are_named_without_a_symbol_that_cannot_be_read(
    shells: Any, tmp_path: Path
) -> None:
    class OddVenue(shells.Venue):  # type: ignore[misc]
        def answer(self, target: str, body: bytes) -> dict[str, Any]:
            given: dict[str, Any] = super().answer(target, body)
            if "instruments-info" in target and "AAAUSDT" in target:
                given["result"] = {"list": [{"symbol": "AAAUSDT", "priceFilter": {"tickSize": "odd"}}]}
            return given

    def script(trader: Any, event: Any) -> Sequence[Any]:
        return [Scanned(event.ts, np.zeros(1, SCAN))] if isinstance(event, StreamStatus) else []

    await shells.run(OddVenue(), shells.Scripted(script), tmp_path, symbols=("AAAUSDT", "BTCUSDT"))
    assert len(readers.scans(tmp_path, "BTCUSDT", 20)) > 0
    assert readers.scans(tmp_path, "AAAUSDT", 20) == []


async def test_a_bug_in_the_trader_ends_the_run_in_one_line(shells: Any, tmp_path: Path) -> None:
    def script(trader: Any, event: Any) -> Sequence[Any]:
        if isinstance(event, StreamStatus):
            raise ZeroDivisionError("key-of-test / 0")
        return []

    summary = await shells.run(shells.Venue(), shells.Scripted(script), tmp_path, duration_s=None)
    assert summary.failed
    assert "ZeroDivisionError: *** / 0" in summary.reason
    assert readers.notes(tmp_path, "failed")[0]["meaning"] == "positions keep their venue stops"
    assert b"key-of-test" not in (tmp_path / FILE).read_bytes()


async def test_the_timer_follows_the_traders_requests(shells: Any, tmp_path: Path) -> None:
    def script(trader: Any, event: Any) -> Sequence[Any]:
        if isinstance(event, StreamStatus | Clock):
            trader.due = event.ts + 50_000_000
        return []

    trader = shells.Scripted(script)
    await shells.run(shells.Venue(), trader, tmp_path, duration_s=1.0)
    ticks = [event.ts for event in trader.of(Clock)]
    assert 8 <= len(ticks) <= 21
    assert min(np.diff(ticks)) >= 50_000_000


async def test_stop_and_status_over_the_control_port(shells: Any, tmp_path: Path) -> None:
    trader = shells.Scripted(shells.nothing)
    registration = Registry(Kind.DAEMON, tmp_path).claim("paper", tmp_path)
    options = {"duration_s": None, "registration": registration}
    task = asyncio.create_task(shells.run(shells.Venue(), trader, tmp_path, **options))
    with pytest.raises(InputError, match="still starting"):
        ask(registration.running, "stop")
    while not registration.running.port:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    (daemon,) = Registry(Kind.DAEMON, tmp_path).running()
    status = await asyncio.to_thread(ask, daemon, "status")
    assert status["mode"] == "paper"
    await asyncio.to_thread(ask, daemon, "stop")
    assert (await task).reason == "stop by somebody (control)"


async def test_an_unknown_symbol_is_named_before_anything_starts(shells: Any, tmp_path: Path) -> None:
    async with shells.Venue().up() as endpoints:
        settings = DaemonSettings(endpoints, Keys("k" * 8, "s" * 8), ("NOSUCHUSDT",), tmp_path)
        with pytest.raises(InputError, match="NOSUCHUSDT"):
            await Shell(settings, Policy(), None, build=shells.Scripted(shells.nothing).build).run()


async def test_the_real_trader_recovers_and_stops_around_it(shells: Any, tmp_path: Path) -> None:
    venue = shells.Venue()
    async with venue.up() as endpoints:
        settings = DaemonSettings(
            endpoints, Keys("key-of-test", "secret-of-test"), ("BTCUSDT",), tmp_path, duration_s=1.0
        )
        summary = await asyncio.wait_for(Shell(settings, Policy(), None).run(), 60)
    assert not summary.failed, summary.reason
    assert summary.reason.startswith("stopped by time limit")
    assert summary.trader["open_positions"] == 0
    assert {
        "/v5/position/list",
        "/v5/order/realtime",
        "/v5/execution/list",
        "/v5/account/wallet-balance",
    } <= set(venue.seen)


@pytest.mark.parametrize(("rules", "leave"), [({}, True), ({"ON_TERM": "flatten"}, False)])
async def test_sigterm_and_sigusr1_reach_trader_positions_left_or_closed_as_on_term_says(
    shells: Any, tmp_path: Path, rules: dict[str, str], leave: bool
) -> None:
    def script(trader: Any, event: Any) -> Sequence[Any]:
        if isinstance(event, StreamStatus) and event.stream == "private":
            os.kill(os.getpid(), signal.SIGUSR1)
        if isinstance(event, Control) and event.verb == "flatten":
            os.kill(os.getpid(), signal.SIGTERM)
        return []

    trader = shells.Scripted(script)
    summary = await shells.run(
        shells.Venue(), trader, tmp_path, duration_s=None, policy=Policy.from_env(rules)
    )
    assert summary.reason == "stop by SIGTERM"
    assert [(event.verb, event.by) for event in trader.of(Control)] == [
        ("flatten", "SIGUSR1"),
        ("stop", "SIGTERM"),
    ]
    assert trader.of(Control)[1].args == {"leave": leave}
