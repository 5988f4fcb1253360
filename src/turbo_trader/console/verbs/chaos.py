"""`turbo-trader chaos`: the whole Trader in simulated time while everything goes wrong that can."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from turbo_trader.console.options import figure, whole


def chaos(
    seeds: Annotated[int, typer.Option(min=1, help="how many seeds, from --seed on", parser=whole())] = 10,
    hours: Annotated[
        float, typer.Option(min=0.05, help="simulated hours of each, before the flatten", parser=figure())
    ] = 2.0,
    faults: Annotated[
        str, typer.Option(help="none, light or heavy, and single rates: heavy,crash=0,lost=0.1")
    ] = "heavy",
    seed: Annotated[
        int, typer.Option(min=0, help="the first seed; with --seeds 1 it is played again", parser=whole())
    ] = 1,
    symbols: Annotated[int, typer.Option(min=1, help="so many symbols of the universe", parser=whole())] = 4,
    balance: Annotated[
        str, typer.Option(help="starting balance, USDT; transfers bring it back to that")
    ] = "60",
    edge: Annotated[
        float, typer.Option(min=0, help="predictability of the made-up market", parser=figure())
    ] = 2.0,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Play seeds of faults against the daemon and the simulated exchange; exit code 1 when an invariant broke.

    The rules are made to trade often; the environment and `.env` override them, as everywhere.
    """
    from turbo_trader.console.exits import Failed
    from turbo_trader.console.output import print_json, say
    from turbo_trader.console.settings import environment, positive_decimal
    from turbo_trader.market.reference import universe
    from turbo_trader.rules.policy import Policy
    from turbo_trader.simulation.chaos import OFTEN, Chaos, total
    from turbo_trader.simulation.faults import parse_faults

    policy = Policy.from_env({**OFTEN, **environment()})
    play = Chaos(
        universe()[:symbols],
        policy,
        parse_faults(faults),
        hours,
        positive_decimal(balance, "--balance"),
        edge,
    )
    results = []
    for number in range(seed, seed + seeds):
        results.append(play.play(number))
        say(_line(results[-1]))
    told = {"faults_text": faults, "hours": hours, "first_seed": seed, **total(results)}
    if json:
        print_json(told)
    else:
        for line in _lines(told):
            print(line)
    if told["violations"]:
        broken = ", ".join(str(each["seed"]) for each in told["violations"])
        raise Failed(
            f"an invariant broke with seed {broken}: play it again with --seed, --seeds 1 and --json"
        )


def _line(result: dict[str, Any]) -> str:
    """One seed."""
    violation = result["violation"]
    end = f"VIOLATION {violation['name']} at {violation['simulated_s']:.1f} s" if violation else "held"
    return (
        f"seed {result['seed']}: {result['simulated_s'] / 3600:.1f} h at {result['speed']:,.0f} s/s, "
        f"{result['lives']} lives, {result['entries']} entries, {result['trades']} trades: {end}"
    )


def _lines(told: dict[str, Any]) -> list[str]:
    """All seeds, and what to look at where something broke."""
    kinds = ", ".join(f"{name} {count:,}" for name, count in told["faults"].items())
    lines = [
        f"seeds       {told['seeds']}, {told['simulated_hours']:.1f} simulated hours in {told['cpu_seconds']:.1f} s: "
        f"{told['speed']:,.0f} simulated seconds a second of a core",
        f"lives       {told['lives']:,}, entries {told['entries']:,}, trades {told['trades']:,}",
        f"faults      {kinds or 'none'}",
        f"violations  {len(told['violations'])}",
    ]
    for each in told["violations"]:
        figures = {name: value for name, value in each.items() if name not in ("last", "trace")}
        lines += [f"  {figures}", *(f"    {line}" for line in each["last"][-20:])]
    return lines
