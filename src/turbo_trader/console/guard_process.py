"""The guard beside a live daemon: started once the daemon has started, and restarted whenever it was killed."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from turbo_trader.console.observer import log_event
from turbo_trader.journal.private_files import private_folder, private_opener
from turbo_trader.live.registry import Kind, Registry
from turbo_trader.market.errors import InputError

Emit = Callable[[str, str, dict[str, Any]], None]  # name, level, fields

_LOOK_S: Final = 2.0
_AGAIN_S: Final = 30.0  # after one that could not begin


class GuardBeside:
    """Keeps one guard for a journal from `begin` to `leave`; it then runs on by itself until nothing is open.

    One that was there before is left to its work. One that a person ended (`guard --stop`) stays ended.
    """

    def __init__(self, mode: str, base: Path, folder: Path, emit: Emit = log_event) -> None:
        self._command = [
            sys.executable, "-m", "turbo_trader.console", "guard", "--mode", mode, "--journal-dir", str(base), "--until-idle",
        ]  # fmt: skip
        self._folder = folder
        self._emit = emit
        self._registry = Registry(Kind.GUARD)
        self._left = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Begin to keep one. Never raises, and waits for nothing."""
        threading.Thread(target=self._keep, name="guard", daemon=True).start()

    def leave(self) -> None:
        """Begin none any more."""
        self._left.set()

    def _keep(self) -> None:
        journal = str(self._folder)
        if self._is_there():
            self._emit("guard-found", "info", {"journal": journal})
        else:
            self._emit("guard-begun", "info", {"journal": journal})
            self._start()
        while not self._left.wait(_LOOK_S):
            if self._process is not None:
                self._process.poll()  # so that it is no zombie once it has ended
            if self._is_there():
                continue
            if not self._was_killed():
                ended = {"journal": journal, "meaning": "by a person: the daemon begins no other"}
                self._emit("guard-ended", "warning", ended)
                return
            self._emit("guard-begun", "warning", {"journal": journal, "why": "the one before was killed"})
            self._start()

    def _start(self) -> None:
        """Start one, and wait until it is there; once more every half minute where it cannot begin."""
        while not self._left.is_set():
            with self._output() as output:
                self._process = subprocess.Popen(  # noqa: S603 - our own program
                    self._command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                    start_new_session=True, env=dict(os.environ),
                )  # fmt: skip
            while self._process.poll() is None and not self._left.wait(_LOOK_S / 10):
                if self._is_there():
                    return
            self._left.wait(_AGAIN_S)

    def _output(self) -> IO[bytes]:
        """Where what it says outside its log goes: an end before the log is open, a traceback."""
        try:
            private_folder(self._folder / "guard")
            return open(self._folder / "guard" / "output.log", "ab", opener=private_opener)
        except OSError:
            return Path(os.devnull).open("ab")

    def _is_there(self) -> bool:
        try:
            where = str(self._folder.resolve())
            return any(guard.folder == where for guard in self._registry.running())
        except InputError:
            return False  # the registry cannot be read: the guard's own lock keeps a second one away

    def _was_killed(self) -> bool:
        try:
            return self._registry.was_killed(self._folder)
        except InputError:
            return True
