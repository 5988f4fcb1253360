"""`turbo-trader feasible`: what a balance can trade, before any trade and without keys."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from turbo_trader.market.errors import InputError

if TYPE_CHECKING:
    from turbo_trader.rules.feasibility import Feasibility
    from turbo_trader.rules.policy import Policy

COLUMNS = ("symbol", "price", "least", "margin", "lev", "c/TP", "even", "liq", "A size", "B size")
LEGEND = (
    "least: the smallest order, USDT; margin: what it needs; lev: leverage; c/TP: cost (fees and a spread of one tick) as a share "
    "of the target; even: break-even win rate; liq: distance to liquidation; size: what the rules would open, USDT, at the widest "
    "and at the narrowest exits. c/TP, even and liq are those of an A-trade at its narrowest exits."
)

LEAST_PRICE = Decimal("1e-9")  # USDT

#: The rows of one trade tier at its narrowest and at its widest exits.
Rows: TypeAlias = "tuple[Sequence[Feasibility], Sequence[Feasibility]]"


Balance = Annotated[str, typer.Option(help="USDT")]
Price = Annotated[
    list[str] | None, typer.Option(help="SYMBOL=PRICE in place of the reference price; may be repeated")
]
Reach = Annotated[
    str, typer.Option("--range", help="99.9 % quantile of a symbol's one-minute ranges, such as 0.75%")
]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]


def feasible(
    balance: Balance = "18",
    price: Price = None,
    reach: Reach = "0.75%",
    json: Json = False,
) -> None:
    """Per symbol: smallest order, margin, cost against target, break-even win rate, distance to liquidation, and why not."""
    from turbo_trader.console.output import print_json
    from turbo_trader.console.settings import environment, fraction, positive_decimal
    from turbo_trader.console.size_choice import size_line
    from turbo_trader.console.tables import wrapped
    from turbo_trader.market.instruments import UNIVERSE
    from turbo_trader.market.names import known_symbol
    from turbo_trader.market.reference import universe
    from turbo_trader.rules.feasibility import feasible as examine
    from turbo_trader.rules.gate import TIER_A, TIER_B
    from turbo_trader.rules.policy import Policy

    money, tail = positive_decimal(balance, "--balance"), fraction(reach, "--range")
    policy, prices = Policy.from_env(environment()), reference_prices(price or [])
    for symbol in policy.symbols:
        known_symbol(symbol, UNIVERSE, "TARGET_ASSETS", "the reference figures")
    instruments = [instrument for instrument in universe() if instrument.symbol in policy.symbols]

    def rows(tier: int) -> Rows:
        narrow, wide = (
            examine(policy, money, instruments, prices, range_tail=tail, trade_tier=tier, widest=widest)
            for widest in (False, True)
        )
        return narrow, wide

    a, b = rows(TIER_A), rows(TIER_B)
    if json:
        print_json(
            {
                "balance": money,
                "range_tail": tail,
                "limits": limit_lines(policy, money),
                "size": size_line(policy, money),
                "symbols": _documents(a, b),
            }
        )
        return
    after = [*wrapped(size_line(policy, money)), *limit_lines(policy, money)]
    print("\n".join([*feasible_lines(a, b), *after, f"Assumed: one-minute range {tail:.2%}."]))


def _documents(a: Rows, b: Rows) -> list[dict[str, Any]]:
    """A symbol each: its figures at the narrowest exits of an A-trade, and the sizes the rules would open, USDT."""
    from dataclasses import asdict

    sizes = [
        {"A": [_opened(wide), _opened(narrow)], "B": [_opened(b_wide), _opened(b_narrow)]}
        for narrow, wide, b_narrow, b_wide in zip(*a, *b, strict=True)
    ]
    return [{**asdict(row), "sizes": size} for row, size in zip(a[0], sizes, strict=True)]


def feasible_lines(a: Rows, b: Rows) -> list[str]:
    """The table, what set the sizes, and why not; within 80 columns."""
    from turbo_trader.console.tables import aligned, wrapped

    cells = [
        (
            row.symbol, f"{row.price:f}", amount(row.smallest_notional), amount(row.margin_needed), f"{row.leverage:.1f}x",
            f"{row.cost_of_target:.0%}", f"{row.break_even_win_rate:.0%}", f"{row.liquidation_distance:.2%}",
            sizes(wide, row), sizes(b_wide, b_row),
        )
        for row, wide, b_row, b_wide in zip(*a, *b, strict=True)
    ]  # fmt: skip
    said: dict[str, list[str]] = {}
    for rows, where in zip(a, ("narrowest", "widest"), strict=True):
        for row in rows:
            if row.qty:
                said.setdefault(f"A size set by {row.binding} at the {where} exits", []).append(row.symbol)
    for row in a[0]:
        if row.leverage_by not in ("", "MAX_LEVERAGE"):
            text = f"leverage at most {row.leverage_most.normalize():f}x by the {row.leverage_by}, below MAX_LEVERAGE"
            said.setdefault(text, []).append(row.symbol)
    everyone = [row.symbol for row in a[0]]
    notes = [f"{what}: {_named(symbols, everyone)}" for what, symbols in said.items()]
    notes += [
        f"not possible: {row.reason if row.symbol in row.reason else f'{row.symbol}: {row.reason}'}"
        for row in a[0]
        if row.reason
    ]
    notes += [
        LEGEND,
        "Prices are the synthetic market's unless given with --price; risk tiers are simulated.",
    ]
    return [*aligned(COLUMNS, cells, gap=1), "", *(line for note in notes for line in wrapped(note))]


def limit_lines(policy: Policy, balance: Decimal) -> list[str]:
    """What may be lost at the most, by the limits; the worst case is the margin, for a stop may be jumped."""
    from turbo_trader.console.tables import wrapped
    from turbo_trader.rules.sizing import margin_cap

    cap, tier = margin_cap(policy, balance), policy.capital_tier(balance)
    stops = f"{policy.a_risk:.0%} at the stop of an A-trade ({amount(policy.a_risk * balance)})"
    stops += f", {policy.b_risk:.0%} of a B-trade ({amount(policy.b_risk * balance)})"
    session = f"{policy.session_loss:.0%} in a session ({amount(policy.session_loss * balance)})"
    one = f"{cap:.0%} a trade ({amount(cap * balance)})"
    all_ = f"{policy.total_margin:.0%} of up to {tier.max_positions} together ({amount(policy.total_margin * balance)})"
    worst = f"The worst case, where a price jumps its stop, is the margin: {one}, {all_}."
    text = f"Of {balance} USDT may be lost: {stops}, {session}. {worst}"
    return wrapped(text)


def sizes(wide: Feasibility, narrow: Feasibility) -> str:
    """The sizes at the widest and the narrowest exits; "-" where there is none."""
    if narrow.reason and wide.reason:
        return "-"
    low, high = sorted((_opened(wide), _opened(narrow)))
    return f"{amount(low)}-{amount(high)}" if amount(low) != amount(high) else amount(low)


def _opened(row: Feasibility) -> Decimal:
    return Decimal(0) if row.reason else row.notional


def _named(symbols: Sequence[str], everyone: Sequence[str]) -> str:
    """Symbols by name, or by those that are missing where they are few."""
    missing = [symbol for symbol in everyone if symbol not in symbols]
    if len(symbols) > 3 and len(missing) <= 3:
        return f"all but {', '.join(missing)}" if missing else "all"
    return ", ".join(symbols)


def amount(money: Decimal) -> str:
    """USDT in at most six characters."""
    if money >= 100_000:
        return f"{money / 1000:.0f}k"
    return f"{money:.0f}" if money >= 100 else f"{money:.2f}"


def reference_prices(given: Sequence[str]) -> dict[str, Decimal]:
    """The synthetic market's starting prices, with `SYMBOL=PRICE` in place of some; InputError for what is not that."""
    from turbo_trader.console.settings import positive_decimal
    from turbo_trader.market.names import known_symbol
    from turbo_trader.market.reference import universe
    from turbo_trader.simulation.synthetic import reference_price

    prices = {i.symbol: i.floor_price(Decimal(repr(reference_price(i)))) for i in universe()}
    for text in given:
        symbol, equals, price = text.partition("=")
        if not equals:
            raise InputError(f"--price {text}: write it like BTCUSDT=97000")
        name = known_symbol(symbol, prices, f"--price {text}", "the universe")
        prices[name] = positive_decimal(price, f"--price {name}=", LEAST_PRICE)
    return prices
