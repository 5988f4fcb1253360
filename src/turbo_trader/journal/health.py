"""Is a journal sound, and is it being written? Reads only; changes nothing."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
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
    return str(unsound(place(folder), f"damaged ({'; '.join(found)})")) if found else ""


def owner(folder: Path) -> str:
    """The process that has the journal open for writing; "" = none."""
    with (
        contextlib.suppress(OSError),
        open(
            folder / "lock", errors="replace", opener=lambda p, flags: os.open(p, flags | os.O_NONBLOCK)
        ) as handle,
    ):
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return handle.read(64).strip() or "?"
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

    A start writes its process id into the lock; reading a journal never touches that. A folder that this user may not look into
    counts where there is no other: a run's folder is its user's alone, and reading it says so.
    """
    try:
        if _started(base):
            return base
        found = list(base.iterdir())
    except PermissionError:
        return base
    except OSError:
        return None
    started: dict[Path, int] = {}
    closed = None
    for path in found:
        try:
            started[path] = _started(path)
        except PermissionError:
            closed = path
    newest_one = max(started, key=lambda path: started[path], default=None)
    return newest_one if newest_one is not None and started[newest_one] else closed


def _started(folder: Path) -> int:
    """When the last start of this journal was, wall ns; 0 = it is none. One that has lost its file is one all the same.

    PermissionError where this user may not look into the folder.
    """
    for name in ("lock", FILE, POINTER):
        try:
            return (folder / name).stat().st_mtime_ns
        except PermissionError:
            raise
        except OSError:
            continue
    return 0
