"""How much of each limit is used: for the warnings and for `status`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from turbo_trader.rules.session import drawdown_at, result_at
from turbo_trader.rules.sizing import Account, OpenRisk
from turbo_trader.rules.tiers import CapitalTier, steps

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy
    from turbo_trader.rules.session import Session

ZERO = Decimal(0)


def limit_usage(
    policy: Policy,
    account: Account,
    open_risks: Sequence[OpenRisk],
    session: Session,
    held: CapitalTier | None = None,
) -> dict[str, Decimal]:
    """Used share of each limit of the account and the session by name, 1 = all of it; names are stable.

    Limits of a single trade (its loss at the stop, its margin, its leverage) are not among them: a size is the smallest of
    them all, so one is always used up. A limit that is switched off is not among them either. `held`: the capital tier in force.
    """
    losses = sum((item.loss_at_stop for item in open_risks), ZERO)
    margin = sum((item.margin for item in open_risks), ZERO)
    budget = policy.session_loss * account.session_start_equity
    side = {
        direction: sum((item.loss_together for item in open_risks if item.direction == direction), ZERO)
        for direction in (1, -1)
    }
    tier = policy.capital_tier(account.equity, held)
    used = {
        "session result": max(ZERO, -result_at(session, account.equity) / policy.session_loss),
        "session budget": _share(losses - account.session_result, budget),
        "drawdown": drawdown_at(session, account.equity) / policy.drawdown_pause,
        "total margin": _share(margin, policy.total_margin * account.balance),
        "open positions": Decimal(len(open_risks)) / tier.max_positions,
        "consecutive losses": Decimal(session.losses) / policy.losses_to_halve,
    }
    if policy.same_direction:
        used["same direction"] = _share(max(side.values()), policy.same_direction * account.equity)
    if policy.pauses_to_halt:
        used["drawdown pauses"] = Decimal(session.pauses) / policy.pauses_to_halt
    return used


def equity_levels(
    policy: Policy, session: Session, equity: Decimal, used: Mapping[str, Decimal]
) -> list[Decimal]:
    """Equities at which a limit trips, is warned of or is warned of no more, and those at which the capital tier changes.

    `used`: shares at `equity`, by name. While the equity stays between two of them, a look at it decides nothing that rests on it.
    """
    levels = [*steps(policy)]
    shares = (Decimal(1), policy.warn_share, policy.warn_share - policy.warn_hysteresis)
    for share in shares:
        levels.append(session.start_equity * (1 - share * policy.session_loss))
        levels.append(session.peak * (1 - share * policy.drawdown_pause))
    levels += [
        equity * used["same direction"] / share for share in shares if "same direction" in used and share
    ]
    return levels


def _share(used: Decimal, limit: Decimal) -> Decimal:
    """`used` of `limit`; all of it where there is no limit left to use."""
    if limit <= 0:
        return Decimal(1)
    return max(ZERO, used) / limit
