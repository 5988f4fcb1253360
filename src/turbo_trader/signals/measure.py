"""One scan of one symbol: every figure of the signals and the forecast."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.market.events import MINUTE, SECOND
from turbo_trader.market.state import MINUTES, SECONDS
from turbo_trader.signals import consensus, evidence, kalman, ou
from turbo_trader.signals.figures import ACCEL, FUNDING, OFI, OU_DRIFT, VWAP
from turbo_trader.signals.flow import order_flow
from turbo_trader.signals.funding import funding_rate
from turbo_trader.signals.parameters import HORIZONS
from turbo_trader.signals.vwap import vwap_gap

_NEVER = 1 << 62
_CLOSES_MISSED = (
    3  # minute closes may be missing at the end of the minute ring before its figures count no more
)
_LN2 = math.log(2.0)
_catch_up, _moments, _damped = kalman.catch_up, kalman.moments, kalman.damped
_belief, _averaged = evidence.belief, evidence.averaged
_refit, _critical, _reversion = ou.refit, ou.critical, ou.reversion
_slopes, _tails, _range_tail = consensus.slopes, consensus.tails, consensus.range_tail


@kernel
def measure(states: Any, filters: Any, s: int, now: int, params: Any, out: Any, j: int) -> None:
    """Fill the FIGURES of out[j] for symbol `s` at `now` (ns UTC), the state having been advanced to `now`.

    Catches `filters[s]` up with the state first (one-second and one-minute rings). `params`: SIGNAL_PARAMETERS, the first
    record is read. Every figure is finite; one that could not be had is 0 with its flag 0. Fields of out[j] beyond FIGURES are
    left alone.
    """
    _catch_up(states, filters, s)
    if states[s].minutes > 0:
        _refit(states, filters, s, params)
        _slopes(states, filters, s, params)
        _tails(states, filters, s)
    out[j].ts = now
    out[j].symbol = s
    out[j].valid = 0
    out[j].confirms = 0
    price_figures(states, filters, s, now, params, out, j)
    kalman_figures(states, filters, s, now, params, out, j)
    ou_figures(states, filters, s, now, params, out, j)
    combine(params, out, j)
    score_figures(states, s, now, params, out, j)
    consensus_figures(states, filters, s, now, params, out, j)


@kernel
def price_figures(states: Any, filters: Any, s: int, now: int, params: Any, out: Any, j: int) -> None:
    """Prices, freshness, volatility, warm-up."""
    state, row, p = states[s], out[j], params[0]
    row.bid = row.ask = row.mid = row.last_price = row.mark = row.spread = row.mark_gap = 0.0
    row.sigma = row.hold_sigma = 0.0
    if state.last > 0:
        row.last_price = state.last * state.tick
    if state.mark > 0.0 and math.isfinite(state.mark):
        row.mark = state.mark
    usable = False
    if state.has_book == 0:
        row.bid = row.ask = row.mid = row.last_price
        usable = state.last > 0 and now - state.trade_ts <= p.trade_stale_s * SECOND
    elif state.book_valid != 0 and 0 < state.bid < state.ask:
        row.bid, row.ask = state.bid * state.tick, state.ask * state.tick
        row.mid = 0.5 * (row.bid + row.ask)
        row.spread = (row.ask - row.bid) / row.mid
        usable = now - state.book_ts <= p.book_stale_s * SECOND
    row.fresh = 1 if usable else 0
    if row.mark > 0.0 and row.last_price > 0.0:
        row.mark_gap = abs(row.mark / row.last_price - 1.0)
    newest = max(state.book_ts, state.trade_ts)
    row.age = max(0, now - newest) if newest > 0 else _NEVER
    row.jump_age = max(0, now - state.jump_ts) if state.jump_ts > 0 else _NEVER
    row.big_move_age = max(0, now - state.big_move_ts) if state.big_move_ts > 0 else _NEVER
    row.range_tail = _range_tail(states, filters, s)
    moving = state.variance > 0.0 and math.isfinite(state.variance)
    if moving:
        row.sigma = math.sqrt(state.variance / 60.0)
        slow = max(state.slow_variance, 1e-6 * state.variance)
        row.hold_sigma = row.sigma * math.pow(slow / state.variance, 0.5 * p.slow_vol_share)
    filled = state.minutes >= p.min_minutes and state.returns >= p.min_returns
    row.warm = 1 if moving and filled and grid_filled(states, s, now, params) else 0


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
def kalman_figures(states: Any, filters: Any, s: int, now: int, params: Any, out: Any, j: int) -> None:
    """Velocity, acceleration and their forecast; nothing where the noise fit found no velocity.

    Each is averaged over whether there is a velocity: without one the mean return is 0.
    """
    f, row, p = filters[s], out[j], params[0]
    row.kalman_valid = 0
    row.velocity = row.velocity_z = row.acceleration = row.acceleration_z = 0.0
    row.kalman_forecast = row.kalman_se = row.kalman_belief = row.kalman_scale = 0.0
    if f.noise_set == 0 or f.velocity_valid == 0 or f.started == 0:
        return
    if now - f.second * SECOND > (p.book_stale_s + 1.0) * SECOND or not grid_filled(states, s, now, params):
        return
    mean, error = _moments(filters, s, 1.0, p.horizon_s, _damped(p.horizon_s, p.damping_s))
    forecast, forecast_error = _averaged(mean, error, f.belief)
    mean, error = _moments(filters, s, 0.0, 1.0, 0.0)
    velocity, velocity_error = _averaged(mean, error, f.belief)
    mean, error = _moments(filters, s, 0.0, 0.0, 1.0)
    acceleration, acceleration_error = _averaged(mean, error, f.belief)
    if not (forecast_error > 0.0 and velocity_error > 0.0 and acceleration_error > 0.0):
        return
    if not math.isfinite(forecast + forecast_error + velocity + acceleration):
        return
    row.kalman_valid = 1
    row.velocity, row.velocity_z = velocity, velocity / velocity_error
    row.acceleration, row.acceleration_z = acceleration, acceleration / acceleration_error
    row.kalman_forecast, row.kalman_se = forecast, forecast_error
    row.kalman_belief, row.kalman_scale = f.belief, f.scale


@kernel
def ou_figures(states: Any, filters: Any, s: int, now: int, params: Any, out: Any, j: int) -> None:
    """The Ornstein-Uhlenbeck fit against the price now; valid only past the unit-root test and inside the half-life bounds.

    The forecast is averaged over whether the price reverts at all: phi and centre against a random walk, the evidence being the
    square of the unit-root t, the information that about phi (one over its variance) and about the centre (n).
    """
    state, f, row, p = states[s], filters[s], out[j], params[0]
    row.ou_valid = 0
    row.ou_forecast = row.ou_se = row.ou_z = row.ou_half_life_s = row.ou_statistic = row.ou_belief = 0.0
    if f.ou_fitted == 0 or not row.mid > 0.0:
        return
    newest = state.minute_index[(state.minutes - 1) & (MINUTES - 1)]
    if newest < now // MINUTE - _CLOSES_MISSED:
        return
    row.ou_statistic = f.ou_statistic
    if not (0.0 < f.ou_phi < 1.0 and f.ou_sd > 0.0):
        return
    row.ou_half_life_s = -_LN2 / math.log(f.ou_phi) * p.ou_spacing_s
    gap = f.ou_centre - math.log(row.mid)
    row.ou_z = -gap / f.ou_sd
    if f.ou_statistic >= _critical(p.df_critical, f.ou_n):
        return
    if not p.ou_min_half_life_s <= row.ou_half_life_s <= p.ou_max_half_life_s:
        return
    bounce = f.measurement2 if f.noise_set != 0 else 0.0
    mean, error = _reversion(
        gap,
        f.ou_phi,
        p.horizon_s / p.ou_spacing_s,
        f.ou_phi_variance,
        f.ou_centre_variance,
        f.ou_centre_slope,
        bounce,
    )
    if math.isfinite(mean) and math.isfinite(error) and error > 0.0:
        row.ou_valid = 1
        row.ou_belief = _belief(f.ou_statistic * f.ou_statistic, max(1.0, f.ou_n / f.ou_phi_variance))
        row.ou_forecast, row.ou_se = _averaged(mean, error, row.ou_belief)


@kernel
def combine(params: Any, out: Any, j: int) -> None:
    """Forecasts by inverse variance (their errors taken as independent); direction, SNR, confidence with diffusion."""
    row = out[j]
    row.direction = 0
    row.horizon_s = params[0].horizon_s
    row.forecast = row.se = row.snr = row.confidence = 0.0
    weight = total = 0.0
    if row.kalman_valid != 0:
        w = 1.0 / (row.kalman_se * row.kalman_se)
        weight += w
        total += w * row.kalman_forecast
    if row.ou_valid != 0:
        w = 1.0 / (row.ou_se * row.ou_se)
        weight += w
        total += w * row.ou_forecast
    if not (weight > 0.0 and math.isfinite(weight)):
        return
    row.forecast = total / weight
    row.se = math.sqrt(1.0 / weight)
    if row.forecast == 0.0 or not math.isfinite(row.forecast):
        row.forecast = 0.0
        return
    row.direction = 1 if row.forecast > 0.0 else -1
    edge = abs(row.forecast)
    row.snr = edge / row.se
    spread = math.sqrt(row.se * row.se + row.sigma * row.sigma * row.horizon_s)
    row.confidence = 0.5 * math.erfc(-edge / spread / math.sqrt(2.0))


@kernel
def score_figures(states: Any, s: int, now: int, params: Any, out: Any, j: int) -> None:
    """The five scores, their validity and whether they confirm the direction."""
    row, p = out[j], params[0]
    d = float(row.direction)
    valid = confirms = 0
    for k in range(5):
        row.score[k] = 0.0
    flow, flow_ok, degraded = order_flow(states, s, now, params)
    row.degraded = 1 if degraded else 0
    if flow_ok:
        row.score[OFI] = clip(flow)
        valid |= 1 << OFI
        if d * flow > p.ofi_threshold:
            confirms |= 1 << OFI
    row.vwap_gap, row.vwap_z, band, vwap_ok = vwap_gap(states, s, now, row.mid, params)
    if vwap_ok:
        row.score[VWAP] = -clip(row.vwap_z / p.score_sds)
        valid |= 1 << VWAP
        if -d * row.vwap_gap >= max(p.vwap_min_gap, band):
            confirms |= 1 << VWAP
    if row.kalman_valid != 0:
        row.score[ACCEL] = clip(row.acceleration_z / p.score_sds)
        valid |= 1 << ACCEL
        if d * row.acceleration_z > p.accel_threshold:
            confirms |= 1 << ACCEL
    row.funding_8h, funding_ok = funding_rate(states, s, now, params)
    if funding_ok:
        row.score[FUNDING] = -clip(row.funding_8h / p.funding_full_scale)
        valid |= 1 << FUNDING
        if -d * row.funding_8h > p.funding_threshold:
            confirms |= 1 << FUNDING
    if row.ou_valid != 0:
        row.score[OU_DRIFT] = -clip(row.ou_z / p.score_sds)
        valid |= 1 << OU_DRIFT
        if d * row.ou_z < -p.ou_z_threshold:
            confirms |= 1 << OU_DRIFT
    row.valid, row.confirms = valid, confirms


@kernel
def clip(value: float) -> float:
    """`value` within [-1, 1]."""
    return max(-1.0, min(1.0, value))


@kernel
def consensus_figures(states: Any, filters: Any, s: int, now: int, params: Any, out: Any, j: int) -> None:
    """Share of the horizons with data whose slope is clear (|t| above its threshold) and has the sign of the direction."""
    f, row = filters[s], out[j]
    row.consensus, row.consensus_horizons = 0.0, 0
    newest = states[s].minute_index[(states[s].minutes - 1) & (MINUTES - 1)]
    if states[s].minutes == 0 or newest < now // MINUTE - _CLOSES_MISSED:
        return
    agreeing = horizons = 0
    for h in range(HORIZONS):
        if f.slope_valid[h] != 0:
            horizons += 1
            if row.direction * f.slope_t[h] > params[0].slope_t_threshold:
                agreeing += 1
    if horizons > 0:
        row.consensus_horizons = horizons
        row.consensus = float(agreeing) / float(horizons)
