"""`turbo-trader backtest`: the whole daemon over a tape, in simulated time."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer


def backtest(
    tape: Annotated[
        Path, typer.Argument(help="a tape: folder of one-minute bars, Parquet tape, or raw V5 frames")
    ],
    balance: Annotated[str, typer.Option(help="starting balance, USDT")] = "18",
    symbols: Annotated[
        str, typer.Option(help="comma-separated; default: those of the tape that are in the universe")
    ] = "",
    seed: Annotated[int, typer.Option(help="seed of the path inside rebuilt bars")] = 1,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Run the rules over recorded market data and say what came of it."""
    from turbo_trader.console.output import print_json, say
    from turbo_trader.console.settings import environment, positive_decimal
    from turbo_trader.console.summary import backtest_lines
    from turbo_trader.market.tape import read_tape
    from turbo_trader.rules.policy import Policy
    from turbo_trader.simulation.backtest import Backtest

    money = positive_decimal(balance, "--balance")
    policy = Policy.from_env(environment())
    wanted = tuple(name.strip() for name in symbols.split(",") if name.strip()) or None
    loading = time.perf_counter()
    recorded = read_tape(tape, symbols=wanted, seed=seed)
    load_seconds = round(time.perf_counter() - loading, 3)
    rows = sum(len(part) for part in recorded.rows)
    say(
        f"{recorded.source}: {rows:,} events of {len(recorded.instruments)} symbols, loaded in {load_seconds:.1f} s"
    )
    result: dict[str, Any] = Backtest(recorded, policy, money).run()
    result = {**result, "balance": money, "load_seconds": load_seconds}
    if json:
        print_json(result)
        return
    for line in backtest_lines(result):
        print(line)
