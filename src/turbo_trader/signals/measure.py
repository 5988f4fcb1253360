"""One scan of one symbol: every figure of the signals and the forecast."""

from __future__ import annotations

import math
from typing import Any

from turbo_trader.market.compiled import kernel
from turbo_trader.market.rows import SECOND
from turbo_trader.signals import acceleration, consensus, kalman, ou
from turbo_trader.signals.consensus import HORIZONS
from turbo_trader.signals.figures import ASKED
from turbo_trader.signals.forecast import closes_missed, forecast_figures, grid_filled
from turbo_trader.signals.listed import score_figures

_NEVER = 1 << 62
_catch_up, _refit = kalman.catch_up, ou.refit
_catch_up_minutes, _minute_acceleration = acceleration.catch_up_minutes, acceleration.minute_acceleration
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
        _catch_up_minutes(states, filters, s, params)
        _slopes(states, filters, s, params)
        _tails(states, filters, s)
    out[j].ts = now
    out[j].symbol = s
    price_figures(states, filters, s, now, params, out, j)
    forecast_figures(states, filters, s, now, params, out, j)
    accel_figures(states, filters, s, now, params, out, j)
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
def accel_figures(states: Any, filters: Any, s: int, now: int, params: Any, out: Any, j: int) -> None:
    """The acceleration that ACCEL looks at, over its sd, and whether there is one."""
    row = out[j]
    row.accel_z = 0.0
    if params[0].belief != ASKED:
        row.accel_z, there = row.acceleration_z, row.kalman_valid != 0
    else:
        z, there = _minute_acceleration(filters, s)
        there = there and not closes_missed(states, s, now)
        if there:
            row.accel_z = z
    row.accel_valid = 1 if there else 0


@kernel
def consensus_figures(states: Any, filters: Any, s: int, now: int, params: Any, out: Any, j: int) -> None:
    """Share of the horizons with data whose slope is clear (|t| above its threshold) and has the sign of the direction."""
    f, row = filters[s], out[j]
    row.consensus, row.consensus_horizons = 0.0, 0
    if closes_missed(states, s, now):
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
