"""Expected value of the exits as executed: passages chained through the zones of the trading rules, section 6.

    stage 0: from 0 between -stop and zone 1 (T);        1: from zone 1 between break-even and the target (hold factor x T);
    stage 2, 3, ..: from the target between its lock (a share of the distance reached) and the next target.

Where a target without confirmation is held (not closed), that part goes on between the lock and the venue's backstop.

Without drift the price is a martingale, so whatever the zones do, the mean is zero. With a drift that ends at h the value is what
the drift adds while the position is open: D(x, t) = E[integral of drift e^X ds up to the close or h], which solves the backward
equation (Karatzas & Shreve, "Brownian Motion and Stochastic Calculus", 1991, section 5.7)

    D_t + m D_x + sigma^2/2 D_xx + drift e^x = 0,   m = drift - sigma^2/2,

with D = 0 where the position closes, D of the next stage where it passes on, and 0 at h. It is solved stage by stage from the last
one with exponentially fitted differences (Il'in 1969: no oscillation however small sigma) in x and implicit trapezoidal steps in t,
the first two steps split in Euler halves (Rannacher 1984). Prices looked at in steps: CONTINUITY of `passage`.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.signals.passage import CONTINUITY, INSTANT

_CELLS = 24
_STEPS = 26
_EULER = 2  # first steps that are split in two Euler halves


class Zones(NamedTuple):
    """The zones of section 6, in parts of the TP distance unless said otherwise."""

    one: float  # where the stop goes to break-even
    two: float  # the target; `one` <= `two`
    lock: float  # share of the distance reached that the stop locks at a target
    extension: float  # how much farther the next target lies
    extensions: int  # at most so many
    extension_share: float  # probability that a target reached is confirmed
    hold_factor: float  # the time limit after zone 1, in T
    close_unconfirmed: int  # 1: close at a target without confirmation; 0: hold on, up to the backstop
    backstop: float  # how much farther than the target the venue's take profit lies


@kernel
def factor(n: int, lower: float, diagonal: float, upper: float, out: Any) -> None:
    """The elimination of a tridiagonal matrix with constant bands: rows 1 / pivot, upper / pivot, lower / pivot of `out`."""
    pivot = diagonal
    for i in range(n):
        if i > 0:
            pivot = diagonal - lower * out[1, i - 1]
        out[0, i] = 1.0 / pivot
        out[1, i] = upper / pivot
        out[2, i] = lower / pivot


@kernel
def solve(n: int, factors: Any, b: Any, u: Any) -> None:
    """u <- the solution of the system that `factor` prepared, for the right side `b`."""
    carried = 0.0
    for i in range(n):
        carried = b[i] * factors[0, i] - factors[2, i] * carried
        u[i] = carried
    for i in range(n - 2, -1, -1):
        carried = u[i] - factors[1, i] * carried
        u[i] = carried


@kernel
def stage(
    low: float, high: float, start: float, drift: float, sigma2: float, span_s: float, hand: Any, value: Any
) -> None:
    """value[k] <- D(start, t_k) of one stage between `low` and `high`, at times t_k = k span_s / _STEPS.

    `hand[k]`: D of what follows at `high`; at `low`, and at the end of the span, the position is worth nothing more.
    """
    n = _CELLS - 1
    dx = (high - low) / _CELLS
    dt = span_s / _STEPS
    m = drift - 0.5 * sigma2
    p = m * dx / sigma2
    fitted = 0.5 * sigma2 * (1.0 + p * p / 3.0) if abs(p) < 1e-3 else 0.5 * m * dx / math.tanh(p)
    left, right = fitted / (dx * dx) - 0.5 * m / dx, fitted / (dx * dx) + 0.5 * m / dx
    middle = -2.0 * fitted / (dx * dx)
    factors, u, b, source = np.empty((3, n)), np.zeros(n), np.empty(n), np.empty(n)
    half = 0.5 * dt  # both the Euler half step and the implicit half of the trapezoidal step: one matrix
    factor(n, -half * left, 1.0 - half * middle, -half * right, factors)
    for i in range(n):
        source[i] = half * drift * math.exp(low + (i + 1) * dx)
    edge = half * right
    cell = (start - low) / dx
    j = min(max(int(cell), 1), _CELLS - 2)
    r = cell - j
    value[_STEPS] = 0.0
    for k in range(_STEPS - 1, -1, -1):
        top, top_before = hand[k], hand[k + 1]
        if k >= _STEPS - _EULER:
            for h in range(2):
                for i in range(n):
                    b[i] = u[i] + source[i]
                b[n - 1] += edge * (0.5 * (top + top_before) if h == 0 else top)
                solve(n, factors, b, u)
        else:  # (1 + A) u = 2 u - (1 - A) u, and (1 - A) u is the right side before
            for i in range(n):
                b[i] = 2.0 * (u[i] + source[i]) - b[i]
            b[n - 1] += edge * (top + top_before)
            solve(n, factors, b, u)
        before = u[j - 2] if j >= 2 else 0.0
        after = u[j] if j < n else top
        value[k] = u[j - 1] + r * (0.5 * (after - before) + r * (0.5 * (after + before) - u[j - 1]))


@kernel
def at(values: Any, place: float) -> float:
    """`values` between its points, linearly; nothing beyond the last."""
    k = int(place)
    if k >= _STEPS:
        return 0.0
    return float(values[k] + (place - k) * (values[k + 1] - values[k]))


@kernel
def onward(
    low: float, high: float, start: float, drift: float, sigma2: float, span_s: float, hand: Any, value: Any
) -> None:
    """As `stage`; worth nothing where `start` is not between the two: it closes at once."""
    if low < start < high:
        stage(low, high, start, drift, sigma2, span_s, hand, value)
    else:
        value[:] = 0.0


@kernel
def after_target(
    take_profit: float,
    breakeven: float,
    drift: float,
    sigma2: float,
    span_s: float,
    shift: float,
    zones: Zones,
    hand: Any,
) -> None:
    """hand[k] <- D when the first target is reached at times k span_s / _STEPS, confirmed or not."""
    value, nothing = np.zeros(_STEPS + 1), np.zeros(_STEPS + 1)
    share = zones.extension_share
    held = zones.close_unconfirmed == 0 and share < 1.0
    count = max(0, zones.extensions) if share > 0.0 else 0
    hand[:] = 0.0
    for e in range(count, -1, -1):
        reached = zones.two + zones.extension * e
        begin = math.log1p(reached * take_profit) + shift
        lock = math.log1p(max(breakeven, zones.lock * reached * take_profit)) - shift
        if e < count:
            target = math.log1p((reached + zones.extension) * take_profit) + shift
            onward(lock, target, begin, drift, sigma2, span_s, hand, value)
            for k in range(_STEPS + 1):
                hand[k] = share * value[k]
        if held:
            backstop = math.log1p((reached + zones.backstop) * take_profit) + shift
            onward(lock, backstop, begin, drift, sigma2, span_s, nothing, value)
            for k in range(_STEPS + 1):
                hand[k] += (1.0 - share) * value[k]


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
    zones: Zones,
) -> float:
    """Expected net return of an entry as a fraction of notional, for the zones of the rules.

    `take_profit`, `stop_loss`: positive distances; `breakeven`: distance above entry to which zone 1 moves the stop,
    max(break-even minimum, cost); `drift`: expected return per second in the direction of the trade until `drift_s`, then none;
    `sigma` per sqrt(second); `hold_s`: T; `cost`: round trip; `step_s`: seconds between looks at the price (0: continuously).
    Exits are at the price then seen. A break-even at or beyond zone 1 closes there. Non-finite input: -cost.
    """
    total = take_profit + stop_loss + breakeven + drift + sigma + drift_s + hold_s + step_s
    total += zones.one + zones.two + zones.lock + zones.extension + zones.extension_share
    total += zones.hold_factor + zones.backstop
    ok = take_profit > 0.0 and 0.0 < stop_loss < 1.0 and hold_s > INSTANT and drift_s > INSTANT
    if not (math.isfinite(total) and ok) or drift == 0.0:
        return -cost
    late_s, early_s = min(drift_s, zones.hold_factor * hold_s), min(drift_s, hold_s)
    farthest = take_profit * (zones.two + zones.extension * max(0, zones.extensions))
    if zones.close_unconfirmed == 0:
        farthest += take_profit * zones.backstop
    longest = math.log1p(farthest) - math.log1p(-stop_loss)
    sigma2 = max(sigma * sigma, 1e-6 * longest * longest / late_s)
    shift = CONTINUITY * max(sigma, 0.0) * math.sqrt(max(step_s, 0.0))
    hand, value = np.zeros(_STEPS + 1), np.zeros(_STEPS + 1)
    after_target(take_profit, breakeven, drift, sigma2, late_s, shift, zones, hand)
    first = math.log1p(zones.one * take_profit) + shift
    if zones.one < zones.two:
        target = math.log1p(zones.two * take_profit) + shift
        onward(math.log1p(breakeven) - shift, target, first, drift, sigma2, late_s, hand, value)
    else:
        value[:] = hand
    for k in range(_STEPS + 1):
        hand[k] = at(value, k * early_s / late_s)
    stage(math.log1p(-stop_loss) - shift, first, 0.0, drift, sigma2, early_s, hand, value)
    most = abs(drift) * late_s * (1.0 + farthest)
    gain = min(most, max(-most, value[0]))
    return float(gain - cost)
