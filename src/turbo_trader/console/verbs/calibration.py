"""`turbo-trader calibration`: the model's numbers against the outcomes."""

from __future__ import annotations

from typing import Annotated

import typer

from turbo_trader.console.daemons import journal_of
from turbo_trader.console.options import Journal, Name


def calibration(
    daemon: Name = None,
    journal_dir: Journal = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Forecast, confidence and p_tp against their outcomes, EV against results, with intervals; over all and per symbol."""
    from rich.console import Console

    from turbo_trader.console.calibration_tables import tables
    from turbo_trader.console.output import print_json
    from turbo_trader.console.progress import Progress
    from turbo_trader.journal.opening import believable
    from turbo_trader.journal.readers import notes, outcomes
    from turbo_trader.rules.model_calibration import report

    folder = journal_of("calibration", daemon, journal_dir)
    with Progress("reading the journal"), believable(folder):
        symbols, rows = outcomes(folder)
        trades = notes(folder, "trade", last=100_000)
        names = list(dict.fromkeys([*symbols, *(str(trade["symbol"]) for trade in trades)]))
        found = report(rows, names, trades)
    if json:
        print_json({"journal": folder, **found})
        return
    if not len(rows) and not trades:
        print(f"no outcome in the journal yet ({folder}): a forecast has one when its horizon is over")
        return
    console = Console()
    for table in tables(found):
        console.print(table)
