"""Why the gates of the user's rules block: a code for each reason, and its text."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """Why a gate blocked or warned (SCAN field `block_code`)."""

    NONE = 0
    # data
    NOT_WARM = 101
    STALE = 102
    SPREAD = 103
    CLOCK = 104
    MARK_GAP = 105
    JUMP = 106
    BTC_MOVE = 107
    SETTLEMENT = 108
    MAINTENANCE = 109
    KEY_EXPIRY = 110
    NO_FORECAST = 201
    SNR = 202
    CONFIDENCE = 203
    UNCALIBRATED = 204
    NO_SCORE = 205
    NO_TIER = 301
    B_NOT_ALLOWED = 302
    LOW_CONSENSUS = 401
    FLAT_MARKET = 501
    FEE = 601
    TARGET_BELOW_COST = 602
    MIN_EV = 701
    SESSION = 801
    POSITIONS = 802
    COOL_DOWN = 803
    OPEN_ON_SYMBOL = 804
    UNRESOLVED = 805
    NOT_TRADABLE = 806
    SIZE = 901
    EV_AT_SIZE = 902


TEXTS: dict[int, str] = {
    Code.NONE: "",
    Code.NOT_WARM: "not warmed up",
    Code.STALE: "data is stale",
    Code.SPREAD: "spread too wide",
    Code.CLOCK: "clock offset too large",
    Code.MARK_GAP: "mark and last price apart",
    Code.JUMP: "violent one-minute move",
    Code.BTC_MOVE: "violent one-minute move of BTC",
    Code.SETTLEMENT: "funding settlement",
    Code.MAINTENANCE: "maintenance announced",
    Code.KEY_EXPIRY: "key expires soon",
    Code.NO_FORECAST: "no valid forecast",
    Code.SNR: "SNR too low",
    Code.CONFIDENCE: "confidence too low",
    Code.UNCALIBRATED: "no calibration map yet (BELIEF=measured)",
    Code.NO_SCORE: "the panel signal has no score for the symbol",
    Code.NO_TIER: "signals give neither A nor B",
    Code.B_NOT_ALLOWED: "B-trades are not allowed at this capital",
    Code.LOW_CONSENSUS: "low multi-timeframe consensus",
    Code.FLAT_MARKET: "flat market",
    Code.FEE: "fee protection",
    Code.TARGET_BELOW_COST: "half the target does not exceed the cost",
    Code.MIN_EV: "net EV below the minimum",
    Code.SESSION: "the session does not allow entries",
    Code.POSITIONS: "as many positions open as allowed",
    Code.COOL_DOWN: "cool-down after a stop-out",
    Code.OPEN_ON_SYMBOL: "a position is open on the symbol",
    Code.UNRESOLVED: "something on the symbol is unresolved",
    Code.NOT_TRADABLE: "the symbol is not trading",
    Code.SIZE: "no size meets every limit",
    Code.EV_AT_SIZE: "net EV at the exact size below the minimum",
}


def reasons(*codes: Code) -> dict[int, str]:
    """These codes with their texts."""
    return {int(code): TEXTS[code] for code in codes}
