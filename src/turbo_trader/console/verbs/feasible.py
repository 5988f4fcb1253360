"""`turbo-trader feasible`: what a balance can trade, before any trade and without keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from turbo_trader.rules.feasible import Feasibility

COLUMNS = ("symbol", "price", "least", "margin", "lev", "c/TP", "even", "liq", "size")
LEGEND = """least: the smallest order, USDT; margin: what it needs; lev: leverage; c/TP: cost as a share
of the target; even: break-even win rate; liq: distance to liquidation; size: what the
rules would open, USDT"""


def feasible(
    balance: Annotated[str, typer.Option(help="USDT")] = "18",
    price: Annotated[
        list[str] | None, typer.Option(help="SYMBOL=PRICE in place of the reference price; may be repeated")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Per symbol: smallest order, margin, cost against target, break-even win rate, distance to liquidation, and why not."""
    from dataclasses import asdict

    from turbo_trader.console.output import print_json
    from turbo_trader.console.prices import reference_prices
    from turbo_trader.console.settings import environment, positive_decimal
    from turbo_trader.market.reference import universe
    from turbo_trader.rules.feasible import feasible as judge
    from turbo_trader.rules.policy import Policy

    money = positive_decimal(balance, "--balance")
    policy = Policy.from_env(environment())
    instruments = [instrument for instrument in universe() if instrument.symbol in policy.symbols]
    rows = judge(policy, money, instruments, reference_prices(price or []))
    if json:
        print_json({"balance": money, "symbols": [asdict(row) for row in rows]})
        return
    print("\n".join(feasible_lines(rows)))


def feasible_lines(rows: Sequence[Feasibility]) -> list[str]:
    """The table, what set the sizes, and why not; within 80 columns."""
    from textwrap import wrap

    from turbo_trader.console.tables import WIDTH, aligned

    cells = [
        (
            row.symbol, f"{row.price:f}", f"{row.smallest_notional:.2f}", f"{row.margin_needed:.2f}", f"{row.leverage:.1f}x",
            f"{row.cost_of_target:.0%}", f"{row.break_even_win_rate:.0%}", f"{row.liquidation_distance:.2%}",
            f"{row.notional:.2f}" if row.qty else "-",
        )
        for row in rows
    ]  # fmt: skip
    said: dict[str, list[str]] = {}
    for row in rows:
        if row.qty:
            said.setdefault(f"size set by {row.binding}", []).append(row.symbol)
    for row in rows:
        if row.leverage_by not in ("", "MAX_LEVERAGE"):
            text = f"leverage at most {row.leverage_most.normalize():f}x by the {row.leverage_by}, below MAX_LEVERAGE"
            said.setdefault(text, []).append(row.symbol)
    notes = [f"{what}: {', '.join(symbols)}" for what, symbols in said.items()]
    notes += [
        f"not possible: {row.reason if row.symbol in row.reason else f'{row.symbol}: {row.reason}'}"
        for row in rows
        if row.reason
    ]
    notes += [
        " ".join(LEGEND.split()),
        "Prices are the synthetic market's reference prices unless given with --price; risk tiers are simulated.",
    ]
    return [
        *aligned(COLUMNS, cells),
        "",
        *(line for note in notes for line in wrap(note, WIDTH, subsequent_indent="  ")),
    ]
