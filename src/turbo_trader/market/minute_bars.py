"""One-minute bars out of prints."""

from __future__ import annotations

from typing import cast

import numpy as np

from turbo_trader.market.rows import BAR, KIND_MASK, MINUTE, TRADE, Rows


def minute_bars(rows: Rows, tick: float, lot: float) -> Rows:
    """The prints among tape rows as bars (BAR); a minute without a print has none."""
    prints = rows[(rows["kind"] & KIND_MASK) == TRADE]
    if not len(prints):
        return cast("Rows", np.zeros(0, BAR))
    minutes = prints["ts"] // MINUTE
    first = np.flatnonzero(np.diff(minutes, prepend=minutes[0] - 1))
    last = np.append(first[1:], len(prints)) - 1
    price, volume = prints["price"] * tick, prints["lots"] * lot
    bars = np.zeros(len(first), BAR)
    bars["ts"] = minutes[first] * MINUTE
    bars["open"], bars["close"] = price[first], price[last]
    bars["high"], bars["low"] = np.maximum.reduceat(price, first), np.minimum.reduceat(price, first)
    bars["volume"] = np.add.reduceat(volume, first)
    bars["turnover"] = np.add.reduceat(volume * price, first)
    return cast("Rows", bars)
