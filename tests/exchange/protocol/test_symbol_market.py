"""The day's figures, and minutes that follow each other."""

from __future__ import annotations

import random

import numpy as np
import pytest

from turbo_trader.exchange.protocol.symbol_market import Day, SymbolMarket
from turbo_trader.market.rows import BAR, MINUTE, ROW, TRADE, WHOLE


def market(minutes: int, seed: int = 1) -> SymbolMarket:
    """One with so many minutes of history."""
    draw = random.Random(seed)
    history = np.zeros(minutes, BAR)
    for n, bar in enumerate(history):
        prices = sorted(draw.randint(90, 110) for _ in range(4))
        bar["ts"], bar["low"], bar["high"] = n * MINUTE, prices[0], prices[3]
        bar["open"], bar["close"] = prices[1], prices[2]
        bar["volume"], bar["turnover"] = draw.randint(0, 9), draw.randint(0, 900)
    return SymbolMarket(history.view(BAR))


@pytest.mark.parametrize("minutes", [0, 1, 2, 58, 59, 60, 61, 1_439, 1_440, 1_441, 5_000])
def test_the_day_is_that_of_its_minutes_while_they_change(minutes: int) -> None:
    found, draw = market(minutes), random.Random(2)
    for step in range(40):
        ts = minutes * MINUTE + step * MINUTE // 7
        row = np.array([(ts, draw.randint(1, 5), draw.randint(80, 120), TRADE | WHOLE, 1, 0)], ROW)
        found.take(row.view(ROW), 1.0, 1.0)
        bars = list(found.bars)[-1_440:]
        day = found.day()
        assert (day.first, day.hour) == (bars[0][1], bars[max(0, len(bars) - 60)][1])
        assert (day.high, day.low) == (max(bar[2] for bar in bars), min(bar[3] for bar in bars))
        assert day.volume == pytest.approx(sum(bar[5] for bar in bars))
        assert day.turnover == pytest.approx(sum(bar[6] for bar in bars))


def test_a_symbol_nothing_is_known_of_has_an_empty_day() -> None:
    assert market(0).day() == Day()
