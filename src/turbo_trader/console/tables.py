"""Tables for a terminal of 80 columns: plain text, the first column to the left, figures to the right."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 80


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Lines of columns as wide as their widest cell, two spaces apart, one where that is too wide; `left`: columns to the left."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    gap = "  " if sum(widths) + 2 * (len(widths) - 1) <= WIDTH else " "
    return [
        gap.join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (header, *rows)
    ]
