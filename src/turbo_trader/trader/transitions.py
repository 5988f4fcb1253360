"""Small state machines: a table that lists every transition there is, and nothing else can happen."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


def after(table: Mapping[tuple[S, E], S], state: S, event: E) -> S:
    """The state after `event` in `state`. ValueError where the table has no such transition: a defect of this program."""
    try:
        return table[state, event]
    except KeyError:
        raise ValueError(f"{type(state).__name__} {state!s}: {event!s} cannot come here") from None


def printed(table: Mapping[tuple[S, E], S]) -> str:
    """The table as Markdown: a row for each state, a column for each event; empty where the event cannot come."""
    states = list(type(next(iter(table))[0]))
    events = list(type(next(iter(table))[1]))
    lines: list[list[str]] = [["", *events], ["---"] * (len(events) + 1)]
    lines += [[f"**{state}**", *(table.get((state, event), "") for event in events)] for state in states]
    return "".join("".join(f"| {cell} " if cell else "| " for cell in line) + "|\n" for line in lines)
