"""What a journal keeps across restarts, and how its last run ended. Light: without numpy, for `status`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from turbo_trader.journal.address import place
from turbo_trader.journal.opening import reading
from turbo_trader.journal.schema import ADOPTED, GUARD

_SCANS: Final = (
    "SELECT l.fields, count(*) FROM scans s JOIN layouts l ON l.n = s.symbols GROUP BY l.n, l.fields"
)


def state(folder: Path) -> dict[str, dict[str, Any]]:
    """What is kept across restarts, by key."""
    with reading(folder) as db:
        rows = db.execute("SELECT key, value FROM state").fetchall() if db is not None else []
        return {key: json.loads(value) for key, value in rows}


def overview(folder: Path) -> dict[str, Any]:
    """Starts, intents by outcome, counts of everything, the last boot and how it ended."""
    with reading(folder) as db:
        if db is None:
            return {
                "journal": str(place(folder)),
                "boots": 0,
                "scans": 0,
                "events": 0,
                "notes": 0,
                "intents": {},
            }
        counts = {
            table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - fixed names
            for table in ("events", "notes")
        }
        counts["scans"] = sum(_together(fields) * count for fields, count in db.execute(_SCANS))
        daemons = f"FROM boots WHERE mode NOT IN ('{GUARD}', '{ADOPTED}')"
        boots = db.execute(f"SELECT count(*) {daemons}").fetchone()[0]
        outcomes = dict(
            db.execute("SELECT coalesce(outcome, 'open'), count(*) FROM intents GROUP BY 1").fetchall()
        )
        boot = db.execute(
            f"SELECT boot, ts, mode, pid, ended, reason {daemons} ORDER BY ts DESC LIMIT 1"
        ).fetchone()
    last = dict(zip(("boot", "ts", "mode", "pid", "ended", "reason"), boot, strict=True)) if boot else None
    return {"journal": str(place(folder)), "boots": boots, **counts, "intents": outcomes, "last_boot": last}


def _together(fields: str) -> int:
    """A value may hold many scans (`packing`): its layout says how many."""
    found = json.loads(fields)
    return int(found["scans"]) if isinstance(found, dict) else 1
