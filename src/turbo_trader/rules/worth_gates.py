"""Gates 6 and 7, which ask whether the trade pays: fee and EV; and what they are made of."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.market.rows import Rows
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.forecast_gates import uncalibrated
from turbo_trader.rules.gate import BLOCK, PASS, Gate, When, bp, bp_check, check
from turbo_trader.rules.maps import MAP_FORECAST, MAP_P_TP
from turbo_trader.rules.reasons import Code, reasons
from turbo_trader.rules.tiers import TIER_NAMES
from turbo_trader.signals.expectation import Zones, exits_ev
from turbo_trader.signals.figures import MEASURED

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

# numba takes plain integers
_NONE, _UNCALIBRATED, _FEE = int(Code.NONE), int(Code.UNCALIBRATED), int(Code.FEE)
_BELOW_COST, _MIN_EV = int(Code.TARGET_BELOW_COST), int(Code.MIN_EV)
_HALVINGS: Final = 40
_FARTHEST: Final = 0.2  # no forecast beyond 20 % is looked for


@kernel
def break_even(gp: Any, g: int, cost: float) -> float:
    """How far beyond the entry zone 1 moves the stop, a fraction."""
    p = gp[g]
    pays = max(p.break_even_min, cost) if p.break_even_cost > 0.0 else p.break_even_min
    return float(pays + p.break_even_extra)


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
def fee_gate(gp: Any, g: int, out: Any, j: int) -> tuple[int, int]:
    """p_tp x TP >= multiplier x c, and a target whose zone 1 lies beyond the break-even stop."""
    row, p = out[j], gp[g]
    row.used_p_tp = row.p_targets[p.belief]
    code = _NONE
    if row.take_profit * p.zone_one <= break_even(gp, g, row.cost):
        code = _BELOW_COST
    elif p.belief == MEASURED and p.knots[MAP_P_TP] == 0:
        code = _UNCALIBRATED
    elif not row.used_p_tp * row.take_profit >= p.fee_multiplier * row.cost:
        code = _FEE
    return (PASS if code == _NONE else BLOCK), code


@kernel
def ev_gate(gp: Any, g: int, out: Any, j: int) -> tuple[int, int]:
    """net EV under the belief in force >= the minimum."""
    row, p = out[j], gp[g]
    row.used_ev = row.evs[p.belief]
    code = _NONE
    if p.belief == MEASURED and p.knots[MAP_FORECAST] == 0:
        code = _UNCALIBRATED
    elif not row.used_ev >= p.min_ev:
        code = _MIN_EV
    return (PASS if code == _NONE else BLOCK), code


# -- sentences


def _multiplier(policy: Policy, row: Any) -> Decimal:
    found: Decimal = getattr(policy, f"{TIER_NAMES[int(row['capital_tier'])]}_fee_multiplier")
    return found


def _fee_figures(policy: Policy, row: Any, _said: Mapping[str, Any]) -> list[str]:
    multiplier = float(_multiplier(policy, row))
    gain, cost = float(row["used_p_tp"]) * float(row["take_profit"]), multiplier * float(row["cost"])
    asked = f"{multiplier} x cost {bp(cost)}"
    return [check(f"p_tp x TP {bp(gain)}", gain >= cost, ">=", asked, "does not pay the cost")]


def _fee_needed(policy: Policy, rows: Rows, j: int) -> str:
    row = rows[j]
    match int(row["block_code"]):
        case Code.TARGET_BELOW_COST:
            least = policy.break_even(Decimal(float(row["cost"]))) / policy.zone_one
            return f"a target above {bp(least)} (was {bp(row['take_profit'])})"
        case Code.FEE:
            p_tp = _multiplier(policy, row) * Decimal(float(row["cost"]))
            return f"p_tp of at least {float(p_tp) / max(float(row['take_profit']), 1e-12):.3f} (was {row['used_p_tp']:.3f})"
        case _:
            return uncalibrated(policy)


FEE: Final = Gate(
    name="fee",
    asks="p_tp x TP of at least the capital tier's multiple of the cost, and half the target beyond the break-even stop",
    when=When.WORTH,
    judge=fee_gate,
    reasons=reasons(Code.FEE, Code.TARGET_BELOW_COST, Code.UNCALIBRATED),
    figures=_fee_figures,
    needed=_fee_needed,
)


def _ev_figures(_policy: Policy, row: Any, _said: Mapping[str, Any]) -> list[str]:
    return [bp_check("net EV", row["used_ev"], ">=", row["min_ev"], "too low")]


def _ev_needed(policy: Policy, rows: Rows, j: int) -> str:
    if int(rows[j]["block_code"]) == Code.MIN_EV:
        return _min_ev(policy, rows, j)
    return uncalibrated(policy)


def _min_ev(policy: Policy, rows: Rows, j: int) -> str:
    """The EV asked for, and the forecast or the cost that would have given it, everything else as it was."""
    row = rows[j]
    if policy.belief is Belief.ASKED:
        return _min_fixed_ev(row)
    edge = _enough(rows, j, policy, "used_edge", rising=True)
    cost = _enough(rows, j, policy, "cost", rising=False)
    ways = [f"a forecast of {bp(edge)} (was {bp(row['used_edge'])})"] if edge is not None else []
    ways += [f"a cost of {bp(cost)} (was {bp(row['cost'])})"] if cost is not None else []
    text = f"net EV of at least {bp(row['min_ev'])} (was {bp(row['used_ev'])})"
    return f"{text}, by {' or '.join(ways)}" if ways else text


def _min_fixed_ev(row: Any) -> str:
    """The same where EV = p TP - (1 - p) SL - c: the confidence, or the cost, that would have been enough."""
    target, stop, cost, least = (float(row[name]) for name in ("take_profit", "stop_loss", "cost", "min_ev"))
    p = float(row["used_p_tp"])
    enough = (least + stop + cost) / (target + stop)
    text = f"net EV of at least {bp(least)} (was {bp(row['used_ev'])}), by a confidence of {enough:.3f} (was {p:.3f})"
    most = p * target - (1.0 - p) * stop - least
    return f"{text} or a cost of {bp(most)} (was {bp(cost)})" if most > 0.0 else text


def _enough(rows: Rows, j: int, policy: Policy, name: str, *, rising: bool) -> float | None:
    """The value of a figure from which on the net EV is enough, by bisection; None where none within reach is."""
    gate_params = policy.gate_parameters(policy.capital_tier(Decimal(0)), Decimal(0))
    gate_params["max_hold_s"] = rows[j]["hold_s"]
    one = np.zeros_like(rows[:1])
    for figure in ("take_profit", "stop_loss", "cost", "used_edge", "horizon_s", "hold_sigma"):
        one[figure] = rows[figure][j]
    least = float(rows[j]["min_ev"])

    def enough(value: float) -> bool:
        one[name][0] = value
        return bool(executed_ev(gate_params, 0, one, 0, float(one["used_edge"][0])) >= least)

    short, far = float(rows[j][name]), _FARTHEST if rising else 0.0
    if not float(rows[j]["horizon_s"]) > 0.0 or not enough(far):
        return None
    for _ in range(_HALVINGS):
        middle = (short + far) / 2
        short, far = (short, middle) if enough(middle) else (middle, far)
    return far


EV: Final = Gate(
    name="EV",
    asks="net EV of at least the capital tier's minimum",
    when=When.WORTH,
    judge=ev_gate,
    reasons=reasons(Code.MIN_EV, Code.UNCALIBRATED),
    figures=_ev_figures,
    needed=_ev_needed,
)
