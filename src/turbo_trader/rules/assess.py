"""One scan of one symbol: figures, trade tier, exits, cost, probabilities, expected value, and the gates
that need no account."""

from __future__ import annotations

from typing import Any

from turbo_trader.market.compiled import kernel
from turbo_trader.rules import maps, worth_gates
from turbo_trader.rules.distances import round_trip_cost, target_and_stop
from turbo_trader.rules.gate import NOT_ASSESSED, TIER_NONE
from turbo_trader.rules.gates import GATES, judge_figures, judge_worth
from turbo_trader.rules.maps import MAP_FORECAST, MAP_P_TP
from turbo_trader.rules.scored import put_score
from turbo_trader.signals import passage
from turbo_trader.signals.figures import ASKED, MEASURED, WEIGHED
from turbo_trader.signals.measure import measure

_GATES = len(GATES)
_executed_ev, _fixed_ev, _calibrated = worth_gates.executed_ev, worth_gates.fixed_ev, maps.calibrated
_reached, _put_score = passage.reached, put_score


@kernel
def assess(
    states: Any, filters: Any, s: int, now: int, signal_params: Any, gate_params: Any, out: Any, j: int
) -> int:
    """Fill out[j] (SCAN) for symbol `s` at `now` (ns UTC); the state has been advanced to `now`.

    `gate_params`: one record for all symbols, or one per symbol. Returns the index of the first gate that
    blocked among data .. EV, or -1. Probabilities and EV are computed only for candidates with a trade tier:
    for the others they are 0 and the gates fee and EV are not assessed (`expect` fills them in for any row
    with exits).
    """
    measure(states, filters, s, now, signal_params, out, j)
    g = s if gate_params.shape[0] > 1 else 0
    if gate_params[g].scored == 1:
        _put_score(states, filters, s, now, signal_params, gate_params, g, out, j)
    return evaluate(states, s, now, gate_params, out, j)


@kernel
def chances(gate_params: Any, g: int, out: Any, j: int) -> None:
    """Probability of the target in the direction d under each belief, at the row's exits.

    asked: the confidence of the plain forecast. weighed: first passage of the fixed barriers, the mean over a drift that may not be
    there, without any where `weighed` has no forecast. measured: the same, calibrated.
    """
    row, p = out[j], gate_params[g]
    row.p_tp, row.p_sl, row.p_timeout = _reached(
        row.direction, row.take_profit, row.stop_loss, row.direction * row.forecasts[WEIGHED], row.errors[WEIGHED],
        row.hold_sigma, p.vol_log_sd, row.horizon_s, p.max_hold_s, p.monitor_s,
    )  # fmt: skip
    row.p_targets[ASKED] = row.p_targets[MEASURED] = 0.0
    row.p_targets[WEIGHED] = row.p_tp
    if row.forecasts[ASKED] != 0.0:
        along = row.direction * row.forecasts[ASKED] > 0.0
        row.p_targets[ASKED] = row.confidences[ASKED] if along else 1.0 - row.confidences[ASKED]
    if p.knots[MAP_P_TP] > 0:
        row.p_targets[MEASURED] = _calibrated(gate_params, g, MAP_P_TP, row.p_tp)


@kernel
def expect(gate_params: Any, g: int, out: Any, j: int) -> None:
    """`chances`, and the net EV in the direction d under each belief at the row's exits and cost.

    asked: p TP - (1 - p) SL - c. weighed: of the exits as executed; nearly a straight line in the drift where that is likelier than
    not, it is taken at the drift's mean. measured: the same at the calibrated forecast.
    """
    row, p = out[j], gate_params[g]
    chances(gate_params, g, out, j)
    row.ev = _executed_ev(gate_params, g, out, j, row.direction * row.forecasts[WEIGHED])
    row.evs[ASKED] = row.evs[MEASURED] = 0.0
    row.evs[WEIGHED] = row.ev
    if row.forecasts[ASKED] != 0.0:
        row.evs[ASKED] = _fixed_ev(row.p_targets[ASKED], row.take_profit, row.stop_loss, row.cost)
    if p.knots[MAP_FORECAST] > 0:
        row.evs[MEASURED] = _executed_ev(gate_params, g, out, j, row.direction * row.forecasts[MEASURED])


@kernel
def reprice(gate_params: Any, s: int, out: Any, j: int, cost: float) -> bool:
    """Gate 9's recheck: p, EV and the gates fee and EV of a passed row at another cost; whether both still
    pass.

    The row keeps the new cost and figures; a block is entered as that of the gate that blocked.
    """
    g = s if gate_params.shape[0] > 1 else 0
    out[j].cost = cost
    expect(gate_params, g, out, j)
    judge_worth(gate_params, g, out, j)
    return bool(out[j].blocker < 0)


@kernel
def evaluate(states: Any, s: int, now: int, gate_params: Any, out: Any, j: int) -> int:
    """What the rules make of the figures in out[j]: everything of SCAN beyond FIGURES. Returns the first
    blocker or -1."""
    g = s if gate_params.shape[0] > 1 else 0
    row, p = out[j], gate_params[g]
    row.capital_tier = p.capital_tier
    row.blocker, row.block_code = -1, 0
    for gate in range(_GATES):
        row.verdict[gate] = NOT_ASSESSED
    row.take_profit = row.stop_loss = row.cost = row.slippage = 0.0
    row.p_tp = row.p_sl = row.p_timeout = row.ev = 0.0
    row.p_targets[:] = 0.0
    row.evs[:] = 0.0
    row.used_p_tp = row.used_ev = 0.0
    row.min_ev, row.hold_s = p.min_ev, p.max_hold_s
    judge_figures(states, s, now, gate_params, g, out, j)
    if row.direction != 0 and row.sigma > 0.0:
        sigma = row.hold_sigma if p.sl_day_sigmas > 0.0 else row.sigma
        row.take_profit, row.stop_loss = target_and_stop(gate_params, g, row.tier, sigma, row.horizon_s)
        row.slippage = p.slippage
        row.cost = round_trip_cost(states, s, now, gate_params, g, row.direction, row.spread)
        if row.candidate == 1 and row.tier != TIER_NONE:
            expect(gate_params, g, out, j)
            judge_worth(gate_params, g, out, j)
    return int(row.blocker)
