"""`turbo-trader backtest`: the whole daemon over a tape, in simulated time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from turbo_trader.console.options import whole


def backtest(
    tape: Annotated[
        Path,
        typer.Argument(
            help="a tape: folder of one-minute bars, Parquet tape, raw V5 frames, or the venue's archives"
        ),
    ],
    balance: Annotated[str, typer.Option(help="starting balance, USDT")] = "18",
    symbols: Annotated[
        str, typer.Option(help="comma-separated; default: those of the tape that are in the universe")
    ] = "",
    seed: Annotated[int, typer.Option(help="seed of the path inside rebuilt bars", parser=whole())] = 1,
    order: Annotated[
        str,
        typer.Option(
            help="of high and low inside rebuilt bars: both (the worse counts), random, high-first, low-first"
        ),
    ] = "both",
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Run the rules over recorded market data and say what came of it."""
    from turbo_trader.console.output import print_json, say
    from turbo_trader.console.settings import environment, positive_decimal
    from turbo_trader.console.summary import backtest_lines
    from turbo_trader.market.errors import InputError
    from turbo_trader.rules.policy import Policy

    if order not in ("both", "random", "high-first", "low-first"):
        raise InputError(f"--order {order}: must be both, random, high-first or low-first")
    money = positive_decimal(balance, "--balance")
    policy = Policy.from_env(environment())
    wanted = tuple(name.strip() for name in symbols.split(",") if name.strip()) or None
    result = {"balance": money, **_results(tape, wanted, policy, money, seed, order)}
    say(f"{result['source']}: {result['events']:,} events, loaded in {result['load_seconds']:.1f} s")
    for reason, count in result["left_out"].items():
        say(f"{result['source']}: left out: {count:,} {reason}")
    if json:
        print_json(result)
        return
    for line in backtest_lines(result):
        print(line)


def _results(tape: Path, symbols: Any, policy: Any, money: Any, seed: int, order: str) -> dict[str, Any]:
    """The result; of bars run in both orders at once, each in a process of its own, the worse one."""
    from concurrent.futures import ProcessPoolExecutor
    from functools import partial
    from multiprocessing import get_context

    one = partial(_one, tape, symbols, policy, money, seed)
    bars = tape.is_dir() or tape.name.removesuffix(".gz").endswith(".csv")
    if order != "both" or not bars:
        return one("random" if order == "both" else order)
    orders = ("high-first", "low-first")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        results = dict(zip(orders, pool.map(one, orders), strict=True))
    worse = min(orders, key=lambda name: results[name]["net_pnl"])
    nets = {name: results[name]["net_pnl"] for name in orders}
    return {**results[worse], "order": worse, "net_pnl_by_order": nets}


def _one(tape: Path, symbols: Any, policy: Any, money: Any, seed: int, order: Any) -> dict[str, Any]:
    import time

    from turbo_trader.market.tape import read_tape
    from turbo_trader.simulation.backtest import Backtest

    loading = time.perf_counter()
    recorded = read_tape(tape, symbols=symbols, seed=seed, order=order)
    seconds = round(time.perf_counter() - loading, 3)
    facts = {"left_out": dict(recorded.left_out), "load_seconds": seconds, "order": order}
    return {**Backtest(recorded, policy, money).run(), **facts}
