"""The panel: bars of all symbols side by side up to a moment, and the scores a signal returns for it.

A panel signal is any object with a `score` method. It sees all symbols at once, because what is real on these markets is
cross-sectional. It cannot see the future: at time t the future is not in the memory that its arrays come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol, TypeAlias, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Kind = TypeVar("Kind", bound=np.generic)
Times: TypeAlias = NDArray[np.int64]

PRICES: Final = ("open", "high", "low", "close")
COLUMNS: Final = (*PRICES, "volume", "funding")
LOOKBACK: Final = 1_440  # bars a signal sees where it declares no `lookback`


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars `[bar, symbol]`, oldest first, NaN where a symbol has no bar. The arrays are read-only.

    `ts`: opening times, ns UTC, `interval_ns` apart without holes; prices USDT, `volume` in base units, `funding`: the last rate
    settled up to the bar's end, a fraction per funding interval, NaN where none is known.
    """

    symbols: tuple[str, ...]
    interval_ns: int
    ts: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    funding: Floats

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def now_ns(self) -> int:
        """The end of the newest bar: the moment of the decision."""
        return int(self.ts[-1]) + self.interval_ns

    def slice(self, first: int, last: int) -> Panel:
        """The bars from `first` to before `last`, as views of the same memory."""
        columns = {name: getattr(self, name)[first:last] for name in COLUMNS}
        return Panel(self.symbols, self.interval_ns, self.ts[first:last], **columns)

    def copy(self) -> Panel:
        """The same bars in memory of their own."""
        columns = {name: _frozen(getattr(self, name).copy()) for name in COLUMNS}
        return Panel(self.symbols, self.interval_ns, _frozen(self.ts.copy()), **columns)


@dataclass(frozen=True, slots=True)
class Scores:
    """What a signal says of each symbol, in the panel's order.

    `direction`: 1 long, -1 short, 0 no trade. `expected`: the return it expects of a trade in that direction, before cost, a
    fraction. `horizon_ns`: how long it holds, one number for all or one for each.
    """

    direction: ArrayLike
    expected: ArrayLike
    horizon_ns: ArrayLike


@runtime_checkable
class PanelSignal(Protocol):
    """A signal: `score` is a function of the panel alone, whatever was asked before. Nothing else is needed.

    Optional attributes: `lookback` (how much it sees, default 1,440 bars) and `every` (from one question to the next, default one
    bar), each a number of bars or a timedelta; `interval`, a timedelta: of the bars the daemon shows it (default a minute; a study
    shows those of its data). The parameters of a signal are the keyword arguments of its class; a frozen
    dataclass declares both at once.
    """

    def score(self, panel: Panel) -> Scores:
        """The scores at `panel.now_ns`."""
        ...


def lookback(signal: PanelSignal, interval_ns: int) -> int:
    """Bars that a signal sees, one more than fit into a timedelta: a move needs the close before it."""
    given = getattr(signal, "lookback", LOOKBACK)
    return bars_in(given, interval_ns) + 1 if isinstance(given, timedelta) else int(given)


def every(signal: PanelSignal, interval_ns: int) -> int:
    """Bars from one question to the next."""
    given = getattr(signal, "every", 1)
    return bars_in(given, interval_ns) if isinstance(given, timedelta) else int(given)


def interval(signal: PanelSignal) -> int:
    """Of the bars the daemon shows it, ns."""
    given = getattr(signal, "interval", timedelta(minutes=1))
    return int(given.total_seconds() * 1e9)


def bars_in(time: timedelta, interval_ns: int) -> int:
    """Whole bars that a time takes, at least one."""
    return max(1, -(-int(time.total_seconds() * 1e9) // interval_ns))


def moments(panel: Panel, bars: int, step: int = 1) -> Iterator[tuple[int, Panel]]:
    """(index of the newest bar, the panel up to it of at most `bars` bars) for every bar that has `bars` behind it.

    Of every `step` bars one is given, the one that ends on a whole multiple of so many since 1970: each hour means whole hours.

    The arrays given out are views of buffers that hold NaN from the next bar on, so no view leads to the future.
    """
    rows, columns = len(panel), np.stack([getattr(panel, name) for name in COLUMNS])
    inside, times = np.full_like(columns, np.nan), np.zeros(rows, np.int64)
    shown, shown_times = _frozen(inside.view()), _frozen(times.view())
    taken = 0
    first = bars - 1 + int(-(panel.ts[bars - 1] // panel.interval_ns + 1) % step)
    for newest in range(first, rows, step):
        times[taken : newest + 1] = panel.ts[taken : newest + 1]
        inside[:, taken : newest + 1] = columns[:, taken : newest + 1]
        taken = newest + 1
        yield (
            newest,
            Panel(
                panel.symbols,
                panel.interval_ns,
                shown_times[taken - bars : taken],
                *shown[:, taken - bars : taken],
            ),
        )


def _frozen(array: NDArray[Kind]) -> NDArray[Kind]:
    array.flags.writeable = False
    return array
