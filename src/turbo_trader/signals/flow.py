"""Order-flow imbalance of the window the market state keeps: book if there is one, else prints.

Cont, Kukanov & Stoikov, "The price impact of order book events", Journal of Financial Econometrics 12 (2014), summed over ten
levels with one contribution per book frame; here divided by the sum of the absolute contributions, so in [-1, 1].
"""

from __future__ import annotations

from typing import Any

from turbo_trader.market.compiled import kernel
from turbo_trader.market.events import SECOND


@kernel
def order_flow(states: Any, s: int, now: int, params: Any) -> tuple[float, bool, bool]:
    """(score, valid, degraded): degraded = from prints, (taker buys - sells) / (buys + sells), as no book was ever seen."""
    state, p = states[s], params[0]
    if state.has_book == 0:
        fresh = state.trade_ts > 0 and now - state.trade_ts <= p.trade_stale_s * SECOND
        if not fresh or state.taker_abs <= 0:
            return 0.0, False, True
        return float(state.taker) / float(state.taker_abs), True, True
    fresh = state.book_valid != 0 and now - state.book_ts <= p.book_stale_s * SECOND
    if not fresh or state.ofi_abs <= 0:
        return 0.0, False, False
    return float(state.ofi) / float(state.ofi_abs), True, False
