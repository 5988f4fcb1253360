"""`turbo-trader run`: the daemon."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turbo_trader.console.options import (
    Edge,
    FaultSeed,
    MarketStart,
    Seed,
    speed_figure,
)

if TYPE_CHECKING:
    from turbo_trader.live.daemon_settings import Summary

Mode = Annotated[str | None, typer.Option(help="paper, testnet, demo or live")]
Market = Annotated[str | None, typer.Option(help="paper's market: synthetic, tape:PATH, bybit, or bybit:URL")]
Speed = Annotated[
    float | None,
    typer.Option(
        help="paper's highest time factor, or max; default 30 on synthetic, 1 on a tape",
        parser=speed_figure,
    ),
]
Duration = Annotated[
    str | None, typer.Option("--for", help="how long to run at that speed, such as 40s or 2m")
]
Balance = Annotated[str | None, typer.Option(help="paper's starting balance, USDT")]
Faults = Annotated[
    str | None, typer.Option(help="faults of the paper venue: drop=0.05,delay=0.05,error=0.05")
]
JournalDir = Annotated[Path | None, typer.Option("--journal-dir", help="folder of journals and logs")]
Signal = Annotated[
    str | None, typer.Option(help="entries by: rules, an installed panel signal, or a .py file")
]
TakeOver = Annotated[
    bool,
    typer.Option("--take-over", help="take over the orders of an instance whose journal is lost"),
]
NoUi = Annotated[bool, typer.Option("--no-ui", help="log lines instead of the view")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout at the end")]


def run(
    *,
    mode: Mode = None,
    market: Market = None,
    speed: Speed = None,
    market_start: MarketStart = None,
    duration: Duration = None,
    balance: Balance = None,
    seed: Seed = None,
    edge: Edge = None,
    faults: Faults = None,
    fault_seed: FaultSeed = None,
    journal_dir: JournalDir = None,
    signal: Signal = None,
    take_over: TakeOver = False,
    no_ui: NoUi = False,
    json: Json = False,
) -> None:
    """Listen, decide, trade, guard. Paper on the built-in synthetic market by default; Ctrl-C ends it cleanly."""
    from turbo_trader.bybit.endpoints import Mode
    from turbo_trader.console.exit_codes import Failed
    from turbo_trader.console.output import print_json
    from turbo_trader.console.settings import environment, load_settings
    from turbo_trader.console.size_choice import require_hours, require_size
    from turbo_trader.console.summary import run_lines
    from turbo_trader.console.times import parse_duration
    from turbo_trader.console.venues import live_keys
    from turbo_trader.rules.policy import Policy

    options: dict[str, Any] = {
        "mode": mode, "market": market, "speed": speed, "balance": balance, "seed": seed, "edge": edge, "faults": faults,
        "fault_seed": fault_seed, "market_start": market_start,
    }  # fmt: skip
    settings = load_settings(**options, journal_dir=journal_dir)
    env = {**environment(), **({"SIGNAL": signal} if signal else {})}
    policy = Policy.from_env(env)
    if settings.mode == Mode.LIVE:
        live_keys(settings)
        require_size(env, policy, settings.balance)
        require_hours(policy, accepted=settings.i_accept_hours)
    seconds = parse_duration(duration) if duration is not None else None
    summary, folder = _start()(settings, policy, seconds, ui=not no_ui and not json, take_over=take_over)
    result = {**summary.trader, "reason": summary.reason, "mode": settings.mode, "journal": folder}
    if json:
        print_json({**result, "daemon": summary.daemon})
    else:
        print("\n".join(run_lines(result)))
    if summary.failed:
        raise Failed(f"{summary.reason}; positions were left to their stops on the venue")


def _start() -> Callable[..., tuple[Summary, Path]]:
    """What starts the daemon. Its libraries take seconds to load, and the screen says so meanwhile."""
    from turbo_trader.console.progress import Progress

    with Progress("loading the program"):
        from turbo_trader.console.start import start
    return start
