"""Acceleration of ln(mid) on one-minute closes: a Kalman filter on a coarser grid than `signals.kalman`, for ACCEL alone.

Second by second the jerk of a price cannot be seen. Here the price is a smooth path seen with noise: level, velocity
and acceleration with white-noise jerk (Bar-Shalom, Li & Kirubarajan 2001, section 6.2.3, without a random walk in the level; what
a minute adds of its own is observation noise). The ratio of that noise to the jerk is the likeliest one of the window's closes,
found by golden section; the jerk's variance is concentrated out. At the end of the range there is no jerk, no acceleration, and
ACCEL does not count. No test asks whether the path is truly smooth, and on a random walk it is not: how often ACCEL then confirms
is published beside how often it does on recorded bars (docs/signals.md). So it decides nothing else than ACCEL: never the
forecast.

The noise is fitted each hour of closes and the filter runs from the beginning of the fitted window, so what it says is a function
of the market state alone, however often it is asked.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel
from turbo_trader.market.state import MINUTES
from turbo_trader.numbers.declared import Declared
from turbo_trader.numbers.number import chosen
from turbo_trader.signals.golden_section import golden_section
from turbo_trader.signals.kalman import START, begin, predict, update
from turbo_trader.signals.signal import Part, Signal, Unit

_MASK = MINUTES - 1
_REFIT = 60  # closes from one fit to the next; symbols take turns
_SHARE = 0.9  # of the window's closes must be there
_RATIOS = (
    -4.0,
    30.0,
)  # ln(observation variance / jerk variance per minute): at the last a path is a parabola for hours
_NO_JERK = 29.0
_STEPS = 20
_FORGET = 1.0 - 0.5 ** (1.0 / 60.0)  # half-life of the innovations' scale: 60 closes

Vector = NDArray[np.float64]


@kernel
def deviance(
    minutes: NDArray[np.int64], y: Vector, first: int, n: int, log_ratio: float
) -> tuple[float, float]:
    """(-2 log likelihood with the jerk variance concentrated out, that variance) of the n + 1 closes from ring index `first`."""
    ratio = math.exp(log_ratio)
    x, P = np.zeros(3), np.zeros((3, 3))
    begin(x, P, 0.0, 1.0, 0.0, ratio)
    base = y[first & _MASK]
    logs = squares = 0.0
    for i in range(1, n + 1):
        k = (first + i) & _MASK
        predict(x, P, float(minutes[k] - minutes[(first + i - 1) & _MASK]), 1.0, 0.0)
        total, error = P[0, 0] + ratio, y[k] - base - x[0]
        if i >= START:
            logs += math.log(total)
            squares += error * error / total
        update(x, P, y[k] - base, ratio)
    used = n + 1 - START
    if not (squares > 0.0 and math.isfinite(squares)):
        return 1e300, 0.0
    return used * math.log(squares / used) + logs, squares / used


@kernel
def likeliest(minutes: NDArray[np.int64], y: Vector, first: int, n: int) -> float:
    """The likeliest ln(observation variance / jerk variance), by golden section."""
    return golden_section(deviance, minutes, y, first, n, _RATIOS[0], _RATIOS[1], _STEPS)


@kernel
def fit(states: Any, filters: Any, s: int, first: int, last: int) -> None:
    """The noise of the closes from count `first` to count `last`, into the filter of `s`."""
    state, f = states[s], filters[s]
    log_ratio = likeliest(state.minute_index, state.minute_y, first, last - first)
    jerk2 = deviance(state.minute_index, state.minute_y, first, last - first, log_ratio)[1]
    f.accel_valid = 1 if log_ratio < _NO_JERK and jerk2 > 0.0 else 0
    f.accel_jerk2, f.accel_noise2 = jerk2, jerk2 * math.exp(log_ratio)


@kernel
def catch_up_minutes(states: Any, filters: Any, s: int, params: Any) -> None:
    """Bring the one-minute filter of `s` up to the newest close; fit its noise when an hour of closes has passed."""
    state, f, window = states[s], filters[s], int(params[0].accel_samples)
    anchor = max(0, state.minutes - (state.minutes + s) % _REFIT)
    if f.accel_anchor != anchor or f.accel_taken > state.minutes:
        f.accel_anchor, f.accel_valid = anchor, 0
        first = max(0, anchor - window, state.minutes - (MINUTES - 1))
        if anchor - first >= max(30.0, _SHARE * window):
            fit(states, filters, s, first, anchor - 1)
        f.accel_taken, f.accel_steps = first, 0
    if f.accel_valid == 0:
        return
    x, P = f.accel_x, f.accel_P
    for i in range(f.accel_taken, state.minutes):
        y = state.minute_y[i & _MASK]
        if f.accel_steps == 0:
            begin(x, P, y, f.accel_jerk2, 0.0, f.accel_noise2)
            f.accel_scale = 1.0
        else:
            dt = float(state.minute_index[i & _MASK] - state.minute_index[(i - 1) & _MASK])
            predict(x, P, dt, f.accel_jerk2, 0.0)
            total, error = P[0, 0] + f.accel_noise2, y - x[0]
            if f.accel_steps >= START and total > 0.0:
                f.accel_scale += _FORGET * (error * error / total - f.accel_scale)
            update(x, P, y, f.accel_noise2)
        f.accel_steps += 1
    f.accel_taken = state.minutes


@kernel
def minute_acceleration(filters: Any, s: int) -> tuple[float, bool]:
    """(acceleration / its standard deviation, valid) after the newest close taken."""
    f = filters[s]
    variance = f.accel_scale * f.accel_P[2, 2]
    if f.accel_valid == 0 or f.accel_steps < START or not variance > 0.0:
        return 0.0, False
    z = f.accel_x[2] / math.sqrt(variance)
    return z, math.isfinite(z)


@kernel
def accel_score(
    _states: Any, _s: int, _now: int, params: Any, out: Any, j: int
) -> tuple[bool, float, float, float]:
    """The acceleration over its standard deviation, as `measure` filled it in."""
    row, p = out[j], params[0]
    score = max(-1.0, min(1.0, row.accel_z / p.score_z))
    return row.accel_valid != 0, score, row.direction * row.accel_z, p.accel_threshold


class AccelNumbers(Declared):
    """Numbers of ACCEL."""

    accel_samples: int = chosen(
        60, "closes", "3 ACCEL", "asked: one-minute closes behind ACCEL", low="30", high="1440"
    )
    accel_threshold: Decimal = chosen("1", "sd", "4 ACCEL", "ACCEL confirms above")


ACCEL: Final = Signal(
    name="ACCEL", short="ACCEL", about="acceleration of the price, by a Kalman filter of minutes under `asked`, else of seconds",
    part=Part.OTHER, score=accel_score, numbers=AccelNumbers, unit=Unit.SD, side="toward it",
    fields=(("accel_valid", "u1"), ("accel_z", "f8")),  # of the one-minute filter under `asked`, else `acceleration_z`
)  # fmt: skip
