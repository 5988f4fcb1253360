"""Order-flow imbalance of the window the market state keeps: book if there is one, else prints.

Cont, Kukanov & Stoikov, "The price impact of order book events", Journal of Financial Econometrics 12 (2014), summed over ten
levels with one contribution per book frame; here divided by the sum of the absolute contributions, so in [-1, 1].
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from turbo_trader.market.compiled import kernel
from turbo_trader.market.rows import SECOND
from turbo_trader.numbers.declared import Declared
from turbo_trader.numbers.number import asked, chosen
from turbo_trader.signals.signal import Part, Signal, Unit


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


@kernel
def flow_score(
    states: Any, s: int, now: int, params: Any, out: Any, j: int
) -> tuple[bool, float, float, float]:
    """The imbalance itself; it confirms on the forecast's side."""
    row = out[j]
    flow, valid, degraded = order_flow(states, s, now, params)
    row.degraded = 1 if degraded else 0
    score = max(-1.0, min(1.0, flow))
    return valid, score, row.direction * score, params[0].ofi_threshold


class FlowNumbers(Declared):
    """Numbers of OFI."""

    ofi_levels: int = chosen(10, "levels", "4 OFI", "book levels of the order-flow imbalance", pinned=True)
    ofi_window: int = chosen(30, "s", "4 OFI", "order-flow window", low="1", high="63")
    ofi_threshold: Decimal = asked("0.15", "score", "4 OFI", "OFI confirms above", high="0.999")


OFI: Final = Signal(
    name="OFI", short="OFI", about="order-flow imbalance of ten book levels over half a minute; of prints where there is no book",
    part=Part.BASE, score=flow_score, numbers=FlowNumbers, unit=Unit.SCORE, side="toward it",
    fields=(("degraded", "u1"),),  # from prints, no book is recorded
    remark=lambda row: " (from prints)" if row["degraded"] else "",
)  # fmt: skip
