"""A journal with a row of every kind, and all that the verbs read of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
from tests.sent_orders import entry

from turbo_trader.journal import readers
from turbo_trader.journal.export import tables
from turbo_trader.journal.health import integrity
from turbo_trader.journal.store import Journal
from turbo_trader.rules.outcomes import OUTCOME
from turbo_trader.rules.scan import SCAN
from turbo_trader.trader.commands import Note, Persist, Resolved, Scanned
from turbo_trader.trader.events import CommandResult, Control, Outcome

SYMBOLS = ("BTCUSDT", "ETHUSDT")
FILL = {"symbol": "BTCUSDT", "result": "1.5", "fee": "0.1"}


def rows(ev: float) -> Any:
    made = np.zeros(len(SYMBOLS), SCAN)
    made["ev"] = ev
    return made


def write_something(journal: Journal) -> None:
    """A row of every kind."""
    journal.intent(1, entry("e1"))
    journal.persist(Persist(2, "session", {"halted": "a person"}))
    journal.note(Note(3, "fill", "info", FILL))
    journal.event(Control(4, "halt", "a person" * 20))
    journal.scanned(Scanned(5, rows(0.25)))
    journal.resolved(Resolved(6, np.ones(2, OUTCOME)))
    journal.flush()
    journal.outcome(CommandResult(ts=7, id="e1", outcome=Outcome.CONFIRMED, code=0, message="OK"))
    journal.commit()


def read_everything(folder: Path) -> dict[str, Any]:
    """As the verbs read it."""
    found = {
        "state": readers.state(folder), "notes": readers.notes(folder), "named": readers.notes_named(folder, ("fill",)),
        "events": list(readers.events(folder, ("Control",))), "count": readers.count_notes(folder, "fill"),
        "between": readers.notes_between(folder, "BTCUSDT", 0, 9), "by row": readers.state_by_row(folder),
        "scans": [float(row["ev"]) for row in readers.scans(folder, "ETHUSDT", 2)],
        "all": [(ts, names, float(found["ev"][0])) for ts, names, found in readers.all_scans(folder)],
        "outcomes": readers.outcomes(folder)[1].tobytes(), "tables": tables(folder), "sound": integrity(folder),
    }  # fmt: skip
    counts = readers.overview(folder)
    del counts["journal"], counts["last_boot"]
    return {**found, "overview": counts}


def money(folder: Path) -> list[str]:
    return [note["result"] for note in readers.notes_named(folder, ("fill",))]


def again(journal: Journal) -> None:
    """As the daemon's upkeep, until it is back."""
    until = time.monotonic() + 60
    journal.revive()
    while not journal.probe():
        assert time.monotonic() < until, journal.failed
        time.sleep(0.1)
        journal.revive()


def write_more(journal: Journal) -> None:
    journal.note(Note(20, "fill", "info", FILL))
    journal.commit()
    journal.close(21, "test")
