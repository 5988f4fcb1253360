"""The journal's tables. What an earlier version wrote is brought to this one by `migrations`; a newer one is refused."""

from __future__ import annotations

from typing import Final

FILE: Final = "journal.sqlite"
VERSION: Final = 3  # 2: scans packed together, deflated events; 3: rows of `state` as in `trader.persisted`
NEEDED: Final = frozenset(
    {"meta", "boots", "intents", "state", "events", "notes", "scans", "layouts"}
)  # tables of every one

TABLES: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS boots (boot TEXT PRIMARY KEY, ts INTEGER NOT NULL, mode TEXT NOT NULL, pid INTEGER NOT NULL,
    ended INTEGER, reason TEXT);
CREATE TABLE IF NOT EXISTS intents (id TEXT PRIMARY KEY, boot TEXT NOT NULL, ts INTEGER NOT NULL, kind TEXT NOT NULL,
    symbol TEXT NOT NULL, command BLOB NOT NULL, outcome TEXT, code INTEGER, message TEXT, outcome_ts INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, ts INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (n INTEGER PRIMARY KEY, ts INTEGER NOT NULL, kind TEXT NOT NULL, event BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS notes (n INTEGER PRIMARY KEY, ts INTEGER NOT NULL, name TEXT NOT NULL, level TEXT NOT NULL,
    fields BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS notes_name ON notes (name, ts);
CREATE TABLE IF NOT EXISTS scans (n INTEGER PRIMARY KEY, boot TEXT NOT NULL, ts INTEGER NOT NULL, symbols INTEGER NOT NULL,
    rows BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS scans_ts ON scans (ts);
CREATE TABLE IF NOT EXISTS outcomes (n INTEGER PRIMARY KEY, ts INTEGER NOT NULL, symbols INTEGER NOT NULL, rows BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS layouts (n INTEGER PRIMARY KEY, symbols TEXT NOT NULL, fields TEXT NOT NULL,
    UNIQUE (symbols, fields));
"""

GUARD: Final = "guard"  # in `mode` of a start: the guard's
ADOPTED: Final = "adopted"  # of another journal, whose orders a person has declared to be ours
MONEY: Final = (
    "fill",
    "funding",
    "transfer",
    "discrepancy",
    "trade",
)  # notes by which a wallet changes, or a trade ends
