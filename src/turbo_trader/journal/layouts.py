"""Rows of records in the journal: which fields and symbols they were written with, and outcomes read back by them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from turbo_trader.journal.connection import Tables
from turbo_trader.journal.packing import unpack
from turbo_trader.market.rows import Rows
from turbo_trader.rules.outcomes import OUTCOME


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of a value were written. `together`: scans packed into one value; 0: one, as it was in memory."""

    symbols: list[str]
    dtype: np.dtype[Any]
    together: int

    def read(self, ts: int, value: bytes) -> list[tuple[int, Rows]]:
        """The scans of a value that was written at `ts` (ns): the time of each and its rows, oldest first."""
        if not self.together:
            return [(ts, np.frombuffer(value, self.dtype))]
        times, rows = unpack(value, self.dtype.itemsize)
        parts = np.frombuffer(rows, self.dtype).reshape(len(times), -1)
        return list(zip(times, parts, strict=True))


Layouts = dict[int, Layout]


def described(dtype: np.dtype[Any]) -> list[Any]:
    """A record dtype as JSON: name, type and shape of each field."""
    found = []
    for name in dtype.names or ():
        kind = dtype[name]
        base, shape = kind.subdtype if kind.subdtype is not None else (kind, ())
        found.append([name, base.str, list(shape)])
    return found


def layout(db: Tables, symbols: Sequence[str], dtype: np.dtype[Any], together: int = 0) -> int:
    """The number under which rows of these symbols with these fields are written, `together` scans in a value (0: one)."""
    fields: Any = described(dtype)
    if together:
        fields = {"scans": together, "fields": fields}
    key = (json.dumps(list(symbols)), json.dumps(fields))
    db.execute("INSERT INTO layouts (symbols, fields) VALUES (?, ?) ON CONFLICT DO NOTHING", key)
    found = db.execute("SELECT n FROM layouts WHERE symbols = ? AND fields = ?", key).fetchone()
    return int(found[0])


def layouts(db: Tables) -> Layouts:
    """Symbols and record dtype of every layout, by number."""
    rows = db.execute("SELECT n, symbols, fields FROM layouts").fetchall()
    return {n: _layout(json.loads(symbols), json.loads(fields)) for n, symbols, fields in rows}


def read_outcomes(db: Tables, symbols: Sequence[str] | None = None) -> tuple[list[str], Rows]:
    """Every outcome, oldest first, `symbol` an index into the symbols returned: `symbols`, or all there are in their order.

    Outcomes of other symbols, and those written with other fields, are left out. A journal of a version without outcomes has none.
    """
    names = list(symbols or ())
    there = "outcomes" in db.tables()
    found = [np.zeros(0, OUTCOME)]
    known = layouts(db) if there else {}
    for number, blob in db.execute("SELECT symbols, rows FROM outcomes ORDER BY n") if there else ():
        written = known[number].symbols
        if known[number].dtype != OUTCOME:
            continue
        names += [name for name in written if symbols is None and name not in names]
        place = np.array([names.index(name) if name in names else -1 for name in written])
        rows = np.frombuffer(blob, OUTCOME).copy()
        rows["symbol"] = place[rows["symbol"]]
        found.append(rows[rows["symbol"] >= 0])
    return names, cast("Rows", np.concatenate(found))


def _layout(symbols: list[str], fields: Any) -> Layout:
    packed = isinstance(fields, dict)
    dtype = record_of(fields["fields"] if packed else fields)
    return Layout(symbols, dtype, int(fields["scans"]) if packed else 0)


def record_of(fields: list[Any]) -> np.dtype[Any]:
    """The record dtype that `described` describes."""
    return np.dtype([(name, kind, tuple(shape)) if shape else (name, kind) for name, kind, shape in fields])
