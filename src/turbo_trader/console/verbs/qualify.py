"""`turbo-trader qualify`: do the trades of a run show an edge?"""

from __future__ import annotations

import json as plain_json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turbo_trader.console.daemons import journal_of
from turbo_trader.console.options import Journal, Name

if TYPE_CHECKING:
    from turbo_trader.lab.qualification import Closed, Trials

EDGE, NO_EDGE = 0, 1


def qualify(
    run: Annotated[
        str, typer.Argument(metavar="[RUN]", help="a run or a kept backtest; default: the last run")
    ] = "",
    search: Annotated[
        Path | None, typer.Option(help="the folder of the sweep that chose these rules: its trials count")
    ] = None,
    daemon: Name = None,
    journal_dir: Journal = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> int:
    """Edge, no edge or not enough evidence over closed trades: exit code 0 for an edge, 1 for any other verdict."""
    from turbo_trader.console.output import print_json
    from turbo_trader.console.progress import Progress
    from turbo_trader.console.verbs.report import _folder, books
    from turbo_trader.journal.opening import believable
    from turbo_trader.lab.qualification import qualify as qualified

    folder = _folder(run, daemon, journal_dir) if run else journal_of("qualify", daemon, journal_dir)
    tried = trials(search)
    with Progress("weighing the trades"), believable(folder):
        notes, (start, _) = books(folder)
        found = qualified([closed(note) for note in notes], float(start), tried)
    if json:
        print_json(found)
    else:
        print("\n".join(lines(found)))
    return EDGE if found["verdict"] == "edge" else NO_EDGE


def closed(note: dict[str, Any]) -> Closed:
    """A trade as it is noted at its close."""
    from turbo_trader.lab.qualification import Closed

    return Closed(int(note["ts"]), float(note["net_fraction"]), float(note["qty"]) * float(note["entry"]))


def trials(search: Path | None) -> Trials:
    """Those of a sweep's folder. InputError where it is none."""
    from turbo_trader.lab.qualification import Trials
    from turbo_trader.market.errors import InputError

    if search is None:
        return Trials()
    path = search / "result.json"
    try:
        found = plain_json.loads(path.read_text())
        return Trials(tuple(float(each) for each in found["sharpes"]), found["pbo"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{search}: not the folder of a finished sweep") from None


def lines(found: dict[str, Any]) -> list[str]:
    """For a person."""
    from turbo_trader.lab.verdict import LEAST_TRADES

    text = [found["verdict"], *(f"  {reason}" for reason in found["reasons"])]
    if not found["trades"]:
        return text
    low, high = found["ev_interval"]
    between = "no interval" if low is None else f"95 % between {low * 1e4:+.1f} and {high * 1e4:+.1f} bp"
    even = f"{found['break_even']:.1%}" if found["break_even"] is not None else "-"
    text += [
        f"{found['trades']} trades, {found['win_rate']:.1%} won, break-even {even}",
        f"{found['ev'] * 1e4:+.1f} bp net a trade, {between}, clustered by {found['clustered_by']}",
        f"probabilistic Sharpe ratio {found['psr']:.3f}, deflated {found['dsr']:.3f} after {found['trials']} trials",
    ]
    if found["trades"] < LEAST_TRADES:
        text.append(f"too few trades for a chance of ruin: at least {LEAST_TRADES} are wanted")
    elif found["ruin"] is not None:
        text.append(
            f"at this size: {found['ruin']:.1%} ruin before doubling, {found['goal']:.1%} 18 -> 30 (or as much) before -20 %"
        )
    if found["prior_shift"]:
        text.append(
            f"the prior of SIZE=earned: EVIDENCE_PRIOR_SHIFT={found['prior_shift']:.5f} (its mean is 0 at most)"
        )
    return text
