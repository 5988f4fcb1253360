"""Lines, tables and bars as styled text of a known width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from rich.text import Text

WAY: Final = 17  # columns between stop and target
_HEIGHTS: Final = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of a table."""

    text: str
    style: str = ""


def line(text: str, style: str = "") -> Text:
    """One line, cut at its right where it is too long for the terminal."""
    return Text(text, style, no_wrap=True, end="")


def heading(text: str, width: int) -> Text:
    """A title with a rule to the right edge."""
    return line(f"{text} {'─' * max(0, width - len(text) - 1)}", "bold cyan")


def grid(
    header: Sequence[str], rows: Sequence[Sequence[Cell]], width: int, *, left: int, text_last: bool = False
) -> list[Text]:
    """A table of columns as wide as their widest cell; the first `left` are set left, the others right.

    `text_last`: the last column is text, set left and cut at the width. Columns are two spaces apart where there is room for it.
    """
    columns = list(zip(*([*(Cell(name) for name in header)], *rows), strict=True))
    widths = [max(len(cell.text) for cell in column) for column in columns]
    fixed = sum(widths[:-1]) if text_last else sum(widths)
    gap = "  " if fixed + 2 * len(widths) + (30 if text_last else 0) <= width else " "

    def row(cells: Sequence[Cell], style: str = "") -> Text:
        text = line("", style)
        for i, (cell, size) in enumerate(zip(cells, widths, strict=True)):
            last = i == len(widths) - 1
            if i:
                text.append(gap)
            set_left = i < left or (last and text_last)
            text.append(cell.text.ljust(size) if set_left else cell.text.rjust(size), cell.style)
        text.rstrip()
        text.truncate(width, overflow="ellipsis")
        return text

    return [row([Cell(name) for name in header], "bold cyan"), *(row(cells) for cells in rows)]


def bar(name: str, share: float, size: int) -> Text:
    """`name ████░░░░  50 %`; yellow from 80 % on, red when it is used up."""
    full = round(max(0.0, min(1.0, share)) * size)
    style = "red" if share >= 1 else "yellow" if share >= 0.8 else "green"
    return Text.assemble(
        f"{name} ",
        ("█" * full, style),
        ("░" * (size - full), "dim"),
        f" {100 * share:4.0f} %",
        no_wrap=True,
        end="",
    )


def way(stop: Any, entry: Any, price: Any, target: Any) -> Text:
    """Where the price is between stop (left) and target (right): `────┼───●────────`, ┼ the entry. Empty where one is missing."""
    if None in (stop, price, target) or Decimal(str(stop)) == Decimal(str(target)):
        return Text()
    low, high = Decimal(str(stop)), Decimal(str(target))

    def column(value: Any) -> int:
        return round((Decimal(str(value)) - low) / (high - low) * (WAY - 1))

    began, now = column(entry), min(max(column(price), 0), WAY - 1)
    marks = ["─"] * WAY
    if 0 <= began < WAY:
        marks[began] = "┼"
    style = "green" if column(price) > began else "red"
    return Text.assemble(("".join(marks[:now]), "dim"), ("●", style), ("".join(marks[now + 1 :]), "dim"))


def curve(values: Sequence[Decimal]) -> str:
    """Values as blocks of eight heights, the lowest and the highest of them at the ends."""
    low, high = min(values), max(values)
    if low == high:
        return _HEIGHTS[0] * len(values)
    return "".join(_HEIGHTS[int((each - low) / (high - low) * 7)] for each in values)
