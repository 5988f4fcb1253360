"""The entry's limit price, and which candidates go first."""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from turbo_trader.market.grid import on_grid
from turbo_trader.market.instruments import Instrument
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.choices import EntryStyle

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

_Key = TypeVar("_Key")


def entry_limit(
    policy: Policy, instrument: Instrument, direction: int, bid: Decimal, ask: Decimal, ev_margin: Decimal
) -> Decimal:
    """Limit of an entry: IOC at the touch +- ENTRY_SLIP_MAX, where BELIEF is not asked at most half the EV margin; post-only at
    our own touch.

    `ev_margin` = net EV - minimum, a fraction >= 0. On the tick, never further out than allowed, never
    inside the touch.
    """
    if policy.entry_style is EntryStyle.MAKER:
        return bid if direction > 0 else ask
    slip = policy.entry_slip_max
    if (
        policy.belief is not Belief.ASKED
    ):  # there the EV is the user's arithmetic: it says nothing of what a fill may cost
        slip = min(slip, policy.entry_slip_of_ev * max(Decimal(0), ev_margin))
    if direction > 0:
        return max(ask, on_grid(ask * (1 + slip), instrument.tick, up=False))
    return min(bid, on_grid(bid * (1 - slip), instrument.tick, up=True))


def fill_probability(sigma: float, distance: float, patience_s: float) -> float:
    """The chance that a post-only entry is filled in time: that the price goes `distance` (fraction) its way within `patience_s`.

    Driftless, `sigma` per sqrt(second), by the reflection principle (Karatzas & Shreve, Brownian Motion and Stochastic Calculus,
    2.6): 2 (1 - Phi(distance / (sigma sqrt t))). Conservative: the queue ahead is taken as gone only once the price is through.
    """
    reach = sigma * math.sqrt(patience_s)
    if reach <= 0.0:
        return 1.0 if distance <= 0.0 else 0.0
    return min(1.0, math.erfc(distance / (reach * math.sqrt(2.0))))


def ranked(candidates: Iterable[tuple[_Key, float, float]]) -> list[_Key]:
    """Keys of (key, EV, weight) by EV x weight, highest first; equal ones stay in the order given."""
    return [key for key, _, _ in sorted(candidates, key=lambda item: -item[1] * item[2])]
