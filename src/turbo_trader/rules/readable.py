"""Values as a person reads them: significant digits only, no nanoseconds, no braces."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

_DIGITS: Final = 8  # significant ones of an amount; the journal and --json have all of them
_TIME: Final = 10**17  # whole numbers from here on are times, ns UTC
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)


def readable(value: Any) -> str:
    """The value as plain text: figures with at most eight digits that count, times as UTC, lists and tables with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Decimal):
        return _short(value)
    if isinstance(value, int):
        return (
            datetime.fromtimestamp(value // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            if value >= _TIME
            else str(value)
        )
    if isinstance(value, str):
        return _short(Decimal(value)) if len(value) > _DIGITS and _NUMBER.fullmatch(value) else value
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {readable(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(readable(each) for each in value) or "none"
    return str(value)


def _short(amount: Decimal) -> str:
    """Without an exponent. Whole digits stay whole: 112,960.123456789 keeps its six in front and two behind."""
    if not amount.is_finite() or not amount:
        return format(amount, "f")
    behind = max(0, _DIGITS - 1 - amount.adjusted())
    if -int(amount.as_tuple().exponent) <= behind:
        return format(amount, "f")
    return format(round(amount, behind).normalize(), "f")
