"""The situations of a seed: rules, faults, balance, market. Each shows what the others hide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from turbo_trader.market.errors import InputError

#: Rules that trade often on the made-up market: the handling of orders is tested, not whether they were wise.
OFTEN: Final[Mapping[str, str]] = {
    "OFI_THRESHOLD": "0", "OU_THRESHOLD": "0", "OU_SAMPLES": "480", "KALMAN_WARMUP": "60", "BELIEF": "weighed",
    "MICRO_TURBO_SIGNAL_INTERVAL": "10", "TURBO_BELOW": "900", "TURBO_MIN_SNR": "0", "TURBO_MIN_CONFIDENCE": "0",
    "TURBO_MIN_EV": "0", "TURBO_FEE_MULTIPLIER": "0", "TURBO_HORIZON": "300", "TURBO_MAX_HOLD": "300", "FLAT_EDGE": "0",
    "COOLDOWN_HORIZONS": "0", "SESSION_LOSS": "0.5", "DRAWDOWN_PAUSE": "0.3", "WATCHDOG_PROBABILITY": "0",
    "GUARD_CLOSE_AFTER": "120",
}  # fmt: skip
#: The forecast as asked for: more trades, targets held behind their lock.
ASKED: Final[Mapping[str, str]] = {**OFTEN, "BELIEF": "asked", "OU_SAMPLES": "240"}


@dataclass(frozen=True, slots=True)
class Situation:
    """`least_entries`: in each hour, where nothing goes wrong and there is an edge (I13)."""

    name: str
    rules: Mapping[str, str] = field(default_factory=dict)
    faults: str = "heavy"
    balance: str = "60"
    edge: float = 2.0
    symbols: int = 4
    least_entries: float | None = None


SITUATIONS: Final = {
    each.name: each
    for each in (
        Situation("faulty", OFTEN),
        Situation("healthy", ASKED, faults="wide_book=8", symbols=5, least_entries=8.0),
        Situation(
            "losing",
            {**ASKED, "SESSION_LOSS": "0.12", "DRAWDOWN_PAUSE": "0.08", "PAUSE_TIME": "120", "COOLDOWN_HORIZONS": "1"},
            faults="crash=12,private_cut=4,public_cut=2,drop_before=0.01,duplicate=0.05,price_gap=20,mark_apart=4,person=4",
            edge=1.0,
        ),
        Situation("default", {"KALMAN_WARMUP": "60"}, faults="none", symbols=6),
        Situation("maker", {**OFTEN, "ENTRY_STYLE": "maker"}),
        Situation("small", {**ASKED, "TURBO_HORIZON": "120", "TURBO_MAX_HOLD": "120", "WATCHDOG_TRADES": "8",
                                 "WATCHDOG_PROBABILITY": "0.05"}, faults="light", balance="18"),
        Situation(
            "larger",
            {**ASKED, "TURBO_BELOW": "400", "GROWING_SCAN_INTERVAL": "10", "GROWING_MIN_SNR": "0", "GROWING_MIN_CONFIDENCE": "0",
             "GROWING_MIN_EV": "0", "GROWING_FEE_MULTIPLIER": "0", "GROWING_HORIZON": "300", "GROWING_MAX_HOLD": "300",
             "GROWING_B_TRADES": "true", "GROWING_LOW_CONSENSUS": "warn",
             "GROWING_FLAT": "warn"},
            faults="light,terms_changed=10", balance="400",
        ),
        Situation(
            "earned",
            {**ASKED, "SIZE": "earned", "EARNED_FILLS": "3", "EARNED_DAYS": "1", "EARNED_CHANCE": "0.5", "EARNED_LUCK": "1",
             "EARNED_MAX_LAG": "9", "EVIDENCE_PRIOR_SHIFT": "0.01", "EVIDENCE_PRIOR_SD": "0.01", "SCOUT_DAY_BUDGET": "0.003"},
            faults="light", symbols=5,
        ),
    )
}  # fmt: skip
MIXED: Final = "mixed"


def situation_of(name: str, seed: int) -> Situation:
    """The situation asked for; of `mixed` each seed has the next one. InputError for an unknown name."""
    if name == MIXED:
        return list(SITUATIONS.values())[seed % len(SITUATIONS)]
    if name not in SITUATIONS:
        raise InputError(f"situation {name!r}: unknown; known are {MIXED}, {', '.join(SITUATIONS)}")
    return SITUATIONS[name]


def changed(
    situation: Situation, *, faults: str, balance: str, edge: float | None, symbols: int
) -> Situation:
    """The situation with what was asked for otherwise; "", None and 0 leave it as it is. Then no number of trades is promised."""
    least = None if faults or edge is not None or balance or symbols else situation.least_entries
    return replace(
        situation, faults=faults or situation.faults, balance=balance or situation.balance, symbols=symbols or situation.symbols,
        edge=situation.edge if edge is None else edge, least_entries=least,
    )  # fmt: skip
