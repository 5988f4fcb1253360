"""Asks a signal again in a process that holds nothing but the bars it is shown.

In the process of a study the whole record is in memory, and Python hides nothing: a plug-in can find it by its caller's variables
or the garbage collector. Here there is nothing to be found.
"""

from __future__ import annotations

import asyncio
import json
from typing import Final

import numpy as np

from turbo_trader.lab.leaks import asked_again
from turbo_trader.lab.loading import Signal
from turbo_trader.lab.panel import Panel
from turbo_trader.lab.score_process import ScoreProcess
from turbo_trader.lab.scoring import ScoreTable, Share, at, unseen, wanted
from turbo_trader.lab.serving import Order
from turbo_trader.signals.asking import Answer, NoAnswer

_LIMIT_S: Final = 600.0  # an answer; it gave one before


def differs(signal: Signal, panel: Panel, table: ScoreTable, share: Share = unseen) -> str:
    """ "" where a process of its own gives the same scores at some moments, else which ones it does not.

    A signal made in memory cannot be loaded elsewhere: "".
    """
    moments = asked_again(table)
    if not signal.origin or not moments:
        return ""
    return asyncio.run(_asked(signal, panel, table, moments, share))


async def _asked(signal: Signal, panel: Panel, table: ScoreTable, moments: list[int], share: Share) -> str:
    seen, _ = wanted(signal, signal.fresh(), panel.interval_ns)
    given = tuple(f"{name}={json.dumps(value)}" for name, value in signal.given.items())
    scorer = ScoreProcess(Order(signal.origin, given, minutes=1), _LIMIT_S)
    try:
        for done, t in enumerate(moments, 1):
            part = panel.slice(t + 1 - seen, t + 1)
            try:
                found = await scorer.answer(part)
            except NoAnswer as failure:
                return f"in a process that holds nothing but its panel it fails at {at(part)}: {failure}"
            if not _agrees(found, table, t, panel.interval_ns):
                return f"the scores at {at(part)} change in a process that holds nothing but its panel"
            share(done / len(moments))
    finally:
        await scorer.end()
    return ""


def _agrees(found: Answer, table: ScoreTable, t: int, interval_ns: int) -> bool:
    return (
        np.array_equal(found.directions, table.direction[t])
        and np.array_equal(found.horizons, table.bars[t].astype(np.int64) * interval_ns)
        and np.allclose(found.expected, table.expected[t], rtol=1e-9, atol=1e-12)
    )
