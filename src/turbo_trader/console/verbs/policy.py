"""`turbo-trader policy`: every number in force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from turbo_trader.rules.numbers import NumberRow

_NAME, _VALUE = 37, 17  # columns; the meaning has the rest


def policy(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="numbers to explain, such as TP_MIN", show_default=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Print every number of the rules by section: who set it, unit, meaning, overrides. NAME: where it comes from."""
    from dataclasses import asdict

    from turbo_trader.console.output import print_json
    from turbo_trader.console.settings import environment
    from turbo_trader.console.tables import WIDTH
    from turbo_trader.rules.belief import cannot_block, cannot_block_lines
    from turbo_trader.rules.policy import Policy
    from turbo_trader.rules.tiers import TIER_NAMES

    rules = Policy.from_env(environment())
    rows = rules.table()
    if names:
        rows = named(rows, names)
    if json:
        found = {name: cannot_block(rules, name) for name in TIER_NAMES}
        print_json({"policy": [asdict(row) for row in rows], "cannot_block": found})
        return
    for line in explained(rows) if names else lines(rows):
        print(line)
    if not names:
        print()
        for line in cannot_block_lines(rules):
            print("\n".join(wrap(line, WIDTH)))


def named(rows: Sequence[NumberRow], names: Sequence[str]) -> list[NumberRow]:
    """The rows of these names. InputError for a name that is no number, with the nearest one."""
    from turbo_trader.market.errors import InputError
    from turbo_trader.market.names import nearest

    known = {row.name: row for row in rows}
    for name in names:
        if name.upper() not in known:
            raise InputError(f"{name}: no number of the rules{nearest(name.upper(), known)}")
    return [known[name.upper()] for name in names]


def explained(rows: Sequence[NumberRow]) -> Iterator[str]:
    """Each number with the line of the rules that it stands in and why it is what it is."""
    from turbo_trader.numbers.declared import shown

    for row in rows:
        default = f" (default {shown(row.default)})" if row.overridden else ""
        yield f"{row.name} = {shown(row.value)} {row.unit}{default}: {row.meaning}"
        yield f"  {row.label}, section {row.section}: {row.source}"
        if row.reason:
            yield f"  why: {row.reason}"


def lines(rows: Sequence[NumberRow]) -> Iterator[str]:
    """The table for 80 columns; an overridden number has a star and its default."""
    from turbo_trader.console.tables import WIDTH
    from turbo_trader.numbers.declared import shown

    section = ""
    for row in rows:
        if row.section[0] != section:
            if section:
                yield ""
            section = row.section[0]
            yield f"section {section} of the rules"
        mark = ("*" if row.overridden else " ") + f"{row.label:6}"
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
    yield f"{len(rows)} numbers, {overridden} overridden (*)"
    yield "asked: stands in the user's texts; chosen: they leave it open or contradict"
    yield "themselves; ours: a rule we added. `turbo-trader policy NAME` says why."
