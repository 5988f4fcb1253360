"""Recorded commands as lines of text, for people and for comparison: the same line for the same meaning."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

import msgspec
import numpy as np

from turbo_trader.journal.codec import unpack_command
from turbo_trader.journal.layouts import record_of
from turbo_trader.simulation.decisions import FIELDS, PART_NAMES, PARTS, command_text
from turbo_trader.trader.commands import CancelOrder, PlaceOrder, SetLeverage, SetStops

_WRITES: Final[dict[str, Any]] = {
    kind.__name__: kind for kind in (PlaceOrder, CancelOrder, SetStops, SetLeverage)
}
_NOTHING: Final = "nothing"
_LONGEST: Final = 600  # characters of a line that is shown
_BEFORE: Final = 60  # and of it before the difference


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows of a scan lie in memory, and the symbols they are of."""

    record: np.dtype[Any]
    symbols: tuple[str, ...]

    @classmethod
    def of(cls, fields: list[Any], symbols: tuple[str, ...]) -> Layout:
        """Of fields as `journal.layouts.described` writes them."""
        return cls(record_of(fields), symbols)


def lines(packed: bytes, layout: Layout) -> list[str]:
    """A packed command as text: one line, a line per symbol of a scan."""
    name, fields = unpack_command(packed)
    if name in _WRITES:
        return [command_text(msgspec.convert(fields, _WRITES[name])).strip()]
    if name == "Scanned":
        rows = np.frombuffer(fields["rows"], layout.record)
        return [_scan_line(int(fields["ts"]), row, layout) for row in rows]
    if name in ("Note", "Persist"):
        inner = fields.pop("fields" if name == "Note" else "value")
        fields |= inner if isinstance(inner, dict) else {"value": inner}
    return [" ".join((name, *(f"{key}={_text(value)}" for key, value in fields.items())))]


def narrowed(recorded: list[str], replayed: list[str]) -> tuple[str, str]:
    """The first line that differs, of each side; of two lines that begin alike, only what differs after that."""
    pairs = zip_longest(recorded, replayed, fillvalue="")
    left, right = next(pair for pair in pairs if pair[0] != pair[1])
    if left and right:
        ones, others = left.split(" "), right.split(" ")
        if ones[0] == others[0] and len(ones) == len(others):
            kept = [
                i for i, (one, other) in enumerate(zip(ones, others, strict=True)) if i < 2 or one != other
            ]  # the kind and its first field say what it is
            left, right = (" ".join(parts[i] for i in kept) for parts in (ones, others))
    return _shown(left, right), _shown(right, left)


def _shown(line: str, other: str) -> str:
    """A line, cut where it is too long; where the cut would hide the difference, from just before it on."""
    pairs = enumerate(zip(line, other, strict=False))
    at = next((n for n, (one, two) in pairs if one != two), min(len(line), len(other)))
    if other and at > _LONGEST // 2:
        head = " ".join(line.split(" ")[:2])
        line = f"{head} ... {line[at - _BEFORE :]}"
    return line[:_LONGEST] or _NOTHING


def _scan_line(ts: int, row: Any, layout: Layout) -> str:
    figures = [f"{name}={_number(row[field])}" for name, field in FIELDS.items()]
    for name, (field, order) in PARTS.items():
        figures += [f"{name}:{part}={_number(row[field][order.index(part)])}" for part in PART_NAMES[name]]
    return " ".join(("scan", layout.symbols[int(row["symbol"])], f"ts={ts}", *figures))


def _number(value: Any) -> str:
    """Zero has no sign."""
    plain = value.item()
    return repr(plain + 0.0) if isinstance(plain, float) else str(plain)


def _text(value: Any) -> str:
    if isinstance(value, bytes):  # rows and samples
        return f"{len(value)} bytes, sha256 {hashlib.sha256(value).hexdigest()[:16]}"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
