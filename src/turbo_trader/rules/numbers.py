"""One number of the rules: its declaration, how it is read from text, how it is shown."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias, cast

from turbo_trader.market.errors import InputError

Value: TypeAlias = bool | int | Decimal | str | tuple[str, ...] | tuple[int, ...]

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_SCALES = (("%", Decimal("0.01")), ("bp", Decimal("0.0001")))


@dataclass(frozen=True, slots=True)
class NumberRow:
    """One line of `turbo-trader policy`."""

    name: str  # its environment variable
    value: Value
    default: Value
    unit: str
    section: str  # section of the trading rules
    chosen: bool  # False: asked for by the user
    overridden: bool
    meaning: str


def fixed(
    default: Value, unit: str, section: str, meaning: str, *,
    low: str = "0", high: str = "1e9", choices: tuple[str, ...] = (), pinned: bool = False,
) -> Any:  # fmt: skip
    """A dataclass field: a number the user asked for; `low` and `high` are allowed themselves.

    With `choices` a str default is a word out of them; without, it is a decimal. A `pinned` number is built into a kernel or
    into the venue: it is shown, and any other value is refused.
    """
    value = Decimal(default) if isinstance(default, str) and not choices else default
    metadata = {
        "unit": unit,
        "section": section,
        "meaning": meaning,
        "chosen": False,
        "low": value if pinned else Decimal(low),
        "high": value if pinned else Decimal(high),
        "pinned": pinned,
        "choices": choices,
    }
    return field(default=value, metadata=metadata)


def chosen(default: Value, unit: str, section: str, meaning: str, **bounds: Any) -> Any:
    """A number that the rules page leaves open and we chose; everything else as `fixed`."""
    declared = fixed(default, unit, section, meaning, **bounds)
    return field(default=declared.default, metadata={**declared.metadata, "chosen": True})


def env_name(declared: Field[Any]) -> str:
    """The environment variable that overrides a number: its name in upper case."""
    return declared.name.upper()


def number_rows(numbers: Any) -> list[NumberRow]:
    """Every number of a dataclass of numbers with its default, unit, section and whether it was overridden."""
    return [
        NumberRow(
            name=env_name(declared),
            value=(value := getattr(numbers, declared.name)),
            default=cast("Value", declared.default),
            unit=declared.metadata["unit"],
            section=declared.metadata["section"],
            chosen=declared.metadata["chosen"],
            overridden=value != declared.default,
            meaning=declared.metadata["meaning"],
        )
        for declared in fields(numbers)
    ]


def source(declared: Field[Any]) -> str:
    """The line of the rules a number comes from, for messages."""
    return f"section {declared.metadata['section']}: {declared.metadata['meaning']}"


def parse(declared: Field[Any], text: str) -> Value:
    """The value of a number from text; InputError with name, value and what is expected."""
    expected = expectation(declared)
    try:
        value = _read(declared, text.strip())
    except (ValueError, InvalidOperation):
        raise InputError(
            f"{env_name(declared)} = {text!r}: expected {expected} ({source(declared)})"
        ) from None
    check(declared, value)
    return value


def check(declared: Field[Any], value: Value) -> None:
    """InputError when a value is outside what its declaration allows."""
    if _allowed(declared, value):
        return
    raise InputError(
        f"{env_name(declared)} = {shown(value)!r}: expected {expectation(declared)} ({source(declared)})"
    )


def shown(value: Value) -> str:
    """A value as a person writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(str(item) for item in value)
    return str(value)


def expectation(declared: Field[Any]) -> str:
    """What is expected of a number, in words."""
    default, meta = declared.default, declared.metadata
    if isinstance(default, bool):
        return "true or false"
    if meta["choices"]:
        return "one of " + ", ".join(meta["choices"])
    if isinstance(default, tuple):
        return f"a comma-separated list of {meta['unit']}"
    if meta["pinned"]:
        return f"{default}: it cannot be changed"
    kind = "a whole number" if isinstance(default, int) else "a number (%, bp allowed)"
    return f"{kind} of {meta['low']} to {meta['high']} ({meta['unit']})"


def _read(declared: Field[Any], text: str) -> Value:
    default = declared.default
    if isinstance(default, bool):
        return _flag(text)
    if isinstance(default, int):
        return int(text)
    if isinstance(default, Decimal):
        return decimal(text)
    if isinstance(default, tuple):
        items = [item.strip() for item in text.split(",") if item.strip()]
        return tuple(int(item) for item in items) if isinstance(default[0], int) else tuple(items)
    return text.lower()


def _flag(text: str) -> bool:
    word = text.lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError(text)


def decimal(text: str) -> Decimal:
    """A number from text, also of percent or basis points. decimal.InvalidOperation where it is none."""
    for suffix, scale in _SCALES:
        if text.endswith(suffix):
            return Decimal(text.removesuffix(suffix).strip()) * scale
    return Decimal(text)


def _allowed(declared: Field[Any], value: Value) -> bool:
    default, meta = declared.default, declared.metadata
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, tuple):
        return isinstance(value, tuple) and bool(value) and len(set(value)) == len(value)
    if isinstance(default, str):
        return value in meta["choices"]
    if isinstance(default, int) and not isinstance(value, int):
        return False
    if not isinstance(value, int | Decimal) or (isinstance(value, Decimal) and not value.is_finite()):
        return False
    return bool(meta["low"] <= value <= meta["high"])
