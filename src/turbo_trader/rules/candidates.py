"""A candidate as plain figures: the five signals with their thresholds, gates that only warned, edge, profit against fees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turbo_trader.market.order_terms import Direction
from turbo_trader.market.rows import Rows
from turbo_trader.rules.gate import WARN, SignalTier
from turbo_trader.rules.gates import GATES, LISTED, reason
from turbo_trader.rules.tiers import TIER_NAMES
from turbo_trader.signals.figures import SIGNALS

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy


def candidate(policy: Policy, rows: Rows, j: int) -> dict[str, Any]:
    """The fields of event `candidate` for rows[j] (SCAN): returns and distances are fractions, scores in [-1, 1].

    `blocked` is the first gate that blocked ("" = none), `why` its reason.
    """
    row = rows[j]
    blocker = int(row["blocker"])
    return {
        "side": Direction(int(row["direction"])).text,
        "by": policy.signal,
        "tier": SignalTier(int(row["tier"])).text,
        "signals": signals(row),
        "snr": _figure(row["snr"]),
        "confidence": _figure(row["used_confidence"]),
        "warnings": warnings(policy, row),
        "edge": _figure(row["used_edge"]),
        "expected_profit": _figure(float(row["used_p_tp"]) * float(row["take_profit"])),
        "fees": _figure(row["cost"]),
        "ev": _figure(row["used_ev"]),
        "honest_ev": _figure(row["ev"]),
        "blocked": GATES[blocker] if blocker >= 0 else "",
        "why": reason(int(row["block_code"])) if blocker >= 0 else "",
    }


def signals(row: Any) -> dict[str, dict[str, Any]]:
    """Per signal its value in the direction of the forecast, the threshold it has to exceed, and whether it confirms.

    Units are those the signals declare (`Signal.unit`). The value is None without a signal.
    """
    valid, confirms = int(row["valid"]), int(row["confirms"])
    return {
        name: {
            "value": _figure(row["toward"][i]) if valid >> i & 1 else None,
            "threshold": _figure(row["thresholds"][i]),
            "confirms": bool((valid & confirms) >> i & 1),
        }
        for i, name in enumerate(SIGNALS)
    }


def warnings(policy: Policy, row: Any) -> list[str]:
    """The gates that were passed with a warning, each with its figures."""
    tier = TIER_NAMES[int(row["capital_tier"])]
    return [
        f"{gate.warning(policy, row)}, proceeding in {tier}"
        for k, gate in enumerate(LISTED)
        if gate.warning is not None and int(row["verdict"][k]) == WARN
    ]


def _figure(value: Any) -> float:
    """Six significant digits: more say nothing and fill the log."""
    return float(f"{float(value):.6g}") + 0.0
