"""`turbo-trader guard`: the process that looks after positions while no daemon does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def guard(
    mode: Annotated[str | None, typer.Option(help="testnet, demo or live")] = None,
    journal_dir: Annotated[
        Path | None, typer.Option("--journal-dir", help="folder of journals and logs")
    ] = None,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="end once no daemon lives and nothing is open")
    ] = False,
) -> None:
    """Look every 3 s; when the daemon is gone: cancel its resting entries, restore stops, close what is late. Never opens."""
    import uvloop

    from turbo_trader.console.keys import given_keys
    from turbo_trader.console.logs import open_log
    from turbo_trader.console.observer import tell_log
    from turbo_trader.console.settings import environment, load_settings
    from turbo_trader.console.start import lease_rules, live_endpoints, live_keys
    from turbo_trader.live.guard import GuardSettings, only_one, watch_over
    from turbo_trader.market.errors import InputError
    from turbo_trader.rules.policy import Policy

    settings = load_settings(mode=mode, journal_dir=journal_dir)
    if settings.mode == "paper":
        raise InputError(
            "MODE=paper: its venue ends with its daemon, there is nothing to guard; use testnet, demo or live"
        )
    keys = live_keys(settings)
    folder = settings.journal_dir / settings.mode
    with only_one(folder):
        shown = given_keys(settings)
        open_log(folder / "guard", level=settings.log_level, terminal=True, secrets=(shown.key, shown.secret))
        lease = lease_rules(Policy.from_env(environment(), live=settings.mode == "live"))
        where = live_endpoints(settings)
        uvloop.run(
            watch_over(GuardSettings(where, keys, folder, until_idle=until_idle, lease=lease), tell_log)
        )
