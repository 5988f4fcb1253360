"""Is a journal sound, and does somebody write it? Looks only; changes nothing."""

from __future__ import annotations

import fcntl
import sqlite3
from pathlib import Path
from urllib.parse import quote

from turbo_trader.journal.schema import FILE


def integrity(folder: Path) -> str | None:
    """ "" = sound, None = there is no journal, else what SQLite finds wrong."""
    path = folder / FILE
    if not path.exists():
        return None
    try:
        db = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=1.0)
        try:
            rows = db.execute("PRAGMA integrity_check(3)").fetchall()
        finally:
            db.close()
    except sqlite3.Error as error:
        return f"{path}: {error}"
    found = [str(row[0]) for row in rows if row[0] != "ok"]
    return f"{path}: {'; '.join(found)[:300]}" if found else ""


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
