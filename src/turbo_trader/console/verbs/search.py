"""`turbo-trader sweep`, `walk-forward`, `lookahead`: searches over parameters, and a test that a signal sees no future."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turbo_trader.console.options import figure, whole
from turbo_trader.console.verbs.study import trials_ledger
from turbo_trader.numbers.text import parts

if TYPE_CHECKING:
    from turbo_trader.lab.score_trades import Costs
    from turbo_trader.lab.sweep import Search, Tried

CLEAN, LEAKS = 0, 1
EDGE, NO_EDGE = 0, 1

Target = Annotated[str, typer.Argument(help="a signal, a .py file, or `rules`: the daemon's own over a tape")]
Data = Annotated[Path, typer.Argument(help="bars of any interval (a signal), or a tape (`rules`)")]
Ranges = Annotated[
    list[str] | None, typer.Option("--search", help="NAME=LOW..HIGH or NAME=A|B|C; may be repeated")
]
Fixed = Annotated[list[str] | None, typer.Option("--param", help="NAME=VALUE that stays; may be repeated")]
Count = Annotated[
    int, typer.Option("--trials", help="number of trials, earlier ones included", parser=whole(2, 100_000))
]
Folder = Annotated[Path, typer.Option(help="folder of the search; started again, it resumes there")]
Symbols = Annotated[str, typer.Option(help="comma-separated; default: all")]
Scheduler = Annotated[
    str, typer.Option(help="of a Dask cluster, such as tcp://10.0.0.1:8786; default: this machine")
]
Processes = Annotated[int, typer.Option(help="on this machine", parser=whole(1, 1_024))]
Spread = Annotated[
    float, typer.Option(help="spread that two market orders cross, basis points", parser=figure(0.0, 1e3))
]
Seed = Annotated[int, typer.Option(help="of the sampler", parser=whole())]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]


def sweep(
    *,
    target: Target,
    data: Data,
    search: Ranges = None,
    param: Fixed = None,
    trials: Count = 60,
    folder: Folder = Path("var/sweep"),
    symbols: Symbols = "",
    scheduler: Scheduler = "",
    processes: Processes = 2,
    spread_bp: Spread = 1.0,
    seed: Seed = 1,
    json: Json = False,
) -> None:
    """Search parameters of a signal, or numbers of the rules; every trial counts, and the best is shown beside what luck gives."""
    from turbo_trader.console.output import print_json
    from turbo_trader.console.progress import Progress

    made = _made(
        target=target,
        data=data,
        search=search,
        param=param,
        folder=folder,
        symbols=symbols,
        spread_bp=spread_bp,
        seed=seed,
    )
    _run(made, trials, scheduler, processes)
    with Progress("weighing the trials"):
        found = made.result()
    if json:
        print_json(found)
        return
    best = found["best"]
    pbo = f"{found['pbo']:.0%}" if found["pbo"] is not None else "not known (too few days)"
    print(
        f"best of {found['trials']}: {best['parameters']}: {best['trades']} trades, {best['net_bp']:+.1f} bp net"
    )
    print(
        f"probability of overfitting {pbo}; all trials are in the ledger: hold the best with `study edge` or `qualify --search`"
    )


def walk_forward(
    *,
    target: Target,
    data: Data,
    search: Ranges = None,
    param: Fixed = None,
    trials: Count = 60,
    folds: Annotated[int, typer.Option(help="tests one after another", parser=whole(2, 100))] = 5,
    embargo_h: Annotated[
        float, typer.Option(help="hours before a test that are left out of training", parser=figure(0, 1e4))
    ] = 24.0,
    folder: Folder = Path("var/walk-forward"),
    symbols: Symbols = "",
    scheduler: Scheduler = "",
    processes: Processes = 2,
    spread_bp: Spread = 1.0,
    seed: Seed = 1,
    json: Json = False,
) -> int:
    """Choose parameters inside each fold and apply them in the next, forwards and backwards. Exit code 0 for an edge, else 1."""
    from turbo_trader.console.output import print_json
    from turbo_trader.console.progress import Progress
    from turbo_trader.console.verbs.study import costs
    from turbo_trader.lab.tasks import RULES
    from turbo_trader.lab.walk import walk_forward as walked

    made = _made(
        target=target,
        data=data,
        search=search,
        param=param,
        folder=folder,
        symbols=symbols,
        spread_bp=spread_bp,
        seed=seed,
    )
    tried = _run(made, trials, scheduler, processes)
    with Progress(f"choosing in {folds} folds, forwards and backwards"):
        found = walked(tried, folds, int(embargo_h * 3600e9))
    if found["verdict"] == "edge" and target != RULES:  # folds alone cannot tell a leak from an edge
        chosen = [fold["parameters"] for fold in found["folds"] if fold["trial"] is not None]
        found |= _held(made, chosen[-1], costs(spread_bp))
    if json:
        print_json(found)
    else:
        print("\n".join([found["verdict"], *(f"  {reason}" for reason in found["reasons"])]))
        for fold in found["folds"]:
            print(f"  fold: {fold}")
    return EDGE if found["verdict"] == "edge" else NO_EDGE


def _held(made: Search, chosen: dict[str, Any], costs: Costs) -> dict[str, Any]:
    """Verdict and reasons of the other tests of a study, over the last choice of a fold; nothing where they have no objection."""
    from turbo_trader.console.progress import Progress
    from turbo_trader.lab.data import read_market
    from turbo_trader.lab.edge_study import objections
    from turbo_trader.lab.loading import load_signal
    from turbo_trader.lab.verdict import Verdict

    signal = load_signal(made.task.target, {**made.task.parameters, **chosen})
    with Progress("holding the choice against the other tests of a study"):
        verdict, reasons = objections(signal, read_market(made.task.data, made.task.symbols), costs)
    return {} if verdict is Verdict.EDGE else {"verdict": verdict.value, "reasons": list(reasons)}


def lookahead(
    signal: Annotated[str, typer.Argument(help="a signal or a .py file")],
    data: Annotated[Path, typer.Argument(help="bars of any interval")],
    param: Fixed = None,
    symbols: Symbols = "",
    json: Json = False,
) -> int:
    """Cut off the future, falsify it, change the past: exit code 0 if no score changes, 1 if a signal knows more."""
    from turbo_trader.console.output import print_json
    from turbo_trader.console.progress import Progress
    from turbo_trader.lab.data import read_market
    from turbo_trader.lab.edge_study import leak_of
    from turbo_trader.lab.loading import load_signal, parameters

    with Progress(f"showing {signal} other futures"):
        found = leak_of(load_signal(signal, parameters(param or [])), read_market(data, parts(symbols)))
    if json:
        print_json({"signal": signal, "leaks": bool(found), "reason": found or None})
    else:
        print(found or f"{signal}: no score changes with the future")
    return LEAKS if found else CLEAN


def _made(
    *, target: str, data: Path, search: list[str] | None, param: list[str] | None, folder: Path, symbols: str,
    spread_bp: float, seed: int,
) -> Search:  # fmt: skip
    from turbo_trader.console.verbs.study import costs
    from turbo_trader.lab.loading import parameters
    from turbo_trader.lab.sweep import Range, Search, check_ranges
    from turbo_trader.lab.tasks import Task
    from turbo_trader.market.errors import InputError

    ranges = dict(Range.parse(each) for each in search or [])
    if not ranges:
        raise InputError("--search: name one parameter at least, such as --search hours=1..8")
    fixed = parameters(param or [])
    if not data.exists():
        raise InputError(f"{data}: no such data")
    path = str(Path(target).resolve()) if target.endswith(".py") else target
    task = Task(path, data.resolve(), fixed, parts(symbols), costs(spread_bp).taker_taker)
    check_ranges(task, ranges)
    return Search(folder, task, ranges, seed)


def _run(made: Search, trials: int, scheduler: str, processes: int) -> list[Tried]:
    from datetime import UTC, datetime

    from turbo_trader.console.progress import Progress
    from turbo_trader.lab.tasks import data_print, ledger_trial
    from turbo_trader.lab.workers import workers
    from turbo_trader.market.errors import InputError

    with Progress(f"reading {made.task.data}"):
        ledger, data = trials_ledger(), data_print(made.task)

    def count(tried: Sequence[Tried]) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        ledger.record(data, [ledger_trial(made.task, each.parameters, each.record) for each in tried], now)

    before = len(made.tried)
    with Progress(f"{trials} trials, {before} there already", trials - before) as bar:
        bar.at(0, "starting the workers")
        with workers(scheduler, processes) as cluster:
            bar.at(0, "the first ones are under way")
            tried = made.run(cluster, trials, say=bar.say, report=bar.at, count=count)
    if not tried:
        raise InputError("no trial was finished: see above")
    return tried
