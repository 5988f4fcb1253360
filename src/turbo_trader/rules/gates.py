"""What a gate said: codes with their texts, and the two gates that need the account (limits, size)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from turbo_trader.market.events import SECOND, Rows
from turbo_trader.rules.scan import BLOCK, GATES, PASS, WARN
from turbo_trader.rules.tiers import CapitalTier

DATA, PRE_FILTER, TIER, CONSENSUS, FLAT, FEE, EV, LIMITS, SIZE = range(len(GATES))


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


TEXTS: dict[Code, str] = {
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
    Code.NO_SCORE: "the signal has no score for it",
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate said: PASS, WARN or BLOCK (rules.scan), why with the figures, and what would have had to differ."""

    value: int
    code: Code = Code.NONE
    text: str = ""
    needed: str = ""
    allowed: dict[str, str] = field(default_factory=dict)  # gate size: the notional (USDT) each limit allows


@dataclass(frozen=True, slots=True)
class LimitFacts:
    """What the limits gate looks at for one symbol. Times ns; `stopped_out_ns` of the same symbol and
    direction, 0 = never."""

    session_refusal: str  # Session.refusal(now); "" = entries allowed
    open_positions: int  # with entries under way
    open_on_symbol: bool
    unresolved: str  # what is unresolved on the symbol; "" = nothing
    session_lift: str = ""  # Session.lifted_by(now)
    stopped_out_ns: int = 0
    tradable: bool = True


def limits_gate(tier: CapitalTier, facts: LimitFacts, now_ns: int, cooldown_horizons: float) -> Verdict:
    """Gate 8: session, pauses, open positions, cool-down (h after a stop-out), nothing unresolved on the
    symbol."""

    def block(code: Code, text: str, needed: str) -> Verdict:
        return Verdict(BLOCK, code, text, needed)

    if facts.session_refusal:
        return block(Code.SESSION, facts.session_refusal, facts.session_lift)
    if not facts.tradable:
        return block(Code.NOT_TRADABLE, TEXTS[Code.NOT_TRADABLE], "the venue to list it as Trading")
    if facts.unresolved:
        return block(Code.UNRESOLVED, facts.unresolved, "this to be resolved")
    if facts.open_on_symbol:
        return block(
            Code.OPEN_ON_SYMBOL, TEXTS[Code.OPEN_ON_SYMBOL], "it to be closed: one position a symbol"
        )
    most = tier.max_positions
    if facts.open_positions >= most:
        text = f"{facts.open_positions} of {most} positions are open"
        return block(Code.POSITIONS, text, f"fewer than {most} open positions (were {facts.open_positions})")
    until = facts.stopped_out_ns + int(tier.horizon_ns * cooldown_horizons) if facts.stopped_out_ns else 0
    if now_ns < until:
        left = f"{(until - now_ns) // SECOND} s"
        return block(
            Code.COOL_DOWN,
            f"cool-down after a stop-out for {left} more",
            f"{left} to pass, or the other direction",
        )
    return Verdict(PASS)


def record(rows: Rows, j: int, gate: int, verdict: Verdict) -> None:
    """Writes an account gate's verdict into the scan row; the first block stays the first."""
    rows[j]["verdict"][gate] = verdict.value
    if verdict.value == BLOCK and rows[j]["blocker"] < 0:
        rows[j]["blocker"] = gate
        rows[j]["block_code"] = int(verdict.code)


def passed(value: int) -> bool:
    """Whether a verdict lets the scan go on."""
    return value in (PASS, WARN)
