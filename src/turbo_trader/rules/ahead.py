"""Scans of many symbols in one call: at one time, or over as many scan times as nothing but scans is due at."""

from __future__ import annotations

from typing import Any, Final

from turbo_trader.market import kernel as market
from turbo_trader.market import sampling
from turbo_trader.market.compiled import kernel, released
from turbo_trader.market.rows import LAST, SECOND
from turbo_trader.rules import assess as assessing
from turbo_trader.rules import distances, outcomes

#: Why `scan_ahead` came back.
OVER: Final = 0  # the last time was scanned
PASSED: Final = 1  # a row passed every gate that needs no account; its scan is the caller's to finish
FIT: Final = 2  # a noise fit is due after the last scan

_advance, _roll = market.advance, sampling.roll
_assess, _charge, _follow = assessing.assess, distances.charge_book_walk, outcomes.follow_one


@kernel
def assess_all(
    states: Any, filters: Any, now: int, signals: Any, gates: Any, notional: float, thin: float, rows: Any, at: int
) -> bool:  # fmt: skip
    """Fill rows[at:] (SCAN), one per symbol, at `now` (ns); has any passed the gates that need no account?

    The states must have been advanced to what is known at `now`; their clocks go on to `now` here. `notional`, `thin`: see
    `charge_book_walk`.
    """
    passed = False
    for s in range(len(states)):
        if _assess_one(states, filters, s, now, signals, gates, notional, thin, rows, at + s) < 0:
            passed = True
    return passed


@kernel
def _assess_one(
    states: Any, filters: Any, s: int, now: int, signals: Any, gates: Any, notional: float, thin: float, rows: Any, j: int
) -> int:  # fmt: skip
    _roll(states[s], now // SECOND)
    _charge(states, s, gates, notional, thin)
    return _assess(states, filters, s, now, signals, gates, rows, j)


@kernel
def prices_ahead(
    states: Any, s: int, into: Any, tape: Any, cursors: Any, feed: int, first: int, step: int, last: int, prices: Any
) -> int:  # fmt: skip
    """How many of the scans at `first`, `first` + `step`, ... up to `last` (ns) come before the watch of symbol `s` is hit.

    prices[k]: the price the position could be closed at (ticks; 0 none) and the mark (USDT) at scan k. Nothing is moved: `into`
    is a record of a market state to work on; the rest as in `scan_ahead`.
    """
    into[0] = states[s]
    st = into[0]
    i, end = cursors[s, 0], cursors[s, 1]
    now, k = first, 0
    while now <= last and k < len(prices):
        while i < end and tape[i].ts < now - feed:
            row = tape[i]
            i += 1
            market.apply_row(st, row)
            if row.kind & LAST and market.watched(st) != market.REACHED:
                return k
        if not st.has_book:
            prices[k, 0] = st.last
        elif st.book_valid:
            prices[k, 0] = st.bid if st.watch_side > 0 else st.ask
        else:
            prices[k, 0] = 0.0
        prices[k, 1] = st.mark
        now += step
        k += 1
    return k


@released
def scan_ahead(
    group: Any, states: Any, filters: Any, tape: Any, cursors: Any, feed: Any, first: int, step: int, last: int, signals: Any,
    gates: Any, notionals: Any, thin: float, closed: Any, leader: int, moves: Any, fits: Any, least: int, hole: int, shadows: Any,
    work: Any, rows: Any, scratch: Any, resolved: Any, ended: Any, stop: Any,
) -> tuple[int, int]:  # fmt: skip
    """Scan the symbols of `group` at `first`, `first` + `step`, ... up to `last` (ns), with the market rows known by each time.

    No watch may be hit before `last` (`prices_ahead`). `tape`: rows of all symbols; `cursors`: (next, end) of each symbol's in it,
    moved here; `feed`: how long market data take to the Trader, ns. `notionals`: of each scan, see `assess_all`. `closed`: until
    when (ns) a row of a symbol that passes, long and short, is refused by the account all the same. `leader`: the symbol whose big
    moves the gates look at (-1 none); moves[k]: when it made the last one, as known at scan k, written by its group and read by the
    others. `fits`: when each symbol's noise fit is due, once it has `least` samples. `hole`, `shadows`, `work`: see
    `outcomes.follow`, whose rows are `scratch`.

    Comes back with how many scans were finished and why. `rows` has them, scan after scan with a place for every symbol, and those
    of the scan that PASSED after them; `resolved` has the outcomes, of which ended[k] came by the end of scan k.

    Groups may run side by side: they share no record that one of them writes, but for stop[0], the scan at which a row has PASSED
    in any of them, where all end. It is looked at to save time: a group that saw it late has gone too far.
    """
    count, known, k = len(states), 0, 0
    now = first
    while now <= last and k <= stop[0]:
        for s in group:
            part = tape[: cursors[s, 1]]
            cursors[s, 0], _ = _advance(states, s, part, cursors[s, 0], now - feed[s])
            if s == leader:
                moves[k] = states[s].big_move_ts
        at = k * count
        passed = k == stop[0]
        for s in group:
            if leader >= 0:
                gates[s].btc_move_ts = moves[k]
            if _assess_one(states, filters, s, now, signals, gates, notionals[k], thin, rows, at + s) < 0:
                passed |= now >= closed[s, 0 if rows[at + s].direction > 0 else 1]
        if passed:
            stop[0] = min(stop[0], k)
            return k, PASSED
        for s in group:
            scratch[s] = rows[at + s]  # `follow` fills in chances that the scan itself did not need
            known = _follow(states, s, scratch, gates, now, hole, shadows, work, resolved, known)
        ended[k] = known
        k += 1
        for s in group:
            if now >= fits[s] and states[s].samples >= least:
                return k, FIT
        now += step
    return k, OVER
