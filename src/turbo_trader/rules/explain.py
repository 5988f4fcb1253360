"""A scan row in words: every figure, every verdict, the first blocker, and what would have had to differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turbo_trader.market.events import SECOND, Rows
from turbo_trader.rules.gates import EV, TEXTS, Code
from turbo_trader.rules.scan import BLOCK, GATES, NOT_ASSESSED, PASS, TIER_A, TIER_B, TIER_NONE, WARN
from turbo_trader.rules.tiers import TIER_NAMES
from turbo_trader.signals.figures import SIGNALS

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

VERDICTS = {NOT_ASSESSED: "not assessed", PASS: "pass", WARN: "warn", BLOCK: "block"}
TRADE_TIERS = {TIER_NONE: "none", TIER_A: "A", TIER_B: "B"}
_SIDES = {1: "long", -1: "short", 0: "no direction"}


def explain(policy: Policy, rows: Rows, j: int, symbol: str) -> list[str]:
    """The lines for rows[j] (SCAN). Thresholds are those of `policy` at the row's capital tier."""
    row = rows[j]
    head = f"{symbol} {_SIDES[int(row['direction'])]}, tier {TRADE_TIERS[int(row['tier'])]}"
    lines = [
        f"{head}, capital tier {TIER_NAMES[int(row['capital_tier'])]}, ts {int(row['ts'])}",
        *_prices(row),
        *_forecast(row),
        *_signals(row),
        *_exits(row),
    ]
    lines += [f"gate {number + 1} {text}" for number, text in enumerate(gate_lines(policy, rows, j))]
    return [*lines, outcome(policy, rows, j)]


def gate_lines(policy: Policy, rows: Rows, j: int) -> list[str]:
    """One line per gate: its name, its verdict, its figures against what is asked."""
    row = rows[j]
    asked = thresholds(policy, rows, j)
    said = [int(value) for value in row["verdict"]]
    return [
        f"{name}: {VERDICTS[said[i]]}  {'' if said[i] == NOT_ASSESSED else asked[i]}".rstrip()
        for i, name in enumerate(GATES)
    ]


def outcome(policy: Policy, rows: Rows, j: int) -> str:
    """The first blocker with its reason and what would have had to differ; or that nothing blocked."""
    row = rows[j]
    blocker = int(row["blocker"])
    if blocker < 0:
        return "nothing blocked"
    code = Code(int(row["block_code"]))
    return f"first blocker: {GATES[blocker]} - {TEXTS[code]}; needed: {needed(policy, rows, j)}"


def needed(policy: Policy, rows: Rows, j: int) -> str:
    """What would have had to differ for the first blocker to pass."""
    row = rows[j]
    name = TIER_NAMES[int(row["capital_tier"])]
    edge = max(float(policy.break_even_min), float(row["cost"]))
    multiplier = float(getattr(policy, f"{name}_fee_multiplier"))
    target = max(float(row["take_profit"]), 1e-12)
    texts = {
        Code.NOT_WARM: "more data (one-second grid, one-minute bars)",
        Code.STALE: f"book data younger than {policy.stale_book} s (was {row['age'] / SECOND:.1f} s)",
        Code.SPREAD: f"spread below {_bp(policy.max_spread)} (was {_bp(row['spread'])})",
        Code.CLOCK: f"a clock offset below {policy.max_clock_offset} s",
        Code.MARK_GAP: f"mark within {_bp(policy.max_mark_gap)} of the last price (was {_bp(row['mark_gap'])})",
        Code.JUMP: f"{policy.violent_pause} s since the violent move (were {row['jump_age'] / SECOND:.0f} s)",
        Code.BTC_MOVE: f"{policy.violent_pause} s since BTC's violent move",
        Code.SETTLEMENT: f"more than {policy.settlement_window} s to the funding settlement",
        Code.NO_FORECAST: "a valid Kalman velocity or a valid OU fit",
        Code.SNR: f"SNR above {getattr(policy, f'{name}_min_snr')} (was {row['snr']:.2f})",
        Code.CONFIDENCE: (
            f"confidence above {getattr(policy, f'{name}_min_confidence')} (was {row['used_confidence']:.3f})"
        ),
        Code.UNCALIBRATED: (
            f"{policy.calibration_min_samples} outcomes of forecasts, of the symbol or of all (turbo-trader calibration)"
        ),
        Code.NO_TIER: f"confirmation by {_missing(row)}",
        Code.B_NOT_ALLOWED: "one of VWAP, ACCEL, FUNDING to confirm as well",
        Code.LOW_CONSENSUS: f"consensus of {policy.low_consensus:.0%} (was {row['consensus']:.0%})",
        Code.FLAT_MARKET: f"forecast edge of {_bp(policy.flat_edge)} (was {_bp(row['used_edge'])})",
        Code.FEE: f"p_tp of {multiplier * float(row['cost']) / target:.3f} (was {row['used_p_tp']:.3f})",
        Code.TARGET_BELOW_COST: f"a target above {_bp(edge / float(policy.zone_one))} (was {_bp(row['take_profit'])})",
        Code.MIN_EV: f"net EV of {_bp(row['min_ev'])} (was {_bp(row['used_ev'])})",
    }
    code = Code(int(row["block_code"]))
    return texts.get(code, f"the end of: {TEXTS[code]}")


def thresholds(policy: Policy, rows: Rows, j: int) -> list[str]:
    """Per gate, its figures beside what is asked."""
    row = rows[j]
    name = TIER_NAMES[int(row["capital_tier"])]
    multiplier = float(getattr(policy, f"{name}_fee_multiplier"))
    gain = float(row["used_p_tp"]) * float(row["take_profit"])
    return [
        f"spread {_bp(row['spread'])} < {_bp(policy.max_spread)}, mark gap {_bp(row['mark_gap'])}"
        f" <= {_bp(policy.max_mark_gap)}, age {row['age'] / SECOND:.1f} s",
        f"SNR {row['snr']:.2f} > {getattr(policy, f'{name}_min_snr')},"
        f" confidence {row['used_confidence']:.3f} > {getattr(policy, f'{name}_min_confidence')}",
        f"confirmed {', '.join(_confirmed(row)) or 'none'}",
        f"{row['consensus']:.0%} of {row['consensus_horizons']} horizons, low below {policy.low_consensus:.0%}",
        f"edge {_bp(row['used_edge'])} >= {_bp(policy.flat_edge)}",
        f"p_tp x TP {_bp(gain)} >= {multiplier} x cost {_bp(multiplier * float(row['cost']))}",
        f"net EV {_bp(row['used_ev'])} >= {_bp(row['min_ev'])}",
        "",
        "",
    ]


def _prices(row: Any) -> list[str]:
    return [
        f"bid {row['bid']:g} ask {row['ask']:g} last {row['last_price']:g} mark {row['mark']:g},"
        f" range tail {_bp(row['range_tail'])}"
    ]


def _forecast(row: Any) -> list[str]:
    return [
        f"sigma {row['sigma']:.3g} per sqrt(s), forecast {_bp(row['forecast'])} +- {_bp(row['se'])}"
        f" over {row['horizon_s']:.0f} s",
        f"Kalman {'valid' if row['kalman_valid'] else 'no signal'}: {_bp(row['kalman_forecast'])}"
        f" +- {_bp(row['kalman_se'])}, velocity z {row['velocity_z']:.2f}, acceleration z {row['acceleration_z']:.2f}",
        f"OU {'valid' if row['ou_valid'] else 'no signal'}: {_bp(row['ou_forecast'])} +- {_bp(row['ou_se'])},"
        f" z {row['ou_z']:.2f}, half-life {row['ou_half_life_s']:.0f} s, Dickey-Fuller {row['ou_statistic']:.2f}",
    ]


def _signals(row: Any) -> list[str]:
    lines = []
    for i, name in enumerate(SIGNALS):
        state = "confirms" if int(row["confirms"]) >> i & 1 else "does not confirm"
        if not int(row["valid"]) >> i & 1:
            state = "no signal"
        note = " (from prints)" if i == 0 and row["degraded"] else ""
        lines.append(f"{name} score {row['score'][i]:+.2f} {state}{note}")
    return lines


def _exits(row: Any) -> list[str]:
    line = f"TP {_bp(row['take_profit'])} SL {_bp(row['stop_loss'])} cost {_bp(row['cost'])}"
    line += f" (of it book walk {_bp(row['slippage'])}) hold {row['hold_s']:.0f} s"
    if int(row["verdict"][EV]) == NOT_ASSESSED:
        return [f"{line}; p_tp and EV not computed (no candidate with a tier)"]
    odds = f"p_tp {row['p_tp']:.3f} p_sl {row['p_sl']:.3f} p_timeout {row['p_timeout']:.3f}"
    return [line, f"{odds}, net EV {_bp(row['ev'])}"]


def _confirmed(row: Any) -> list[str]:
    said = int(row["confirms"]) & int(row["valid"])
    return [name for i, name in enumerate(SIGNALS) if said >> i & 1]


def _missing(row: Any) -> str:
    return " and ".join(name for name in ("OFI", "OU_DRIFT") if name not in _confirmed(row)) or "a direction"


def _bp(fraction: Any) -> str:
    return f"{float(fraction) * 1e4:.1f} bp"
