"""`turbo-trader study`: is there an edge?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turbo_trader.console.options import figure
from turbo_trader.numbers.text import parts

if TYPE_CHECKING:
    from turbo_trader.lab.score_trades import Costs
    from turbo_trader.lab.trials_ledger import Ledger

app = typer.Typer(help="Test signals for an edge on data; every trial is counted.", no_args_is_help=True)
EDGE, NO_EDGE = 0, 1  # exit codes of a verdict


@app.callback()
def _study() -> None:
    """Is there an edge?"""


@app.command("edge")
def edge(
    *,
    signal: Annotated[str, typer.Argument(help="an installed signal (five_signals, residual, ...) or a .py file")],
    data: Annotated[Path, typer.Argument(help="bars of any interval: folder of csv, .csv or .parquet")],
    symbols: Annotated[str, typer.Option(help="comma-separated; default: all")] = "",
    funding: Annotated[Path | None, typer.Option(help="folder of funding rates; default: `funding` beside the bars")] = None,
    param: Annotated[list[str] | None, typer.Option("--param", help="NAME=VALUE of the signal; may be repeated")] = None,
    spread_bp: Annotated[float, typer.Option(help="spread two market orders cross, basis points", parser=figure(0.0, 1e3))] = 1.0,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> int:  # fmt: skip
    """Say whether a signal has an edge. Exit code 0 for an edge, 1 for any other verdict, 2 for bad input."""
    from datetime import UTC, datetime

    from turbo_trader.console.output import print_json, say
    from turbo_trader.console.progress import Progress
    from turbo_trader.lab.data import read_market
    from turbo_trader.lab.edge_study import study_edge
    from turbo_trader.lab.loading import load_signal, parameters
    from turbo_trader.lab.verdict import Verdict

    found = load_signal(signal, parameters(param or []))
    with Progress(f"reading {data}"):
        market = read_market(data, parts(symbols), funding)
    for reason, count in market.left_out.items():
        say(f"{data}: left out: {count:,} {reason}")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with Progress(f"study of {found.name}") as bar:
        findings = study_edge(
            found,
            market,
            trials_ledger(),
            now=now,
            costs=costs(spread_bp),
            progress=bar.part,
            share=lambda done: bar.at(done, bar.detail),
        )
    if json:
        print_json(findings.document())
    else:
        print("\n".join(lines(found.name, findings.document())))
    return EDGE if findings.verdict is Verdict.EDGE else NO_EDGE


def trials_ledger() -> Ledger:
    """The user's ledger of trials: one for all folders, so that none is forgotten."""
    from turbo_trader.lab.trials_ledger import Ledger
    from turbo_trader.live.registry import state_home

    return Ledger(state_home() / "trials.jsonl")


def costs(spread_bp: float) -> Costs:
    """Fees of the policy in force, and a spread."""
    from turbo_trader.console.settings import environment
    from turbo_trader.lab.score_trades import Costs
    from turbo_trader.rules.policy import Policy

    policy = Policy.from_env(environment())
    return Costs(float(policy.taker_fee), float(policy.maker_fee), spread_bp / 1e4)


def lines(name: str, found: dict[str, Any]) -> list[str]:
    """A study for a person, within 100 columns."""
    details, (low, high) = found["details"], found["interval"]
    styles = details["styles"]
    return [
        f"{name}: {found['verdict']}",
        *(f"  {reason}" for reason in found["reasons"]),
        f"trades {found['trades']:,}, trials on this data {found['trials']}, deflated Sharpe ratio {found['dsr']}",
        f"net {_bp(found['net_bp'])} a trade, 95 % between {_bp(low)} and {_bp(high)}, t by day {found['t_by_day']}",
        *(
            f"{style}: {each['trades']:,} trades, {_bp(each['gross_bp'])} before cost, {_bp(each['net_bp'])} after it"
            for style, each in styles.items()
        ),
        f"a resting order is filled in {details['maker_filled']:.0%} of trades; those it misses make "
        f"{_bp(details['missed_gross_bp'])} before cost",
        f"one bar late {_bp(found['late_bar'])}, random entries {_bp(found['random'])}, always long {_bp(found['always_long'])}, "
        f"always short {_bp(found['always_short'])}, reversed time {_bp(found['reversed'])}",
        "years: " + ", ".join(f"{year} {_bp(each['net_bp'])} ({each['trades']:,})" for year, each in details["years"].items()),
        "without the best days: " + ", ".join(f"{days}: {_bp(each)}" for days, each in details["without_best_days"].items()),
        _needed(found),
    ]  # fmt: skip


def _needed(found: dict[str, Any]) -> str:
    more = found["needed_trades"]
    if more is None:
        return "no number of further trades would decide it at this mean"
    return f"{more:,} more trades would decide it" if more else "decided: more trades are not needed"


def _bp(value: float | None) -> str:
    return "-" if value is None else f"{value:+.1f} bp"
