"""The daemon around a scripted Trader, against a venue of canned answers: what leaves, when, and how it ends."""

import asyncio
import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve

from turbo_trader.bybit.endpoints import Endpoints, Keys
from turbo_trader.bybit.errors import NO_JOURNAL
from turbo_trader.journal import readers
from turbo_trader.journal.lease import GUARD, Lease, LeaseRules
from turbo_trader.journal.schema import FILE
from turbo_trader.live.control import ask
from turbo_trader.live.settings import DaemonSettings, Summary
from turbo_trader.live.shell import Shell
from turbo_trader.market.errors import InputError
from turbo_trader.market.events import GAP, KIND_MASK, LAST, ROW, TRADE, WHOLE
from turbo_trader.rules.outcomes import OUTCOME
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.calibrating import OUTCOMES
from turbo_trader.trader.commands import Note, Persist, PlaceOrder, Read, Resolved, Stopped
from turbo_trader.trader.events import (
    Clock,
    CommandResult,
    Control,
    Fill,
    MarketRows,
    Outcome,
    ReadResult,
    StreamStatus,
    Woken,
)
from turbo_trader.trader.recovery import BOOTS, INTENTS

NOW_MS = 1_770_000_000_000
INFO = {
    "symbol": "BTCUSDT",
    "status": "Trading",
    "priceFilter": {"tickSize": "0.1", "minPrice": "0.1", "maxPrice": "1999999"},
    "lotSizeFilter": {
        "qtyStep": "0.001",
        "minOrderQty": "0.001",
        "maxOrderQty": "1190",
        "maxMktOrderQty": "119",
        "minNotionalValue": "5",
    },
    "leverageFilter": {"minLeverage": "1", "maxLeverage": "100", "leverageStep": "0.01"},
    "fundingInterval": 480,
    "deliveryTime": "0",
}


class Venue:
    """Canned REST answers by path; `seen` are the requests in order."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.created: list[dict[str, Any]] = []
        self.on_create: Callable[[], dict[str, Any]] = lambda: {
            "retCode": 0,
            "retMsg": "OK",
            "result": {"orderId": "u"},
        }
        self.sockets: list[ServerConnection] = []

    def answer(self, target: str, body: bytes) -> dict[str, Any]:
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        self.seen.append(parts.path)
        result: dict[str, Any] = {"list": []}
        match parts.path:
            case "/v5/market/time":
                result = {"timeNano": str(NOW_MS * 1_000_000)}
            case "/v5/market/instruments-info" if query["symbol"] == ["BTCUSDT"]:
                result = {"list": [INFO]}
            case "/v5/market/kline":
                end, start = int(query["end"][0]), int(query["start"][0])
                rows = [[str(t), "1", "2", "0.5", "1.5", "10", "15"] for t in range(end, start - 1, -60_000)]
                result = {"list": rows}
            case "/v5/account/info":
                result = {"marginMode": "ISOLATED_MARGIN"}
            case "/v5/order/create":
                self.created.append(json.loads(body))
                return self.on_create()
        return {"retCode": 0, "retMsg": "OK", "result": result, "time": NOW_MS}

    async def stream(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        async for raw in socket:
            asked = json.loads(raw)
            await socket.send(json.dumps({"success": True, "ret_msg": "", "op": asked["op"]}))
            if asked["op"] == "subscribe" and "execution" in asked["args"]:
                item = {
                    "symbol": "BTCUSDT",
                    "execId": "e",
                    "side": "Buy",
                    "execQty": "1",
                    "execPrice": "2",
                    "execType": "Trade",
                }
                await socket.send(json.dumps({"topic": "execution", "creationTime": NOW_MS, "data": [item]}))
            elif asked["op"] == "subscribe":
                await socket.send(json.dumps({"topic": "publicTrade.BTCUSDT", "data": []}))

    @contextmanager
    def http(self) -> Iterator[str]:
        venue = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                data = json.dumps(venue.answer(self.path, body)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST  # noqa: N815

            def log_message(self, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        server.server_close()

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Endpoints]:
        with self.http() as rest:
            async with serve(self.stream, "127.0.0.1", 0) as server:
                url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/v5"
                yield Endpoints(
                    "loopback", rest, *(f"{url}/{face}" for face in ("public/linear", "private", "trade"))
                )


class Scripted:
    """A Trader that does what the test says."""

    def __init__(self, script: Callable[["Scripted", Any], Sequence[Any]]) -> None:
        self.states = np.zeros(1, [("ts", "i8")])
        self.events: list[Any] = []
        self.restored: dict[str, Any] | None = None
        self.due = 0
        self._script = script

    def build(self, instruments: Any, policy: Any, boot: str, start_ts: int, restored: Any) -> "Scripted":
        self.boot = boot
        self.restored = restored
        self.due = start_ts + 10**18
        return self

    def handle(self, event: Any) -> Sequence[Any]:
        self.events.append(event)
        if isinstance(event, Control) and event.verb == "stop":
            return [Stopped(event.ts, f"stop by {event.by}")]
        return self._script(self, event)

    def next_time(self) -> int:
        return self.due

    def view(self) -> Any:
        return {}

    def summary(self) -> dict[str, Any]:
        return {"trades": 0}

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


class OneTrade:
    def decode(self, raw: bytes) -> tuple[int, Any] | None:
        rows = np.zeros(1, ROW)
        rows["kind"] = TRADE | WHOLE
        return 0, rows


def entry(name: str) -> PlaceOrder:
    return PlaceOrder(
        name, "BTCUSDT", 1, Decimal("0.001"), "Limit", "IOC", False, "entry", Decimal(60000), Decimal(59000)
    )


def nothing(trader: Scripted, event: Any) -> Sequence[Any]:
    return []


async def run(venue: Venue, trader: Scripted, folder: Path, **options: Any) -> Summary:
    policy = options.pop("policy", Policy())
    async with venue.up() as endpoints:
        settings = DaemonSettings(
            endpoints,
            Keys("key-of-test", "secret-of-test"),
            ("BTCUSDT",),
            folder,
            **{"duration_s": 0.6, **options},
        )
        shell = Shell(settings, policy, None, build=trader.build, decoder=lambda instruments: OneTrade())
        return await asyncio.wait_for(shell.run(), 20)


async def test_it_starts_feeds_the_trader_and_ends_cleanly(tmp_path: Path) -> None:
    def script(trader: Scripted, event: Any) -> Sequence[Any]:
        if isinstance(event, StreamStatus) and event.stream == "private" and event.up:
            return [
                Read("r1", ("positions", "orders", "fills", "wallet"), since=NOW_MS * 10**6),
                entry("e1"),
                Note(event.ts, "hello"),
            ]
        return []

    venue, trader = Venue(), Scripted(script)
    summary = await run(venue, trader, tmp_path)
    assert (summary.reason, summary.failed, summary.trader) == ("stop by time limit", False, {"trades": 0})
    (bars,) = [event.bars for event in trader.events if hasattr(event, "bars")]
    assert len(bars) == 1_500
    assert (np.diff(bars["ts"]) == 60_000_000_000).all()
    assert trader.of(Fill)[0].exec_id == "e"
    assert trader.of(MarketRows)[0].rows["kind"][0] & LAST
    assert trader.of(ReadResult)[0].outcome is Outcome.CONFIRMED
    assert trader.of(CommandResult)[0] == CommandResult(
        trader.of(CommandResult)[0].ts, "e1", Outcome.CONFIRMED
    )
    assert venue.created[0]["stopLoss"] == "59000"
    assert readers.overview(tmp_path)["intents"] == {"confirmed": 1}
    assert readers.notes(tmp_path, "hello")
    assert not (tmp_path / "control.json").exists()


async def test_the_intent_is_on_disk_before_the_request_leaves(tmp_path: Path) -> None:
    found: list[Any] = []

    def on_create() -> dict[str, Any]:
        with sqlite3.connect(tmp_path / FILE) as db:
            found.extend(db.execute("SELECT id, outcome FROM intents").fetchall())
            found.extend(db.execute("SELECT key FROM state").fetchall())
        return {"retCode": 10016, "retMsg": "Server error", "result": {}}

    venue = Venue()
    venue.on_create = on_create
    trader = Scripted(
        lambda t, e: (
            [Persist(e.ts, "orders", {"e1": 1}), entry("e1")]
            if isinstance(e, StreamStatus) and e.stream == "private"
            else []
        )
    )
    await run(venue, trader, tmp_path)
    assert found == [("e1", None), ("orders",)]
    assert trader.of(CommandResult)[0].outcome is Outcome.UNKNOWN
    again = Scripted(nothing)
    await run(Venue(), again, tmp_path, duration_s=0.1)
    assert again.restored is not None
    assert again.restored["orders"] == {"e1": 1}
    assert [item["id"] for item in again.restored[INTENTS]["unresolved"]] == ["e1"]
    assert len(again.restored[BOOTS]["nonces"]) == 2
    assert len(venue.created) == 1


async def test_outcomes_are_journaled_and_under_enforce_come_back(tmp_path: Path) -> None:
    rows = np.zeros(3, OUTCOME)
    rows["forecast"] = (0.001, -0.002, 0.003)
    await run(Venue(), Scripted(lambda t, e: [Resolved(e.ts, rows)]), tmp_path)
    found = readers.outcomes(tmp_path)[1]
    assert (found[:3] == rows).all()
    for mode in ("report", "enforce"):
        again = Scripted(nothing)
        await run(Venue(), again, tmp_path, policy=Policy(calibration=mode), duration_s=0.1)
        assert again.restored is not None
        assert (OUTCOMES in again.restored) == (mode == "enforce")
    assert (again.restored[OUTCOMES]["rows"] == found).all()  # type: ignore[index]


async def test_s39_without_a_journal_no_entry_leaves_but_exits_do(tmp_path: Path) -> None:
    locks: list[sqlite3.Connection] = []

    def script(trader: Scripted, event: Any) -> Sequence[Any]:
        if not (isinstance(event, StreamStatus) and event.stream == "private" and event.up):
            return []
        locks.append(sqlite3.connect(tmp_path / FILE, isolation_level=None))
        locks[0].execute("BEGIN IMMEDIATE")
        close = PlaceOrder("x1", "BTCUSDT", -1, Decimal("0.001"), "Market", "IOC", True, "close")
        return [entry("e1"), close]

    venue, trader = Venue(), Scripted(script)
    await run(venue, trader, tmp_path, duration_s=1.0)
    locks[0].close()
    assert [order["orderLinkId"] for order in venue.created] == ["x1"]
    results = {result.id: result.code for result in trader.of(CommandResult)}
    assert results == {"e1": NO_JOURNAL, "x1": 0}


async def test_a_bug_in_the_trader_ends_the_run_in_one_line(tmp_path: Path) -> None:
    def script(trader: Scripted, event: Any) -> Sequence[Any]:
        if isinstance(event, StreamStatus):
            raise ZeroDivisionError("key-of-test / 0")
        return []

    summary = await run(Venue(), Scripted(script), tmp_path, duration_s=None)
    assert summary.failed
    assert "ZeroDivisionError: *** / 0" in summary.reason
    assert readers.notes(tmp_path, "failed")[0]["meaning"] == "positions keep their venue stops"
    assert b"key-of-test" not in (tmp_path / FILE).read_bytes()


async def test_s30_an_order_refused_for_the_keys_sake_halts_the_trader_until_a_person_says_so(
    tmp_path: Path,
) -> None:
    def script(trader: Scripted, event: Any) -> Sequence[Any]:
        return (
            [entry("e1")]
            if isinstance(event, StreamStatus) and event.stream == "private" and event.up
            else []
        )

    venue, trader = Venue(), Scripted(script)
    venue.on_create = lambda: {"retCode": 10005, "retMsg": "Permission denied", "result": {}}
    await run(venue, trader, tmp_path)
    (halt,) = [event for event in trader.of(Control) if event.verb == "halt"]
    assert halt.by == "the venue: the key lacks this permission (10005)"


async def test_s22_a_lost_feed_voids_the_book_and_comes_back(tmp_path: Path) -> None:
    venue = Venue()

    def script(trader: Scripted, event: Any) -> Sequence[Any]:
        if isinstance(event, MarketRows) and len(venue.sockets) == 2:
            for socket in venue.sockets:
                socket.transport.abort()
        return []

    trader = Scripted(script)
    await run(venue, trader, tmp_path, duration_s=1.5)
    kinds = [int(event.rows["kind"][0]) & KIND_MASK for event in trader.of(MarketRows)]
    assert GAP in kinds
    assert kinds[kinds.index(GAP) :].count(TRADE) >= 1
    public = [status.up for status in trader.of(StreamStatus) if status.stream == "public"]
    assert public[:3] == [True, False, True]


async def test_the_timer_follows_the_traders_wishes(tmp_path: Path) -> None:
    def script(trader: Scripted, event: Any) -> Sequence[Any]:
        if isinstance(event, StreamStatus | Clock):
            trader.due = event.ts + 50_000_000
        return []

    trader = Scripted(script)
    await run(Venue(), trader, tmp_path, duration_s=1.0)
    ticks = [event.ts for event in trader.of(Clock)]
    assert 8 <= len(ticks) <= 21
    assert min(np.diff(ticks)) >= 50_000_000


async def test_stop_and_status_over_the_control_port(tmp_path: Path) -> None:
    trader = Scripted(nothing)
    task = asyncio.create_task(run(Venue(), trader, tmp_path, duration_s=None))
    while not (tmp_path / "control.json").exists():  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    status = await asyncio.to_thread(ask, tmp_path, "status")
    assert status["mode"] == "paper"
    await asyncio.to_thread(ask, tmp_path, "stop")
    assert (await task).reason == "stop by somebody (control)"


async def test_an_unknown_symbol_is_named_before_anything_starts(tmp_path: Path) -> None:
    async with Venue().up() as endpoints:
        settings = DaemonSettings(endpoints, Keys("k" * 8, "s" * 8), ("NOSUCHUSDT",), tmp_path)
        with pytest.raises(InputError, match="NOSUCHUSDT"):
            await Shell(settings, Policy(), None, build=Scripted(nothing).build).run()


async def test_the_real_trader_recovers_and_stops_around_it(tmp_path: Path) -> None:
    venue = Venue()
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
async def test_sigterm_and_sigusr1_reach_the_trader_positions_left_or_closed_as_on_term_says(
    tmp_path: Path, rules: dict[str, str], leave: bool
) -> None:
    def script(trader: Scripted, event: Any) -> Sequence[Any]:
        if isinstance(event, StreamStatus) and event.stream == "private":
            os.kill(os.getpid(), signal.SIGUSR1)
        if isinstance(event, Control) and event.verb == "flatten":
            os.kill(os.getpid(), signal.SIGTERM)
        return []

    trader = Scripted(script)
    summary = await run(Venue(), trader, tmp_path, duration_s=None, policy=Policy.from_env(rules))
    assert summary.reason == "stop by SIGTERM"
    assert [(event.verb, event.by) for event in trader.of(Control)] == [
        ("flatten", "SIGUSR1"),
        ("stop", "SIGTERM"),
    ]
    assert trader.of(Control)[1].args == {"leave": leave}


async def test_s47_once_another_holds_a_higher_epoch_nothing_leaves_and_the_daemon_ends(
    tmp_path: Path,
) -> None:
    def script(trader: Scripted, event: Any) -> Sequence[Any]:
        if isinstance(event, StreamStatus) and event.stream == "private" and event.up:
            assert Lease(tmp_path, GUARD).take()
            return [entry("e1")]
        return []

    venue, trader = Venue(), Scripted(script)
    summary = await run(venue, trader, tmp_path, duration_s=10)
    assert (summary.reason, summary.failed) == ("fenced: the guard holds epoch 2", True)
    assert venue.created == []
    assert readers.overview(tmp_path)["intents"] in ({"rejected": 1}, {"open": 1})


async def test_s47_a_trader_that_hung_loses_the_lease_and_reads_the_venue_again_before_it_goes_on(
    tmp_path: Path,
) -> None:
    def script(trader: Scripted, event: Any) -> Sequence[Any]:
        if isinstance(event, StreamStatus) and event.stream == "private" and event.up:
            time.sleep(0.6)
            return [entry("e1")]
        return []

    venue, trader = Venue(), Scripted(script)
    rules = LeaseRules(renew_ns=0, fence_ns=500_000_000, window_ns=500_000_000)
    summary = await run(venue, trader, tmp_path, duration_s=2.0, lease=rules)
    assert not summary.failed
    assert [event.epoch for event in trader.of(Woken)] == [2]
    assert readers.notes(tmp_path, "lease-out")
