"""Gate 1, data: warmed up, fresh, spread, clock, mark, violent moves, settlement, maintenance, key."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.market.rows import MINUTE, SECOND, Rows
from turbo_trader.numbers.declared import Declared
from turbo_trader.numbers.number import chosen, ours
from turbo_trader.rules.gate import BLOCK, PASS, Gate, When, bp, bp_check, check
from turbo_trader.rules.reasons import Code, reasons

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

# numba takes plain integers
_NONE = int(Code.NONE)
_NOT_WARM, _STALE, _SPREAD, _CLOCK = int(Code.NOT_WARM), int(Code.STALE), int(Code.SPREAD), int(Code.CLOCK)
_MARK_GAP, _JUMP, _BTC_MOVE = int(Code.MARK_GAP), int(Code.JUMP), int(Code.BTC_MOVE)
_SETTLEMENT, _MAINTENANCE, _KEY = int(Code.SETTLEMENT), int(Code.MAINTENANCE), int(Code.KEY_EXPIRY)


class DataNumbers(Declared):
    """Numbers of the gate data."""

    max_spread: Decimal = ours("0.0010", "fraction", "5.1 data", "spread below", low="1e-6", high="1")
    max_clock_offset: Decimal = ours("1", "s", "5.1 data", "clock offset below", low="0.001", high="60")
    max_mark_gap: Decimal = ours(
        "0.001", "fraction", "5.1 data", "|mark/last - 1| up to", low="1e-6", high="1"
    )
    violent_pause: int = chosen(300, "s", "5.1 pauses", "no entry after a violent move for", high="86400")
    jump_sigmas: Decimal = chosen("6", "sigma", "5.1 pauses", "violent one-minute move beyond", low="0.1")
    btc_move: Decimal = chosen(
        "0.005", "fraction", "5.1 pauses", "violent one-minute move of BTC beyond", low="1e-6", high="1"
    )
    settlement_window: int = chosen(
        10, "s", "5.1 pauses", "no entry around a funding settlement within", high="1799"
    )
    maintenance_lead: int = chosen(
        900, "s", "5.1 pauses", "no entry before announced maintenance from", high="86400"
    )
    key_expiry_lead: int = chosen(
        86400, "s", "5.1 pauses", "no entry with a key that expires within", high="2592000"
    )


@kernel
def interval_ns(states: Any, s: int, gp: Any, g: int) -> int:
    """The symbol's funding interval, ns."""
    minutes = np.int64(states[s].funding_minutes)
    return int((minutes if minutes > 0 else np.int64(gp[g].funding_minutes)) * MINUTE)


@kernel
def _data_code(states: Any, s: int, now: int, gp: Any, g: int, out: Any, j: int) -> int:
    """Why the data gate blocks; 0 where it passes."""
    row, p = out[j], gp[g]
    if row.warm == 0:
        return _NOT_WARM
    if row.fresh == 0:
        return _STALE
    if not row.spread < p.max_spread:
        return _SPREAD
    if abs(p.clock_offset) >= p.max_clock_offset:
        return _CLOCK
    if not row.mark_gap <= p.max_mark_gap:
        return _MARK_GAP
    if row.jump_age < p.violent_pause:
        return _JUMP
    if p.btc_move_ts > 0 and now - p.btc_move_ts < p.violent_pause:
        return _BTC_MOVE
    interval = interval_ns(states, s, gp, g)
    phase = now % interval
    if min(phase, interval - phase) <= p.settlement_window:
        return _SETTLEMENT
    if p.maintenance_ts - p.maintenance_lead <= now < max(p.maintenance_end_ts, p.maintenance_ts):
        return _MAINTENANCE
    if p.key_expiry_ts - now <= p.key_expiry_lead:
        return _KEY
    return _NONE


@kernel
def data_gate(states: Any, s: int, now: int, gp: Any, g: int, out: Any, j: int) -> tuple[int, int]:
    """Why the data decide nothing; a row that passes and has a direction is a candidate."""
    code = _data_code(states, s, now, gp, g, out, j)
    out[j].candidate = 1 if code == _NONE and out[j].direction != 0 else 0
    return (PASS if code == _NONE else BLOCK), code


def _figures(policy: Policy, row: Any, _said: Mapping[str, Any]) -> list[str]:
    age, oldest = row["age"] / SECOND, float(policy.stale_book)
    return [
        bp_check("spread", row["spread"], "<", policy.max_spread, "too wide"),
        bp_check("mark gap", row["mark_gap"], "<=", policy.max_mark_gap, "mark and last price apart"),
        check(f"age {age:.1f} s", age <= oldest, "<=", f"{policy.stale_book} s", "stale"),
    ]


def _needed(policy: Policy, rows: Rows, j: int) -> str:
    row = rows[j]
    match int(row["block_code"]):
        case Code.NOT_WARM:
            filled = f"{policy.min_minutes} one-minute closes, {policy.min_returns} returns"
            return f"{policy.kalman_warmup} s of prices without a gap, {filled}"
        case Code.STALE:
            return f"a complete book at most {policy.stale_book} s old (was {row['age'] / SECOND:.1f} s)"
        case Code.SPREAD:
            return f"spread below {bp(policy.max_spread)} (was {bp(row['spread'])})"
        case Code.CLOCK:
            return f"a clock offset below {policy.max_clock_offset} s"
        case Code.MARK_GAP:
            return f"mark within {bp(policy.max_mark_gap)} of the last price (was {bp(row['mark_gap'])})"
        case Code.JUMP:
            since = f"since a move beyond {policy.jump_sigmas} sigma within a minute"
            return f"{policy.violent_pause} s {since} (was {row['jump_age'] / SECOND:.0f} s)"
        case Code.BTC_MOVE:
            return f"{policy.violent_pause} s since BTC moved beyond {bp(policy.btc_move)} within a minute"
        case Code.SETTLEMENT:
            return f"more than {policy.settlement_window} s to or from the funding settlement"
        case Code.MAINTENANCE:
            return f"more than {policy.maintenance_lead} s to the announced maintenance, or its end"
        case Code.KEY_EXPIRY:
            return f"a key valid for more than {policy.key_expiry_lead // 3600} h"
        case _:
            return ""


DATA: Final = Gate(
    name="data",
    asks="warmed up, fresh, spread and mark gap small, no violent move, settlement, maintenance or expiring key",
    when=When.FIGURES,
    judge=data_gate,
    numbers=DataNumbers,
    reasons=reasons(
        Code.NOT_WARM, Code.STALE, Code.SPREAD, Code.CLOCK, Code.MARK_GAP, Code.JUMP, Code.BTC_MOVE, Code.SETTLEMENT,
        Code.MAINTENANCE, Code.KEY_EXPIRY,
    ),
    figures=_figures,
    needed=_needed,
)  # fmt: skip
