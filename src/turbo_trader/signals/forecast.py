"""The forecasts of one scan: Kalman velocity and Ornstein-Uhlenbeck reversion, plain and averaged, combined by inverse variance."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.market.rows import MINUTE, SECOND
from turbo_trader.market.state import MINUTES, SECONDS
from turbo_trader.signals import drift_belief, kalman, ou
from turbo_trader.signals.figures import ASKED, MEASURED, WEIGHED

_CLOSES_MISSED = (
    3  # minute closes may be missing at the end of the minute ring before its figures count no more
)
_LN2 = math.log(2.0)
_moments, _damped = kalman.moments, kalman.damped
_belief, _averaged = drift_belief.belief, drift_belief.averaged
_critical, _reversion = ou.critical, ou.reversion


@kernel
def grid_filled(states: Any, s: int, now: int, params: Any) -> bool:
    """The one-second grid reaches back `warm_up_s`, and no minute in it is without a close: not across a silence."""
    state = states[s]
    if state.samples == 0 or state.minutes == 0:
        return False
    oldest = state.sample_second[max(0, state.samples - SECONDS) & (SECONDS - 1)]
    if now - oldest * SECOND < params[0].warm_up_s * SECOND:
        return False
    back = max(0, min(state.minutes - 1, np.int64(params[0].warm_up_s / 60.0) - 1))
    newest = state.minute_index[(state.minutes - 1) & (MINUTES - 1)]
    first = state.minute_index[(state.minutes - 1 - back) & (MINUTES - 1)]
    return bool(newest >= now // MINUTE - _CLOSES_MISSED and first == newest - back)


@kernel
def forecast_figures(states: Any, filters: Any, s: int, now: int, params: Any, out: Any, j: int) -> None:
    """The forecasts of Kalman and OU, plain and averaged over whether their drift is there; the one in force decides."""
    row = out[j]
    plain, error, belief = kalman_figures(states, filters, s, now, params, out, j)
    for b in range(2):
        valid, reversion, reversion_error = ou_figures(states, filters, s, now, params, b, out, j)
        mean, mean_error = plain, error
        if b == WEIGHED and row.kalman_valid != 0:
            mean, mean_error = _averaged(plain, error, belief)
        if (b == WEIGHED) == (params[0].belief != ASKED):
            row.kalman_forecast, row.kalman_se = mean, mean_error
        combine(row.kalman_valid != 0, mean, mean_error, valid, reversion, reversion_error, params, b, out, j)
    row.forecasts[MEASURED] = row.errors[MEASURED] = row.snrs[MEASURED] = row.confidences[MEASURED] = 0.0
    b = ASKED if params[0].belief == ASKED else WEIGHED
    row.horizon_s = params[0].horizon_s
    row.forecast, row.se = row.forecasts[b], row.errors[b]
    row.snr, row.confidence = row.snrs[b], row.confidences[b]
    row.direction = 0
    if row.forecast != 0.0:
        row.direction = 1 if row.forecast > 0.0 else -1


@kernel
def kalman_figures(
    states: Any, filters: Any, s: int, now: int, params: Any, out: Any, j: int
) -> tuple[float, float, float]:
    """(forecast, its error, belief) given that there is a velocity; zeros where the noise fit found none.

    Velocity and acceleration in the row are averaged over whether there is one: without it they are 0.
    """
    f, row, p = filters[s], out[j], params[0]
    row.kalman_valid = 0
    row.velocity = row.velocity_z = row.acceleration = row.acceleration_z = 0.0
    row.kalman_forecast = row.kalman_se = row.kalman_belief = row.kalman_scale = 0.0
    if f.noise_set == 0 or f.velocity_valid == 0 or f.started == 0:
        return 0.0, 0.0, 0.0
    if now - f.second * SECOND > (p.book_stale_s + 1.0) * SECOND or not grid_filled(states, s, now, params):
        return 0.0, 0.0, 0.0
    forecast, forecast_error = _moments(filters, s, 1.0, p.horizon_s, _damped(p.horizon_s, p.damping_s))
    mean, error = _moments(filters, s, 0.0, 1.0, 0.0)
    velocity, velocity_error = _averaged(mean, error, f.belief)
    mean, error = _moments(filters, s, 0.0, 0.0, 1.0)
    acceleration, acceleration_error = _averaged(mean, error, f.belief)
    if not (forecast_error > 0.0 and velocity_error > 0.0 and acceleration_error > 0.0):
        return 0.0, 0.0, 0.0
    if not math.isfinite(forecast + forecast_error + velocity + acceleration):
        return 0.0, 0.0, 0.0
    row.kalman_valid = 1
    row.velocity, row.velocity_z = velocity, velocity / velocity_error
    row.acceleration, row.acceleration_z = acceleration, acceleration / acceleration_error
    row.kalman_belief, row.kalman_scale = f.belief, f.scale
    return forecast, forecast_error, f.belief


@kernel
def ou_figures(
    states: Any, filters: Any, s: int, now: int, params: Any, k: int, out: Any, j: int
) -> tuple[bool, float, float]:
    """(valid, forecast, its error) of the Ornstein-Uhlenbeck fit `k` against the price now; in the row where it is in force.

    Valid only past the unit-root test and inside the half-life bounds. Under `weighed` the forecast is averaged over whether the
    price reverts at all: phi and centre against a random walk, the evidence being the square of the unit-root t, the information
    that about phi (one over its variance) and about the centre (n).
    """
    f, row, p = filters[s], out[j], params[0]
    shown = (k == WEIGHED) == (p.belief != ASKED)
    if shown:
        row.ou_valid = 0
        row.ou_forecast = row.ou_se = row.ou_z = row.ou_half_life_s = row.ou_statistic = row.ou_belief = 0.0
    if f.ou_fitted[k] == 0 or not row.mid > 0.0 or closes_missed(states, s, now):
        return False, 0.0, 0.0
    phi, sd, statistic, n = f.ou_phi[k], f.ou_sd[k], f.ou_statistic[k], f.ou_n[k]
    if shown:
        row.ou_statistic = statistic
    if not (0.0 < phi < 1.0 and sd > 0.0):
        return False, 0.0, 0.0
    half_life_s = -_LN2 / math.log(phi) * p.ou_spacing_s
    gap = f.ou_centre[k] - math.log(row.mid)
    if shown:
        row.ou_half_life_s, row.ou_z = half_life_s, -gap / sd
    if statistic >= _critical(p.df_critical[k], n):
        return False, 0.0, 0.0
    if not p.ou_min_half_life_s <= half_life_s <= p.ou_max_half_life_s:
        return False, 0.0, 0.0
    bounce = f.measurement2 if f.noise_set != 0 else 0.0
    mean, error = _reversion(
        gap, phi, p.horizon_s / p.ou_spacing_s, f.ou_phi_variance[k], f.ou_centre_variance[k], f.ou_centre_slope[k], bounce
    )  # fmt: skip
    if not (math.isfinite(mean) and math.isfinite(error) and error > 0.0):
        return False, 0.0, 0.0
    belief = _belief(statistic * statistic, max(1.0, n / f.ou_phi_variance[k]))
    if k == WEIGHED:
        mean, error = _averaged(mean, error, belief)
    if shown:
        row.ou_valid, row.ou_belief = 1, belief
        row.ou_forecast, row.ou_se = mean, error
    return True, mean, error


@kernel
def closes_missed(states: Any, s: int, now: int) -> bool:
    """Too many minute closes are missing at the end of the ring."""
    state = states[s]
    if state.minutes == 0:
        return True
    newest = state.minute_index[(state.minutes - 1) & (MINUTES - 1)]
    return bool(newest < now // MINUTE - _CLOSES_MISSED)


@kernel
def combine(
    with_velocity: bool,
    velocity: float,
    velocity_error: float,
    with_reversion: bool,
    reversion: float,
    reversion_error: float,
    params: Any,
    b: int,
    out: Any,
    j: int,
) -> None:
    """Forecasts by inverse variance (their errors taken as independent), SNR and confidence with diffusion, of belief `b`."""
    row = out[j]
    row.forecasts[b] = row.errors[b] = row.snrs[b] = row.confidences[b] = 0.0
    weight = total = 0.0
    if with_velocity:
        w = 1.0 / (velocity_error * velocity_error)
        weight += w
        total += w * velocity
    if with_reversion:
        w = 1.0 / (reversion_error * reversion_error)
        weight += w
        total += w * reversion
    if not (weight > 0.0 and math.isfinite(weight)):
        return
    row.errors[b] = math.sqrt(1.0 / weight)
    forecast = total / weight
    if forecast == 0.0 or not math.isfinite(forecast):
        return
    row.forecasts[b] = forecast
    row.snrs[b] = abs(forecast) / row.errors[b]
    row.confidences[b] = confident(abs(forecast), row.errors[b], row.sigma, params[0].horizon_s)


@kernel
def confident(edge: float, error: float, sigma: float, horizon_s: float) -> float:
    """P(return over the horizon has the sign of its forecast), diffusion included."""
    spread = math.sqrt(error * error + sigma * sigma * horizon_s)
    return 0.5 * math.erfc(-edge / spread / math.sqrt(2.0))
