"""A scan row in sentences: every figure, every verdict, the first gate that blocked, and what it needed to pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from turbo_trader.market.order_terms import Direction
from turbo_trader.market.rows import Rows
from turbo_trader.rules.belief import cannot_block_lines
from turbo_trader.rules.gate import BLOCK, NOT_ASSESSED, PASS, WARN, SignalTier, When, bp
from turbo_trader.rules.gates import EV, GATES, LISTED, reason
from turbo_trader.rules.scan import current
from turbo_trader.rules.tiers import TIER_NAMES
from turbo_trader.signals import listed as signals
from turbo_trader.signals.figures import BELIEFS

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

VERDICTS = {NOT_ASSESSED: "not assessed", PASS: "pass", WARN: "warn", BLOCK: "block"}

#: What the gates limits and size said of a scan, by the gate's name: fields of the notes `gate` and `entry`.
Said = Mapping[str, Mapping[str, Any]]


def explain(policy: Policy, rows: Rows, j: int, symbol: str, said: Said | None = None) -> list[str]:
    """The lines for rows[j] (SCAN). `policy`: the one in force at the scan; thresholds are those of the row's capital tier."""
    rows = current(rows)
    row, details = rows[j], said or {}
    by = f" by the signal {policy.signal}" if policy.scored else ""
    direction = Direction(int(row["direction"]))
    side = direction.text if direction else "no direction"
    head = f"{symbol} {side}, tier {SignalTier(int(row['tier'])).text}{by}"
    lines = [
        f"{head}, capital tier {TIER_NAMES[int(row['capital_tier'])]}",
        *outcome(policy, rows, j, details),
    ]
    lines += [
        *_prices(row),
        *_forecast(policy, row),
        *_beliefs(policy, row),
        *signal_terms(row),
        *_exits(row),
    ]
    lines += cannot_block_lines(policy, TIER_NAMES[int(row["capital_tier"])])
    return lines + [
        f"gate {number + 1} {text}" for number, text in enumerate(gate_lines(policy, rows, j, details))
    ]


def outcome(policy: Policy, rows: Rows, j: int, said: Said | None = None) -> list[str]:
    """The first blocker with its reason, and what would have had to differ; or that nothing blocked."""
    rows = current(rows)
    blocker, code = int(rows[j]["blocker"]), int(rows[j]["block_code"])
    if blocker < 0:
        return ["nothing blocked"]
    details = (said or {}).get(GATES[blocker], {})
    why = f"first blocker: {GATES[blocker]} - {details.get('why') or reason(code)}"
    return [why, f"needed: {details.get('needed') or needed(policy, rows, j)}"]


def gate_lines(policy: Policy, rows: Rows, j: int, said: Said | None = None) -> list[str]:
    """One line per gate: its name, its verdict, its figures against what is asked."""
    rows = current(rows)
    asked = thresholds(policy, rows, j, said or {})
    verdicts = [int(value) for value in rows[j]["verdict"]]
    return [
        f"{name}: {VERDICTS[verdict]}  {'' if verdict == NOT_ASSESSED else figures}".rstrip()
        for name, verdict, figures in zip(GATES, verdicts, asked, strict=True)
    ]


def thresholds(policy: Policy, rows: Rows, j: int, said: Said) -> list[str]:
    """Per gate, its figures beside what is asked; a check that failed reads as failed, with its reason."""
    row = rows[j]
    figures = [gate.figures(policy, row, said.get(gate.name, {})) for gate in LISTED]
    blocker = int(row["blocker"])
    if (
        blocker >= 0
        and LISTED[blocker].when is not When.ACCOUNT
        and not any(": " in each for each in figures[blocker])
    ):
        figures[blocker].append(reason(int(row["block_code"])))  # its reason is none of these figures
    return [", ".join(parts) for parts in figures]


def needed(policy: Policy, rows: Rows, j: int) -> str:
    """What would have had to differ for the first blocker to pass; `rows`: SCAN. The account's gates say it in their verdicts."""
    text = LISTED[int(rows[j]["blocker"])].needed(policy, rows, j)
    return text or f"the end of: {reason(int(rows[j]['block_code']))}"


def signal_terms(row: Any) -> list[str]:
    """A line per signal: its score, its figure in the direction of the forecast and what it takes to confirm it."""
    lines = []
    for i, signal in enumerate(signals.LISTED):
        if not int(row["valid"]) >> i & 1:
            lines.append(f"{signal.name} no signal")
            continue
        state = "confirms" if int(row["confirms"]) >> i & 1 else "does not confirm"
        lines.append(f"{signal.name} score {row['score'][i]:+.2f} {state}: {signal.terms(row, i)}")
    return lines


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
    return [
        f"forecast {bp(row['forecast'])} +- {bp(row['se'])} over {row['horizon_s']:.0f} s;"
        f" sigma {row['sigma']:.3g} per sqrt(s), over the hold {row['hold_sigma']:.3g}",
        _kalman(row),
        _ou(row),
    ]


def _kalman(row: Any) -> str:
    if not row["kalman_valid"]:
        return "Kalman no signal"
    return (
        f"Kalman {bp(row['kalman_forecast'])} +- {bp(row['kalman_se'])}, believed {row['kalman_belief']:.0%},"
        f" velocity z {row['velocity_z']:.2f}, acceleration z {row['acceleration_z']:.2f},"
        f" innovations {row['kalman_scale']:.2f} of the fit's variance"
    )


def _ou(row: Any) -> str:
    text = f"{bp(row['ou_forecast'])} +- {bp(row['ou_se'])}" if row["ou_valid"] else "no signal"
    if not row["ou_statistic"]:
        return f"OU {text}"
    test = f"Dickey-Fuller {row['ou_statistic']:.2f}"
    if not row["ou_half_life_s"]:
        return f"OU {text}, it does not revert, {test}"
    return f"OU {text}, believed {row['ou_belief']:.0%}, z {row['ou_z']:.2f}, half-life {row['ou_half_life_s']:.0f} s, {test}"


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
    if not row["take_profit"]:
        return ["no target and no stop: no forecast with a direction"]
    line = f"TP {bp(row['take_profit'])}, SL {bp(row['stop_loss'])}, cost {bp(row['cost'])}"
    line += f" (of it book walk {bp(row['slippage'])}), hold {row['hold_s']:.0f} s"
    if int(row["verdict"][EV]) == NOT_ASSESSED:
        return [line, "p_tp and EV not computed: no candidate with a tier"]
    odds = f"p_tp {row['p_tp']:.3f}, p_sl {row['p_sl']:.3f}, p_timeout {row['p_timeout']:.3f}"
    return [line, f"{odds}, honest net EV {bp(row['ev'])}"]
