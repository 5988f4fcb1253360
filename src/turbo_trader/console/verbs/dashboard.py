"""`turbo-trader dashboard`: the daemons of this user as a page in a browser."""

from __future__ import annotations

from json import dumps
from pathlib import Path
from typing import Annotated

import typer

from turbo_trader.console.options import whole


def dashboard(
    port: Annotated[int, typer.Option(help="0: any free port", parser=whole(0, 65_535))] = 8137,
    host: Annotated[str, typer.Option(help="the address to listen at")] = "127.0.0.1",
    journal_dir: Annotated[
        Path | None, typer.Option("--journal-dir", help="whose runs are listed; default: JOURNAL_DIR")
    ] = None,
    token: Annotated[
        bool, typer.Option("--token", help="print the token that opens the page, and exit")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="the ready line, or the token, as one JSON object on stdout")
    ] = False,
) -> None:
    """Serve a page with every daemon: positions, equity, limits, evidence, funnel, log, emergency stop."""
    from turbo_trader.console.dashboard.access import read_token

    if token:
        found = read_token()[0]
        print(dumps({"token": found}) if json else found)
        return
    from turbo_trader.console.dashboard.page_process import serve
    from turbo_trader.console.journal_database import database_of
    from turbo_trader.console.settings import load_settings

    settings = load_settings()
    base = settings.journal_dir if journal_dir is None else journal_dir
    serve(base, host, port, there=database_of(settings, base), as_json=json)
