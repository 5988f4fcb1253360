"""`journal check`: is the file whole, of a version we read, what its marker says, and do its books add up?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from turbo_trader.journal.address import place
from turbo_trader.journal.books import Finding, books
from turbo_trader.journal.health import integrity, owner
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.migrations import damaged
from turbo_trader.journal.opening import reading
from turbo_trader.journal.schema import VERSION
from turbo_trader.market.errors import InputError

_LOOKS: Final = 5  # at the books of a journal that is being written
_APART_S: Final = 1.0


def examine(folder: Path) -> list[Finding]:
    """Everything that is looked at, in order. Books that do not agree while a daemon writes are looked at again for some seconds.

    InputError where there is no journal.
    """
    whole = integrity(folder)
    if whole is None:
        raise InputError(f"{folder}: no journal here; name one with --journal-dir")
    if whole:
        return [Finding(name="file", ok=False, text=whole)]
    try:
        found = [_file(folder)]
        found += _settled(folder)
    except (JournalError, InputError) as error:
        return [Finding(name="file", ok=False, text=str(error))]
    return found if len(found) > 1 else [*found, Finding(name="books", ok=True, text="nothing is booked yet")]


def _file(folder: Path) -> Finding:
    with reading(folder) as db:
        assert db is not None
        version = db.version()
        damaged(place(folder), db)
    later = "" if version == VERSION else f"; the next `run` brings it up to {VERSION}"
    return Finding(name="file", ok=True, text=f"whole, version {version}{later}; as its marker says")


def _settled(folder: Path) -> list[Finding]:
    found = books(folder)
    for _ in range(_LOOKS - 1):
        if all(each.ok for each in found) or not owner(folder):
            break
        time.sleep(_APART_S)
        found = books(folder)
    return found
