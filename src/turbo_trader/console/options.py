"""Options shared by several verbs, and numbers on the command line, read as strictly as those of `.env`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from turbo_trader.numbers import text

MOST = 2**63 - 1
FASTEST = 1e6  # a time factor that no machine reaches
MOST_EDGE = 100.0  # beyond it prices overflow
EDGE = 2.0  # put into a made-up market unless asked otherwise: outweighs the cost, so that there is something to watch

Name = Annotated[
    str | None, typer.Option("--daemon", help="a running daemon by its name, as `status` shows it")
]
Every = Annotated[bool, typer.Option("--all", help="every running daemon")]
Folder = Annotated[
    Path | None, typer.Option("--journal-dir", help="running daemons by the folder of their journals")
]
Journal = Annotated[
    Path | None,
    typer.Option("--journal-dir", help="default: the running daemon's, else the last run's in JOURNAL_DIR"),
]


def whole(low: int = 0, high: int = MOST) -> Callable[[str | int], int]:
    """A parser of whole numbers, bounds included; a default that is a number already passes."""

    def parse(given: str | int) -> int:
        try:
            value = text.whole(given.strip()) if isinstance(given, str) else given
        except ValueError:
            raise typer.BadParameter(f"{given!r} is not a whole number") from None
        if not low <= value <= high:
            bounds = f"{low} or more" if high == MOST and value < low else f"{low} to {high}"
            raise typer.BadParameter(f"{given}: must be {bounds}")
        return value

    return parse


def figure(low: float = 0.0, high: float = 1e6) -> Callable[[str | float], float]:
    """A parser of numbers, bounds included; a default that is a number already passes."""

    def parse(given: str | float) -> float:
        try:
            value = float(text.decimal(given.strip())) if isinstance(given, str) else given
        except ValueError:
            raise typer.BadParameter(f"{given!r} is not a number") from None
        if not low <= value <= high:
            raise typer.BadParameter(f"{given}: must be {low:g} to {high:g}")
        return value

    return parse


def speed_figure(given: str | float) -> float:
    """A parser of time factors: a number, or max."""
    if given == "max":
        return FASTEST
    try:
        return figure(high=FASTEST)(given)
    except typer.BadParameter as error:
        raise typer.BadParameter(f"{error.message}, or max") from None


#: Of a made-up or played market, at `run` and at `exchange`.
MarketStart = Annotated[
    str | None,
    typer.Option(
        "--start", help="when the synthetic market begins: now or ISO 8601 (default: now at speed 1)"
    ),
]
Seed = Annotated[int | None, typer.Option(help="of the synthetic market", parser=whole())]
Edge = Annotated[
    float | None,
    typer.Option(help="predictability put into the synthetic market", parser=figure(0.0, MOST_EDGE)),
]
FaultSeed = Annotated[int | None, typer.Option(help="of the faults", parser=whole())]
