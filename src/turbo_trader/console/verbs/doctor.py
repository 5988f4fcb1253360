"""`turbo-trader doctor`: what stands in the way of trading, each line with its fix."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    mode: Annotated[str | None, typer.Option(help="paper, testnet, demo or live")] = None,
    journal_dir: Annotated[
        Path | None, typer.Option("--journal-dir", help="folder of journals and logs")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> int:
    """Keys, permissions, expiry, region, clock, account and position mode, balance, disk, journal; nothing is changed.

    Exit code 0 when nothing fails, 1 when something does, 3 when something is unsafe (a key that may withdraw, hedge mode).
    """
    from dataclasses import asdict

    from rich.console import Console
    from rich.text import Text

    from turbo_trader.console import exit_codes
    from turbo_trader.console.examination import examine
    from turbo_trader.console.output import print_json
    from turbo_trader.console.settings import environment, load_settings
    from turbo_trader.live.checks import Level, worst
    from turbo_trader.rules.policy import Policy

    settings = load_settings(mode=mode, journal_dir=journal_dir)
    checks = examine(settings, Policy.from_env(environment()))
    if json:
        verdict = worst(checks)
        print_json({"mode": settings.mode, "worst": verdict, "checks": [asdict(check) for check in checks]})
    else:
        colours = {Level.PASS: "green", Level.WARN: "yellow", Level.FAIL: "red", Level.REFUSE: "bold red"}
        console = Console(soft_wrap=True)
        for check in checks:
            fix = f"\n{'':<23}-> {check.fix}" if check.fix else ""
            line = Text.assemble(
                (f"{check.level:<7}", colours[check.level]), f" {check.name:<15}{check.found}{fix}"
            )
            console.print(line)
    return {Level.FAIL: exit_codes.FAILED, Level.REFUSE: exit_codes.REFUSED}.get(worst(checks), exit_codes.OK)
