"""Raw depth and prints as Binance pushed them (`receive time in ns, space, JSON` a line), as a tape.

The recording begins without a snapshot: the book fills from its first differences, so scans of the first half minute or so see
fewer than ten true levels.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, Final

import numpy as np

from turbo_trader.market.errors import InputError
from turbo_trader.market.reference import instrument_for
from turbo_trader.market.rows import FIRST, LAST, LEVEL, ROW, SNAPSHOT, TRADE, WHOLE
from turbo_trader.market.tape import Tape

_MILLISECOND: Final = 1_000_000
_SYMBOL: Final = "BTCUSDT"  # what the recordings are of; coin-margined contracts are counted in its lots

_Row = tuple[int, int, int, int, int, int]


def read_recorded_book(path: Path) -> Tape:
    """The tape of one recording; InputError where a line is not what it should be."""
    instrument = instrument_for(_SYMBOL, 1.0)
    tick, step = float(instrument.tick), float(instrument.step)
    rows: list[_Row] = []
    latest = 0
    try:
        with gzip.open(path, "rt") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    found = _rows(json.loads(line.split(" ", 1)[1]), latest, tick, step, not rows)
                except (ValueError, KeyError, IndexError):
                    raise InputError(f"{path}, line {number}: not a receive time and a push") from None
                if found:
                    latest = found[-1][0]
                    rows += found
    except (OSError, EOFError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if not rows:
        raise InputError(f"{path}: no depth and no prints in it")
    array = np.array(rows, ROW).view(ROW)
    return Tape((instrument,), (array,), str(path))


def _rows(message: dict[str, Any], latest: int, tick: float, step: float, begin: bool) -> list[_Row]:
    """The rows of one push; times never go back."""
    data = message.get("data", {})
    kind = data.get("e")
    if kind == "trade":
        ts = max(latest, int(data["T"]) * _MILLISECOND)
        side = -1 if data["m"] else 1
        lots, price = round(float(data["q"]) / step), round(float(data["p"]) / tick)
        return [(ts, lots, price, TRADE | WHOLE, side, 0)] if lots > 0 and price > 0 else []
    if kind != "depthUpdate":
        return []
    ts = max(latest, int(data["T"]) * _MILLISECOND)
    rows: list[_Row] = [(ts, 0, 0, SNAPSHOT, 0, 0)] if begin else []
    for side, levels in ((1, data["b"]), (-1, data["a"])):
        rows += [(ts, round(float(q) / step), round(float(p) / tick), LEVEL, side, 0) for p, q in levels]
    if rows:
        rows[0] = (*rows[0][:3], rows[0][3] | FIRST, *rows[0][4:])
        rows[-1] = (*rows[-1][:3], rows[-1][3] | LAST, *rows[-1][4:])
    return rows
