"""The daemon's end of the live view: starts it on the terminal, feeds it, and leaves a clean terminal however it ended."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import termios
import threading
import time
from collections import deque
from collections.abc import Mapping
from multiprocessing import Pipe
from queue import Full, Queue
from typing import Any, Final, Self

from turbo_trader.console.output import say
from turbo_trader.console.screen import view_messages
from turbo_trader.journal.encoding import encode
from turbo_trader.trader.commands import Note, Scanned

_END_S: Final = 3.0  # given to the view to leave the terminal
_EVERY_S: Final = 0.9  # between two snapshots, wall seconds
_PENDING: Final = 2  # snapshots on their way to the view; more are left out, the next one says all
_EVENTS: Final = 200  # events kept for a view that lags
#: After a view that ended without cleaning up: shown cursor, line wrap, no mouse, focus, paste or resize reports, plain keys and
#: colours, the normal screen.
_RESET: Final = "\x1b[?25h\x1b[?7h\x1b[?1000;1003;1004;2004;2048l\x1b[<u\x1b[0m\x1b[?1049l"


def terminal_can() -> bool:
    """Whether the view can be shown here: input, output and errors are one terminal that moves its cursor."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)) and os.environ.get(
        "TERM", "dumb"
    ) not in ("", "dumb")


class ScreenBeside:
    """The view of one run while entered. `note`, `scanned` and `view` return at once and never raise.

    While it is on, what is written to stdout and stderr is shown among the events and printed when the view has ended.
    """

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._queue: Queue[bytes | None] = Queue(_PENDING)
        self._events: deque[dict[str, Any]] = deque(maxlen=_EVENTS)
        self._scan: dict[str, Any] | None = None
        self._about = encode({"about": about})
        self._aside = _Aside(self._events)
        self._stack = contextlib.ExitStack()
        self._sent = 0.0  # monotonic seconds; 0: the Trader has not been seen yet
        self._left = threading.Event()  # the terminal is the daemon's again

    def __enter__(self) -> Self:
        self._terminal = termios.tcgetattr(sys.stdin.fileno())
        self._connection, theirs = Pipe()
        with theirs:
            command = [sys.executable, "-m", "turbo_trader.console.screen", str(theirs.fileno())]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])  # noqa: S603 - our own view
        self._queue.put_nowait(self._about)
        self._feeder = threading.Thread(target=self._feed, name="screen", daemon=True)
        self._feeder.start()
        self._stack.enter_context(contextlib.redirect_stdout(self._aside))
        self._stack.enter_context(contextlib.redirect_stderr(self._aside))
        return self

    def __exit__(self, *_: object) -> None:
        lost = self._left.is_set()
        self._left.set()
        self._connection.close()  # the view sees the end of its feed and leaves
        with contextlib.suppress(Full):
            self._queue.put_nowait(None)
        code = self._ended()
        self._stack.close()
        if code and not lost:
            self._restore()
        for line in self._aside.lines:
            say(line)

    @property
    def pid(self) -> int:
        """Of the view's process."""
        return self._process.pid

    def note(self, note: Note) -> None:
        """An event of the log."""
        self._events.append(view_messages.event(note))
        if not self._sent:
            self._send(None, {})

    def scanned(self, scanned: Scanned) -> None:
        """The rows of a scan."""
        self._scan = view_messages.scan(scanned)

    def view(self, view: Any, daemon: Mapping[str, Any]) -> None:
        """A moment of the Trader: sent with what came since the last one. A view that lags gets the next one instead."""
        now = time.monotonic()
        if now - self._sent >= _EVERY_S:
            self._sent = now
            self._send(view, daemon)

    def _send(self, view: Any, daemon: Mapping[str, Any]) -> None:
        if self._queue.full():
            return
        events = [self._events.popleft() for _ in range(len(self._events))]
        self._queue.put_nowait(encode(view_messages.snapshot(view, daemon, self._scan, events)))
        self._scan = None

    def _feed(self) -> None:
        """On a thread of its own: a view that does not read holds up this thread alone."""
        try:
            while (message := self._queue.get()) is not None:
                self._connection.send_bytes(message)
        except OSError:
            if not self._left.is_set():  # the view was killed, or failed
                self._left.set()
                self._ended()
                self._restore(
                    "turbo-trader: the live view has ended, the run has not;"
                    " Ctrl-C ends it, `turbo-trader logs -f` shows it\n"
                )

    def _restore(self, text: str = "") -> None:
        """The terminal as it was before the view, which did not leave it so."""
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, self._terminal)
        print(f"{_RESET}{text}", end="", file=sys.__stderr__, flush=True)

    def _ended(self) -> int:
        """The view's exit code; it is made to end where it does not by itself."""
        for end in (self._process.poll, self._process.terminate, self._process.kill):
            end()
            with contextlib.suppress(subprocess.TimeoutExpired):
                return self._process.wait(_END_S)
        return -1


class _Aside(io.TextIOBase):
    """Where lines for the terminal go while the view has it."""

    def __init__(self, events: deque[dict[str, Any]]) -> None:
        self.lines: list[str] = []
        self._events = events
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *whole, self._rest = (self._rest + text).split("\n")
        for line in whole:
            self.lines.append(line)
            self._events.append({"ts": 0, "name": "output", "level": "warning", "fields": {"text": line}})
        return len(text)
