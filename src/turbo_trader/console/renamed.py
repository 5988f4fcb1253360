"""Renamed settings: an old name is refused with the new one, never read and never ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from turbo_trader.market.errors import InputError


class Renamed(NamedTuple):
    """What an old name is now."""

    name: str
    advice: str = ""  # which new value an old one corresponds to, in one sentence


#: Old environment variable -> what it is now.
RENAMED: Final[dict[str, Renamed]] = {
    "CALIBRATION": Renamed(
        "BELIEF",
        "write BELIEF=weighed for off or report, BELIEF=measured for enforce, or remove the line: BELIEF=asked is the default",
    ),
}


def refuse_renamed(given: Mapping[str, str], where: str) -> None:
    """InputError for the first old name that is given, with the new one and what to write."""
    for name, now in RENAMED.items():
        if given.get(name, "").strip():
            advice = f"; {now.advice}" if now.advice else ""
            raise InputError(f"{where}: {name} is {now.name} now{advice}")
