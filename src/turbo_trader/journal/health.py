"""Is a journal sound, and does somebody write it? Looks only; changes nothing."""

from __future__ import annotations

import fcntl
from pathlib import Path

from turbo_trader.journal.errors import JournalError, unsound
from turbo_trader.journal.opening import reading
from turbo_trader.journal.schema import FILE
from turbo_trader.market.errors import InputError


def integrity(folder: Path) -> str | None:
    """ "" = sound, None = there has been no journal yet, else what is wrong and what to do."""
    try:
        with reading(folder) as db:
            if db is None:
                return None
            rows = db.execute("PRAGMA integrity_check(3)").fetchall()
    except (InputError, JournalError) as error:
        return str(error)
    found = [str(row[0]) for row in rows if row[0] != "ok"]
    return str(unsound(folder / FILE, f"damaged ({'; '.join(found)[:300]})")) if found else ""


def owner(folder: Path) -> str:
    """The process that has the journal open for writing; "" = none."""
    try:
        with (folder / "lock").open() as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return handle.read().strip() or "?"
    except OSError:
        return ""
    return ""
