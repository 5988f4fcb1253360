"""Which programs are compared on which tape. A tape is made when a comparison first asks for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from benchmarks.peers import our_side, shared_tapes
from turbo_trader.market.rows import Rows
from turbo_trader.numbers.number import Belief


@dataclass(frozen=True, slots=True)
class Shared:
    """A tape: the file that a peer's worker reads, and a pass of ours over it."""

    path: Path
    ours: Callable[[], int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One ratio: seconds of `package` over seconds of ours, for an event each; `version`: the one its worker is written for, where
    others differ."""

    name: str
    package: str
    version: str = ""
    worker: str
    tape: Callable[[], Shared]
    unit: str  # what is counted


_TICKS = 2_000_000
_FRAMES = 10_000


class Tapes:
    """All tapes, written to `folder`; `quick`: less of what takes a peer long."""

    def __init__(self, folder: Path, *, quick: bool) -> None:
        self._folder = folder
        self._first, self._days = (100_000, 5) if quick else (400_000, 30)

    @cached_property
    def ticks(self) -> Shared:
        """Frames of one level."""
        return Shared(
            shared_tapes.tick_file(self._folder / "ticks.npz", self._tick_rows),
            our_side.backtest(self._tick_rows),
        )

    @cached_property
    def first_ticks(self) -> Shared:
        """The first of these frames, for a slow peer; ours has all of them, for its start is no part of a rate."""
        first = self._tick_rows[: self._first]
        return Shared(shared_tapes.tick_file(self._folder / "first_ticks.npz", first), self.ticks.ours)

    @cached_property
    def _tick_rows(self) -> Rows:
        return shared_tapes.tick_rows(_TICKS)

    @cached_property
    def book(self) -> Shared:
        """Raw frames of the book."""
        raws, path = shared_tapes.book_frames(self._folder, _FRAMES)
        return Shared(path, our_side.frames(raws))

    @cached_property
    def prints(self) -> Shared:
        """Raw frames of prints."""
        raws, path = shared_tapes.print_frames(self._folder, _FRAMES)
        return Shared(path, our_side.frames(raws))

    @cached_property
    def month(self) -> dict[Belief, Shared]:
        """One-minute bars; ours with trades and without."""
        bars, path = shared_tapes.bars(self._folder, 24 * 60 * self._days)
        return {belief: Shared(path, ours) for belief, ours in our_side.month(bars).items()}


def comparisons(tapes: Tapes) -> list[Comparison]:
    """All of them; the one whose tape fills most memory is the last."""
    found = [
        Comparison(
            name="hftbacktest_tick", package="hftbacktest", worker="hftbacktest_ticks", tape=lambda: tapes.ticks, unit="events",
        ),
        Comparison(
            name="nautilus", package="nautilus_trader", version="1.221.0", worker="nautilus_ticks", tape=lambda: tapes.first_ticks,
            unit="events",
        ),
    ]  # fmt: skip
    for kind, tape in (("book", lambda: tapes.book), ("print", lambda: tapes.prints)):
        found += [
            Comparison(
                name=f"{package}_{kind}",
                package=package,
                worker=f"{package}_frames",
                tape=tape,
                unit="frames",
            )
            for package in ("cryptofeed", "ccxt", "pybit")
        ]
    found += [
        Comparison(
            name=name, package="freqtrade", version="2026.9", worker="freqtrade_month",
            tape=partial(_month, tapes, belief), unit="bars",
        )
        for name, belief in (("freqtrade_month", Belief.ASKED), ("freqtrade_month_untraded", Belief.MEASURED))
    ]  # fmt: skip
    return found


def _month(tapes: Tapes, belief: Belief) -> Shared:
    return tapes.month[belief]
