"""At which prices the market kernel stops for a position: the next level of its bracket, its stop, the room of its limits."""

from __future__ import annotations

import math
from typing import Final

from turbo_trader.market.grid import on_grid
from turbo_trader.rules.exits import Bracket
from turbo_trader.trader.trader_state import SymbolState, TraderState

_FAR: Final = 2**62


def watch(trader: TraderState, state: SymbolState) -> None:
    """Set the watch of this symbol in its market state."""
    market, bracket = trader.states, state.bracket
    market["watch_mark_low"][state.s], market["watch_mark_high"][state.s] = 0.0, math.inf
    if bracket is None or state.close.reason:
        market["watch_side"][state.s] = 0
        return
    level, tick = bracket.next_level, state.instrument.tick
    stop = int(bracket.stop / tick)
    far = (
        int(on_grid(level, tick, up=bracket.direction > 0) / tick)
        if level is not None
        else (_FAR if bracket.direction > 0 else 0)
    )
    low, high = (stop, far) if bracket.direction > 0 else (far, stop)
    if state.alert_since is not None:  # looked at every second: the stop's end need not wake anybody again
        low, high = (0, high) if bracket.direction > 0 else (low, _FAR)
    if state.room.ticks is not None:
        low, high = max(low, state.room.ticks[0]), min(high, state.room.ticks[1])
    market["watch_side"][state.s] = bracket.direction
    market["watch_low"][state.s] = low
    market["watch_high"][state.s] = high
    market["watch_mark_low"][state.s], market["watch_mark_high"][state.s] = _mark_ends(state, bracket)


def _mark_ends(state: SymbolState, bracket: Bracket) -> tuple[float, float]:
    """Where the mark is beyond the stop for `MARK_BEYOND`, or a limit of the account needs a look."""
    if state.alert_since is not None or bracket.mark_since_ns is not None:  # looked at every second
        return 0.0, math.inf
    beyond = float(bracket.stop) * (1.0 - bracket.direction * float(bracket.rules.mark_beyond))
    low, high = (beyond, math.inf) if bracket.direction > 0 else (0.0, beyond)
    if state.room.mark is not None:
        low, high = max(low, state.room.mark[0]), min(high, state.room.mark[1])
    return low, high
