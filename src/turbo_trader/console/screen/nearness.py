"""How near a symbol is to a trade, and what it still lacks, in short with the figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from turbo_trader.market.order_terms import Direction
from turbo_trader.rules.gate import SignalTier
from turbo_trader.rules.gates import GATES, reason
from turbo_trader.rules.reasons import Code
from turbo_trader.rules.tiers import TIER_NAMES
from turbo_trader.signals.figures import SIGNALS

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearness:
    """One symbol after its last scan. `rank` grows towards a trade; `passed` of `len(GATES)` gates stand behind it."""

    symbol: str
    side: str  # long, short, "-"
    price: float
    forecast_bp: float | None
    snr: float
    confidence: float
    marks: tuple[str, ...]  # of each signal: ✓ confirms, ✗ does not, · no signal
    tier: str  # A, B, "-"
    ev_bp: float | None
    passed: int
    reason: str
    rank: tuple[float, ...]


def nearness(
    symbol: str, row: Row, numbers: Mapping[str, float], refused: tuple[str, str] | None
) -> Nearness:
    """Of one row (messages.FIELDS). `refused`: gate and reason as the log last had them of this symbol, for the account's gates."""
    blocker = int(row["blocker"])
    passed = len(GATES) if blocker < 0 else blocker
    reached, reason = _reason(row, numbers)
    if blocker < 0:
        reason = "every gate passed"
    elif refused is not None and refused[0] == GATES[blocker] and refused[1]:
        reason = refused[1].removeprefix(f"{symbol}: ")
    direction, tier = Direction(int(row["direction"])), SignalTier(int(row["tier"]))
    confirming = sum(1 for i in range(len(SIGNALS)) if int(row["confirms"]) >> i & 1)
    return Nearness(
        symbol=symbol, side=direction.text if direction else "-", price=float(row["mid"]),
        forecast_bp=float(row["forecast"]) * 1e4 if direction else None, snr=float(row["snr"]),
        confidence=float(row["used_confidence"]), marks=_marks(row), tier=tier.text if tier else "-",
        ev_bp=float(row["used_ev"]) * 1e4 if row["used_ev"] else None, passed=passed, reason=reason,  # 0: not computed
        rank=(float(passed), min(reached, 1.0), float(confirming), float(row["snr"])),
    )  # fmt: skip


def _marks(row: Row) -> tuple[str, ...]:
    valid, confirms = int(row["valid"]), int(row["confirms"])
    return tuple(
        "✓" if (valid & confirms) >> i & 1 else "✗" if valid >> i & 1 else "·" for i in range(len(SIGNALS))
    )


def _reason(row: Row, numbers: Mapping[str, float]) -> tuple[float, str]:
    """How much of what the first blocker asks for is there (0 to 1), and its reason with the figures."""
    code = int(row["block_code"])
    capital = TIER_NAMES[int(row["capital_tier"])]

    def least(what: str, value: float, asked: float, form: str = "{:.2f}") -> tuple[float, str]:
        share = value / asked if asked > 0 else 0.0
        return max(0.0, share), f"{what} {form.format(value)}, needs {form.format(asked)}"

    def most(what: str, value: float, limit: float) -> tuple[float, str]:
        return 0.0, f"{what} {1e4 * float(value):.1f} bp, limit {1e4 * limit:.1f} bp"

    match code:
        case Code.SNR:
            return least("SNR", float(row["snr"]), numbers[f"{capital}_min_snr"])
        case Code.CONFIDENCE:
            return least("confidence", float(row["used_confidence"]), numbers[f"{capital}_min_confidence"])
        case Code.FLAT_MARKET:
            return least("edge", float(row["used_edge"]) * 1e4, numbers["flat_edge"] * 1e4, "{:.1f} bp")
        case Code.FEE:
            gain = float(row["used_p_tp"]) * float(row["take_profit"]) * 1e4
            return least(
                "expected profit",
                gain,
                numbers[f"{capital}_fee_multiplier"] * float(row["cost"]) * 1e4,
                "{:.1f} bp",
            )
        case Code.MIN_EV:
            return 0.5, f"EV {_bp(row['used_ev'])}, needs {_bp(row['min_ev'])}"
        case Code.STALE:
            return 0.0, f"data {float(row['age']) / 1e9:.1f} s old, limit {numbers['stale_book']:g} s"
        case Code.SPREAD:
            return most("spread", row["spread"], numbers["max_spread"])
        case Code.MARK_GAP:
            return most("mark off last", row["mark_gap"], numbers["max_mark_gap"])
        case Code.NOT_WARM:
            return 0.0, f"warming up: {numbers['kalman_warmup']:g} s of prices"
        case _:
            return 0.0, reason(code)


def _bp(fraction: Any) -> str:
    return f"{float(fraction) * 1e4:+.1f} bp".replace("+0.0", "0.0")
