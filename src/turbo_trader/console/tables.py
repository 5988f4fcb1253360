"""Tables for a terminal of 80 columns: plain text, the first column to the left, figures to the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

WIDTH = 80
_TARGETS = ("figure", "measured", "before", "target")


def wrapped(text: str) -> list[str]:
    """Lines of a text, the later ones set in."""
    return wrap(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False) or [""]


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1, gap: int = 2) -> list[str]:
    """Lines of columns as wide as their widest cell, `gap` spaces apart or one where that is too wide; `left` are set left."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    between = " " * gap if sum(widths) + gap * (len(widths) - 1) <= WIDTH else " "
    return [
        between.join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    ]


def target_lines(lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """A table of lines with figure, measured, before and target; long targets wrap below."""
    kept = [[str(line[name]) for name in _TARGETS] for line in lines]
    first = [max(map(len, column)) for column in zip(_TARGETS[:-1], *(row[:-1] for row in kept), strict=True)]
    room = WIDTH - sum(first) - 2 * (len(_TARGETS) - 1)
    rows = []
    for line in kept:
        parts = wrap(line[-1], room)
        rows += [[*line[:-1], parts[0]], *(["", "", "", part] for part in parts[1:])]
    return aligned(_TARGETS, rows, left=len(_TARGETS))
