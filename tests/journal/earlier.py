"""Journals as earlier versions left them: the tables of each schema there has been, with a halted session and an open position."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from pathlib import Path
from typing import Any, Final

import numpy as np

from turbo_trader.journal.connection import open_file
from turbo_trader.journal.layouts import described, layout, layouts
from turbo_trader.journal.packing import whole
from turbo_trader.journal.schema import FILE
from turbo_trader.rules.scan import SCAN

SYMBOLS: Final = ("BTCUSDT", "ETHUSDT")

_FIRST: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE boots (boot TEXT PRIMARY KEY, ts INTEGER NOT NULL, mode TEXT NOT NULL, pid INTEGER NOT NULL,
    ended INTEGER, reason TEXT);
CREATE TABLE intents (id TEXT PRIMARY KEY, boot TEXT NOT NULL, ts INTEGER NOT NULL, kind TEXT NOT NULL,
    symbol TEXT NOT NULL, command BLOB NOT NULL, outcome TEXT, code INTEGER, message TEXT, outcome_ts INTEGER);
CREATE INDEX intents_open ON intents (ts) WHERE outcome IS NULL;
CREATE TABLE state (key TEXT PRIMARY KEY, ts INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE events (n INTEGER PRIMARY KEY, ts INTEGER NOT NULL, kind TEXT NOT NULL, event BLOB NOT NULL);
CREATE TABLE notes (n INTEGER PRIMARY KEY, ts INTEGER NOT NULL, name TEXT NOT NULL, level TEXT NOT NULL,
    fields BLOB NOT NULL);
CREATE INDEX notes_name ON notes (name, ts);
CREATE TABLE scans (n INTEGER PRIMARY KEY, boot TEXT NOT NULL, ts INTEGER NOT NULL, symbols INTEGER NOT NULL,
    rows BLOB NOT NULL);
CREATE INDEX scans_ts ON scans (ts);
CREATE TABLE layouts (n INTEGER PRIMARY KEY, symbols TEXT NOT NULL, fields TEXT NOT NULL, UNIQUE (symbols, fields));
"""
_OUTCOMES: Final = """
CREATE TABLE outcomes (n INTEGER PRIMARY KEY, ts INTEGER NOT NULL, symbols INTEGER NOT NULL, rows BLOB NOT NULL);
"""
_SHORT_INTENTS: Final = (
    _FIRST.replace("outcome_ts INTEGER);", "outcome_ts INTEGER) WITHOUT ROWID;").replace(
        "CREATE INDEX intents_open ON intents (ts) WHERE outcome IS NULL;", ""
    )
    + _OUTCOMES
)
#: Every schema that a release or a commit of the project has written, by its version and what set it apart.
SCHEMAS: Final[dict[str, tuple[int, str]]] = {
    "1, without outcomes": (1, _FIRST),
    "1, with outcomes": (1, _FIRST + _OUTCOMES),
    "1, intents by their id": (1, _SHORT_INTENTS),
    "2": (2, _SHORT_INTENTS),
}

STATE: Final[dict[str, dict[str, Any]]] = {
    "session": {"halted": "a person", "peak": "19.20", "start": "18"},
    "position:BTCUSDT": {
        "held": "0.001",
        "trade": {"entry_id": "tt-beef-1-entry"},
        "bracket": {"stop": "59000"},
    },
    "counts": {"trades": 7, "evidence": {"trades": 7, "mean": 0.0001}},
    "ledger": {
        "start": "18",
        "results": "1.2",
        "fees": "0.3",
        "funding": "0",
        "seen": ["e1"],
        "last_fill_ts": 5,
    },
}


def write(folder: Path, schema: str, scans: int = 45) -> Path:
    """A journal of that schema with `scans` scans, whose last life was killed."""
    version, tables = SCHEMAS[schema]
    path = folder / FILE
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(tables)
        db.execute(f"PRAGMA user_version = {version}")
        db.execute("INSERT INTO boots VALUES ('beef', 1, 'live', 7, NULL, NULL)")
        for key, value in STATE.items():
            db.execute("INSERT INTO state VALUES (?, 5, ?)", (key, json.dumps(value).encode()))
        for name, outcome in (("tt-beef-1-entry", "confirmed"), ("tt-beef-2-close", None)):
            command = json.dumps({"id": name, "reduce_only": outcome is None}).encode()
            values = (name, "beef", 4, "PlaceOrder", "BTCUSDT", command, outcome)
            db.execute(
                "INSERT INTO intents (id, boot, ts, kind, symbol, command, outcome) VALUES (?, ?, ?, ?, ?, ?, ?)",
                values,
            )
        db.execute(
            "INSERT INTO notes (ts, name, level, fields) VALUES (5, 'halt', 'warning', ?)",
            (b'{"what":"a person"}',),
        )
        db.execute("INSERT INTO events (ts, kind, event) VALUES (5, 'Control', ?)", (b'{"verb":"halt"}',))
        layout = (json.dumps(list(SYMBOLS)), json.dumps(described(SCAN)))
        db.execute("INSERT INTO layouts (n, symbols, fields) VALUES (1, ?, ?)", layout)
        for n in range(scans):
            rows = np.zeros(2, SCAN)
            rows["ev"] = (n, -n)
            db.execute(
                "INSERT INTO scans (boot, ts, symbols, rows) VALUES ('beef', ?, 1, ?)", (n, rows.tobytes())
            )
        db.commit()
    return path


def downgraded(path: Path) -> None:
    """Make a closed journal of this version what version 1 would have written: nothing packed, intents by row number."""
    with contextlib.closing(open_file(path)) as db:
        db.execute("BEGIN")
        known = layouts(db)
        for n, ts, number, value in db.execute(
            "SELECT n, ts, symbols, rows FROM scans ORDER BY n"
        ).fetchall():
            if not known[number].together:
                continue
            plain = layout(db, known[number].symbols, known[number].dtype)
            db.execute("DELETE FROM scans WHERE n = ?", (n,))
            scans = [
                (n + k, at, plain, rows.tobytes())
                for k, (at, rows) in enumerate(known[number].read(ts, value))
            ]
            db.executemany(
                "INSERT OR REPLACE INTO scans (n, boot, ts, symbols, rows) VALUES (?, 'beef', ?, ?, ?)", scans
            )
        db.execute("DELETE FROM layouts WHERE fields LIKE '{%'")
        for n, value in db.execute("SELECT n, event FROM events").fetchall():
            db.execute("UPDATE events SET event = ? WHERE n = ?", (whole(value), n))
        db.execute("ALTER TABLE intents RENAME TO intents_2")
        for statement in _FIRST.split(";"):
            if "intents" in statement:
                db.execute(statement)
        db.execute("INSERT INTO intents SELECT * FROM intents_2")
        db.execute("DROP TABLE intents_2")
        db.execute("DELETE FROM meta WHERE key LIKE 'trimmed %'")
        db.execute("PRAGMA user_version = 1")
        db.execute("COMMIT")
