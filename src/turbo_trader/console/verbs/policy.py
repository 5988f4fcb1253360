"""`turbo-trader policy`: every number in force."""

from __future__ import annotations

from typing import Annotated

import typer


def policy(json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False) -> None:
    """Print every number of the rules with its unit, its section and whether it was overridden."""
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    from turbo_trader.console.output import print_json
    from turbo_trader.console.settings import environment
    from turbo_trader.rules.policy import Policy

    rows = Policy.from_env(environment()).table()
    if json:
        print_json({"policy": [asdict(row) for row in rows]})
        return
    table = Table("name", "value", "unit", "section", "overridden", "meaning")
    for row in rows:
        overridden = "yes" if row.overridden else ""
        table.add_row(row.name, str(row.value), row.unit, row.section, overridden, row.meaning)
    Console().print(table)
