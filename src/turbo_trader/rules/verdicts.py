"""The gates data to EV as kernels over one scan row whose figures are filled in.

Each gate is assessed even where an earlier one blocked.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.market.events import MINUTE
from turbo_trader.rules.gates import CONSENSUS, DATA, EV, FEE, FLAT, PRE_FILTER, TIER, Code
from turbo_trader.rules.records import MAP_CONFIDENCE, MAP_FORECAST, MAP_P_TP
from turbo_trader.rules.scan import BLOCK, PASS, TIER_A, TIER_B, TIER_NONE, WARN
from turbo_trader.signals.expectation import Zones, exits_ev
from turbo_trader.signals.figures import ACCEL, FUNDING, MEASURED, OFI, OU_DRIFT, VWAP, WEIGHED

# numba takes plain integers
_NONE = int(Code.NONE)
_NOT_WARM, _STALE, _SPREAD, _CLOCK = int(Code.NOT_WARM), int(Code.STALE), int(Code.SPREAD), int(Code.CLOCK)
_MARK_GAP, _JUMP, _BTC_MOVE = int(Code.MARK_GAP), int(Code.JUMP), int(Code.BTC_MOVE)
_SETTLEMENT, _MAINTENANCE, _KEY = int(Code.SETTLEMENT), int(Code.MAINTENANCE), int(Code.KEY_EXPIRY)
_NO_FORECAST, _SNR, _CONFIDENCE = int(Code.NO_FORECAST), int(Code.SNR), int(Code.CONFIDENCE)
_NO_SCORE = int(Code.NO_SCORE)
_UNCALIBRATED, _NO_TIER, _NO_B = int(Code.UNCALIBRATED), int(Code.NO_TIER), int(Code.B_NOT_ALLOWED)
_LOW, _FLAT, _FEE = int(Code.LOW_CONSENSUS), int(Code.FLAT_MARKET), int(Code.FEE)
_BELOW_COST, _MIN_EV = int(Code.TARGET_BELOW_COST), int(Code.MIN_EV)


@kernel
def settle(out: Any, j: int, gate: int, verdict: int, code: int) -> None:
    """Writes a verdict; the first block stays the first."""
    out[j].verdict[gate] = verdict
    if verdict == BLOCK and out[j].blocker < 0:
        out[j].blocker = gate
        out[j].block_code = code


@kernel
def calibrated(gp: Any, g: int, which: int, value: float) -> float:
    """A number of the model through its calibration map, which must be there: piecewise linear, clamped at both ends."""
    n = gp[g].knots[which]
    x, y = gp[g].map_x[which], gp[g].map_y[which]
    if value <= x[0]:
        return float(y[0])
    for i in range(1, n):
        if value <= x[i]:
            width = x[i] - x[i - 1]
            share = (value - x[i - 1]) / width if width > 0.0 else 1.0
            return float(y[i - 1] + share * (y[i] - y[i - 1]))
    return float(y[n - 1])


@kernel
def interval_ns(states: Any, s: int, gp: Any, g: int) -> int:
    """The symbol's funding interval, ns."""
    minutes = np.int64(states[s].funding_minutes)
    return int((minutes if minutes > 0 else np.int64(gp[g].funding_minutes)) * MINUTE)


@kernel
def _data_code(states: Any, s: int, now: int, gp: Any, g: int, out: Any, j: int) -> int:
    """Why the data gate blocks; 0 where it passes."""
    row, p = out[j], gp[g]
    if row.warm == 0:
        return _NOT_WARM
    if row.fresh == 0:
        return _STALE
    if not row.spread < p.max_spread:
        return _SPREAD
    if abs(p.clock_offset) >= p.max_clock_offset:
        return _CLOCK
    if not row.mark_gap <= p.max_mark_gap:
        return _MARK_GAP
    if row.jump_age < p.violent_pause:
        return _JUMP
    if p.btc_move_ts > 0 and now - p.btc_move_ts < p.violent_pause:
        return _BTC_MOVE
    interval = interval_ns(states, s, gp, g)
    phase = now % interval
    if min(phase, interval - phase) <= p.settlement_window:
        return _SETTLEMENT
    if p.maintenance_ts - p.maintenance_lead <= now < max(p.maintenance_end_ts, p.maintenance_ts):
        return _MAINTENANCE
    if p.key_expiry_ts - now <= p.key_expiry_lead:
        return _KEY
    return _NONE


@kernel
def data_gate(states: Any, s: int, now: int, gp: Any, g: int, out: Any, j: int) -> None:
    """Gate 1: warmed up, fresh, spread, clock, mark, violent moves, settlement, maintenance, key."""
    code = _data_code(states, s, now, gp, g, out, j)
    settle(out, j, DATA, PASS if code == _NONE else BLOCK, code)
    out[j].candidate = 1 if code == _NONE and out[j].direction != 0 else 0


@kernel
def measured_forecast(gp: Any, g: int, out: Any, j: int) -> None:
    """What past outcomes make of the averaged forecast: nothing where it has none or no map is there."""
    row, p = out[j], gp[g]
    row.forecasts[MEASURED] = row.errors[MEASURED] = row.snrs[MEASURED] = row.confidences[MEASURED] = 0.0
    edge = row.forecasts[WEIGHED]
    if edge == 0.0 or p.knots[MAP_FORECAST] == 0 or p.knots[MAP_CONFIDENCE] == 0:
        return
    sign = 1.0 if edge > 0.0 else -1.0
    row.forecasts[MEASURED] = sign * calibrated(gp, g, MAP_FORECAST, abs(edge))
    row.errors[MEASURED], row.snrs[MEASURED] = row.errors[WEIGHED], row.snrs[WEIGHED]
    row.confidences[MEASURED] = calibrated(gp, g, MAP_CONFIDENCE, row.confidences[WEIGHED])


@kernel
def pre_filter_gate(gp: Any, g: int, out: Any, j: int) -> None:
    """Gate 2: SNR and confidence above the tier's row; a score has no SNR."""
    row, p = out[j], gp[g]
    measured_forecast(gp, g, out, j)
    row.used_edge = row.direction * row.forecasts[p.belief]
    row.used_confidence = row.confidences[p.belief]
    code = _NONE
    if row.direction == 0:
        code = _NO_SCORE if p.scored == 1 else _NO_FORECAST
    elif p.belief == MEASURED and (p.knots[MAP_FORECAST] == 0 or p.knots[MAP_CONFIDENCE] == 0):
        code = _UNCALIBRATED
    elif p.scored == 0 and not row.snrs[p.belief] > p.min_snr:
        code = _SNR
    elif not row.used_confidence > p.min_confidence:
        code = _CONFIDENCE
    settle(out, j, PRE_FILTER, PASS if code == _NONE else BLOCK, code)


@kernel
def tier_gate(gp: Any, g: int, out: Any, j: int) -> None:
    """Gate 3: A = OFI and OU_DRIFT and enough of VWAP, ACCEL, FUNDING; B = OFI and OU_DRIFT alone, where
    allowed. Where a panel signal is in force its score is A."""
    row, p = out[j], gp[g]
    said = np.int64(row.confirms) & np.int64(row.valid)
    base = (said >> OFI) & (said >> OU_DRIFT) & 1
    others = ((said >> VWAP) & 1) + ((said >> ACCEL) & 1) + ((said >> FUNDING) & 1)
    row.tier = TIER_NONE
    code = _NO_TIER
    if p.scored == 1:
        row.tier, code = (TIER_A, _NONE) if row.direction != 0 else (TIER_NONE, _NO_SCORE)
    elif base == 1 and row.direction != 0:
        if others >= p.a_min_others:
            row.tier, code = TIER_A, _NONE
        elif p.b_trades == 1:
            row.tier, code = TIER_B, _NONE
        else:
            code = _NO_B
    settle(out, j, TIER, PASS if code == _NONE else BLOCK, code)


@kernel
def consensus_gate(gp: Any, g: int, out: Any, j: int) -> None:
    """Gate 4: the share of slopes with sign d; low is a warning or a block."""
    row, p = out[j], gp[g]
    if row.direction == 0:
        return
    if row.consensus_horizons > 0 and row.consensus >= p.low_consensus:
        settle(out, j, CONSENSUS, PASS, _NONE)
    else:
        settle(out, j, CONSENSUS, BLOCK if p.block_low_consensus == 1 else WARN, _LOW)


@kernel
def flat_gate(gp: Any, g: int, out: Any, j: int) -> None:
    """Gate 5: the forecast edge; flat is a block, or a warning where the five signals gave A or B."""
    row, p = out[j], gp[g]
    if row.direction == 0:
        return
    if row.used_edge >= p.flat_edge:
        settle(out, j, FLAT, PASS, _NONE)
    else:
        settle(out, j, FLAT, BLOCK if p.block_flat == 1 or row.tier == TIER_NONE else WARN, _FLAT)


@kernel
def break_even(gp: Any, g: int, cost: float) -> float:
    """How far beyond the entry zone 1 moves the stop, a fraction."""
    p = gp[g]
    pays = max(p.break_even_min, cost) if p.break_even_cost > 0.0 else p.break_even_min
    return float(pays + p.break_even_extra)


@kernel
def fee_gate(gp: Any, g: int, out: Any, j: int) -> None:
    """Gate 6: p_tp x TP >= multiplier x c, and a target whose zone 1 lies beyond the break-even stop."""
    row, p = out[j], gp[g]
    row.used_p_tp = row.p_targets[p.belief]
    code = _NONE
    if row.take_profit * p.zone_one <= break_even(gp, g, row.cost):
        code = _BELOW_COST
    elif p.belief == MEASURED and p.knots[MAP_P_TP] == 0:
        code = _UNCALIBRATED
    elif not row.used_p_tp * row.take_profit >= p.fee_multiplier * row.cost:
        code = _FEE
    settle(out, j, FEE, PASS if code == _NONE else BLOCK, code)


@kernel
def executed_ev(gp: Any, g: int, out: Any, j: int, edge: float) -> float:
    """Net EV of the exits as executed at the row's exits and cost, for a forecast of `edge` in the direction d."""
    row, p = out[j], gp[g]
    zones = Zones(
        p.zone_one,
        p.zone_two,
        p.lock_share,
        p.extension,
        p.max_extensions,
        p.extension_share,
        p.hold_factor,
        p.close_unconfirmed,
        p.backstop_extra,
    )
    value: float = exits_ev(
        row.take_profit,
        row.stop_loss,
        break_even(gp, g, row.cost),
        edge / row.horizon_s,
        row.hold_sigma,
        row.horizon_s,
        p.max_hold_s,
        row.cost,
        p.monitor_s,
        zones,
    )
    return value


@kernel
def fixed_ev(chance: float, take_profit: float, stop_loss: float, cost: float) -> float:
    """Net EV as the user writes it: p TP - (1 - p) SL - c."""
    return chance * take_profit - (1.0 - chance) * stop_loss - cost


@kernel
def ev_gate(gp: Any, g: int, out: Any, j: int) -> None:
    """Gate 7: net EV under the belief in force >= the minimum."""
    row, p = out[j], gp[g]
    row.used_ev = row.evs[p.belief]
    code = _NONE
    if p.belief == MEASURED and p.knots[MAP_FORECAST] == 0:
        code = _UNCALIBRATED
    elif not row.used_ev >= p.min_ev:
        code = _MIN_EV
    settle(out, j, EV, PASS if code == _NONE else BLOCK, code)
