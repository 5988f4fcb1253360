"""A small file beside the journal that says what the journal must hold, so that an emptied one is not taken for a new one."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from turbo_trader.journal.connection import Tables
from turbo_trader.journal.private_files import private_opener, read_plain
from turbo_trader.trader.state_keys import Key

MARKER: Final = "journal.mark"
SESSION: Final = Key.SESSION.value  # of the state that halts are kept in


@dataclass(frozen=True, slots=True)
class Mark:
    """The last start that the journal knows, and whether it has kept a session (with its halts)."""

    boot: str
    session: bool


def write_mark(folder: Path, mark: Mark) -> None:
    """Written after the journal has what it says. A disk without room keeps the older one; never raises."""
    draft = folder / f"{MARKER}.new"
    with contextlib.suppress(OSError):
        with open(draft, "w", opener=private_opener) as file:
            json.dump(asdict(mark), file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(folder / MARKER)
    with contextlib.suppress(OSError):
        draft.unlink(missing_ok=True)


def read_mark(folder: Path) -> Mark | None:
    """What the journal must hold; None where there was none yet. A damaged marker still says that there was one."""
    try:
        found = json.loads(read_plain(folder / MARKER))
        return Mark(str(found["boot"]), bool(found["session"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return Mark("", session=False)


def lost(mark: Mark | None, db: Tables | None) -> str:
    """What the marker knows of and the journal (None: no file, or an empty one) does not hold; "" where nothing is missing."""
    if mark is None:
        return ""
    if db is None:
        return "gone or empty, though it was written before"
    boots = {boot for (boot,) in db.execute("SELECT boot FROM boots")}
    if not boots or (mark.boot and mark.boot not in boots):
        return "emptied, or older than its last start"
    if mark.session and not db.execute("SELECT 1 FROM state WHERE key = ?", (SESSION,)).fetchone():
        return "its session is missing, and any halt with it"
    return ""
