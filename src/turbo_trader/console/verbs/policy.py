"""`turbo-trader policy`: every number in force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from turbo_trader.rules.numbers import NumberRow

_NAME, _VALUE = 31, 20  # columns; the meaning has the rest


def policy(json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False) -> None:
    """Print every number of the rules with its unit and meaning, by section, and what was overridden."""
    from dataclasses import asdict

    from turbo_trader.console.output import print_json
    from turbo_trader.console.settings import environment
    from turbo_trader.rules.policy import Policy

    rows = Policy.from_env(environment()).table()
    if json:
        print_json({"policy": [asdict(row) for row in rows]})
        return
    for line in lines(rows):
        print(line)


def lines(rows: Sequence[NumberRow]) -> Iterator[str]:
    """The table for 80 columns; a number the user asked for has a =, an overridden one a star, and tells its default."""
    from turbo_trader.console.tables import WIDTH
    from turbo_trader.rules.numbers import shown

    section = ""
    for row in rows:
        if row.section.split(".")[0] != section:
            if section:
                yield ""
            section = row.section.split(".")[0]
            yield f"section {section} of the rules"
        mark = ("*" if row.overridden else " ") + (" " if row.chosen else "=")
        meaning = f"{row.meaning} (default {shown(row.default)})" if row.overridden else row.meaning
        value = f"{shown(row.value).replace(',', ', ')} {row.unit}"
        start = f"{mark} {row.name}".ljust(_NAME)
        if len(value) >= _VALUE:
            indent = " " * (_NAME + 1)
            yield from wrap(value, WIDTH, initial_indent=f"{start} ", subsequent_indent=indent)
            start, value = "", ""
        first, *rest = wrap(meaning, WIDTH - _NAME - _VALUE - 2)
        yield f"{start:{_NAME}} {value:{_VALUE}} {first}".rstrip()
        yield from (" " * (_NAME + _VALUE + 2) + more for more in rest)
    overridden = sum(row.overridden for row in rows)
    yield ""
    yield f"{len(rows)} numbers, {overridden} overridden (*); = as the user asked, the others were left open"
