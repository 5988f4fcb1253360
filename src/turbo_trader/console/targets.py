"""What was measured beside what the user hopes for, within 80 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from turbo_trader.console.tables import WIDTH, aligned

_COLUMNS = ("figure", "measured", "before", "target")
_GAPS = 2 * (len(_COLUMNS) - 1)


def target_lines(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table of lines with figure, measured, before and target; long targets go on below."""
    kept = [[str(line[name]) for name in _COLUMNS] for line in lines]
    first = [max(map(len, column)) for column in zip(_COLUMNS[:-1], *(row[:-1] for row in kept), strict=True)]
    room = WIDTH - sum(first) - _GAPS
    rows = []
    for line in kept:
        parts = wrap(line[-1], room)
        rows += [[*line[:-1], parts[0]], *(["", "", "", part] for part in parts[1:])]
    return aligned(_COLUMNS, rows, left=len(_COLUMNS))
