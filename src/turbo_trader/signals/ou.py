"""Mean reversion of ln(mid): an Ornstein-Uhlenbeck process seen at minute closes, with a unit-root test as the gate.

The exact transition over k minutes is y' = c + phi^k (y - c) + e, var e = v (1 - phi^2k) / (1 - phi^2). Without missing minutes
its conditional maximum likelihood is ordinary least squares. Small-sample bias of phi: -(1 + 3 phi) / n (Marriott & Pope 1954,
Kendall 1954), taken off. Unit root: Dickey & Fuller (1979) t with constant; critical values MacKinnon (2010). Its standard error is
White's (1980): volatility comes in clusters, and with the ordinary one the test then rejects a random walk too often (Cook 2006).
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
from turbo_trader.signals.signal import Part, Signal, Unit

FITS: Final = 2  # one for the plain forecast (figures.ASKED), one for the averaged (figures.WEIGHED)

_MASK = MINUTES - 1
_LOWEST = 0.3  # phi below this is no reversion of minutes
_HIGHEST = 0.999999
_STEPS = 40

Vector = NDArray[np.float64]


@kernel
def profile(
    minutes: NDArray[np.int64], y: Vector, first: int, n: int, phi: float
) -> tuple[float, float, float, float]:
    """(-2 log L, c, v, information on c) at `phi`, with c and v concentrated out, over the n pairs from ring index `first`."""
    base = y[first & _MASK]
    one = 1.0 - phi * phi
    cross = square = logs = 0.0
    for i in range(first, first + n):
        k = minutes[(i + 1) & _MASK] - minutes[i & _MASK]
        power = phi if k == 1 else phi ** float(k)
        weight = 1.0 if k == 1 else (1.0 - power * power) / one
        g = 1.0 - power
        u = (y[(i + 1) & _MASK] - base) - power * (y[i & _MASK] - base)
        cross += g * u / weight
        square += g * g / weight
        if k != 1:
            logs += math.log(weight)
    centre = cross / square
    total = 0.0
    for i in range(first, first + n):
        k = minutes[(i + 1) & _MASK] - minutes[i & _MASK]
        power = phi if k == 1 else phi ** float(k)
        weight = 1.0 if k == 1 else (1.0 - power * power) / one
        u = (y[(i + 1) & _MASK] - base) - power * (y[i & _MASK] - base) - (1.0 - power) * centre
        total += u * u / weight
    if not total > 0.0:
        return 1e300, base + centre, 0.0, square
    return n * math.log(total / n) + logs, base + centre, total / n, square


@kernel
def likeliest(minutes: NDArray[np.int64], y: Vector, first: int, n: int) -> float:
    """The phi of highest likelihood in [0.3, 0.999999], by golden section; for windows with missing minutes."""
    return golden_section(profile, minutes, y, first, n, _LOWEST, _HIGHEST, _STEPS)


@kernel
def _whole(minutes: NDArray[np.int64], first: int, n: int) -> bool:
    """Is no minute missing? Most windows are so, and their sums are quicker; both ways give the same bits."""
    return bool(minutes[(first + n) & _MASK] - minutes[first & _MASK] == n)


@kernel
def least_squares(
    minutes: NDArray[np.int64], y: Vector, first: int, n: int
) -> tuple[float, float, float, float, float, float, bool]:
    """The Dickey-Fuller regression over n pairs: (phi, its variance, t of phi - 1, v, mean of y, mean of y', no gaps).

    A pair k minutes apart is weighted by 1/k: dy / sqrt(k) on sqrt(k) (1, y); with no gaps this is dy on (1, y).
    """
    base = y[first & _MASK]
    regular = _whole(minutes, first, n)
    weight = sa = sd = saa = sad = sdd = 0.0
    if regular:
        weight, before = float(n), base
        for i in range(first + 1, first + n + 1):
            after = y[i & _MASK]
            a, d = before - base, after - before
            before = after
            sd += d
            sa += a
            saa += a * a
            sdd += d * d
            sad += a * d
    else:
        for i in range(first, first + n):
            k = minutes[(i + 1) & _MASK] - minutes[i & _MASK]
            a = y[i & _MASK] - base
            d = y[(i + 1) & _MASK] - y[i & _MASK]
            weight += k
            sd += d
            sa += k * a
            saa += k * a * a
            sdd += d * d / k
            sad += a * d
    mean_a, mean_d = sa / weight, sd / weight
    caa, cad, cdd = saa - sa * mean_a, sad - sa * mean_d, sdd - sd * mean_d
    if not caa > 0.0:
        return 1.0, 0.0, 0.0, 0.0, base, base, regular
    slope = cad / caa
    v = (cdd - slope * cad) / (n - 2)
    if not v > 0.0:
        return 1.0, 0.0, 0.0, 0.0, base, base, regular
    error2 = v / caa
    return 1.0 + slope, error2, slope / math.sqrt(error2), v, base + mean_a, base + mean_a + mean_d, regular


@kernel
def white_variance(
    minutes: NDArray[np.int64], y: Vector, first: int, n: int, phi: float, mean: float, after: float
) -> float:
    """Variance of phi that holds whatever the variance of each step is (White 1980, HC0); arguments as of `least_squares`."""
    meat = caa = 0.0
    drift, slope = after - mean, phi - 1.0
    if _whole(minutes, first, n):
        before = y[first & _MASK]
        for i in range(first + 1, first + n + 1):
            now = y[i & _MASK]
            a = before - mean
            error = now - before - (drift + slope * a)
            before = now
            meat += a * a * error * error
            caa += a * a
    else:
        for i in range(first, first + n):
            k = minutes[(i + 1) & _MASK] - minutes[i & _MASK]
            a = y[i & _MASK] - mean
            error = y[(i + 1) & _MASK] - y[i & _MASK] - k * (drift + slope * a)
            meat += a * a * error * error
            caa += k * a * a
    return meat / (caa * caa)


@kernel
def critical(coefficients: Vector, n: int) -> float:
    """MacKinnon's response surface b0 + b1/n + b2/n^2 + b3/n^3."""
    r = 1.0 / n
    return float(coefficients[0] + r * (coefficients[1] + r * (coefficients[2] + r * coefficients[3])))


@kernel
def refit(states: Any, filters: Any, s: int, params: Any) -> None:
    """Fit the windows that end with the newest minute close, once per close; the results are kept in the filter."""
    state, f = states[s], filters[s]
    if f.ou_minutes == state.minutes:
        return
    f.ou_minutes = state.minutes
    for k in range(FITS):
        fit_window(states, filters, s, params, k)


@kernel
def fit_window(states: Any, filters: Any, s: int, params: Any, k: int) -> None:
    """Fit `k` (figures.ASKED or WEIGHED) of the window that ends with the newest minute close."""
    state, f, p = states[s], filters[s], params[0]
    f.ou_fitted[k] = 0
    window = p.ou_window[k]
    last = state.minutes - 1
    minutes, y = state.minute_index, state.minute_y
    oldest = max(0, last - min(window - 1, MINUTES - 2))
    earliest = minutes[last & _MASK] - window
    while oldest < last and minutes[oldest & _MASK] <= earliest:
        oldest += 1
    n = last - oldest
    if n < 20 or n + 1 < p.ou_min_share * window:
        return
    phi, _, _, v, mean, after, regular = least_squares(minutes, y, oldest, n)
    if not v > 0.0:
        return
    variance = white_variance(minutes, y, oldest, n, phi, mean, after)
    if not (variance > 0.0 and math.isfinite(variance)):
        return
    statistic = (phi - 1.0) / math.sqrt(variance)
    if not regular:
        phi = likeliest(minutes, y, oldest, n)
    phi += (1.0 + 3.0 * phi) / n
    f.ou_fitted[k] = 1
    f.ou_n[k] = n
    f.ou_statistic[k] = statistic
    f.ou_phi[k] = phi
    f.ou_phi_variance[k] = variance
    if not 0.0 < phi < _HIGHEST:
        f.ou_centre[k], f.ou_sd[k], f.ou_centre_variance[k], f.ou_centre_slope[k] = mean, 0.0, 0.0, 0.0
        return
    if regular:
        f.ou_centre[k] = (after - phi * mean) / (1.0 - phi)
        f.ou_centre_slope[k] = (after - mean) / ((1.0 - phi) * (1.0 - phi))
        f.ou_centre_variance[k] = v / (n * (1.0 - phi) * (1.0 - phi))
    else:
        _, centre, v, information = profile(minutes, y, oldest, n, phi)
        f.ou_centre[k] = centre
        step = 0.01 * (1.0 - phi)
        f.ou_centre_slope[k] = (centre - profile(minutes, y, oldest, n, phi - step)[1]) / step
        f.ou_centre_variance[k] = v / information
    f.ou_sd[k] = math.sqrt(v / (1.0 - phi * phi))


@kernel
def reversion(
    gap: float,
    phi: float,
    steps: float,
    phi_variance: float,
    centre_variance: float,
    centre_slope: float,
    measurement2: float,
) -> tuple[float, float]:
    """(r, standard error of its mean) for the centre at `gap` above the price, `steps` spacings ahead.

    r = gap (1 - phi^steps); the error by the delta method from phi and the centre, and from the bounce in the price seen.
    """
    power = phi**steps
    share = 1.0 - power
    by_phi = share * centre_slope - gap * steps * power / phi
    error2 = by_phi * by_phi * phi_variance + share * share * (centre_variance + measurement2)
    return gap * share, math.sqrt(error2)


@kernel
def drift_score(
    _states: Any, _s: int, _now: int, params: Any, out: Any, j: int
) -> tuple[bool, float, float, float]:
    """The distance from the centre over the stationary sd, faded; `measure` filled it in."""
    row, p = out[j], params[0]
    score = -max(-1.0, min(1.0, row.ou_z / p.score_z))
    return row.ou_valid != 0, score, -row.direction * row.ou_z, p.ou_threshold


class DriftNumbers(Declared):
    """Numbers of OU_DRIFT."""

    ou_threshold: Decimal = chosen("0.5", "sd", "4 OU_DRIFT", "OU_DRIFT confirms below minus", weighed="1")


OU_DRIFT: Final = Signal(
    name="OU_DRIFT", short="OU", about="distance of the price from the centre that an Ornstein-Uhlenbeck fit draws it to",
    part=Part.BASE, score=drift_score, numbers=DriftNumbers, unit=Unit.SD, side="toward it",
)  # fmt: skip
