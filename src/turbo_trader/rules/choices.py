"""Numbers of the rules that are one of a few answers, by name. BELIEF and HORIZON, which defaults depend on: `numbers.number`."""

from __future__ import annotations

from enum import StrEnum


class Answer(StrEnum):
    """What a gate does where its condition is not met (LOW_CONSENSUS, FLAT)."""

    WARN = "warn"
    BLOCK = "block"


class EntryStyle(StrEnum):
    """How an entry is ordered (ENTRY_STYLE): at the touch and at once, or post-only."""

    TAKER = "taker"
    MAKER = "maker"


class Unconfirmed(StrEnum):
    """What happens at the target where the signals no longer confirm the trade (TP_WITHOUT_CONFIRMATION)."""

    CLOSE = "close"
    HOLD = "hold"


class LeveragePolicy(StrEnum):
    """Which leverage is set, of those that fill the margin target (LEVERAGE_POLICY)."""

    LOWEST = "lowest"
    HIGHEST = "highest"


class TradeSize(StrEnum):
    """How large trades are (SIZE): as section 7 has them, or as far as evidence allows."""

    FULL = "full"
    EARNED = "earned"


class OnTerm(StrEnum):
    """What becomes of positions at SIGTERM (ON_TERM): they are left to their stops, or closed."""

    LEAVE = "leave"
    FLATTEN = "flatten"
