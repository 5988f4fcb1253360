"""The first `.env`: a mode, and five numbers that bound a loss, each adjusted where another requires it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from turbo_trader.console.settings import Settings
from turbo_trader.journal.private_files import private_opener
from turbo_trader.market.errors import InputError, Refused
from turbo_trader.numbers.declared import bounds, expectation
from turbo_trader.numbers.text import decimal
from turbo_trader.rules.policy import Policy

#: The numbers that `init` asks for, in this order: what each bounds. One that is not given follows those before it.
NUMBERS: Final[dict[str, str]] = {
    "SESSION_LOSS": "loss of a session that closes everything and halts",
    "DRAWDOWN_PAUSE": "fall below the peak that pauses new trades",
    "A_RISK": "share of equity that an A-trade may lose at its stop",
    "B_RISK": "share of equity that a B-trade may lose at its stop",
    "MAX_LEVERAGE": "highest leverage of a position",
}

#: (number, the one it must not exceed, the share of that it moves to, why).
_BOUNDS: Final = (
    ("DRAWDOWN_PAUSE", "SESSION_LOSS", Decimal("0.75"), "else the halt comes before the pause"),
    ("A_RISK", "SESSION_LOSS", Decimal("0.5"), "else one stop can lose more than a session may"),
    ("B_RISK", "A_RISK", Decimal("0.5"), "else a B-trade can lose more than an A-trade"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSettings:
    """What goes into `.env`: names and values in the order they are written; `moved`: a sentence for each number that followed."""

    values: Mapping[str, str]
    moved: tuple[str, ...] = field(default=())

    def text(self) -> str:
        """The file."""
        lines = ["# written by turbo-trader init; .env.example has every setting", *_lines(self.values)]
        return "\n".join(lines) + "\n"


def first_settings(asked: Mapping[str, str]) -> FirstSettings:
    """The settings of what was asked for, by name; numbers left out follow the ones given, the rest are defaults and not written.

    InputError for a value that is out of range or contradicts another one that was asked for as well.
    """
    values = {name: value for name, value in asked.items() if value != ""}
    moved = []
    for name, most, share, why in _BOUNDS:
        bound, now = _number(values, most), _number(values, name)
        if now <= bound:
            continue
        if name in asked and asked[name] != "":
            raise InputError(
                f"{name} {percent(now)} is above {most} {percent(bound)}: choose {percent(bound)} at most, {why}"
            )
        low, _ = bounds(Policy.model_fields[name.lower()])
        values[name] = percent(min(bound, max(Decimal(str(low)), bound * share)))
        moved.append(f"{name} {percent(now)} -> {values[name]}, as {most} is {percent(bound)}: {why}")
    Settings.read(values)
    Policy.from_env(values)
    return FirstSettings(values=values, moved=tuple(moved))


def followed(name: str, asked: Mapping[str, str]) -> str:
    """What a number comes to where it is left out, as a person writes it."""
    settled = first_settings({key: value for key, value in asked.items() if key != name})
    value = _number(settled.values, name)
    return percent(value) if name != "MAX_LEVERAGE" else format(value, "f")


def percent(fraction: Decimal) -> str:
    """`0.15` as `15%`."""
    return f"{(100 * fraction).normalize():f}%"


def write_settings(path: Path, settings: FirstSettings, *, replace: bool) -> Path | None:
    """Write the file for its owner alone (0600); one that is there is kept beside it, its path is returned.

    Refused where there is one and `replace` is not asked for; InputError where it cannot be written, and then nothing has changed.
    """
    there = path.exists()
    if there and not replace:
        raise Refused(
            f"{path} exists and is left as it is; --force replaces it and keeps the old one as {path}.old"
        )
    kept = path.with_name(f"{path.name}.old") if there else None
    draft = path.with_name(f"{path.name}.new")
    try:
        with open(draft, "w", opener=private_opener, encoding="utf-8") as file:
            file.write(settings.text())
        if kept is not None:
            path.replace(kept)
        draft.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        raise InputError(
            f"{path.absolute()}: {error.strerror}; call `init` in a folder that you may write to"
        ) from None
    return kept


def write_keys(path: Path, key: str, secret: str) -> None:
    """Write a new key file of two lines for its owner alone (0600). InputError where there is one already."""
    try:
        with open(path, "x", opener=private_opener, encoding="utf-8") as file:
            file.write(f"{key}\n{secret}\n")
    except FileExistsError:
        raise InputError(
            f"key file {path}: it exists; name it with --key-file to use it, or another one"
        ) from None
    except OSError as error:
        raise InputError(f"key file {path}: {error.strerror}; name another with --key-file") from None


def _number(values: Mapping[str, str], name: str) -> Decimal:
    if name not in values:
        return Decimal(getattr(Policy.model_fields[name.lower()], "default"))  # noqa: B009 - typed as Any
    field = Policy.model_fields[name.lower()]
    low, high = bounds(field)
    try:
        value = decimal(values[name].strip())
    except ValueError:
        raise InputError(f"{name} {values[name]!r}: not a number; write it like 15%") from None
    if not low <= value <= high:  # under its own name, before another number follows it
        raise InputError(f"{name} {values[name]!r}: expected {expectation(field)}")
    return value


def _lines(values: Mapping[str, str]) -> Iterator[str]:
    for name, value in values.items():
        if name in NUMBERS:
            yield f"# {NUMBERS[name]}"
        yield f"{name}={value}"
