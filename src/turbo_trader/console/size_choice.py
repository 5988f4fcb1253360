"""What SIZE=full and SIZE=earned cost, in one line, where live leaves the choice to its user; and what is earned so far."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.kept_state import state
from turbo_trader.market.errors import InputError, Refused
from turbo_trader.numbers.number import Horizon
from turbo_trader.rules.choices import TradeSize
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.state_keys import Key, parted

TRADES_PER_HOUR = Decimal("3.7")  # of 15 symbols under BELIEF=asked, measured (docs/results.md)
SYMBOLS = 15


def require_size(env: Mapping[str, str], policy: Policy, balance: Decimal) -> None:
    """Refused where a live start leaves SIZE open: it has no default there."""
    if not env.get("SIZE", "").strip():
        raise Refused(f"MODE=live needs SIZE=earned or SIZE=full; {choice(policy, balance)}")


def require_hours(policy: Policy, *, accepted: bool) -> None:
    """Refused where a live start trades hours without its user's consent: paper first."""
    if policy.horizon is Horizon.HOURS and not accepted:
        raise Refused(
            "HORIZON=hours is for paper first: hold its run with `turbo-trader qualify`; "
            "MODE=live takes it with I_ACCEPT_HOURS=true alone"
        )


def choice(policy: Policy, balance: Decimal) -> str:
    """What each costs at this balance (USDT)."""
    orders = TRADES_PER_HOUR * 24 * len(policy.symbols) / SYMBOLS
    notional = usual_notional(policy, balance)
    cost = orders * notional * policy.round_trip_fee
    return (
        f"{balance:g} USDT, {orders:.0f} trades a day: full, {notional:.0f} USDT each, may cost {cost:.2f} USDT a day in fees; "
        f"earned at most {policy.scout_day_budget:.0%} of your equity a day and {policy.scout_budget:.0%} in all"
    )


def size_line(policy: Policy, balance: Decimal) -> str:
    """How trades are sized, for banner and `feasible`; under SIZE=earned with the symbols that the smallest orders do not reach."""
    if policy.size is not TradeSize.EARNED:
        return "size    full: the percentages of the rules at once"
    from turbo_trader.market.reference import universe
    from turbo_trader.rules.sizing import smallest_qty
    from turbo_trader.simulation.synthetic import reference_price

    most = max(policy.scout_max_notional, policy.scout_max_share * balance)
    beyond = []
    for item in universe():
        price = Decimal(repr(reference_price(item)))
        if (
            item.symbol in policy.symbols
            and smallest_qty(item, price, policy.min_entry_notional) * price > most
        ):
            beyond.append(item.symbol)
    out = (
        f"; smallest order above {most:.0f} USDT, only watched at first: {', '.join(beyond)}"
        if beyond
        else ""
    )
    return f"size    earned: the smallest orders, until trades show that more is earned{out}"


def stage_facts(policy: Policy, mode: str, folder: Path, now_ns: int) -> list[tuple[str, str]]:
    """What the trades of earlier runs in this mode have earned, as the banner says it; nothing under SIZE=full.

    A journal that cannot be read says nothing here: the start refuses it.
    """
    if policy.size is not TradeSize.EARNED:
        return []
    from turbo_trader.rules.fingerprint import fingerprint
    from turbo_trader.rules.stages import Stages, budget_from_dict, restore, sentence, stage_rules

    kept: dict[str, dict[str, Any]] = {}
    with contextlib.suppress(InputError, JournalError):
        kept = state(folder)
    rules = fingerprint(policy)
    for key, value in kept.items():
        kind, world = parted(key)
        if kind is not Key.STAGES or not world.startswith(f"{mode}:") or f":{rules}" not in world:
            continue
        stages = Stages(stage_rules(policy))
        restore(stages, value)
        account = world.rpartition(":")[0]
        if budget := kept.get(Key.BUDGET.of(account)):
            stages.budget = budget_from_dict(budget)
        return [("stage", sentence(stages, now_ns))]
    return [("stage", "scout: no trade under these rules yet")]


def usual_notional(policy: Policy, balance: Decimal) -> Decimal:
    """The median size (USDT) of a trade of the rules over symbols and tiers at this balance."""
    from turbo_trader.market.reference import universe
    from turbo_trader.rules.feasibility import feasible
    from turbo_trader.rules.gate import TIER_A, TIER_B
    from turbo_trader.simulation.synthetic import reference_price

    instruments = universe()
    prices = {item.symbol: Decimal(repr(reference_price(item))) for item in instruments}
    found = [
        row.notional
        for trade_tier in (TIER_A, TIER_B)
        for row in feasible(policy, balance, instruments, prices, trade_tier=trade_tier)
        if row.qty
    ]
    return Decimal(median(found)) if found else Decimal(0)
