"""What would have had to differ for the first blocker of a scan to pass; and what each of the five signals asks for."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from turbo_trader.market.events import SECOND, Rows
from turbo_trader.rules.gates import TEXTS, Code
from turbo_trader.rules.scan import SCAN
from turbo_trader.rules.tiers import TIER_NAMES
from turbo_trader.rules.verdicts import executed_ev
from turbo_trader.signals.figures import ACCEL, ASKED, BELIEFS, FUNDING, OFI, OU_DRIFT, SIGNALS, VWAP

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

_HALVINGS: Final = 40
_FARTHEST: Final = 0.2  # no forecast beyond 20 % is looked for


def needed(policy: Policy, rows: Rows, j: int) -> str:
    """What would have had to differ for the first blocker to pass; `rows`: SCAN. The gates limits and size tell their own."""
    code = Code(int(rows[j]["block_code"]))
    of_data = _data(policy, rows[j], code)
    return of_data or _evaluation(policy, rows, j, code) or f"the end of: {TEXTS[code]}"


def signal_terms(policy: Policy, row: Any) -> list[str]:
    """A line per signal: its score, its figure in the direction of the forecast and what it takes to confirm it."""
    lines = []
    for i, name in enumerate(SIGNALS):
        if not int(row["valid"]) >> i & 1:
            lines.append(f"{name} no signal")
            continue
        state = "confirms" if int(row["confirms"]) >> i & 1 else "does not confirm"
        lines.append(f"{name} score {row['score'][i]:+.2f} {state}: {_terms(policy, row)[i]}")
    return lines


def confirmed(row: Any) -> list[str]:
    """Names of the signals that confirm."""
    said = int(row["confirms"]) & int(row["valid"])
    return [name for i, name in enumerate(SIGNALS) if said >> i & 1]


def bp(fraction: Any) -> str:
    """A fraction in basis points."""
    return f"{float(fraction) * 1e4:.1f} bp"


def _terms(policy: Policy, row: Any) -> dict[int, str]:
    """Per signal, its figure toward the forecast (> 0: with it) and what is asked of it."""
    d = int(row["direction"])
    gap, z = float(row["vwap_gap"]), float(row["vwap_z"])
    band = abs(gap / z) if z else 0.0
    asked = max(float(policy.vwap_min_gap), float(policy.vwap_min_sd) * band)
    prints = " (from prints)" if row["degraded"] else ""
    return {
        OFI: f"{d * float(row['score'][OFI]) + 0.0:+.2f} toward it{prints}, asked > {policy.ofi_threshold}",
        VWAP: f"{bp(-d * gap)} on the cheap side, asked >= {bp(asked)}",
        ACCEL: f"z {d * float(row['accel_z']):+.2f} toward it, asked > {policy.accel_threshold}",
        FUNDING: f"{bp(-d * float(row['funding_8h']))} per 8 h against it, asked > {bp(policy.funding_threshold)}",
        OU_DRIFT: f"z {-d * float(row['ou_z']):+.2f} toward it, asked > {policy.ou_threshold}",
    }


def _tier(policy: Policy, row: Any, number: str) -> Any:
    return getattr(policy, f"{TIER_NAMES[int(row['capital_tier'])]}_{number}")


def _no_tier(policy: Policy, row: Any) -> str:
    missing = [i for i in (OFI, OU_DRIFT) if SIGNALS[i] not in confirmed(row)]
    return "confirmation by " + " and by ".join(_asked(policy, row, i) for i in missing)


def _b_not_allowed(policy: Policy, row: Any) -> str:
    ways = ", ".join(_asked(policy, row, i) for i in (VWAP, ACCEL, FUNDING))
    return f"{policy.a_min_others} of these to confirm as well: {ways}"


def _asked(policy: Policy, row: Any, i: int) -> str:
    """A signal with its figure and what is asked of it."""
    valid = int(row["valid"]) >> i & 1
    return f"{SIGNALS[i]} ({_terms(policy, row)[i] if valid else 'no signal'})"


def _min_ev(policy: Policy, rows: Rows, j: int) -> str:
    """The EV asked for, and the forecast or the cost that would have given it, everything else as it was."""
    row = rows[j]
    if policy.belief == BELIEFS[ASKED]:
        return _min_fixed_ev(row)
    edge = _enough(rows, j, policy, "used_edge", rising=True)
    cost = _enough(rows, j, policy, "cost", rising=False)
    ways = [f"a forecast of {bp(edge)} (was {bp(row['used_edge'])})"] if edge is not None else []
    ways += [f"a cost of {bp(cost)} (was {bp(row['cost'])})"] if cost is not None else []
    text = f"net EV of {bp(row['min_ev'])} (was {bp(row['used_ev'])})"
    return f"{text}: {' or '.join(ways)}" if ways else text


def _min_fixed_ev(row: Any) -> str:
    """The same where EV = p TP - (1 - p) SL - c: the confidence, or the cost, that would have been enough."""
    target, stop, cost, least = (float(row[name]) for name in ("take_profit", "stop_loss", "cost", "min_ev"))
    p = float(row["used_p_tp"])
    enough = (least + stop + cost) / (target + stop)
    text = f"net EV of {bp(least)} (was {bp(row['used_ev'])}): a confidence of {enough:.3f} (was {p:.3f})"
    most = p * target - (1.0 - p) * stop - least
    return f"{text} or a cost of {bp(most)} (was {bp(cost)})" if most > 0.0 else text


def _enough(rows: Rows, j: int, policy: Policy, name: str, *, rising: bool) -> float | None:
    """The value of a figure from which on the net EV is enough, by bisection; None where none within reach is."""
    gate_params = policy.gate_parameters(policy.capital_tier(Decimal(0)), Decimal(0))
    gate_params["max_hold_s"] = rows[j]["hold_s"]
    one = cast("Rows", np.zeros(1, SCAN))
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


def _data(policy: Policy, row: Any, code: Code) -> str:
    """Of the gate data; "" for another's code."""
    match code:
        case Code.NOT_WARM:
            filled = f"{policy.min_minutes} one-minute closes, {policy.min_returns} returns"
            return f"{policy.kalman_warmup} s of prices without a hole, {filled}"
        case Code.STALE:
            return f"a whole book not older than {policy.stale_book} s (was {row['age'] / SECOND:.1f} s)"
        case Code.SPREAD:
            return f"spread below {bp(policy.max_spread)} (was {bp(row['spread'])})"
        case Code.CLOCK:
            return f"a clock offset below {policy.max_clock_offset} s"
        case Code.MARK_GAP:
            return f"mark within {bp(policy.max_mark_gap)} of the last price (was {bp(row['mark_gap'])})"
        case Code.JUMP:
            since = f"since a move beyond {policy.jump_sigmas} sigma within a minute"
            return f"{policy.violent_pause} s {since} (were {row['jump_age'] / SECOND:.0f} s)"
        case Code.BTC_MOVE:
            return f"{policy.violent_pause} s since BTC moved beyond {bp(policy.btc_move)} within a minute"
        case Code.SETTLEMENT:
            return f"more than {policy.settlement_window} s to or from the funding settlement"
        case Code.MAINTENANCE:
            return f"more than {policy.maintenance_lead} s to the announced maintenance, or its end"
        case Code.KEY_EXPIRY:
            return f"a key that lasts longer than {policy.key_expiry_lead // 3600} h"
        case _:
            return ""


def _evaluation(policy: Policy, rows: Rows, j: int, code: Code) -> str:
    """Of the gates pre-filter to EV; "" for another's code."""
    row = rows[j]
    match code:
        case Code.NO_SCORE:
            return f"a score of {policy.signal} for the symbol; each counts until its next bar ends, and for one trade"
        case Code.NO_FORECAST:
            return "a valid Kalman velocity or a valid OU fit"
        case Code.SNR:
            return f"SNR above {_tier(policy, row, 'min_snr')} (was {row['snr']:.2f})"
        case Code.CONFIDENCE:
            least = _tier(policy, row, "min_confidence")
            return f"confidence above {least} (was {row['used_confidence']:.3f})"
        case Code.UNCALIBRATED:
            return f"{policy.calibration_min_samples} outcomes of forecasts, of the symbol or of all (turbo-trader calibration)"
        case Code.NO_TIER:
            return _no_tier(policy, row)
        case Code.B_NOT_ALLOWED:
            return _b_not_allowed(policy, row)
        case Code.LOW_CONSENSUS:
            return f"consensus of {policy.low_consensus:.0%} (was {row['consensus']:.0%})"
        case Code.FLAT_MARKET:
            return f"forecast edge of {bp(policy.flat_edge)} (was {bp(row['used_edge'])})"
        case Code.FEE:
            p_tp = _tier(policy, row, "fee_multiplier") * Decimal(float(row["cost"]))
            return f"p_tp of {float(p_tp) / max(float(row['take_profit']), 1e-12):.3f} (was {row['used_p_tp']:.3f})"
        case Code.TARGET_BELOW_COST:
            least = policy.break_even(Decimal(float(row["cost"]))) / policy.zone_one
            return f"a target above {bp(least)} (was {bp(row['take_profit'])})"
        case Code.MIN_EV:
            return _min_ev(policy, rows, j)
        case _:
            return ""
