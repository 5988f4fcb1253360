"""Reading a journal, also while a daemon writes it. A missing or empty journal is an answer, not an error."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from turbo_trader.journal.kept_state import overview as overview  # noqa: PLC0414 - readers has all there is to read
from turbo_trader.journal.kept_state import state as state  # noqa: PLC0414
from turbo_trader.journal.layouts import Layouts, layouts, read_outcomes
from turbo_trader.journal.opening import reading
from turbo_trader.journal.packing import whole
from turbo_trader.market.errors import InputError
from turbo_trader.market.names import nearest
from turbo_trader.market.rows import Rows
from turbo_trader.rules.outcomes import OUTCOME


def scans(folder: Path, symbol: str, last: int, until: int | None = None) -> list[np.void]:
    """The last scan rows of one symbol (up to and with `until`, ns), oldest first, with the fields they were written with.

    [] where there are none. InputError when the journal never scanned the symbol though it scanned others.
    """
    with reading(folder) as db:
        if db is None:
            return []
        known = layouts(db)
        if known and not any(symbol in each.symbols for each in known.values()):
            names = _all(known)
            raise InputError(
                f"{symbol}: not among the {len(names)} symbols of this journal{nearest(symbol, names)}"
            )
        found: list[np.void] = []
        most = until if until is not None else 2**62
        for ts, number, value in db.execute(
            "SELECT ts, symbols, rows FROM scans WHERE ts <= ? ORDER BY ts DESC, n DESC", (most,)
        ):
            layout = known[number]
            if symbol in layout.symbols:
                place = layout.symbols.index(symbol)
                found += [rows[place] for at, rows in reversed(layout.read(ts, value)) if at <= most]
            if len(found) >= last:
                break
        return found[:last][::-1]


def all_scans(folder: Path, since: int = 0) -> Iterator[tuple[int, list[str], Rows]]:
    """Every scan from `since` (ns) on: its time, the symbols, their rows in that order; for the funnel."""
    with reading(folder) as db:
        if db is None:
            return
        known = layouts(db)
        before = db.execute("SELECT n FROM scans WHERE ts < ? ORDER BY ts DESC LIMIT 1", (since,)).fetchone()
        for ts, number, value in db.execute(
            "SELECT ts, symbols, rows FROM scans WHERE n >= ? ORDER BY n", (before[0] if before else 0,)
        ):
            layout = known[number]
            yield from ((at, layout.symbols, rows) for at, rows in layout.read(ts, value) if at >= since)


def events(folder: Path, kinds: Sequence[str], since: int = 0) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every event of these kinds from `since` (ns) on, in the order in which the Trader was given them: kind and fields."""
    marks = ", ".join("?" * len(kinds))
    sql = f"SELECT kind, event FROM events WHERE kind IN ({marks}) AND ts >= ? ORDER BY n"  # noqa: S608 - marks alone
    with reading(folder) as db:
        for kind, value in db.execute(sql, (*kinds, since)) if db is not None else ():
            yield kind, json.loads(whole(value))


def outcomes(folder: Path) -> tuple[list[str], Rows]:
    """Every outcome of a forecast (OUTCOME), oldest first, with the symbols that `symbol` is an index into."""
    with reading(folder) as db:
        return read_outcomes(db) if db is not None else ([], cast("Rows", np.zeros(0, OUTCOME)))


def notes(folder: Path, name: str | None = None, last: int = 1_000) -> list[dict[str, Any]]:
    """The last notes, oldest first; of one name where given. Trades are the notes the Trader writes at each close."""
    where, values = ("WHERE name = ?", (name, last)) if name else ("", (last,))
    sql = f"SELECT ts, name, level, fields FROM notes {where} ORDER BY n DESC LIMIT ?"  # noqa: S608 - fixed texts
    with reading(folder) as db:
        rows = db.execute(sql, values).fetchall() if db is not None else []
        return [
            {"ts": ts, "name": n, "level": level, **json.loads(fields)} for ts, n, level, fields in rows[::-1]
        ]


def notes_named(folder: Path, names: Sequence[str], since: int = 0) -> list[dict[str, Any]]:
    """Every note of these names from `since` (ns) on, oldest first."""
    marks = ", ".join("?" * len(names))
    sql = f"SELECT ts, name, level, fields FROM notes WHERE name IN ({marks}) AND ts >= ? ORDER BY n"  # noqa: S608 - marks alone
    with reading(folder) as db:
        rows = db.execute(sql, (*names, since)).fetchall() if db is not None else []
        return [{"ts": ts, "name": n, "level": level, **json.loads(fields)} for ts, n, level, fields in rows]


def count_notes(folder: Path, name: str) -> int:
    """How many notes of a name there are."""
    with reading(folder) as db:
        if db is None:
            return 0
        return int(db.execute("SELECT count(*) FROM notes WHERE name = ?", (name,)).fetchone()[0])


def notes_between(folder: Path, symbol: str, since: int, until: int) -> list[dict[str, Any]]:
    """The notes of one symbol from `since` to `until` (ns, both with), oldest first."""
    sql = "SELECT ts, name, level, fields FROM notes WHERE ts BETWEEN ? AND ? ORDER BY n"
    with reading(folder) as db:
        rows = db.execute(sql, (since, until)).fetchall() if db is not None else []
        found = [
            {"ts": ts, "name": name, "level": level, **json.loads(fields)} for ts, name, level, fields in rows
        ]
    return [note for note in found if note.get("symbol") == symbol]


#: Notes of a symbol that belong to the trade whose id they carry, or to none.
_OF_ONE: Final = ("entry", "trade", "entry-ended", "gate", "candidate")


def trade_notes(folder: Path, trade: str) -> list[dict[str, Any]]:
    """Everything noted of one trade, oldest first: from its entry, whose id is the trade's, to its end; [] for an unknown id.

    It ends with its close; an entry that was never filled ends where the Trader gave it up. Where neither is in the journal, it
    ends before the next entry of the symbol.
    """
    own = notes_named(folder, ("entry", "trade", "entry-ended"))
    mine = {note["name"]: note for note in own if note.get("id") == trade}
    if (entry := mine.get("entry")) is None:
        return []
    symbol, begins = entry["symbol"], int(entry["ts"])
    end = mine.get("trade") or mine.get("entry-ended")
    later = (
        int(n["ts"]) for n in own if n["name"] == "entry" and n.get("symbol") == symbol and n["ts"] > begins
    )
    until = int(end["ts"]) if end is not None else min(later, default=2**62) - 1
    found = notes_between(folder, symbol, begins, until)
    return [note for note in found if note["name"] not in _OF_ONE or note.get("id") == trade]


def state_by_row(folder: Path) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """What is kept across restarts, by key, as far as each row can be read; and the keys of those that cannot."""
    found: dict[str, dict[str, Any]] = {}
    unreadable = []
    with reading(folder) as db:
        for key, value in db.execute("SELECT key, value FROM state") if db is not None else ():
            try:
                found[str(key)] = dict(json.loads(value))
            except (ValueError, TypeError, RecursionError):
                unreadable.append(str(key))
    return found, unreadable


def boots(folder: Path) -> list[str]:
    """Nonces of every start the journal knows: orders that carry one are ours."""
    with reading(folder) as db:
        return [boot for (boot,) in db.execute("SELECT boot FROM boots")] if db is not None else []


def _all(known: Layouts) -> list[str]:
    return sorted({symbol for each in known.values() for symbol in each.symbols})
