"""`turbo-trader funnel`: how many scans came how far, beside what the user hopes for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def funnel(
    journal_dir: Annotated[Path | None, typer.Option("--journal-dir", help="default: the last run's")] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Counts of the run's scans by gate, and the hoped figures beside them."""
    from rich.console import Console
    from rich.table import Table

    from turbo_trader.console.folders import journal_folder
    from turbo_trader.console.output import print_json
    from turbo_trader.console.summary import funnel_lines
    from turbo_trader.journal.readers import all_scans
    from turbo_trader.rules.funnel import Funnel

    total = Funnel()
    for _, _, rows in all_scans(journal_folder(journal_dir)):
        total.add(rows)
    beside = total.beside_hoped()
    if json:
        hoped = [dict(zip(("figure", "measured", "before", "hoped"), line, strict=True)) for line in beside]
        print_json({"funnel": total.to_dict(), "hours": total.hours, "beside_hoped": hoped})
        return
    for line in funnel_lines(total.to_dict()):
        print(line)
    table = Table("figure", "measured", "before", "hoped")
    for row in beside:
        table.add_row(*row)
    Console().print(table)
