"""A candidate as plain figures: the five signals with their thresholds, gates that only warned, edge, profit against fees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from turbo_trader.market.events import Rows
from turbo_trader.rules.gates import CONSENSUS, FLAT, TEXTS, Code
from turbo_trader.rules.scan import GATES, TIER_A, TIER_B, WARN
from turbo_trader.rules.tiers import TIER_NAMES
from turbo_trader.signals.figures import ACCEL, FUNDING, OFI, OU_DRIFT, SIGNALS, VWAP

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

SIDES = {1: "long", -1: "short", 0: "none"}
SIGNAL_TIERS = {TIER_A: "A", TIER_B: "B"}


def candidate(policy: Policy, rows: Rows, j: int) -> dict[str, Any]:
    """The fields of event `candidate` for rows[j] (SCAN): returns and distances are fractions, scores in [-1, 1].

    `blocked` is the first gate that blocked so far ("" = none), `why` its reason.
    """
    row = rows[j]
    blocker = int(row["blocker"])
    return {
        "side": SIDES[int(row["direction"])],
        "by": policy.signal,
        "tier": SIGNAL_TIERS.get(int(row["tier"]), "none"),
        "signals": signals(policy, row),
        "snr": _figure(row["snr"]),
        "confidence": _figure(row["used_confidence"]),
        "warnings": warnings(policy, row),
        "edge": _figure(row["used_edge"]),
        "expected_profit": _figure(float(row["used_p_tp"]) * float(row["take_profit"])),
        "fees": _figure(row["cost"]),
        "ev": _figure(row["used_ev"]),
        "honest_ev": _figure(row["ev"]),
        "blocked": GATES[blocker] if blocker >= 0 else "",
        "why": TEXTS[Code(int(row["block_code"]))] if blocker >= 0 else "",
    }


def signals(policy: Policy, row: Any) -> dict[str, dict[str, Any]]:
    """Per signal its value in the direction of the forecast, the threshold it has to exceed, and whether it confirms.

    Units: OFI a score; VWAP and FUNDING fractions; ACCEL and OU_DRIFT standard deviations. The value is None without a signal.
    """
    d = int(row["direction"])
    gap, z = float(row["vwap_gap"]), float(row["vwap_z"])
    band = abs(gap / z) if z else 0.0
    values = {
        OFI: (d * float(row["score"][OFI]), float(policy.ofi_threshold)),
        VWAP: (-d * gap, max(float(policy.vwap_min_gap), float(policy.vwap_min_sd) * band)),
        ACCEL: (d * float(row["accel_z"]), float(policy.accel_threshold)),
        FUNDING: (-d * float(row["funding_8h"]), float(policy.funding_threshold)),
        OU_DRIFT: (-d * float(row["ou_z"]), float(policy.ou_threshold)),
    }
    valid, confirms = int(row["valid"]), int(row["confirms"])
    return {
        name: {
            "value": _figure(values[i][0]) if valid >> i & 1 else None,
            "threshold": _figure(values[i][1]),
            "confirms": bool(valid & confirms >> i & 1),
        }
        for i, name in enumerate(SIGNALS)
    }


def warnings(policy: Policy, row: Any) -> list[str]:
    """The gates that were passed with a warning, each with its figures."""
    tier = TIER_NAMES[int(row["capital_tier"])]
    found = []
    if int(row["verdict"][CONSENSUS]) == WARN:
        horizons = int(row["consensus_horizons"])
        agreeing = round(float(row["consensus"]) * horizons)
        found.append(
            f"low consensus {row['consensus']:.0%} ({agreeing} of {horizons} horizons), proceeding in {tier}"
        )
    if int(row["verdict"][FLAT]) == WARN:
        found.append(
            f"flat market: edge {row['used_edge']:.3%} below {float(policy.flat_edge):.2%}, proceeding in {tier}"
        )
    return found


def _figure(value: Any) -> float:
    """Six significant digits: more say nothing and fill the log."""
    return float(f"{float(value):.6g}") + 0.0
