"""The errors of a journal: one line each, with what to do."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from turbo_trader.market.errors import InputError, Refused

_WAY_OUT: Final = (
    "restore a copy, or move it away and start with `run --take-over`: "
    "halts and open trades it knew are then forgotten"
)
_BUSY, _LOCKED, _PERM, _READONLY, _IOERR, _FULL, _CANTOPEN = 5, 6, 3, 8, 10, 13, 14  # SQLite's result codes
_UNREADABLE_VALUES: Final = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


class JournalError(Exception):
    """The journal cannot be read or written now: locked, disk full, input or output fails. It may work again later."""


class InDoubt(JournalError):
    """The database was lost while it was written to. What was being written is kept beside it, and is there once it is back."""


class UnsoundJournal(JournalError, Refused):
    """What the journal holds cannot be trusted: damaged or emptied. Nothing is decided by it."""


def unsound(path: object, what: str) -> UnsoundJournal:
    """The journal at `path` (a file, or an address) cannot be trusted because of `what`."""
    plain = " ".join(what.split()).replace(";", ",")  # SQLite quotes statements of several lines
    return UnsoundJournal(f"journal {path}: {plain[:300]}; {_WAY_OUT}")


def explained(path: Path, error: sqlite3.Error | OSError) -> Exception:
    """The error of a journal at `path` as one line: InputError, JournalError or UnsoundJournal."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    is_folder = os.path.isdir(path)  # noqa: PTH112 - False too where it may not be looked at
    if isinstance(error, IsADirectoryError) or (code == _CANTOPEN and is_folder):
        return InputError(f"journal {path}: a folder is in its place; move that away")
    if isinstance(error, OSError):
        if isinstance(error, PermissionError):
            return _not_permitted(path)
        return JournalError(f"journal {path}: {error.strerror}; make room or mend the disk")
    if code in (_BUSY, _LOCKED):
        return JournalError(f"journal {path}: locked by another process; try again, or end that process")
    if code in (_PERM, _READONLY, _CANTOPEN):
        return _not_permitted(path)
    if code == _FULL:
        return JournalError(f"journal {path}: the disk is full; make room")
    if code == _IOERR:
        return JournalError(f"journal {path}: {error}; is the disk full or failing? make room or mend it")
    return unsound(path, f"damaged ({error})")


def _not_permitted(path: Path) -> InputError:
    return InputError(
        f"journal {path}: cannot be opened; give its user the right to read and write file and folder, or choose another folder"
    )


@contextmanager
def readable_values(path: object) -> Iterator[None]:
    """UnsoundJournal for a value of the journal at `path` that the body cannot make sense of."""
    try:
        yield
    except _UNREADABLE_VALUES as error:
        text = str(error).splitlines()[0][:120] if str(error) else ""
        raise unsound(path, f"a value in it cannot be read ({type(error).__name__}: {text})") from None
