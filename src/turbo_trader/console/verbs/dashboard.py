"""`turbo-trader dashboard`: the daemons of this user as a page in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from turbo_trader.console.options import whole


def dashboard(
    port: Annotated[int, typer.Option(help="0: any that is free", parser=whole(0, 65_535))] = 8137,
    host: Annotated[str, typer.Option(help="the address to listen at")] = "127.0.0.1",
    journal_dir: Annotated[
        Path | None, typer.Option("--journal-dir", help="whose runs are listed; default: JOURNAL_DIR")
    ] = None,
    token: Annotated[
        bool, typer.Option("--token", help="print the token that opens the page, and end")
    ] = False,
) -> None:
    """Serve a page with every daemon: positions, equity, limits, evidence, funnel, log, emergency stop."""
    from turbo_trader.console.dashboard.access import read_token

    if token:
        print(read_token()[0])
        return
    from turbo_trader.console.dashboard.server import serve
    from turbo_trader.console.settings import load_settings

    serve(load_settings().journal_dir if journal_dir is None else journal_dir, host, port)
