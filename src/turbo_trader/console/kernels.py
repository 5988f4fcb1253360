"""Which kernels a program calls, with arguments of which types: to compile what is missing, visibly, and to load the rest at once.

`python -m turbo_trader.console.kernels` compiles what is missing; with `ship` it also puts all of them into the package's folder,
where every user of this installation finds them (`scripts/setup`, and before a wheel is built).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from enum import Enum, auto
from typing import Any

import numpy as np

from turbo_trader.console.progress import Progress
from turbo_trader.market import book
from turbo_trader.market.compiled import Kernel, reachable
from turbo_trader.market.frame_reader import FEED, read_frame, read_frames
from turbo_trader.market.kernel import advance, advance_book, backfill, consume, set_level
from turbo_trader.market.ladder import LADDER
from turbo_trader.market.levels import read_book
from turbo_trader.market.rows import BAR, ROW
from turbo_trader.market.state import STATE
from turbo_trader.rules import outcomes
from turbo_trader.rules.ahead import assess_all, prices_ahead, scan_ahead
from turbo_trader.rules.assess import reprice
from turbo_trader.rules.records import GATE_PARAMETERS
from turbo_trader.rules.row_counts import count_rows, count_strengths
from turbo_trader.rules.scan import SCAN
from turbo_trader.rules.worth_gates import executed_ev
from turbo_trader.signals.filters import FILTER
from turbo_trader.signals.measure import measure
from turbo_trader.signals.noise import fitted
from turbo_trader.signals.parameters import SIGNAL_PARAMETERS

Entry = tuple[Any, tuple[Any, ...]]


_FRAMES: tuple[Entry, ...] = (
    (read_frame, (np.zeros(1, np.uint8), 0, np.zeros(1, FEED), np.zeros(1, ROW), 0)),
    (
        read_frames,
        (
            np.zeros(1, np.uint8),
            np.zeros(1, np.int64),
            np.zeros(1, FEED),
            np.zeros(1, ROW),
            0,
            np.zeros((1, 3), np.int64),
        ),
    ),
    (read_book, (np.zeros(1, np.uint8), 0, 0, False, 0, 0.0, 0.0, np.zeros(1, ROW))),
)


class Use(Enum):
    """What kernels are called for."""

    TRADER = auto()  # live and in simulation
    VENUE = auto()  # the simulated exchange, its made-up market
    BACKTEST = auto()  # bars rebuilt into rows, many scans at once


def _trader() -> Iterator[Entry]:
    states, filters, params = np.zeros(1, STATE), np.zeros(1, FILTER), np.zeros(1, SIGNAL_PARAMETERS)
    gates, scan, rows, bars = (
        np.zeros(1, GATE_PARAMETERS),
        np.zeros(1, SCAN),
        np.zeros(1, ROW),
        np.zeros(1, BAR),
    )
    shadows, results = np.zeros(1, outcomes.SHADOW), np.zeros(1, outcomes.OUTCOME)
    seconds, y = np.zeros(1, np.int64), np.zeros(1)
    counts = np.zeros((1, 1), np.int64)
    yield count_rows, (scan, counts)
    yield count_strengths, (scan, counts, seconds)
    yield assess_all, (states, filters, 0, params, gates, 0.0, 0.0, scan, 0)
    yield reprice, (gates, 0, scan, 0, 0.0)
    yield outcomes.follow, (states, scan, gates, 0, 0, shadows, results, results)
    yield measure, (states, filters, 0, 0, params, scan, 0)
    yield executed_ev, (gates, 0, scan, 0, 0.0)
    yield advance, (states, 0, rows, 0, 0)
    yield consume, (states, 0, rows, 0)
    yield backfill, (states, 0, bars)
    yield book.walk, (states, 0, 0, 0.0, 0.0)
    yield from _FRAMES
    yield fitted, (seconds, y)


def _venue() -> Iterator[Entry]:
    from turbo_trader.exchange.cursor_kernel import run_until
    from turbo_trader.simulation.synthetic_kernel import SYMBOL, walk, write_minute

    states, rows, ladder, symbols = (
        np.zeros(1, STATE),
        np.zeros(1, ROW),
        np.zeros(1, LADDER),
        np.zeros(1, SYMBOL),
    )
    line, plane, space, whole = np.zeros(1), np.zeros((1, 1)), np.zeros((1, 1, 1)), np.zeros(1, np.int64)
    yield write_minute, (rows, whole, ladder, symbols, 0, line, whole, 0.0, space, space, plane)
    yield walk, (line, line, line, symbols, 0.0, line, line, plane, plane, space)
    yield run_until, (states, 0, rows, 0, 0, 0, 0, 0.0, 0.0, 0, 0, 0)
    yield advance_book, (states, 0, rows, 0, 0)
    yield set_level, (states, 0, 0, 0, 0)
    yield from _FRAMES


def _backtest() -> Iterator[Entry]:
    from turbo_trader.market.rebuild_kernel import PLAN, write_bars
    from turbo_trader.simulation.decision_blocks import lay_out

    line, plane = np.zeros(1, np.float32), np.zeros((1, 1), np.float32)
    states, filters, params = np.zeros(1, STATE), np.zeros(1, FILTER), np.zeros(1, SIGNAL_PARAMETERS)
    gates, scan, rows = np.zeros(1, GATE_PARAMETERS), np.zeros(1, SCAN), np.zeros(1, ROW)
    shadows, results, times = (
        np.zeros(1, outcomes.SHADOW),
        np.zeros(1, outcomes.OUTCOME),
        np.zeros(1, np.int64),
    )
    cursors = np.zeros((1, 2), np.int64)
    yield (
        scan_ahead,
        (times, states, filters, rows, cursors, times, 0, 0, 0, params, gates, np.zeros(1), 0.0, cursors, 0, times, times, 0, 0,
         shadows, results, scan, scan, results, times, times),
    )  # fmt: skip
    bits = np.zeros((1, 1), np.uint64)
    yield lay_out, (np.zeros((1, 1), np.uint8), 0, bits, 0, bits)
    yield prices_ahead, (states, 0, states, rows, cursors, 0, 0, 0, 0, np.zeros((1, 1)))
    yield (
        write_bars,
        (np.zeros(1, ROW), np.zeros(1, LADDER), np.zeros(1, PLAN), np.zeros((1, 1)), line, line, plane, plane, plane,
         np.zeros((1, 1), np.bool_)),
    )  # fmt: skip


_ENTRIES: dict[Use, Callable[[], Iterator[Entry]]] = {
    Use.TRADER: _trader,
    Use.VENUE: _venue,
    Use.BACKTEST: _backtest,
}


def entries(*uses: Use) -> list[Entry]:
    """The kernels called for `uses`, each with arguments of its types; none with NUMBA_DISABLE_JIT=1."""
    listed = [entry for use in uses for entry in _ENTRIES[use]()]
    return [(kernel, arguments) for kernel, arguments in listed if isinstance(kernel, Kernel)]


def compile_missing(*uses: Use) -> int:
    """Compile what no process before this one has compiled, saying so on stderr; returns how many functions that were.

    Before a process is started that uses them too: two would compile the same.
    """
    missing = [(kernel, given) for kernel, given in entries(*uses) if not kernel.is_kept(*given)]
    if not missing:
        return 0
    from turbo_trader.market.compiling import compilations

    called = set().union(*(reachable(kernel) for kernel, _ in missing))
    seen: set[str] = set()  # one of two types is compiled twice
    with Progress("compiling kernels, once for this version", len(called)) as progress:

        def each(name: str) -> None:
            seen.add(name)
            progress.at(len(seen), name)

        with compilations(each):
            for kernel, given in missing:
                kernel.ready(*given)
    return len(seen)


def load(*uses: Use) -> None:
    """Link the kernels, so that no first call waits for one."""
    for kernel, given in entries(*uses):
        kernel.ready(*given)


def ship() -> None:
    """Put the kernels of every use into the package's folder, compiling what is missing."""
    compile_missing(*Use)
    for kernel, given in entries(*Use):
        kernel.ship(*given)


if __name__ == "__main__":
    if sys.argv[1:] == ["ship"]:
        ship()
    else:
        compile_missing(*Use)
