"""Rows of records in the journal: which fields and symbols they were written with, and outcomes read back by them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from turbo_trader.market.events import Rows
from turbo_trader.rules.outcomes import OUTCOME

Layouts = dict[int, tuple[list[str], np.dtype[Any]]]


def described(dtype: np.dtype[Any]) -> list[Any]:
    """A record dtype as JSON: name, type and shape of each field."""
    found = []
    for name in dtype.names or ():
        kind = dtype[name]
        base, shape = kind.subdtype if kind.subdtype is not None else (kind, ())
        found.append([name, base.str, list(shape)])
    return found


def layout(db: sqlite3.Connection, symbols: Sequence[str], dtype: np.dtype[Any]) -> int:
    """The number under which rows of these symbols with these fields are written."""
    key = (json.dumps(list(symbols)), json.dumps(described(dtype)))
    db.execute("INSERT OR IGNORE INTO layouts (symbols, fields) VALUES (?, ?)", key)
    found = db.execute("SELECT n FROM layouts WHERE symbols = ? AND fields = ?", key).fetchone()
    return int(found[0])


def layouts(db: sqlite3.Connection) -> Layouts:
    """Symbols and record dtype of every layout, by number."""
    rows = db.execute("SELECT n, symbols, fields FROM layouts").fetchall()
    return {n: (json.loads(symbols), _dtype(json.loads(fields))) for n, symbols, fields in rows}


def read_outcomes(db: sqlite3.Connection, symbols: Sequence[str] | None = None) -> tuple[list[str], Rows]:
    """Every outcome, oldest first, `symbol` an index into the symbols returned: `symbols`, or all there are in their order.

    Outcomes of other symbols, and those written with other fields, are left out. A journal of a version without outcomes has none.
    """
    names = list(symbols or ())
    there = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'outcomes'").fetchone()
    found = [np.zeros(0, OUTCOME)]
    known = layouts(db) if there else {}
    for number, blob in db.execute("SELECT symbols, rows FROM outcomes ORDER BY n") if there else ():
        written, dtype = known[number]
        if dtype != OUTCOME:
            continue
        names += [name for name in written if symbols is None and name not in names]
        place = np.array([names.index(name) if name in names else -1 for name in written])
        rows = np.frombuffer(blob, OUTCOME).copy()
        rows["symbol"] = place[rows["symbol"]]
        found.append(rows[rows["symbol"] >= 0])
    return names, cast("Rows", np.concatenate(found))


def _dtype(fields: list[Any]) -> np.dtype[Any]:
    return np.dtype([(name, kind, tuple(shape)) if shape else (name, kind) for name, kind, shape in fields])
