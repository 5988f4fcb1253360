"""Daemons of other machines and users, as the shared database of their journals shows them (JOURNAL_URL)."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Final

from turbo_trader.console.dashboard.shown_daemons import Known
from turbo_trader.journal.address import PREFIX, Address, read_address, write_address
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.opening import driver
from turbo_trader.live.registry import Running
from turbo_trader.market.errors import InputError

if TYPE_CHECKING:
    from turbo_trader.journal.server import Member

_AGAIN_S: Final = 5.0


class Elsewhere:
    """Looks into the database at most every few seconds. Each journal gets a folder in `base`, by which it is read as any other."""

    def __init__(self, base: Path, there: Address | None) -> None:
        self._base = base
        self._there = there
        self._lock = threading.Lock()
        self._due = 0.0
        self._members: list[Member] = []
        self.error = ""  # why the database cannot be read now

    def known(self, here: Collection[Path]) -> list[Known]:
        """Those that run or were killed, and whose journal is in no folder of `here`."""
        if self._there is None:
            return []
        with self._lock:
            if time.monotonic() >= self._due:
                self._look()
                self._due = time.monotonic() + _AGAIN_S
            ours = {_place(folder) for folder in here}
            return [self._as_known(each) for each in self._members if _of(each.there) not in ours]

    def _look(self) -> None:
        assert self._there is not None
        try:
            self._members = [each for each in driver().members(self._there) if each.holder or not each.ended]
            self.error = ""
            for each in self._members:
                self._attach(each.there)
        except (InputError, JournalError, OSError) as error:
            self.error = str(error)

    def _as_known(self, member: Member) -> Known:
        name = member.there.schema.removeprefix(PREFIX)
        folder = self._folder(member.there)
        running = Running(name, member.mode, 0, str(folder.resolve()))
        return Known(running, alive=bool(member.holder), elsewhere=member.holder or "another machine")

    def _attach(self, there: Address) -> None:
        folder = self._folder(there)
        if read_address(folder) is None:
            write_address(folder, there)

    def _folder(self, there: Address) -> Path:
        """The one in `base` that names this journal, else one of its name."""
        for folder in self._base.iterdir() if self._base.is_dir() else ():
            if _place(folder) == _of(there):
                return folder
        return self._base / there.schema


def _place(folder: Path) -> tuple[str, str] | None:
    try:
        found = read_address(folder)
    except InputError:
        return None
    return None if found is None else _of(found)


def _of(there: Address) -> tuple[str, str]:
    return there.schema, there.home
