"""`turbo-trader backtest`: the whole daemon over a tape, in simulated time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from turbo_trader.console.options import EDGE, MOST_EDGE, figure, whole
from turbo_trader.numbers.text import parts

if TYPE_CHECKING:
    from decimal import Decimal

    from turbo_trader.reports.kept_backtest import Recorder
    from turbo_trader.rules.policy import Policy

_LOOK_S: Final = 0.25  # between two looks at how far the processes are
_SHARES: Final[list[Any]] = []  # in a process of `_side_by_side`: where it says how far it is


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
    keep: Path | None  # the journals' folder, where the run is kept
    cache: bool  # keep and find rebuilt tapes
    jobs: int  # cores that share the work; 0: all


Tape = Annotated[
    Path,
    typer.Argument(
        help="a tape: folder of one-minute bars, Parquet tape, raw V5 frames, the venue's archives; or: synthetic"
    ),
]
Balance = Annotated[str, typer.Option(help="starting balance, USDT")]
Symbols = Annotated[
    str, typer.Option(help="comma-separated; default: those of the tape that are in the universe")
]
Seed = Annotated[int, typer.Option(help="seed of the path inside rebuilt bars", parser=whole())]
OrderOption = Annotated[
    str,
    typer.Option(
        help="of high and low inside rebuilt bars: both (the worse counts), random, high-first, low-first"
    ),
]
NewSession = Annotated[
    str, typer.Option("--new-session", help="daily: start a new session at each 00:00 UTC")
]
NoLimits = Annotated[
    bool,
    typer.Option(
        "--no-limits",
        help="for measuring only: no session limit, pause, warning or watchdog; every entry sized as if equity were --balance",
    ),
]
Instruments = Annotated[
    Path | None,
    typer.Option(help="the venue's answer to instruments-info (JSON, .gz allowed), for symbols of any name"),
]
Size = Annotated[str, typer.Option(help="full or earned; default: SIZE, else full")]
Signal = Annotated[
    str, typer.Option(help="entries by: rules, an installed panel signal, or a .py file; default: SIGNAL")
]
Days = Annotated[float, typer.Option(help="of synthetic: how long", parser=figure(0.01, 60))]
Edge = Annotated[
    float,
    typer.Option(
        help="of synthetic: predictability put into the market; 0: none", parser=figure(0.0, MOST_EDGE)
    ),
]
Keep = Annotated[
    bool, typer.Option("--keep/--no-keep", help="keep the run in JOURNAL_DIR, for `report BACKTEST`")
]
Cache = Annotated[
    bool,
    typer.Option("--cache/--no-cache", help="keep rebuilt tapes in the cache folder, and find them there"),
]
Jobs = Annotated[
    int, typer.Option(help="cores to use; 0: all. The results are the same", parser=whole(0, 256))
]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]


def backtest(
    *,
    tape: Tape,
    balance: Balance = "18",
    symbols: Symbols = "",
    seed: Seed = 1,
    order: OrderOption = "both",
    new_session: NewSession = "",
    no_limits: NoLimits = False,
    instruments: Instruments = None,
    size: Size = "",
    signal: Signal = "",
    days: Days = 7.0,
    edge: Edge = EDGE,
    keep: Keep = True,
    cache: Cache = True,
    jobs: Jobs = 0,
    json: Json = False,
) -> None:
    """Run the rules over recorded market data and report the result."""
    from turbo_trader.console.kernels import Use, compile_missing
    from turbo_trader.console.settings import environment, load_settings, positive_decimal
    from turbo_trader.lab.serving import serving
    from turbo_trader.market.names import perpetual_symbol
    from turbo_trader.rules.policy import Policy

    _check(order, new_session)
    money = positive_decimal(balance, "--balance")
    given = {name: value for name, value in (("SIZE", size), ("SIGNAL", signal)) if value}
    policy = Policy.from_env({**environment(), **given})
    serving(policy)  # here, so that a signal that cannot be had is one line before anything is read
    where = load_settings().journal_dir if keep else None
    wanted = tuple(perpetual_symbol(text, "--symbols") for text in parts(symbols))
    _look_for(tape)
    compile_missing(*Use)  # here: both orders run in processes of their own, and each would compile
    if str(tape) == "synthetic":
        found = _made_up(policy, money, seed, days, edge, daily=new_session == "daily", keep=where)
        _show_made_up(found, json=json)
        return
    options = Options(
        symbols=wanted or None, instruments=instruments, policy=policy, balance=money, seed=seed,
        new_session_daily=new_session == "daily", no_limits=no_limits, keep=where, cache=cache, jobs=jobs,
    )  # fmt: skip
    _show({"balance": money, **_results(tape, options, order)}, json=json)


def _show(result: dict[str, Any], *, json: bool) -> None:
    from turbo_trader.console.output import print_json, say
    from turbo_trader.console.summary import backtest_lines, kept_lines

    say(f"{result['source']}: {result['events']:,} events, loaded in {result['load_seconds']:.1f} s")
    for reason, count in result["left_out"].items():
        say(f"{result['source']}: left out: {count:,} {reason}")
    if json:
        print_json(result)
    else:
        print("\n".join([*backtest_lines(result), *kept_lines(result)]))


def _check(order: str, new_session: str) -> None:
    from turbo_trader.market.errors import InputError

    if order not in ("both", "random", "high-first", "low-first"):
        raise InputError(f"--order {order}: must be both, random, high-first or low-first")
    if new_session not in ("", "daily"):
        raise InputError(f"--new-session {new_session}: must be daily")


def _look_for(tape: Path) -> None:
    """InputError where it is missing: said before anything is compiled."""
    from turbo_trader.market.errors import InputError

    if str(tape) != "synthetic" and not tape.exists():
        raise InputError(f"{tape}: no such tape")


def _show_made_up(found: dict[str, Any], *, json: bool) -> None:
    from turbo_trader.console.output import print_json
    from turbo_trader.console.summary import kept_lines, made_up_lines

    if json:
        print_json(found)
    else:
        print("\n".join([*made_up_lines(found), *kept_lines(found)]))


def _made_up(
    policy: Policy, money: Decimal, seed: int, days: float, edge: float, *, daily: bool, keep: Path | None
) -> dict[str, Any]:
    """Days on the made-up market of the policy's symbols."""
    from turbo_trader.console.progress import Progress
    from turbo_trader.lab.serving import serving
    from turbo_trader.market.reference import universe
    from turbo_trader.market.rows import DAY
    from turbo_trader.reports.kept_backtest import Recorder
    from turbo_trader.simulation.made_up import START, MadeUp

    instruments = [each for each in universe() if each.symbol in policy.symbols]
    recorder = Recorder([each.symbol for each in instruments])
    with Progress(f"backtest of {days:g} made-up days", days) as bar:
        play = MadeUp(
            instruments, policy, money, days, ((0.0, edge),), new_session_daily=daily, recorder=recorder,
            asked=serving(policy), progress=lambda simulation: bar.at((simulation.now - START) / DAY),
        )  # fmt: skip
        found = play.play(seed)
    return _kept(found, recorder, keep, "")


def _results(tape: Path, options: Options, order: str) -> dict[str, Any]:
    """The result; of bars run in both orders at once, each in a process of its own, the worse one."""
    from functools import partial

    from turbo_trader.console.progress import Progress
    from turbo_trader.market.tape import holds_bars
    from turbo_trader.simulation.workers import cores

    threads = options.jobs or cores()
    one = partial(_one, tape, options, threads)
    bars = tape.exists() and holds_bars(tape)
    if order != "both" or not bars:
        with Progress(f"backtest of {tape}", 1.0) as bar:
            return one("random" if order == "both" else order, bar.at)
    orders = ("high-first", "low-first")
    one = partial(_one, tape, options, max(1, threads // len(orders)))
    with Progress(f"backtest of {tape}, both orders of highs and lows", 1.0) as bar:
        results = dict(zip(orders, _side_by_side(one, orders, bar.at), strict=True))
    worse = min(orders, key=lambda name: results[name]["net_pnl"])
    nets = {name: results[name]["net_pnl"] for name in orders}
    return {**results[worse], "order": worse, "net_pnl_by_order": nets}


def _side_by_side(
    one: Callable[[str], dict[str, Any]], orders: Sequence[str], progress: Callable[[float], None]
) -> list[dict[str, Any]]:
    """The result of each order, each in a process of its own; `progress` gets the share of both that is done."""
    from concurrent.futures import ProcessPoolExecutor, wait
    from multiprocessing import get_context

    context = get_context("spawn")
    shares = context.Array("d", len(orders))
    with ProcessPoolExecutor(len(orders), context, _share, (shares,)) as pool:
        jobs = [pool.submit(_shared, one, order, i) for i, order in enumerate(orders)]
        while wait(jobs, _LOOK_S).not_done:
            done: list[float] = list(shares[:])
            progress(sum(done) / len(done))
        return [job.result() for job in jobs]


def _share(shares: Any) -> None:
    """At the start of a process: where it says how far it is."""
    _SHARES.append(shares)


def _shared(one: Callable[..., dict[str, Any]], order: str, i: int) -> dict[str, Any]:
    def progress(share: float) -> None:
        _SHARES[0][i] = share

    return one(order, progress)


def _one(
    tape: Path, options: Options, threads: int, order: Any, progress: Callable[[float], None] | None = None
) -> dict[str, Any]:
    import time

    from turbo_trader.lab.serving import serving
    from turbo_trader.market.reference import read_instruments
    from turbo_trader.market.tape import read_tape
    from turbo_trader.market.tape_cache import TapeCache, tapes_folder
    from turbo_trader.reports.kept_backtest import Recorder
    from turbo_trader.simulation.backtest import Backtest

    loading = time.perf_counter()
    listed = read_instruments(options.instruments) if options.instruments is not None else {}
    kept = TapeCache(tapes_folder()) if options.cache else None
    recorded = read_tape(tape, options.symbols, seed=options.seed, order=order, listed=listed, cache=kept)
    seconds = round(time.perf_counter() - loading, 3)
    recorder = Recorder([each.symbol for each in recorded.instruments])
    asked = serving(options.policy)
    run = Backtest(
        recorded,
        options.policy,
        options.balance,
        new_session_daily=options.new_session_daily,
        no_limits=options.no_limits,
        recorder=recorder,
        threads=threads,
        asked=asked,
        progress=progress,
    )
    facts = {"left_out": dict(recorded.left_out), "load_seconds": seconds, "order": order}
    return _kept({**run.run(), **facts}, recorder, options.keep, order if order != "random" else "")


def _kept(result: dict[str, Any], recorder: Recorder, base: Path | None, order: str) -> dict[str, Any]:
    """The result with the folder it is kept in. One that cannot be written costs no result: stderr says why."""
    from turbo_trader.console.folders import backtest_folder
    from turbo_trader.console.output import say
    from turbo_trader.journal.journal_errors import JournalError
    from turbo_trader.market.errors import InputError

    if base is None:
        return {**result, "kept": None}
    folder = backtest_folder(base, order)
    try:
        recorder.keep(folder, result)
    except (InputError, JournalError) as error:
        say(f"the backtest is not kept: {error}")
        return {**result, "kept": None}
    return {**result, "kept": folder}
