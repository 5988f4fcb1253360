"""Values from text: ASCII digits as a person writes them, nothing that two readers could take differently."""

from __future__ import annotations

import re
from decimal import Decimal

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})
_SCALES = (("%", Decimal("0.01")), ("bp", Decimal("0.0001")))
_DIGITS = 30  # of a whole number, and on each side of a point: far beyond every range
_WHOLE = re.compile(rf"-?[0-9]{{1,{_DIGITS}}}")
_DECIMAL = re.compile(rf"-?[0-9]{{1,{_DIGITS}}}(\.[0-9]{{1,{_DIGITS}}})?([eE][+-]?[0-9]{{1,3}})?")


def whole(text: str) -> int:
    """`30` or `-30`. ValueError for anything else, also for `1_000`, `+5`, `0x10`, `5.0` and digits of other scripts."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    return int(text)


def decimal(text: str) -> Decimal:
    """`0.006`, `1e-3`, also `0.6%` or `60bp`. ValueError for anything else: `1_000`, `+5`, `.5`, `nan`, other scripts' digits."""
    for suffix, scale in _SCALES:
        if text.endswith(suffix):
            return decimal(text.removesuffix(suffix).rstrip()) * scale
    if not _DECIMAL.fullmatch(text):
        raise ValueError(text)
    return Decimal(text)


def switch(text: str) -> bool:
    """true, yes, on, 1 or false, no, off, 0 in any case. ValueError for anything else."""
    lowered = text.lower()
    if lowered in _TRUE or lowered in _FALSE:
        return lowered in _TRUE
    raise ValueError(text)


def parts(text: str) -> tuple[str, ...]:
    """The items of a comma-separated list, without those that are empty."""
    return tuple(item for item in (part.strip() for part in text.split(",")) if item)
