"""`scripts/bench crossings`: functions and files of the package between a public frame off the socket and its stop change.

The daemon of `benchmarks.latency` under a low rate of frames, with Python's profiler on from the frame that moves the stop until
the request is handed to its socket. Compiled kernels, comprehensions and libraries are left out. Other work may come between, so
the way with the fewest calls is the one that is shown.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeAlias

from websockets.asyncio.client import ClientConnection

import turbo_trader
from benchmarks import latency
from benchmarks.latency_venue import PROBE
from turbo_trader.bybit.transport import Connection

PER_SECOND = 100
SECONDS = 15.0
_HOME = Path(turbo_trader.__file__).parent
Way: TypeAlias = list[CodeType]


@dataclass
class Recorder:
    """The ways of all stop changes, each as the functions entered, in order."""

    ways: list[Way] = field(default_factory=list)
    _way: Way | None = None

    def begin(self) -> None:
        """A frame that moves the stop is about to be read."""
        self._way = []
        sys.setprofile(self._entered)

    def end(self) -> None:
        """The stop change is on its socket."""
        sys.setprofile(None)
        if self._way:
            self.ways.append(self._way)
        self._way = None

    def _entered(self, frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        if event != "call" or self._way is None or not code.co_filename.startswith(str(_HOME)):
            return
        if not code.co_name.startswith("<"):
            self._way.append(code)


def recorded(recorder: Recorder) -> Callable[[], None]:
    """Record between the sockets; returns what ends that."""
    data_received, write = ClientConnection.data_received, Connection.write

    def received(self: ClientConnection, data: bytes) -> None:
        if PROBE in data:
            recorder.begin()
        data_received(self, data)

    def sent(self: Connection, data: bytes) -> None:
        if b"/v5/position/trading-stop" in data[:64]:
            recorder.end()
        write(self, data)

    ClientConnection.data_received = received  # type: ignore[method-assign,assignment]
    Connection.write = sent  # type: ignore[method-assign]

    def restore() -> None:
        sys.setprofile(None)
        ClientConnection.data_received = data_received  # type: ignore[method-assign]
        Connection.write = write  # type: ignore[method-assign]

    return restore


def shortest() -> Way:
    """The way with the fewest calls; the first changes are left out, as connections open then."""
    recorder = Recorder()
    restore = recorded(recorder)
    try:
        with tempfile.TemporaryDirectory() as folder:
            latency.measure(PER_SECOND, SECONDS, Path(folder))
    finally:
        restore()
    ways = recorder.ways[latency.WARM :]
    if not ways:
        sys.exit("no stop change came in time: the machine is too busy; try again")
    return min(ways, key=len)


def figures(way: Way) -> tuple[int, int, int]:
    """Functions, files, and how often the next function is in another file than the one before."""
    files = [code.co_filename for code in way]
    moves = sum(a != b for a, b in pairwise(files))
    return len(set(way)), len(set(files)), moves


def main() -> None:
    """Print the way, a line a file entered, and the figures."""
    way = shortest()
    before = ""
    for code in way:
        file = str(Path(code.co_filename).relative_to(_HOME))
        print(f"{file if file != before else '':<40} {code.co_qualname}")
        before = file
    print("{} functions in {} files, {} moves between files".format(*figures(way)))


if __name__ == "__main__":
    main()
