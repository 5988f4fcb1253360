"""A scan row in sentences: every figure, every verdict, the first blocker, and what would have had to differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from turbo_trader.market.events import SECOND, Rows
from turbo_trader.rules.belief import cannot_block_lines
from turbo_trader.rules.gates import EV, LIMITS, SIZE, TEXTS, Code
from turbo_trader.rules.needed import bp, confirmed, needed, signal_terms
from turbo_trader.rules.scan import BLOCK, GATES, NOT_ASSESSED, PASS, TIER_A, TIER_B, TIER_NONE, WARN
from turbo_trader.rules.tiers import TIER_NAMES
from turbo_trader.signals.figures import BELIEFS

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

VERDICTS = {NOT_ASSESSED: "not assessed", PASS: "pass", WARN: "warn", BLOCK: "block"}
TRADE_TIERS = {TIER_NONE: "none", TIER_A: "A", TIER_B: "B"}
_SIDES = {1: "long", -1: "short", 0: "no direction"}

#: What the gates limits and size said of a scan, by the gate's name: fields of the notes `gate` and `entry`.
Said = Mapping[str, Mapping[str, Any]]


def explain(policy: Policy, rows: Rows, j: int, symbol: str, said: Said | None = None) -> list[str]:
    """The lines for rows[j] (SCAN). `policy`: the one in force at the scan; thresholds are those of the row's capital tier."""
    row, details = rows[j], said or {}
    by = f" by the signal {policy.signal}" if policy.scored else ""
    head = f"{symbol} {_SIDES[int(row['direction'])]}, tier {TRADE_TIERS[int(row['tier'])]}{by}"
    lines = [
        f"{head}, capital tier {TIER_NAMES[int(row['capital_tier'])]}",
        *outcome(policy, rows, j, details),
    ]
    lines += [
        *_prices(row),
        *_forecast(policy, row),
        *_beliefs(policy, row),
        *signal_terms(policy, row),
        *_exits(row),
    ]
    lines += cannot_block_lines(policy, TIER_NAMES[int(row["capital_tier"])])
    return lines + [
        f"gate {number + 1} {text}" for number, text in enumerate(gate_lines(policy, rows, j, details))
    ]


def outcome(policy: Policy, rows: Rows, j: int, said: Said | None = None) -> list[str]:
    """The first blocker with its reason, and what would have had to differ; or that nothing blocked."""
    blocker, code = int(rows[j]["blocker"]), Code(int(rows[j]["block_code"]))
    if blocker < 0:
        return ["nothing blocked"]
    details = (said or {}).get(GATES[blocker], {})
    why = f"first blocker: {GATES[blocker]} - {details.get('why') or TEXTS[code]}"
    return [why, f"needed: {details.get('needed') or needed(policy, rows, j)}"]


def gate_lines(policy: Policy, rows: Rows, j: int, said: Said | None = None) -> list[str]:
    """One line per gate: its name, its verdict, its figures against what is asked."""
    asked = thresholds(policy, rows, j, said or {})
    verdicts = [int(value) for value in rows[j]["verdict"]]
    return [
        f"{name}: {VERDICTS[verdict]}  {'' if verdict == NOT_ASSESSED else figures}".rstrip()
        for name, verdict, figures in zip(GATES, verdicts, asked, strict=True)
    ]


def thresholds(policy: Policy, rows: Rows, j: int, said: Said) -> list[str]:
    """Per gate, its figures beside what is asked; a check that failed reads as failed, with its reason."""
    row = rows[j]
    name = TIER_NAMES[int(row["capital_tier"])]
    multiplier = float(getattr(policy, f"{name}_fee_multiplier"))
    gain, cost = float(row["used_p_tp"]) * float(row["take_profit"]), multiplier * float(row["cost"])
    age, oldest = row["age"] / SECOND, float(policy.stale_book)
    consensus, low = float(row["consensus"]), float(policy.low_consensus)
    figures = [
        [
            _bp_check("spread", row["spread"], "<", policy.max_spread, "too wide"),
            _bp_check("mark gap", row["mark_gap"], "<=", policy.max_mark_gap, "mark and last price apart"),
            _check(f"age {age:.1f} s", age <= oldest, "<=", f"{policy.stale_book} s", "stale"),
        ],
        [
            "no SNR: a score has no error" if policy.scored else _least(policy, row, "SNR", "snr", "min_snr"),
            _least(policy, row, "confidence", "used_confidence", "min_confidence"),
        ],
        [
            f"the score of {policy.signal}"
            if policy.scored
            else f"confirmed {', '.join(confirmed(row)) or 'none'}"
        ],
        [
            _check(
                f"{consensus:.0%} of {row['consensus_horizons']} horizons",
                consensus >= low,
                ">=",
                f"{low:.0%}",
                "low",
            )
        ],
        [_bp_check("edge", row["used_edge"], ">=", policy.flat_edge, "flat")],
        [
            _check(
                f"p_tp x TP {bp(gain)}",
                gain >= cost,
                ">=",
                f"{multiplier} x cost {bp(cost)}",
                "does not pay the cost",
            )
        ],
        [_bp_check("net EV", row["used_ev"], ">=", row["min_ev"], "too low")],
        [_limits(said.get(GATES[LIMITS], {}))],
        [_size(said.get(GATES[SIZE], {}))],
    ]
    blocker = int(row["blocker"])
    if 0 <= blocker < LIMITS and not any(": " in each for each in figures[blocker]):
        figures[blocker].append(TEXTS[Code(int(row["block_code"]))])  # its reason is none of these figures
    return [", ".join(parts) for parts in figures]


_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def _check(figure: str, holds: bool, sign: str, asked: str, failed: str) -> str:
    """`age 1.0 s <= 5 s` where it holds, `age 8.0 s > 5 s: stale` where it does not."""
    return f"{figure} {sign} {asked}" if holds else f"{figure} {_OPPOSITE[sign]} {asked}: {failed}"


def _bp_check(name: str, value: Any, sign: str, asked: Any, failed: str) -> str:
    """The same of fractions, in basis points."""
    left, right = float(value), float(asked)
    holds = {"<": left < right, "<=": left <= right, ">=": left >= right}[sign]
    return _check(f"{name} {bp(left)}", holds, sign, bp(right), failed)


def _least(policy: Policy, row: Any, name: str, field: str, number: str) -> str:
    """The same of a figure that must be above a number of the row's capital tier."""
    least, value = getattr(policy, f"{TIER_NAMES[int(row['capital_tier'])]}_{number}"), float(row[field])
    digits = 2 if name == "SNR" else 3
    return _check(f"{name} {value:.{digits}f}", value > float(least), ">", str(least), "too low")


def _limits(details: Mapping[str, Any]) -> str:
    return str(details.get("why", ""))


def _size(details: Mapping[str, Any]) -> str:
    """What each limit allows, in USDT of notional, and the size that came of the smallest."""
    allowed = ", ".join(f"{name} {amount}" for name, amount in details.get("allowed", {}).items())
    text = f"allowed, USDT: {allowed}" if allowed else ""
    if "qty" in details:
        taken = f"{details['qty']} at {details['leverage']}x, set by {details['binding']}"
        return f"{taken}; {text}" if text else taken
    return "; ".join(each for each in (str(details.get("why", "")), text) if each)


def _prices(row: Any) -> list[str]:
    return [
        f"bid {row['bid']:g} ask {row['ask']:g} last {row['last_price']:g} mark {row['mark']:g},"
        f" range tail {bp(row['range_tail'])}"
    ]


def _forecast(policy: Policy, row: Any) -> list[str]:
    if policy.scored:
        return [
            f"score of {policy.signal}: {bp(row['forecast'])} over {row['horizon_s']:.0f} s;"
            f" sigma over the hold {row['hold_sigma']:.3g} per sqrt(s)"
        ]
    kalman = f"{bp(row['kalman_forecast'])} +- {bp(row['kalman_se'])}" if row["kalman_valid"] else "no signal"
    ou = f"{bp(row['ou_forecast'])} +- {bp(row['ou_se'])}" if row["ou_valid"] else "no signal"
    return [
        f"forecast {bp(row['forecast'])} +- {bp(row['se'])} over {row['horizon_s']:.0f} s;"
        f" sigma {row['sigma']:.3g} per sqrt(s), over the hold {row['hold_sigma']:.3g}",
        f"Kalman {kalman}, believed {row['kalman_belief']:.0%}, velocity z {row['velocity_z']:.2f},"
        f" acceleration z {row['acceleration_z']:.2f}, innovations {row['kalman_scale']:.2f} of the fit's variance",
        f"OU {ou}, believed {row['ou_belief']:.0%}, z {row['ou_z']:.2f},"
        f" half-life {row['ou_half_life_s']:.0f} s, Dickey-Fuller {row['ou_statistic']:.2f}",
    ]


def _beliefs(policy: Policy, row: Any) -> list[str]:
    """What each belief says of the scan, the one that decides marked; p and EV in the scan's direction."""
    assessed = int(row["verdict"][EV]) != NOT_ASSESSED
    lines = []
    for b, name in enumerate(BELIEFS):
        mark = " (decides)" if name == policy.belief else ""
        if not row["forecasts"][b]:
            lines.append(f"{name}{mark}: no forecast")
            continue
        text = f"{name}{mark}: forecast {bp(row['forecasts'][b])}, SNR {row['snrs'][b]:.2f}, confidence {row['confidences'][b]:.3f}"
        if assessed:
            text += f", p {row['p_targets'][b]:.3f}, net EV {bp(row['evs'][b])}"
        lines.append(text)
    return lines


def _exits(row: Any) -> list[str]:
    line = f"TP {bp(row['take_profit'])}, SL {bp(row['stop_loss'])}, cost {bp(row['cost'])}"
    line += f" (of it book walk {bp(row['slippage'])}), hold {row['hold_s']:.0f} s"
    if int(row["verdict"][EV]) == NOT_ASSESSED:
        return [line, "p_tp and EV not computed: no candidate with a tier"]
    odds = f"p_tp {row['p_tp']:.3f}, p_sl {row['p_sl']:.3f}, p_timeout {row['p_timeout']:.3f}"
    return [line, f"{odds}, honest net EV {bp(row['ev'])}"]
