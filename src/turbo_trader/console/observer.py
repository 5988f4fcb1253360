"""The daemon's observer on the console: notes to the log, everything to the screen where there is one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import structlog

from turbo_trader.console.screen.screen_process import ScreenBeside
from turbo_trader.live.daemon_settings import Observer
from turbo_trader.rules.candidates import candidate
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.commands import Note, Scanned


class ConsoleObserver:
    """Passes on; must not raise."""

    def __init__(self, policy: Policy, screen: ScreenBeside | None = None) -> None:
        self._log = structlog.get_logger("turbo_trader")
        self._policy = policy
        self._symbols: Sequence[str] = ()  # in the order of the rows of a scan, as the note of the start says
        self._screen = screen
        self._candidates: dict[int, tuple[str, str, str]] = {}  # those of the last scan: side, tier, blocker

    def note(self, note: Note) -> None:
        """One log event per note, under its stable name."""
        if note.name == "started":
            self._symbols = note.fields.get("symbols", ())
        self._log.log(_LEVELS[note.level], note.name, ts=note.ts, **note.fields)
        if self._screen is not None:
            self._screen.note(note)

    def scanned(self, scanned: Scanned) -> None:
        """One short log event per scan of all symbols, and one for each candidate; the rows themselves are in the journal."""
        rows = scanned.rows
        self._log.debug(
            "scan",
            ts=scanned.ts,
            candidates=int(rows["candidate"].sum()),
            passed=int((rows["blocker"] < 0).sum()),
        )
        if self._screen is not None:
            self._screen.scanned(scanned)
        self._log_candidates(scanned)

    def _log_candidates(self, scanned: Scanned) -> None:
        """With signals and figures; at info level where one is new, or its side, tier or blocker changed."""
        last, self._candidates = self._candidates, {}
        for s in map(int, np.flatnonzero(scanned.rows["candidate"])):
            fields = {"symbol": self._symbols[s], **candidate(self._policy, scanned.rows, s)}
            self._candidates[s] = (fields["side"], fields["tier"], fields["blocked"])
            level = "debug" if last.get(s) == self._candidates[s] else "info"
            self.note(Note(scanned.ts, "candidate", level, fields))

    def view(self, view: Any, daemon: Mapping[str, Any]) -> None:
        """A moment of the Trader."""
        if self._screen is not None:
            self._screen.view(view, daemon)


class Observers:
    """Several observers as one. What goes wrong in one of them keeps nothing from the others."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def note(self, note: Note) -> None:
        """To each."""
        self._each(lambda observer: observer.note(note))

    def scanned(self, scanned: Scanned) -> None:
        """To each."""
        self._each(lambda observer: observer.scanned(scanned))

    def view(self, view: Any, daemon: Mapping[str, Any]) -> None:
        """To each."""
        self._each(lambda observer: observer.view(view, daemon))

    def _each(self, show: Callable[[Observer], None]) -> None:
        for observer in self._observers:
            with contextlib.suppress(Exception):
                show(observer)


class EventObserver:
    """Events of the daemon for whoever takes them by name: the alarms."""

    def __init__(self, take: Callable[[str, dict[str, Any], int], None]) -> None:
        self._take = take

    def note(self, note: Note) -> None:
        """One event, at `note.ts`."""
        self._take(note.name, note.fields, note.ts)

    def scanned(self, scanned: Scanned) -> None:
        """No event."""

    def view(self, view: Any, daemon: Mapping[str, Any]) -> None:
        """No event."""


_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def log_event(name: str, level: str, fields: dict[str, Any]) -> None:
    """One log event without an observer: the guard's way to the log."""
    structlog.get_logger("turbo_trader").log(_LEVELS[level], name, **fields)
