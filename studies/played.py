"""The exits of the rules played on a path of prices: on what a market did, or on simulated ones (Monte Carlo).

Prices enter as `gain`: return against the entry in the direction of the trade, of the price one could close at, once a second.
What happens in the rules' zones (section 6) happens at the first second at which it is due, at the price then seen. Whether OFI
and ACCEL would confirm an extension is a coin of the zones' probability, as the EV assumes; an unconfirmed target closes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel
from turbo_trader.signals.expectation import Zones

Array = NDArray[np.float64]


@kernel
def barrier_hit(gain: Array, take_profit: float, stop_loss: float) -> int:
    """+1: the target was reached first, -1: the stop, 0: neither."""
    for k in range(gain.shape[0]):
        if gain[k] >= take_profit:
            return 1
        if gain[k] <= -stop_loss:
            return -1
    return 0


@kernel
def exit_at(
    gain: Array, take_profit: float, stop_loss: float, break_even: float, hold: int, zones: Zones
) -> int:
    """Index of `gain` at which the exits as executed close; `hold`: T in seconds. `gain` must reach over the longest hold.

    gain[k] is the price k + 1 seconds after the entry.
    """
    zone, reached, stop = 0, 0, -stop_loss
    last = int(min(zones.hold_factor * hold, gain.shape[0])) - 1
    for k in range(last + 1):
        g = gain[k]
        before_zone_one = zone == 0 and g < zones.one * take_profit
        if g <= stop or k == last or (before_zone_one and k >= hold - 1):
            return k
        if zone == 0 and not before_zone_one:
            zone, stop = 1, break_even
            if g <= stop:
                return k
        while g >= (zones.two + zones.extension * reached) * take_profit:
            stop = zones.lock * (zones.two + zones.extension * reached) * take_profit
            if reached >= zones.extensions or np.random.random() >= zones.extension_share:
                return k
            reached += 1
    return last


@kernel
def seed_coins(seed: int) -> None:
    """Make the coins and paths of this module's kernels the same every time."""
    np.random.seed(seed)


@kernel
def simulate(
    paths: int,
    take_profit: float,
    stop_loss: float,
    break_even: float,
    drift: float,
    sigma: float,
    drift_s: int,
    hold: int,
    zones: Zones,
) -> tuple[float, float]:
    """(mean gross return of the exits as executed, its standard error) over simulated paths looked at each second.

    The price drifts by `drift` a second until `drift_s`. Control variate: the martingale part of each path up to its exit.
    """
    longest = int(zones.hold_factor * hold)
    gain, martingale = np.empty(longest), np.empty(longest)
    total = square = 0.0
    for _ in range(paths):
        x = m = 0.0
        for k in range(longest):
            moved = x + (drift if k < drift_s else 0.0)
            x = moved - 0.5 * sigma * sigma + sigma * np.random.normal()
            m += math.exp(x) - math.exp(moved)
            gain[k], martingale[k] = math.expm1(x), m
        k = exit_at(gain, take_profit, stop_loss, break_even, hold, zones)
        value = gain[k] - martingale[k]
        total += value
        square += value * value
    average = total / paths
    return average, math.sqrt(max(0.0, square / paths - average * average) / paths)


@kernel
def play_market(
    book: Any,
    begin: Any,
    direction: Any,
    take_profit: Array,
    stop_loss: Array,
    break_even: Array,
    hold: int,
    zones: Zones,
    out: Array,
) -> None:
    """out[i] <- (return of the exits as executed from touch to touch, mid to mid, +1 or -1: the fixed barrier met first or 0).

    `book[second]`: best bid and ask, ticks; trade i is entered at the touch at book[begin[i]], the barriers are about the mid
    there. The longest hold after each trade must be in the book.
    """
    longest = int(zones.hold_factor * hold)
    gain, middle = np.empty(longest), np.empty(longest)
    for i in range(begin.shape[0]):
        d, b = direction[i], begin[i]
        touch, far = (1, 0) if d > 0 else (0, 1)
        entry, mid = float(book[b, touch]), 0.5 * (book[b, 0] + book[b, 1])
        for k in range(longest):
            gain[k] = d * (book[b + 1 + k, far] / entry - 1.0)
            middle[k] = d * (0.5 * (book[b + 1 + k, 0] + book[b + 1 + k, 1]) / mid - 1.0)
        at = exit_at(gain, take_profit[i], stop_loss[i], break_even[i], hold, zones)
        out[i, 0], out[i, 1] = gain[at], middle[at]
        out[i, 2] = barrier_hit(middle[:hold], take_profit[i], stop_loss[i])
