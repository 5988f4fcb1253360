"""Our side of each comparison: a function that does one pass and returns how many events, or frames, it took."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import cast

import numpy as np

from benchmarks.peers.shared_tapes import BTC, START
from turbo_trader.market.compiled import linked
from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.kernel import consume
from turbo_trader.market.rebuild import rebuild
from turbo_trader.market.record_copies import laid_together
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import BAR, MINUTE, ROW, Rows
from turbo_trader.market.state import new_states
from turbo_trader.market.tape import Tape
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.backtest import Backtest

_HISTORY = 600  # minutes
TOGETHER = 64  # frames a read of a socket in which frames wait


def backtest(rows: Rows) -> Callable[[], int]:
    """The daemon in simulated time: both cursors, latency, fees, brackets, every rule, a scan every 30 s."""
    tape = Tape((BTC,), (rows,), "dense", made_up=True)
    first = float(rows["price"][0] * BTC.tick)

    def one_pass() -> int:
        Backtest(tape, Policy(), Decimal(18)).run((_history(first),))
        return len(rows)

    return one_pass


def _history(price: float) -> Rows:
    """Bars of a quiet market before the tape."""
    bars = np.zeros(_HISTORY, BAR)
    closes = price * np.exp(np.cumsum(np.random.default_rng(3).normal(0.0, 1e-4, _HISTORY))[::-1] * 0.1)
    bars["ts"] = START - MINUTE * np.arange(_HISTORY, 0, -1)
    for name in ("open", "high", "low", "close"):
        bars[name] = closes
    bars["volume"], bars["turnover"] = 1.0, closes
    return cast("Rows", bars)


def frames(raws: Sequence[bytes]) -> Callable[[], int]:
    """Raw frames to rows to the updated market state: book, order flow, VWAP, samples. They come TOGETHER."""
    states = new_states([BTC], **Policy().market_parameters())
    take = linked(consume, states, 0, np.zeros(1, ROW), 0)

    def one_pass() -> int:
        decoder = FrameDecoder([BTC])
        for at in range(0, len(raws), TOGETHER):
            for _, rows in decoder.decode_all(raws[at : at + TOGETHER], fail):
                take(states, 0, rows, 0)
        return len(raws)

    def fail(error: Exception) -> None:
        raise error

    return one_pass


def month(bars: Sequence[Rows]) -> dict[Belief, Callable[[], int]]:
    """The daemon over bars of the universe that are rebuilt before any pass, highs first; no limit ends the run early. By belief:
    the measured one trades nothing of this market."""
    instruments = universe()
    rows = [
        rebuild(part, instrument, seed=1, order="high-first")
        for part, instrument in zip(bars, instruments, strict=True)
    ]
    tape = Tape(instruments, tuple(laid_together(rows)), "made-up bars", rebuilt=True, made_up=True)

    def one_pass(policy: Policy) -> int:
        Backtest(tape, policy, Decimal(18), no_limits=True).run()
        return sum(map(len, bars))

    return {belief: partial(one_pass, Policy(belief=belief)) for belief in (Belief.ASKED, Belief.MEASURED)}
