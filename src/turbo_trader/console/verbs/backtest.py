"""`turbo-trader backtest`: the whole daemon over a tape, in simulated time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turbo_trader.console.options import whole

if TYPE_CHECKING:
    from decimal import Decimal

    from turbo_trader.rules.policy import Policy


@dataclass(frozen=True)
class Options:
    """What a run needs besides its tape and the order of highs and lows."""

    symbols: tuple[str, ...] | None  # None: those of the tape that are in the universe
    instruments: Path | None
    policy: Policy
    balance: Decimal
    seed: int
    new_session_daily: bool
    no_limits: bool


def backtest(
    tape: Annotated[
        Path,
        typer.Argument(
            help="a tape: folder of one-minute bars, Parquet tape, raw V5 frames, the venue's archives; or: synthetic"
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
    new_session: Annotated[
        str, typer.Option("--new-session", help="daily: a new session is asked for at each 00:00 UTC")
    ] = "",
    no_limits: Annotated[
        bool,
        typer.Option(
            "--no-limits",
            help="for measuring only: no session limit, pause or watchdog; every entry sized as if equity were --balance",
        ),
    ] = False,
    instruments: Annotated[
        Path | None,
        typer.Option(
            help="the venue's answer to instruments-info (JSON, .gz allowed), for symbols of any name"
        ),
    ] = None,
    size: Annotated[str, typer.Option(help="full or earned; default: SIZE, else full")] = "",
    days: Annotated[float, typer.Option(help="of synthetic: how long, at most 60")] = 7.0,
    edge: Annotated[
        float, typer.Option(help="of synthetic: predictability put into the market; 0: none")
    ] = 1.0,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Run the rules over recorded market data and say what came of it."""
    from turbo_trader.console.output import print_json, say
    from turbo_trader.console.settings import environment, positive_decimal
    from turbo_trader.console.summary import backtest_lines, made_up_lines
    from turbo_trader.market.errors import InputError
    from turbo_trader.rules.policy import Policy

    if order not in ("both", "random", "high-first", "low-first"):
        raise InputError(f"--order {order}: must be both, random, high-first or low-first")
    if new_session not in ("", "daily"):
        raise InputError(f"--new-session {new_session}: must be daily")
    money = positive_decimal(balance, "--balance")
    policy = Policy.from_env({**environment(), **({"SIZE": size} if size else {})})
    if str(tape) == "synthetic":
        found = _made_up(policy, money, seed, days, edge, daily=new_session == "daily")
        if json:
            print_json(found)
        else:
            print("\n".join(made_up_lines(found)))
        return
    wanted = tuple(name.strip() for name in symbols.split(",") if name.strip()) or None
    options = Options(wanted, instruments, policy, money, seed, new_session == "daily", no_limits)
    result = {"balance": money, **_results(tape, options, order)}
    say(f"{result['source']}: {result['events']:,} events, loaded in {result['load_seconds']:.1f} s")
    for reason, count in result["left_out"].items():
        say(f"{result['source']}: left out: {count:,} {reason}")
    if json:
        print_json(result)
        return
    for line in backtest_lines(result):
        print(line)


def _made_up(
    policy: Policy, money: Decimal, seed: int, days: float, edge: float, *, daily: bool
) -> dict[str, Any]:
    """Days on the made-up market of the policy's symbols."""
    from turbo_trader.market.errors import InputError
    from turbo_trader.market.reference import universe
    from turbo_trader.simulation.made_up import MadeUp

    if not 0 < days <= 60:
        raise InputError(f"--days {days:g}: must be above 0, at most 60")
    if not 0 <= edge < 100:
        raise InputError(f"--edge {edge:g}: must be 0 or more, below 100")
    instruments = [each for each in universe() if each.symbol in policy.symbols]
    return MadeUp(instruments, policy, money, days, ((0.0, edge),), new_session_daily=daily).play(seed)


def _results(tape: Path, options: Options, order: str) -> dict[str, Any]:
    """The result; of bars run in both orders at once, each in a process of its own, the worse one."""
    from concurrent.futures import ProcessPoolExecutor
    from functools import partial
    from multiprocessing import get_context

    from turbo_trader.market.tape import holds_bars

    one = partial(_one, tape, options)
    bars = tape.exists() and holds_bars(tape)
    if order != "both" or not bars:
        return one("random" if order == "both" else order)
    orders = ("high-first", "low-first")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        results = dict(zip(orders, pool.map(one, orders), strict=True))
    worse = min(orders, key=lambda name: results[name]["net_pnl"])
    nets = {name: results[name]["net_pnl"] for name in orders}
    return {**results[worse], "order": worse, "net_pnl_by_order": nets}


def _one(tape: Path, options: Options, order: Any) -> dict[str, Any]:
    import time

    from turbo_trader.market.reference import read_instruments
    from turbo_trader.market.tape import read_tape
    from turbo_trader.simulation.backtest import Backtest

    loading = time.perf_counter()
    listed = read_instruments(options.instruments) if options.instruments is not None else {}
    recorded = read_tape(tape, symbols=options.symbols, seed=options.seed, order=order, listed=listed)
    seconds = round(time.perf_counter() - loading, 3)
    run = Backtest(
        recorded,
        options.policy,
        options.balance,
        new_session_daily=options.new_session_daily,
        no_limits=options.no_limits,
    )
    facts = {"left_out": dict(recorded.left_out), "load_seconds": seconds, "order": order}
    return {**run.run(), **facts}
