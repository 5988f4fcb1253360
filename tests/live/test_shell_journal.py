"""What the daemon writes before anything leaves, and does where nothing can be written."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tests.sent_orders import close, entry

from turbo_trader.bybit.venue_errors import NO_JOURNAL
from turbo_trader.journal import readers
from turbo_trader.journal.schema import FILE
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.outcomes import OUTCOME
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.figures import WEIGHED
from turbo_trader.trader.commands import Persist, Resolved
from turbo_trader.trader.events import (
    CommandResult,
    Outcome,
    StreamStatus,
)
from turbo_trader.trader.persisted import BOOTS, INTENTS, OUTCOMES


async def test_the_intent_is_on_disk_before_the_request_leaves(shells: Any, tmp_path: Path) -> None:
    found: list[Any] = []

    def on_create() -> dict[str, Any]:
        with sqlite3.connect(tmp_path / FILE) as db:
            found.extend(db.execute("SELECT id, outcome FROM intents").fetchall())
            found.extend(db.execute("SELECT key FROM state").fetchall())
        return {"retCode": 10016, "retMsg": "Server error", "result": {}}

    venue = shells.Venue()
    venue.on_create = on_create
    trader = shells.Scripted(
        lambda t, e: (
            [Persist(e.ts, "orders", {"e1": 1}), shells.entry("e1")]
            if isinstance(e, StreamStatus) and e.stream == "private"
            else []
        )
    )
    await shells.run(venue, trader, tmp_path)
    assert found == [("e1", None), ("orders",)]
    assert trader.of(CommandResult)[0].outcome is Outcome.UNKNOWN
    again = shells.Scripted(shells.nothing)
    await shells.run(shells.Venue(), again, tmp_path, duration_s=0.1)
    assert again.restored is not None
    assert again.restored["orders"] == {"e1": 1}
    assert [item["id"] for item in again.restored[INTENTS]["unresolved"]] == ["e1"]
    assert len(again.restored[BOOTS]["nonces"]) == 2
    assert len(venue.created) == 1


async def test_outcomes_are_journaled_and_come_back(shells: Any, tmp_path: Path) -> None:
    rows = np.zeros(3, OUTCOME)
    rows["forecasts"][:, WEIGHED] = (0.001, -0.002, 0.003)
    await shells.run(shells.Venue(), shells.Scripted(lambda t, e: [Resolved(e.ts, rows)]), tmp_path)
    found = readers.outcomes(tmp_path)[1]
    assert (found[:3] == rows).all()
    for belief in Belief:
        again = shells.Scripted(shells.nothing)
        await shells.run(shells.Venue(), again, tmp_path, policy=Policy(belief=belief), duration_s=0.1)
        assert again.restored is not None
        assert (again.restored[OUTCOMES]["rows"] == found).all()


async def test_s39_without_a_journal_no_entry_leaves_but_exits_do(shells: Any, tmp_path: Path) -> None:
    locks: list[sqlite3.Connection] = []

    def script(trader: Any, event: Any) -> Sequence[Any]:
        if not (isinstance(event, StreamStatus) and event.stream == "private" and event.up):
            return []
        locks.append(sqlite3.connect(tmp_path / FILE, isolation_level=None))
        locks[0].execute("BEGIN IMMEDIATE")
        return [entry(), close()]

    venue, trader = shells.Venue(), shells.Scripted(script)
    await shells.run(venue, trader, tmp_path, duration_s=1.0)
    locks[0].close()
    assert [order["orderLinkId"] for order in venue.created] == ["x1"]
    results = {result.id: result.code for result in trader.of(CommandResult)}
    assert results == {"e1": NO_JOURNAL, "x1": 0}
