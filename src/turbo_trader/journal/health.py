"""Is a journal sound, and does somebody write it? Looks only; changes nothing."""

from __future__ import annotations

import contextlib
import fcntl
import json
from pathlib import Path

from turbo_trader.journal.address import POINTER, place, read_address
from turbo_trader.journal.journal_errors import JournalError, unsound
from turbo_trader.journal.opening import reading
from turbo_trader.journal.schema import FILE
from turbo_trader.market.errors import InputError


def integrity(folder: Path) -> str | None:
    """ "" = sound, None = there has been no journal yet, else what is wrong and what to do."""
    try:
        with reading(folder) as db:
            if db is None:
                return None
            found = db.faults()
            for (value,) in db.execute("SELECT value FROM state"):
                json.loads(value)  # as a start does; what it cannot read is in the line that `reading` gives
    except (InputError, JournalError) as error:
        return str(error)
    return str(unsound(place(folder), f"damaged ({'; '.join(found)[:300]})")) if found else ""


def owner(folder: Path) -> str:
    """The process that has the journal open for writing; "" = none."""
    with contextlib.suppress(OSError), (folder / "lock").open() as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return handle.read().strip() or "?"
    return _elsewhere(folder)


def _elsewhere(folder: Path) -> str:
    """The process of another machine, or another folder, that has the journal's database open."""
    with contextlib.suppress(InputError):
        if (there := read_address(folder)) is not None:
            from turbo_trader.journal.server import holder

            return holder(there)
    return ""


def newest(base: Path) -> Path | None:
    """The journal folder that was started last: `base` itself where it is one, else among those in it; None = there is none.

    A start writes its process id into the lock; reading a journal never touches that.
    """
    if _started(base):
        return base
    try:
        found = [path for path in base.iterdir() if _started(path)]
    except OSError:
        return None
    return max(found, key=_started, default=None)


def _started(folder: Path) -> int:
    """When the last start of this journal was, wall ns; 0 = it is none. One that has lost its file is one all the same."""
    for name in ("lock", FILE, POINTER):
        with contextlib.suppress(OSError):
            return (folder / name).stat().st_mtime_ns
    return 0
