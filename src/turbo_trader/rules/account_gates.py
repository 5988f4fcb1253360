"""Gates 8 and 9, which need the account: limits and size. Python decides them for what passed the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from turbo_trader.market.rows import NEVER, SECOND, Rows
from turbo_trader.numbers.declared import Declared
from turbo_trader.numbers.number import chosen
from turbo_trader.rules.gate import BLOCK, PASS, Gate, Verdict, When
from turbo_trader.rules.reasons import TEXTS, Code, reasons
from turbo_trader.rules.tiers import CapitalTier

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy


class AccountNumbers(Declared):
    """Numbers of these gates; those of the size are in the policy (section 7)."""

    cooldown_horizons: Decimal = chosen("1", "h", "5.8 cool-down", "cool-down after a stop-out", high="1000")


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
    """session, pauses, open positions, cool-down (h after a stop-out), nothing unresolved on the
    symbol."""

    def block(code: Code, text: str, needed: str) -> Verdict:
        return Verdict(BLOCK, code, text, needed)

    if facts.session_refusal:
        return block(Code.SESSION, facts.session_refusal, facts.session_lift)
    if not facts.tradable:
        return block(Code.NOT_TRADABLE, TEXTS[Code.NOT_TRADABLE], "the status Trading at the venue")
    if facts.unresolved:
        return block(Code.UNRESOLVED, facts.unresolved, "the end of this condition")
    if facts.open_on_symbol:
        return block(
            Code.OPEN_ON_SYMBOL, TEXTS[Code.OPEN_ON_SYMBOL], "no open position on the symbol (one at a time)"
        )
    most = tier.max_positions
    if facts.open_positions >= most:
        text = f"{facts.open_positions} of {most} positions are open"
        return block(Code.POSITIONS, text, f"fewer than {most} open positions (was {facts.open_positions})")
    until = _cooled_down(tier, facts, cooldown_horizons)
    if now_ns < until:
        left = f"{(until - now_ns) // SECOND} s"
        return block(
            Code.COOL_DOWN,
            f"cool-down after a stop-out for {left} more",
            f"another {left}, or a forecast in the other direction",
        )
    return Verdict(PASS)


def limits_block_until(tier: CapitalTier, facts: LimitFacts, cooldown_horizons: float) -> int:
    """Until when (ns) `limits_gate` blocks while nothing moves on the account: NEVER where nothing else ends it."""
    blocked = facts.session_refusal or facts.unresolved or facts.open_on_symbol or not facts.tradable
    if blocked or facts.open_positions >= tier.max_positions:
        return NEVER
    return _cooled_down(tier, facts, cooldown_horizons)


def _cooled_down(tier: CapitalTier, facts: LimitFacts, cooldown_horizons: float) -> int:
    return facts.stopped_out_ns + int(tier.horizon_ns * cooldown_horizons) if facts.stopped_out_ns else 0


def _needed(_policy: Policy, _rows: Rows, _j: int) -> str:
    """The verdict itself says it (`Verdict.needed`)."""
    return ""


def _limits_figures(_policy: Policy, _row: Any, said: Mapping[str, Any]) -> list[str]:
    return [str(said.get("why", ""))]


def _size_figures(_policy: Policy, _row: Any, said: Mapping[str, Any]) -> list[str]:
    """What each limit allows, in USDT of notional, and the size that follows from the smallest."""
    allowed = ", ".join(f"{name} {amount}" for name, amount in said.get("allowed", {}).items())
    text = f"allowed, USDT: {allowed}" if allowed else ""
    if "qty" in said:
        taken = f"{said['qty']} at {said['leverage']}x, set by {said['binding']}"
        return [f"{taken}; {text}" if text else taken]
    return ["; ".join(each for each in (str(said.get("why", "")), text) if each)]


LIMITS: Final = Gate(
    name="limits",
    asks="session, pauses, open positions, cool-down, nothing unresolved on the symbol",
    when=When.ACCOUNT,
    numbers=AccountNumbers,
    reasons=reasons(
        Code.SESSION, Code.POSITIONS, Code.COOL_DOWN, Code.OPEN_ON_SYMBOL, Code.UNRESOLVED, Code.NOT_TRADABLE
    ),
    figures=_limits_figures,
    needed=_needed,
)
SIZE: Final = Gate(
    name="size",
    asks="a size that meets every limit, and fee and EV again at its cost",
    when=When.ACCOUNT,
    reasons=reasons(Code.SIZE, Code.EV_AT_SIZE),
    figures=_size_figures,
    needed=_needed,
)
