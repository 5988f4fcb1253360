"""Progress of anything that takes longer than two seconds: what it does, how far it is, the time left; on stderr.

A terminal shows one line that is redrawn, below whatever is printed meanwhile. Anything else gets a plain line every five seconds.
Work that ends sooner shows nothing, so stdout and short runs stay as they are. The work only sets numbers; a thread draws them.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import ExitStack, redirect_stdout
from types import TracebackType
from typing import IO, Any, Final, Self, TextIO, TypeVar, cast

Item = TypeVar("Item")

FIRST_S: Final = 1.0  # shown from here on: never later than two seconds after the beginning
REDRAW_S: Final = 0.25  # on a terminal
LINE_S: Final = 5.0  # elsewhere
_BAR: Final = 20  # characters


class Progress:
    """A context: `doing` names the work, `total` how much there is (any unit; 0: unknown).

    `at` and `advance` may be called from any thread, as often as wanted. After work that was shown one line says how long it took.
    """

    def __init__(
        self,
        doing: str,
        total: float = 0.0,
        *,
        out: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.doing, self.total, self.done, self.detail = doing, total, 0.0, ""
        self._out = sys.stderr if out is None else out
        self._terminal = self._out.isatty()
        self._clock = clock
        self._began = self._part_began = clock()
        self._lock = threading.Lock()
        self._shown = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)
        self._stack = ExitStack()

    def at(self, done: float, detail: str = "") -> None:
        """So much of the total is done; `detail` names what is being done now."""
        self.done, self.detail = done, detail

    def advance(self, done: float = 1.0, detail: str = "") -> None:
        """So much more is done."""
        self.at(self.done + done, detail)

    def part(self, detail: str, total: float = 1.0) -> None:
        """Another part of the work begins: its share and the time left are of it alone."""
        self.done, self.total, self.detail, self._part_began = 0.0, total, detail, self._clock()

    def say(self, line: str) -> None:
        """A line that stays; on a terminal it stands above the progress."""
        self.above(self._out, f"{line}\n")

    def above(self, out: IO[str], lines: str) -> None:
        """Write whole lines where they do not tear what is drawn."""
        with self._lock:
            if self._terminal and self._shown:
                self._out.write("\r\x1b[K")
                self._out.flush()
            out.write(lines)

    def line(self) -> str:
        """One line: the work, its share, the time left where it can be known, else the time taken."""
        taken = self._clock() - self._part_began
        share = min(self.done / self.total, 1.0) if self.total > 0 else 0.0
        parts = [self.doing]
        if self.total > 0:
            filled = round(share * _BAR)
            parts.append(f"[{'#' * filled}{'.' * (_BAR - filled)}] {share:4.0%}")
        if 0.0 < share < 1.0:
            parts.append(f"{seconds(taken / share - taken)} left")
        else:
            parts.append(f"{seconds(taken)} so far")
        return "  ".join([*parts, self.detail] if self.detail else parts)

    def __enter__(self) -> Self:
        if self._terminal and sys.stdout.isatty():
            self._stack.enter_context(redirect_stdout(cast("IO[str]", _Above(self, sys.stdout))))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._stack.close()
        if self._shown:
            taken = seconds(self._clock() - self._began)
            self._write(f"{self.doing}: {'done in' if kind is None else 'stopped after'} {taken}", last=True)

    def _draw(self) -> None:
        wait = FIRST_S
        while not self._ended.wait(wait):
            self._write(self.line())
            wait = REDRAW_S if self._terminal else LINE_S

    def _write(self, line: str, *, last: bool = False) -> None:
        self._shown = True
        text = f"\r\x1b[K{line[: _width() - 1]}{chr(10) if last else ''}" if self._terminal else f"{line}\n"
        try:
            with self._lock:
                self._out.write(text)
                self._out.flush()
        except (OSError, ValueError):  # nobody reads: the work continues
            self._ended.set()


class _Above:
    """stdout while progress is drawn on the same terminal: whole lines are passed on, above it."""

    def __init__(self, bar: Progress, out: TextIO) -> None:
        self._bar, self._out, self._rest = bar, out, ""

    def write(self, text: str) -> int:
        """Keep what has no end of line yet."""
        whole, newline, self._rest = (self._rest + text).rpartition("\n")
        if newline:
            self._bar.above(self._out, whole + newline)
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._out, name)


def each(doing: str, items: Iterable[Item], total: float = 0.0) -> Iterator[Item]:
    """The items one by one, with progress meanwhile. `total`: how many, where `items` has no length."""
    with Progress(doing, len(items) if isinstance(items, Sized) else total) as bar:
        for item in items:
            yield item
            bar.advance()


def seconds(taken: float) -> str:
    """A duration as people say it: 8 s, 2 min 5 s, 1 h 4 min."""
    whole = max(0, round(taken))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _width() -> int:
    import shutil

    return shutil.get_terminal_size().columns
