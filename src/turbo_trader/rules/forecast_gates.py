"""Gates 2 to 5, which ask the forecast and the signals: pre-filter, tier, consensus, flat."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.market.rows import Rows
from turbo_trader.numbers.declared import Declared
from turbo_trader.numbers.number import asked, chosen
from turbo_trader.rules.gate import (
    BLOCK,
    NOT_ASSESSED,
    PASS,
    TIER_A,
    TIER_B,
    TIER_NONE,
    WARN,
    Gate,
    When,
    bp,
    bp_check,
    check,
)  # fmt: skip
from turbo_trader.rules.maps import MAP_CONFIDENCE, MAP_FORECAST, calibrated
from turbo_trader.rules.reasons import Code, reasons
from turbo_trader.rules.tiers import TIER_NAMES
from turbo_trader.signals.figures import MEASURED, SIGNALS, WEIGHED
from turbo_trader.signals.listed import BASE, LISTED, OTHERS
from turbo_trader.signals.signal import Part

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

# numba takes plain integers
_NONE, _NO_FORECAST, _SNR = int(Code.NONE), int(Code.NO_FORECAST), int(Code.SNR)
_CONFIDENCE, _UNCALIBRATED, _NO_SCORE = int(Code.CONFIDENCE), int(Code.UNCALIBRATED), int(Code.NO_SCORE)
_NO_TIER, _NO_B = int(Code.NO_TIER), int(Code.B_NOT_ALLOWED)
_LOW, _FLAT = int(Code.LOW_CONSENSUS), int(Code.FLAT_MARKET)


class TierNumbers(Declared):
    """Numbers of the gate tier, beside those of the capital tiers (section 2)."""

    a_min_others: int = asked(1, "signals", "4 tiers", "A needs of VWAP, ACCEL, FUNDING at least", high="3")


class ConsensusNumbers(Declared):
    """Numbers of the gate consensus."""

    low_consensus: Decimal = chosen("0.60", "share", "5.4 consensus", "consensus is low below", high="1")


class FlatNumbers(Declared):
    """Numbers of the gate flat."""

    flat_edge: Decimal = asked("0.0010", "fraction", "5.5 flat", "forecast edge of at least", high="1")


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
def pre_filter_gate(_states: Any, _s: int, _now: int, gp: Any, g: int, out: Any, j: int) -> tuple[int, int]:
    """SNR and confidence above the tier's row; a score has no SNR."""
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
    return (PASS if code == _NONE else BLOCK), code


@kernel
def tier_gate(_states: Any, _s: int, _now: int, gp: Any, g: int, out: Any, j: int) -> tuple[int, int]:
    """A = all signals of the base and enough of the others; B = the base alone, where allowed. A score is A."""
    row, p = out[j], gp[g]
    said = np.int64(row.confirms) & np.int64(row.valid)
    others, left = 0, said & OTHERS
    while left > 0:
        others, left = others + 1, left & (left - 1)
    row.tier = TIER_NONE
    code = _NO_TIER
    if p.scored == 1:
        row.tier, code = (TIER_A, _NONE) if row.direction != 0 else (TIER_NONE, _NO_SCORE)
    elif said & BASE == BASE and row.direction != 0:
        if others >= p.a_min_others:
            row.tier, code = TIER_A, _NONE
        elif p.b_trades == 1:
            row.tier, code = TIER_B, _NONE
        else:
            code = _NO_B
    return (PASS if code == _NONE else BLOCK), code


@kernel
def consensus_gate(_states: Any, _s: int, _now: int, gp: Any, g: int, out: Any, j: int) -> tuple[int, int]:
    """the share of slopes with sign d; low is a warning or a block."""
    row, p = out[j], gp[g]
    if row.direction == 0:
        return NOT_ASSESSED, _NONE
    if row.consensus_horizons > 0 and row.consensus >= p.low_consensus:
        return PASS, _NONE
    return (BLOCK if p.block_low_consensus == 1 else WARN), _LOW


@kernel
def flat_gate(_states: Any, _s: int, _now: int, gp: Any, g: int, out: Any, j: int) -> tuple[int, int]:
    """the forecast edge; flat is a block, or a warning where the five signals gave A or B."""
    row, p = out[j], gp[g]
    if row.direction == 0:
        return NOT_ASSESSED, _NONE
    if row.used_edge >= p.flat_edge:
        return PASS, _NONE
    return (BLOCK if p.block_flat == 1 or row.tier == TIER_NONE else WARN), _FLAT


# -- sentences


def confirmed(row: Any) -> list[str]:
    """Names of the signals that confirm."""
    said = int(row["confirms"]) & int(row["valid"])
    return [name for i, name in enumerate(SIGNALS) if said >> i & 1]


def _asked(row: Any, i: int) -> str:
    """A signal with its figure and what is asked of it."""
    valid = int(row["valid"]) >> i & 1
    return f"{SIGNALS[i]} ({LISTED[i].terms(row, i) if valid else 'no signal'})"


def _places(part: Part) -> list[int]:
    return [i for i, signal in enumerate(LISTED) if signal.part is part]


def _tier(policy: Policy, row: Any, number: str) -> Any:
    return getattr(policy, f"{TIER_NAMES[int(row['capital_tier'])]}_{number}")


def _least(policy: Policy, row: Any, name: str, field: str, number: str) -> str:
    """A figure that must be above a number of the row's capital tier."""
    least, value = _tier(policy, row, number), float(row[field])
    digits = 2 if name == "SNR" else 3
    return check(f"{name} {value:.{digits}f}", value > float(least), ">", str(least), "too low")


def _pre_filter_figures(policy: Policy, row: Any, _said: Mapping[str, Any]) -> list[str]:
    return [
        "no SNR: a score has no error" if policy.scored else _least(policy, row, "SNR", "snr", "min_snr"),
        _least(policy, row, "confidence", "used_confidence", "min_confidence"),
    ]


def _pre_filter_needed(policy: Policy, rows: Rows, j: int) -> str:
    row = rows[j]
    match int(row["block_code"]):
        case Code.NO_SCORE:
            return unscored(policy)
        case Code.NO_FORECAST:
            return "a valid Kalman velocity or a valid OU fit"
        case Code.SNR:
            return f"SNR above {_tier(policy, row, 'min_snr')} (was {row['snr']:.2f})"
        case Code.CONFIDENCE:
            least = _tier(policy, row, "min_confidence")
            return f"confidence above {least} (was {row['used_confidence']:.3f})"
        case _:
            return uncalibrated(policy)


def unscored(policy: Policy) -> str:
    """What is needed where the panel signal in force has no score."""
    return (
        f"a score of {policy.signal} for the symbol; each counts until its next bar ends, and for one trade"
    )


def uncalibrated(policy: Policy) -> str:
    """What is needed where BELIEF=measured has no map yet."""
    return f"{policy.calibration_min_samples} outcomes of forecasts, of the symbol or of all (turbo-trader calibration)"


PRE_FILTER: Final = Gate(
    name="pre-filter",
    asks="SNR and confidence above those of the capital tier",
    when=When.FIGURES,
    judge=pre_filter_gate,
    reasons=reasons(Code.NO_FORECAST, Code.NO_SCORE, Code.SNR, Code.CONFIDENCE, Code.UNCALIBRATED),
    figures=_pre_filter_figures,
    needed=_pre_filter_needed,
)


def _tier_figures(policy: Policy, row: Any, _said: Mapping[str, Any]) -> list[str]:
    if policy.scored:
        return [f"the score of {policy.signal}"]
    return [f"confirmed {', '.join(confirmed(row)) or 'none'}"]


def _tier_needed(policy: Policy, rows: Rows, j: int) -> str:
    row = rows[j]
    if int(row["block_code"]) == Code.NO_SCORE:
        return unscored(policy)
    if int(row["block_code"]) == Code.NO_TIER:
        missing = [i for i in _places(Part.BASE) if SIGNALS[i] not in confirmed(row)]
        return "confirmation by " + " and by ".join(_asked(row, i) for i in missing)
    ways = ", ".join(_asked(row, i) for i in _places(Part.OTHER))
    return f"confirmation by at least {policy.a_min_others} of: {ways}"


TIER: Final = Gate(
    name="tier",
    asks="signals that make an A-trade, or a B-trade where the capital tier allows it",
    when=When.FIGURES,
    judge=tier_gate,
    numbers=TierNumbers,
    reasons=reasons(Code.NO_TIER, Code.B_NOT_ALLOWED, Code.NO_SCORE),
    figures=_tier_figures,
    needed=_tier_needed,
)


def _consensus_figures(policy: Policy, row: Any, _said: Mapping[str, Any]) -> list[str]:
    consensus, low = float(row["consensus"]), float(policy.low_consensus)
    figure = f"{consensus:.0%} of {row['consensus_horizons']} horizons"
    return [check(figure, consensus >= low, ">=", f"{low:.0%}", "low")]


def _consensus_needed(policy: Policy, rows: Rows, j: int) -> str:
    return f"consensus of at least {policy.low_consensus:.0%} (was {rows[j]['consensus']:.0%})"


def _consensus_warning(_policy: Policy, row: Any) -> str:
    horizons = int(row["consensus_horizons"])
    agreeing = round(float(row["consensus"]) * horizons)
    return f"low consensus {row['consensus']:.0%} ({agreeing} of {horizons} horizons)"


CONSENSUS: Final = Gate(
    name="consensus",
    asks="at least LOW_CONSENSUS of the horizons with a slope in the direction of the forecast",
    when=When.FIGURES,
    judge=consensus_gate,
    numbers=ConsensusNumbers,
    reasons=reasons(Code.LOW_CONSENSUS),
    figures=_consensus_figures,
    needed=_consensus_needed,
    warning=_consensus_warning,
)


def _flat_figures(policy: Policy, row: Any, _said: Mapping[str, Any]) -> list[str]:
    return [bp_check("edge", row["used_edge"], ">=", policy.flat_edge, "flat")]


def _flat_needed(policy: Policy, rows: Rows, j: int) -> str:
    return f"a forecast edge of at least {bp(policy.flat_edge)} (was {bp(rows[j]['used_edge'])})"


def _flat_warning(policy: Policy, row: Any) -> str:
    return f"flat market: edge {row['used_edge']:.3%} below {float(policy.flat_edge):.2%}"


FLAT: Final = Gate(
    name="flat",
    asks="a forecast edge of at least FLAT_EDGE",
    when=When.FIGURES,
    judge=flat_gate,
    numbers=FlatNumbers,
    reasons=reasons(Code.FLAT_MARKET),
    figures=_flat_figures,
    needed=_flat_needed,
    warning=_flat_warning,
)
