"""S10 over the trade socket: on disk before it is handed over, unknown when nothing comes back, never sent again by REST."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.journal import readers
from turbo_trader.journal.schema import FILE
from turbo_trader.trader.commands import Persist
from turbo_trader.trader.events import Clock, CommandResult, Fill, Outcome

pytestmark = pytest.mark.clock  # the trade socket must be up in time
Play = Callable[..., Any]


def intents(folder: Path) -> list[tuple[str, str | None]]:
    with sqlite3.connect(folder / FILE) as db:
        return db.execute("SELECT id, outcome FROM intents").fetchall()


@pytest.fixture
def play(shells: Any, tmp_path: Path) -> Play:
    """Let the daemon send one entry once its trade socket is up; returns Trader, venue, summary and what was on disk by then."""

    async def run(answer: Callable[[Any, Any, str], Any]) -> tuple[Any, Any, Any, list[Any]]:
        venue = shells.Venue()
        stream, found = venue.stream, []

        async def serve(socket: Any) -> None:
            if socket.request.path != "/v5/trade":
                await stream(socket)
                return
            async for raw in socket:
                asked = json.loads(raw)
                if asked["op"] != "order.create":
                    await socket.send(json.dumps({"retCode": 0, "op": asked["op"]}))
                    continue
                found.extend(intents(tmp_path))
                with sqlite3.connect(tmp_path / FILE) as db:
                    found.extend(db.execute("SELECT key FROM state").fetchall())
                await answer(venue, socket, asked["reqId"])

        def script(trader: Any, event: Any) -> list[Any]:
            if trader.due > event.ts + 10**12:
                trader.due = event.ts + 300_000_000
            elif isinstance(event, Clock) and trader.due <= event.ts:
                trader.due = event.ts + 10**11
                return [Persist(event.ts, "orders", {"e1": 1}), shells.entry("e1")]
            return []

        venue.stream = serve
        trader = shells.Scripted(script)
        async with venue.up() as endpoints:
            settings = shells.DaemonSettings(
                endpoints, shells.Keys("key-of-test", "secret-of-test"), ("BTCUSDT",), tmp_path, duration_s=1.2,
                order_entry="websocket",
            )  # fmt: skip
            summary = await shells.Shell(
                settings, shells.Policy(), None, build=trader.build, decoder=lambda _: shells.OneTrade()
            ).run()
        assert not summary.failed, summary.reason
        return trader, venue, summary, found

    return run


async def test_s10_intent_and_state_are_on_disk_before_an_order_is_handed_to_trade_socket(
    play: Play, tmp_path: Path
) -> None:
    async def accept(venue: Any, socket: Any, req_id: str) -> None:
        await socket.send(json.dumps({"reqId": req_id, "retCode": 0, "retMsg": "OK", "data": {}}))

    trader, venue, summary, found = await play(accept)
    assert found == [("e1", None), ("orders",)]
    assert trader.of(CommandResult)[0].outcome is Outcome.CONFIRMED
    assert venue.created == []
    assert readers.overview(tmp_path)["intents"] == {"confirmed": 1}
    assert summary.daemon["order_entry"] == "rest"  # it has ended
    (note,) = readers.notes(tmp_path, "order-entry")
    assert note["way"] == "websocket"


async def test_s10_a_socket_that_dies_with_order_leaves_it_unknown_in_journal_and_off_rest(
    play: Play, tmp_path: Path
) -> None:
    async def die(venue: Any, socket: Any, req_id: str) -> None:
        socket.transport.abort()

    trader, venue, _, found = await play(die)
    assert found[0] == ("e1", None)
    assert [result.outcome for result in trader.of(CommandResult)] == [Outcome.UNKNOWN]
    assert venue.created == []
    assert intents(tmp_path) == [("e1", "unknown")]


@pytest.mark.parametrize("fill_first", [True, False])
async def test_s12_the_answer_and_the_fill_come_by_two_sockets_in_any_order(
    play: Play, shells: Any, fill_first: bool
) -> None:
    item = {"symbol": "BTCUSDT", "execId": "f1", "orderLinkId": "e1", "side": "Buy", "execQty": "0.001",
            "execPrice": "60000", "execType": "Trade"}  # fmt: skip
    fill = json.dumps({"topic": "execution", "creationTime": shells.NOW_MS, "data": [item]})

    async def both(venue: Any, socket: Any, req_id: str) -> None:
        answer = json.dumps({"reqId": req_id, "retCode": 0, "retMsg": "OK", "data": {}})
        private = next(each for each in venue.sockets if each.request.path == "/v5/private")
        ways = [(private, fill), (socket, answer)]
        for way, text in ways if fill_first else reversed(ways):
            await way.send(text)
            await (await way.ping())  # it has been read

    trader, _, _, _ = await play(both)
    heard = [event for event in trader.events if isinstance(event, CommandResult | Fill)]
    ours = [type(event) for event in heard if isinstance(event, CommandResult) or event.exec_id == "f1"]
    assert ours == ([Fill, CommandResult] if fill_first else [CommandResult, Fill])
