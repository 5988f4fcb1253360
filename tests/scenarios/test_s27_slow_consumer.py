"""S27: what comes faster than it is taken in never grows memory without bound, and nothing of the account is lost for it."""

from __future__ import annotations

import asyncio
import json
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.canned_servers import listening
from websockets.asyncio.server import ServerConnection

from turbo_trader.bybit.endpoints import Keys
from turbo_trader.bybit.streams import Stream, StreamConfig
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.store import Journal
from turbo_trader.live.feeds import PrivateFeed
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.trader.commands import Note, Persist
from turbo_trader.trader.events import Fill


async def test_s27_a_slow_consumer_leaves_frames_to_the_sockets_flow_control() -> None:
    frame, frames = '{"topic":"orderbook.50.BTCUSDT","data":"' + "x" * 16_000 + '"}', 3_000
    sent = taken = most = 0

    async def flood(
        socket: ServerConnection,
    ) -> None:  # the simulated exchange disconnects who is so slow
        nonlocal sent
        asked = json.loads(await socket.recv())
        await socket.send(json.dumps({"success": True, "op": asked["op"]}))
        for _ in range(frames):
            await socket.send(frame)
            sent += 1
        await socket.wait_closed()

    def take(raws: list[bytes]) -> None:
        nonlocal taken, most
        time.sleep(0.0002 * len(raws))
        taken += len(raws)
        most = max(most, sent - taken)

    async with listening(flood) as url:
        stream = Stream(
            StreamConfig(url, ("orderbook.50.BTCUSDT",)),
            on_frames=take, on_up=lambda: None, on_down=lambda _: None, now_ms=lambda: 0,
        )  # fmt: skip
        run = asyncio.create_task(stream.run())
        async with asyncio.timeout(30):
            while taken < frames:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        run.cancel()
    assert most < 1_000  # 16 MB: the sockets' buffers, of 48 MB in all
    assert stream.connections == 1  # none was dropped for it


async def test_s27_private_messages_wait_for_nobody_and_none_is_dropped() -> None:
    heard: list[Any] = []
    feed = PrivateFeed("ws://nowhere", Keys("k", "s"), VenueClock(), heard.append, lambda *_: None)
    for n in range(5_000):
        feed._take(
            [
                b'{"topic":"execution","data":[{"symbol":"BTCUSDT","execId":"%d","side":"Buy","execQty":"1","execPrice":"2"}]}'
                % n
            ]
        )
        assert (
            len(heard) == n + 1
        )  # delivered before the next is read: what is not read waits in the socket's own buffer
    assert [event.exec_id for event in heard if isinstance(event, Fill)] == [str(n) for n in range(5_000)]


def test_s27_a_journal_that_cannot_be_written_keeps_newest_state_and_lets_rest_go(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path, ["BTCUSDT"])
    journal._db.execute("PRAGMA query_only = 1")  # as a full disk: every write fails
    try:
        longest = 0
        for n in range(30_000):
            journal.note(Note(n, "line", "info", {"n": n}))
            if n % 100 == 0:
                journal.persist(Persist(n, "ledger", {"n": Decimal(n)}))
                with pytest.raises(JournalError):
                    journal.flush()
            longest = max(longest, len(journal._due))
        assert longest <= 10_200
        journal._db.execute("PRAGMA query_only = 0")
        journal.flush()
        assert (journal.restored() or {})["ledger"] == {"n": "29900"}
    finally:
        journal.close(0, "end")
