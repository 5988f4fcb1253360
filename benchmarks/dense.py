"""Dense tapes for measuring speed: 50 levels a side on neighbouring ticks; frames of eight rows (some with a print) or of one."""

from __future__ import annotations

from typing import cast

import numpy as np

from turbo_trader.market.rows import FIRST, LAST, LEVEL, ROW, TRADE, WHOLE, Rows

_SIDE = 50
_FRAME = 8
_PUSH = 10_000_000  # ns between frames
_MID = 100_000  # ticks


def dense_rows(count: int, start: int, seed: int = 1, *, busy: bool = False) -> Rows:
    """About `count` rows from `start` (ns): changes near the best price, which moves a tick in every fifteenth frame. `busy`: the
    best bid changes in every frame."""
    draws = np.random.default_rng(seed)
    frames = count // _FRAME
    steps = draws.integers(-1, 2, frames) * (draws.random(frames) < 0.1)
    mid = _MID + np.cumsum(steps)
    rows = np.zeros(2 * _SIDE + frames * _FRAME, ROW)
    opening = rows[: 2 * _SIDE].reshape(_SIDE, 2)
    opening["ts"], opening["kind"], opening["lots"], opening["side"] = start, LEVEL, 100, [1, -1]
    opening["price"] = _MID + np.arange(1, _SIDE + 1)[:, None] * [-1, 1]
    opening["kind"][0, 0] |= FIRST
    opening["kind"][-1, 1] |= LAST
    body = rows[2 * _SIDE :].reshape(frames, _FRAME)
    body["ts"] = (start + _PUSH * np.arange(1, frames + 1))[:, None]
    body["side"] = np.where(np.arange(_FRAME) % 2 == 0, 1, -1)
    away = np.minimum(draws.geometric(0.12, (frames, _FRAME)), _SIDE)
    if busy:
        away[:, 0] = 1
    body["price"] = mid[:, None] - body["side"] * away
    body["lots"] = draws.integers(1, 500, (frames, _FRAME))
    body["kind"] = LEVEL
    body["kind"][:, 0] |= FIRST
    for side, moved in ((1, steps > 0), (0, steps < 0)):  # the level the best price moved over is deleted
        body["price"][moved, side], body["lots"][moved, side] = mid[moved], 0
    printed = np.arange(frames) % 4 == 3
    body["kind"][printed, -2] |= LAST
    body["kind"][printed, -1], body["price"][printed, -1] = TRADE | WHOLE, mid[printed]
    body["kind"][~printed, -1] |= LAST
    return cast("Rows", rows)


def one_level_rows(count: int, start: int, seed: int = 1) -> Rows:
    """The rows of `dense_rows` after its first frame as frames of their own, each at a time of its own."""
    rows = dense_rows(count, start, seed)
    body = rows[2 * _SIDE :]
    body["kind"] |= WHOLE
    body["ts"] = start + _PUSH + _PUSH // _FRAME * np.arange(len(body))
    return rows
