"""The venue's public archives of prints: csv with a header, a print a line, `timestamp` in seconds with a fraction, UTC."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import cast

import numpy as np

from turbo_trader.market.archive import lines, plain_float
from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.names import known_symbol
from turbo_trader.market.order_terms import SIDES
from turbo_trader.market.reference import instrument_for
from turbo_trader.market.rows import ROW, TRADE, WHOLE, Rows

_NEEDED = ("timestamp", "symbol", "side", "size", "price")
_LATEST_S = 4e9  # a time beyond the year 2096 is in another unit
_MOST_TICKS, _MOST_LOTS = 2**31, 2**62

_Print = tuple[float, str, int, float, float]  # seconds, symbol, side, size, price


def is_prints(path: Path) -> bool:
    """Does its first line name the columns of an archive of prints?"""
    _, first = next(lines(path), (1, b""))
    return set(_NEEDED) <= set(first.decode("utf-8-sig", "replace").strip().split(","))


def read_prints(path: Path, wanted: Sequence[str] | None) -> list[tuple[Instrument, Rows]]:
    """The prints of each symbol in it, sorted by time: older archives have the newest first.

    InputError names file, line and what is wrong.
    """
    found: dict[str, list[tuple[float, int, float, float]]] = {}
    for _, (seconds, symbol, side, size, price) in _prints(path):
        found.setdefault(symbol, []).append((seconds, side, size, price))
    if not found:
        raise InputError(f"{path}: no prints in it")
    for symbol in wanted or ():
        known_symbol(symbol, found, "--symbols", str(path))
    return [_rows(path, symbol, found[symbol]) for symbol in wanted or found]


def _prints(path: Path) -> Iterator[tuple[int, _Print]]:
    at: dict[str, int] = {}
    width = 0
    for number, raw in lines(path):
        try:
            cells = next(csv.reader([raw.decode("utf-8-sig" if number == 1 else "utf-8")]), [])
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{path}, line {number}: cannot be read: {error}") from None
        if number == 1:
            at, width = {name: cells.index(name) for name in _NEEDED}, len(cells)
            continue
        if not any(cells):
            continue
        if len(cells) != width:
            raise InputError(f"{path}, line {number}: {len(cells)} fields instead of {width}")
        try:
            yield number, _print(*(cells[at[name]] for name in _NEEDED))
        except (ValueError, KeyError):
            raise InputError(f"{path}, line {number}: not a print: {raw[:60].decode()!r}") from None


def _print(timestamp: str, symbol: str, side: str, size: str, price: str) -> _Print:
    seconds, amount, paid = plain_float(timestamp), plain_float(size), plain_float(price)
    if not (0 < seconds < _LATEST_S and 0 < amount < math.inf and 0 < paid < math.inf and symbol.isalnum()):
        raise ValueError(timestamp)
    return seconds, symbol, SIDES[side], amount, paid


def _rows(path: Path, symbol: str, prints: list[tuple[float, int, float, float]]) -> tuple[Instrument, Rows]:
    if prints[0][0] > prints[-1][0]:
        prints = prints[::-1]
    prints.sort(key=itemgetter(0))
    instrument = instrument_for(symbol, prints[-1][3])
    seconds, side, size, price = (np.array(column) for column in zip(*prints, strict=True))
    ticks, lots = np.rint(price / float(instrument.tick)), np.rint(size / float(instrument.step))
    if ticks.max() >= _MOST_TICKS or lots.max() >= _MOST_LOTS:
        raise InputError(f"{path}: a price or size of {symbol} that is beyond any market")
    rows = np.zeros(len(prints), ROW)
    rows["ts"] = np.rint(seconds * 1e6).astype(np.int64) * 1000
    rows["price"], rows["lots"], rows["side"] = ticks, lots, side
    rows["kind"] = TRADE | WHOLE
    return instrument, cast("Rows", rows)
