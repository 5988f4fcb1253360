"""The Exchange's cursor on the tape: consume rows until something can happen to an account."""

from __future__ import annotations

from turbo_trader.market.compiled import kernel
from turbo_trader.market.kernel import apply_row
from turbo_trader.market.rows import KIND_MASK, LAST, TRADE, Rows
from turbo_trader.market.state import States

REACHED = 0
TOUCHED = 1


@kernel
def run_until(
    states: States, s: int, rows: Rows, start: int, until: int,
    last_low: int, last_high: int, mark_low: float, mark_high: float, buy: int, sell: int, waits: int,
) -> tuple[int, int]:  # fmt: skip
    """Consume rows[start:] with ts < `until`; stop after a row at which one of the account's triggers may be touched.

    `last_low`, `last_high`: ticks at or beyond which a last-price trigger fires, or a trailing stop moves;
    `mark_low`, `mark_high`: same of the mark, USDT;
    `buy`, `sell`: best prices (ticks) of resting buys (0 none) and sells (huge none), touched by the opposite side or by a print;
    `waits`: ns from which on a whole book is waited for by an order that was triggered; NEVER when none is.
    Returns (next row, TOUCHED or REACHED).
    """
    st = states[s]
    i = start
    n = len(rows)
    while i < n and rows[i].ts < until:
        row = rows[i]
        framed = apply_row(st, row)
        i += 1
        kind = row.kind & KIND_MASK
        if kind == TRADE:
            real = row.price > 0 and row.lots > 0
            if real and (st.last <= last_low or st.last >= last_high or st.last <= buy or st.last >= sell):
                return i, TOUCHED
        elif framed and st.book_valid and (st.ask <= buy or st.bid >= sell or st.book_ts >= waits):
            return i, TOUCHED
        if row.kind & LAST:
            mark = st.mark if st.mark > 0.0 else st.last * st.tick
            if mark > 0.0 and (mark <= mark_low or mark >= mark_high):
                return i, TOUCHED
    return i, REACHED
