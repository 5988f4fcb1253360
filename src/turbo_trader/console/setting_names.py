"""Names of settings: a renamed one is refused with the new name, and an unknown one is reported with what it may have meant.

`.env` is ours: there a name that is nearly a setting's is refused, and any other is reported. The environment holds names of other
programs, too: there a name is reported where it is nearly a setting's, or begins with `BYBIT_` or with the first two parts of a
setting whose name has more of them (`MICRO_TURBO_`, but not `MAX_`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Final, NamedTuple

from turbo_trader.console.exit_codes import report
from turbo_trader.market.errors import InputError
from turbo_trader.market.names import nearest

_NEAR: Final = 0.8  # of difflib's ratio: a letter too few or too many in a name of four, two letters swapped in one of six
_OURS: Final = "BYBIT_"
_OTHERS: Final = frozenset({"MODEL", "MODELS", "NODE", "SEEDS", "SIZES"})  # what other programs use


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


def check_file(names: Iterable[str], known: Collection[str]) -> None:
    """Names of `.env`. InputError for one that is nearly a setting's; any other unknown one is reported, once."""
    unknown = tuple(name for name in names if name not in known)
    for name in unknown:
        if meant := _nearly(name, known):
            raise InputError(
                f".env: {name} is no setting; did you mean {meant}? correct the line or remove it"
            )
    _report_unknown(".env", tuple((name, "") for name in unknown))


def check_environment(names: Iterable[str], known: Collection[str]) -> None:
    """Names of the environment: one that looks like a setting and is none is reported, once."""
    _report_unknown("environment", _look_like_settings(tuple(names), tuple(known)))


@cache
def _look_like_settings(names: tuple[str, ...], known: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Those names that look like settings and are none, each with `; did you mean X?` or ""."""
    split = (name.split("_", 2) for name in known)
    begins = (_OURS, *(f"{part[0]}_{part[1]}_" for part in split if len(part) > 2))
    unknown = [name for name in names if name not in known and name not in _OTHERS]
    return tuple(
        (name, nearest(name.upper(), known))
        for name in unknown
        if name.startswith(begins) or _nearly(name, known)
    )


def _nearly(name: str, known: Collection[str]) -> str:
    """The setting whose name this one nearly is; "" where there is none."""
    return next(iter(get_close_matches(name.upper(), known, n=1, cutoff=_NEAR)), "")


@cache
def _report_unknown(where: str, names: tuple[tuple[str, str], ...]) -> None:
    for name, hint in names:
        report(f"{where}: {name} is no setting and does nothing{hint or '; .env.example has them all'}")
