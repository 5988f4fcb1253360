"""`turbo-trader feasible`: what a balance can trade, before any trade and without keys."""

from __future__ import annotations

from typing import Annotated

import typer

COLUMNS = (
    "symbol", "price", "smallest order", "margin", "leverage", "cost/target", "break-even", "liquidation", "size", "why not",
)  # fmt: skip


def feasible(
    balance: Annotated[str, typer.Option(help="USDT")] = "18",
    price: Annotated[
        list[str] | None, typer.Option(help="SYMBOL=PRICE in place of the reference price; may be repeated")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Per symbol: smallest order, margin, cost against target, break-even win rate, distance to liquidation, and why not."""
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

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
    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(
            row.symbol, f"{row.price:f}", f"{row.smallest_notional:.2f} USDT", f"{row.margin_needed:.2f}", f"{row.leverage:.1f}x",
            f"{row.cost_of_target:.0%}", f"{row.break_even_win_rate:.0%}", f"{row.liquidation_distance:.2%}",
            f"{row.notional:.2f} ({row.binding})" if row.qty else "-", row.reason,
        )  # fmt: skip
    Console().print(table)
    print(
        "Prices are the synthetic market's reference prices unless given with --price; risk tiers are simulated."
    )
