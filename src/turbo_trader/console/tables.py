"""Tables for a terminal of 80 columns: plain text, the first column to the left, figures to the right."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

WIDTH = 80


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
