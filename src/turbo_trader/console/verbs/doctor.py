"""`turbo-trader doctor`: what stands in the way of trading, each line with its fix."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Annotated, Final

import typer

from turbo_trader.console.tables import WIDTH

if TYPE_CHECKING:
    from rich.text import Text

    from turbo_trader.live.checks import Check

_COLOURS: Final = {"pass": "green", "warn": "yellow", "fail": "red", "refuse": "bold red"}
_NAME: Final = 23  # columns of level and name


def doctor(
    mode: Annotated[str | None, typer.Option(help="paper, testnet, demo or live")] = None,
    journal_dir: Annotated[
        Path | None, typer.Option("--journal-dir", help="folder of journals and logs")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> int:
    """Check keys, permissions, expiry, region, clock, account and position mode, balance, disk, journal; change nothing.

    Exit code 0 when nothing fails, 1 when something does, 3 when something is unsafe (a key that may withdraw, hedge mode).
    """
    from dataclasses import asdict

    from rich.console import Console

    from turbo_trader.console import exit_codes
    from turbo_trader.console.examination import examine
    from turbo_trader.console.output import print_json
    from turbo_trader.console.progress import Progress
    from turbo_trader.console.settings import environment, load_settings
    from turbo_trader.live.checks import Level, worst
    from turbo_trader.rules.policy import Policy

    settings = load_settings(mode=mode, journal_dir=journal_dir)
    with nullcontext() if json else Progress(f"examining {settings.mode}"):
        checks = examine(settings, Policy.from_env(environment()))
    if json:
        verdict = worst(checks)
        print_json({"mode": settings.mode, "worst": verdict, "checks": [asdict(check) for check in checks]})
    else:
        console = Console(soft_wrap=True)
        for check in checks:
            for line in check_lines(check):
                console.print(line)
    return {Level.FAIL: exit_codes.FAILED, Level.REFUSE: exit_codes.REFUSED}.get(worst(checks), exit_codes.OK)


def check_lines(check: Check) -> list[Text]:
    """A check for a person, within 80 columns: level, name, what was found, and below it the fix."""
    from rich.text import Text

    found = wrap(check.found, WIDTH - _NAME, break_on_hyphens=False) or [""]
    fix = wrap(check.fix, WIDTH - _NAME - 3, break_on_hyphens=False)
    below = [*found[1:], *(f"{'-> ' if i == 0 else '   '}{part}" for i, part in enumerate(fix))]
    head = Text.assemble((f"{check.level:<7}", _COLOURS[check.level]), f" {check.name:<15}{found[0]}")
    return [head, *(Text(f"{'':<{_NAME}}{part}") for part in below)]
