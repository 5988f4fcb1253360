"""Target, stop and cost of a candidate as kernels: section 6's ranges and section 5's round-trip cost."""

from __future__ import annotations

import math
from typing import Any

from turbo_trader.market.book import walk
from turbo_trader.market.compiled import kernel
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.data_gate import interval_ns
from turbo_trader.rules.gate import TIER_B

_DAY_S = 86_400.0


@kernel
def clamp(value: float, low: float, high: float) -> float:
    """`value` within [low, high]."""
    return min(max(value, low), high)


@kernel
def target_and_stop(gp: Any, g: int, trade_tier: int, sigma: float, horizon_s: float) -> tuple[float, float]:
    """(TP, SL) as fractions of entry.

    Normal: TP = clamp(1.5 sigma sqrt(h)), SL = clamp(TP / 2), of HORIZON=hours at least a day's sigma. B: both scaled and clamped
    again.
    """
    p = gp[g]
    tp = clamp(p.tp_sigmas * sigma * math.sqrt(horizon_s), p.tp_min, p.tp_max)
    sl = clamp(max(p.sl_of_tp * tp, p.sl_day_sigmas * sigma * math.sqrt(_DAY_S)), p.sl_min, p.sl_max)
    if trade_tier == TIER_B:
        tp = clamp(p.b_tp_factor * tp, p.b_tp_min, p.b_tp_max)
        sl = clamp(p.b_sl_factor * sl, p.b_sl_min, p.b_sl_max)
    return tp, sl


@kernel
def expected_funding(states: Any, s: int, now: int, gp: Any, g: int, direction: int) -> float:
    """Funding to be paid within T, fraction of notional: in full when a settlement falls into T, never as
    income."""
    interval = interval_ns(states, s, gp, g)
    until = int(gp[g].max_hold_s * SECOND)
    settlements = (now + until) // interval - now // interval
    return float(max(0.0, settlements * direction * states[s].funding_rate))


@kernel
def charge_book_walk(states: Any, s: int, gp: Any, notional: float, thin: float) -> None:
    """Set the `slippage` of symbol `s`: the book walk of entry and exit together for `notional` USDT, a fraction.

    A maker entry walks no book; the worse side's exit does. `thin`: for a side that holds less (market.book.walk).
    """
    st = states[s]
    price = 0.5 * (st.bid + st.ask) * st.tick
    gp[s].slippage = 0.0
    if price > 0.0:
        lots = notional / (price * st.lot)
        bids, asks = walk(states, s, 1, lots, thin), walk(states, s, -1, lots, thin)
        gp[s].slippage = max(bids, asks) if gp[s].maker_entry == 1 else bids + asks


@kernel
def round_trip_cost(states: Any, s: int, now: int, gp: Any, g: int, direction: int, spread: float) -> float:
    """c: entry fee + exit fee + spread + book-walk slippage at the reference notional + expected funding.

    A fraction of notional. A maker entry pays no half spread at the touch, but fills when the price comes
    its way: that half is counted as adverse selection.
    """
    p = gp[g]
    fees = p.taker_fee + (p.maker_fee if p.maker_entry == 1 else p.taker_fee)
    crossing = 0.5 * spread if p.maker_entry == 1 else spread
    return float(fees + crossing + p.slippage + expected_funding(states, s, now, gp, g, direction))
