"""`turbo-trader chaos`: the whole Trader in simulated time while everything goes wrong, watched by an independent oracle."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from turbo_trader.console.options import MOST_EDGE, figure, whole

if TYPE_CHECKING:
    from turbo_trader.chaos.campaign import Options

TRIES = 40  # of shrinking


def chaos(
    *,
    seeds: Annotated[int, typer.Option(help="how many seeds, from --from on", parser=whole(1))] = 10,
    first: Annotated[int, typer.Option("--from", "--seed", help="the first seed", parser=whole())] = 1,
    jobs: Annotated[int, typer.Option(help="processes; 0: one, or all cores", parser=whole(0, 256))] = 0,
    hours: Annotated[
        float | None, typer.Option(help="simulated hours: 0.5, or a defect's own", parser=figure(0.02))
    ] = None,
    situation: Annotated[
        str, typer.Option(help="mixed, faulty, healthy, losing, default, maker, small, larger or earned")
    ] = "mixed",
    faults: Annotated[
        str,
        typer.Option(
            help="none, light or heavy, and single rates: heavy,crash=0; as the situation has it (help: all)"
        ),
    ] = "",
    symbols: Annotated[
        int, typer.Option(help="number of symbols of the universe; 0: as in the situation", parser=whole())
    ] = 0,
    balance: Annotated[str, typer.Option(help="starting balance, USDT; as the situation has it")] = "",
    edge: Annotated[
        float | None, typer.Option(help="predictability of the made-up market", parser=figure(0.0, MOST_EDGE))
    ] = None,
    shrink: Annotated[bool, typer.Option(help="reduce a failing seed to the least that still fails")] = True,
    defect: Annotated[str, typer.Option(help="plant this defect; the oracle must find it")] = "",
    defects: Annotated[bool, typer.Option("--defects", help="plant every defect in turn")] = False,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Play seeds of faults against the daemon and the simulated exchange; exit code 1 when an invariant broke.

    The rules are made to trade often; the environment and `.env` override them. With --defects: exit code 1 when one is not found.
    """
    from turbo_trader.chaos.campaign import Options
    from turbo_trader.console.settings import environment, positive_decimal

    if faults == "help":
        _explain_faults(json)
        return
    if balance:
        positive_decimal(balance, "--balance")
    options = Options(first=first, hours=hours or 0.0, situation=situation, faults=faults, balance=balance, edge=edge,
                      symbols=symbols, rules=_rules(environment()))  # fmt: skip
    options.chaos(first)  # says what cannot be played
    if defects or defect:
        _hunt(options, [defect] if defect else [], seeds, jobs or os.cpu_count() or 1, json, shrink)
    else:
        _play(options, seeds, jobs or 1, json, shrink)


def _explain_faults(json: bool) -> None:
    """What each fault is."""
    from turbo_trader.console.output import print_json
    from turbo_trader.simulation.faults import explained

    if json:
        print_json({"faults": dict(explained())})
    else:
        print("\n".join(f"{name:<16} {meaning}" for name, meaning in explained().items()))


def _rules(environment: Mapping[str, str]) -> dict[str, str]:
    """The rules among the environment's variables."""
    from turbo_trader.rules.policy import Policy

    names = {name.upper() for name in Policy.model_fields}
    return {name: value for name, value in environment.items() if name in names}


def _play(options: Options, seeds: int, jobs: int, json: bool, shrink: bool) -> None:
    from turbo_trader.chaos import campaign
    from turbo_trader.chaos.reporting import again, seed_line, total_lines, violation_lines
    from turbo_trader.chaos.shrinking import shrunk
    from turbo_trader.console.exit_codes import Failed
    from turbo_trader.console.kernels import Use, compile_missing
    from turbo_trader.console.output import print_json, say
    from turbo_trader.console.progress import Progress

    compile_missing(Use.TRADER, Use.VENUE)

    def show(result: dict[str, Any]) -> None:
        bar.advance(detail=f"seed {result['seed']}")
        if not sys.stderr.isatty() or result["violation"] is not None:
            bar.say(seed_line(result))

    with Progress("chaos", seeds) as bar:
        reported = campaign.play(options, seeds, jobs, show)
    if reported["violations"] and shrink:
        first = reported["violations"][0]
        first["shrunk"] = shrunk(options, first, TRIES, say)
    if json:
        print_json(reported)
    else:
        lines = total_lines(reported) + [
            line for each in reported["violations"] for line in violation_lines(each)
        ]
        print("\n".join(lines))
    if reported["violations"]:
        first = reported["violations"][0]
        broken = ", ".join(str(each["seed"]) for each in reported["violations"])
        raise Failed(f"an invariant broke with seed {broken}; again: {again(first)}")


def _hunt(options: Options, names: list[str], seeds: int, jobs: int, json: bool, shrink: bool) -> None:
    from turbo_trader.chaos import hunt
    from turbo_trader.chaos.defects import DEFECTS
    from turbo_trader.chaos.reporting import violation_lines
    from turbo_trader.console.exit_codes import Failed
    from turbo_trader.console.output import print_json
    from turbo_trader.console.progress import Progress

    wanted = [hunt.defect_named(name).name for name in names] or list(DEFECTS)
    most, began = (seeds if names else max(seeds, hunt.MOST)), time.monotonic()

    def show(each: hunt.Found) -> None:
        bar.advance(detail=each.defect)
        if not sys.stderr.isatty():
            bar.say(_found_line(each))

    with Progress("planted defects", len(wanted)) as bar:
        try:
            tries = TRIES if names and shrink else 0
            found = hunt.hunt_all(wanted, options, jobs, most, show, tries)
        except hunt.NotPlanted as error:
            raise Failed(str(error)) from None
    reported: dict[str, Any] = {
        "defects": len(found),
        "defects_found": {each.defect: each.needed for each in found},
        "invariants": {each.defect: each.violation and each.violation["invariant"] for each in found},
        "seeds": {each.defect: each.violation and each.violation["seed"] for each in found},
        "wall_seconds": time.monotonic() - began,
        "violations": [each.violation for each in found if each.violation is not None],
    }
    missed = [each.defect for each in found if each.needed is None]
    if json:
        print_json(reported)
    else:
        print("\n".join(_found_line(each) for each in found))
        shown = [each.violation for each in found if names and each.violation is not None]
        print("\n".join(line for violation in shown for line in violation_lines(violation)))
    if missed:
        raise Failed(f"not found: {', '.join(missed)}")


def _found_line(found: Any) -> str:
    if found.violation is None:
        return f"{found.defect}: NOT FOUND in {found.seeds} seeds, {found.seconds:.0f} s"
    from turbo_trader.chaos.reporting import again

    violation = found.violation
    return (
        f"{found.defect}: {violation['invariant']} after {found.seeds} seeds, {found.seconds:.0f} s: {violation['what']}; "
        f"{again(violation)}"
    )
