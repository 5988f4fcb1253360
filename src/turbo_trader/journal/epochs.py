"""Epochs of the lease to write, kept as files beside the journal: who took which number, and when it was renewed last.

An epoch is a symbolic link whose target says who took it. Taking one is creating the next number, which the file system lets
one process do; renewing is touching one's own link. Nobody ever holds a lock, so a process stopped at any instruction keeps
nobody out. A link so short lies in its inode: a full disk has room for it.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from turbo_trader.journal.private_files import private_folder

FOLDER: Final = "lease"
RELEASED: Final = 0  # when a lease that was given back was renewed
LEFT: Final = (
    1_000_000_000  # ... one given back by a daemon that was asked to leave its positions to their stops
)
_KEPT = 20  # epochs whose files are kept, for people


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch as it is kept. `touched` is the holder's last renewal (wall ns), or that it was given back."""

    number: int
    owner: str
    pid: int
    touched: int

    @property
    def released(self) -> bool:
        """Was it given back? Nothing of its holder is under way then."""
        return self.touched in (RELEASED, LEFT)

    @property
    def left(self) -> bool:
        """Was the last daemon asked to end and leave its positions to their stops?"""
        return self.touched == LEFT


NOBODY: Final = Epoch(0, "", 0, RELEASED)


class Epochs(Protocol):
    """Where the epochs of one journal are kept. OSError where they cannot be."""

    def current(self) -> Epoch:
        """The highest; `NOBODY` where there has been none."""

    def highest(self) -> int:
        """Its number; 0 = none."""

    def taken(self, number: int) -> bool:
        """Has anybody taken this one?"""

    def create(self, number: int, owner: str) -> bool:
        """Take it; False where another process was first."""

    def touch(self, number: int, at: int | None = None) -> None:
        """It is renewed now, or given back (`RELEASED`, `LEFT`)."""


class EpochFiles:
    """Beside the journal in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._text = str(self._folder)  # one is looked for before each write

    def __str__(self) -> str:
        return str(self._folder.parent)

    def current(self) -> Epoch:
        """The highest; `NOBODY` where there has been none."""
        number = self.highest()
        path = self._folder / str(number)
        try:
            owner, pid = str(path.readlink()).split("-")
            return Epoch(number, owner, int(pid), path.lstat().st_mtime_ns)
        except (OSError, ValueError):
            return Epoch(number, "", 0, RELEASED) if number else NOBODY

    def highest(self) -> int:
        """Its number; 0 = none."""
        try:
            return max((int(path.name) for path in self._folder.iterdir() if path.name.isdigit()), default=0)
        except OSError:
            return 0

    def taken(self, number: int) -> bool:
        """Has anybody taken this one?"""
        return os.path.lexists(f"{self._text}/{number}")

    def create(self, number: int, owner: str) -> bool:
        """Take it; False where another process was first."""
        private_folder(self._folder)
        try:
            (self._folder / str(number)).symlink_to(f"{owner}-{os.getpid()}")
        except FileExistsError:
            return False
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                if path.name.isdigit() and int(path.name) <= number - _KEPT:
                    path.unlink(missing_ok=True)
        return True

    def touch(self, number: int, at: int | None = None) -> None:
        """It is renewed now, or given back (`RELEASED`, `LEFT`)."""
        path = self._folder / str(number)
        if at is None:
            os.utime(path, follow_symlinks=False)
        else:
            os.utime(path, ns=(at, at), follow_symlinks=False)
