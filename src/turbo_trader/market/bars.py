"""One-minute bars: of csv files with the columns ts_ms (open of the bar, UTC), open, high, low, close, volume, checked line by
line; and of prints."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.archive import lines, plain_float
from turbo_trader.market.errors import InputError
from turbo_trader.market.rebuild import FUNDING_RATE
from turbo_trader.market.rows import BAR, KIND_MASK, MINUTE, TRADE, Rows

_MILLISECOND = 1_000_000
_LATEST = 4e12  # ms; a time beyond the year 2096 is in another unit
_LEAST, _MOST = 1e-9, 1e12  # of a price, USDT; the second also of a minute's volume
_COLUMNS = "ts_ms,open,high,low,close,volume"


def read_csv(path: Path, header: str) -> NDArray[np.float64]:
    """The numbers of a csv[.gz] file whose first line is `header`; InputError names file, line and what is wrong."""
    first, *rest = _text(path)
    columns = header.count(",") + 1
    if first.strip() != header:
        raise InputError(f"{path}, line 1: expected the header {header}, found {first.strip()[:60]!r}")
    try:
        with warnings.catch_warnings(action="ignore"):  # of a file without data
            numbers = np.loadtxt(rest, delimiter=",", ndmin=2, comments=None)
    except ValueError:
        raise InputError(_first_bad_line(path, rest, columns)) from None
    if not len(numbers):
        return np.zeros((0, columns))
    if numbers.shape[1] != columns:
        raise InputError(_first_bad_line(path, rest, columns))
    return numbers


def _text(path: Path) -> list[str]:
    """Its lines, at least one; the empty ones at its end are none."""
    found = []
    for number, line in lines(path):
        try:
            found.append(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError as error:
            raise InputError(f"{path}, line {number}: cannot be read: {error}") from None
    while len(found) > 1 and not found[-1].strip():
        found.pop()
    for number, text in enumerate(found[1:], 2):
        if not text.strip():
            raise InputError(f"{path}, line {number}: empty: fill it or remove it")
    return found or [""]


def _first_bad_line(path: Path, rest: list[str], columns: int) -> str:
    for number, line in enumerate(rest, 2):
        cells = line.split(",")
        if len(cells) != columns:
            return f"{path}, line {number}: {len(cells)} fields instead of {columns}: {line[:60]!r}"
        try:
            [plain_float(cell) for cell in cells]
        except ValueError:
            return f"{path}, line {number}: not {columns} numbers: {line[:60]!r}"
    return f"{path}: cannot be read as numbers"


def read_bars(path: Path) -> Rows:
    """A csv[.gz] file of one-minute bars as a BAR array; InputError on gaps, repeated or unordered times, impossible prices."""
    numbers = read_csv(path, _COLUMNS)
    bars = np.zeros(len(numbers), BAR)
    if len(numbers) == 0:
        raise InputError(f"{path}: no bars in it")
    bars["ts"] = _times(path, numbers)
    for column, name in enumerate(("open", "high", "low", "close", "volume"), 1):
        bars[name] = numbers[:, column]
    _check(path, bars, numbers)
    return bars


def _times(path: Path, numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """The first column, ms, as ns; every number of the file is finite."""
    _refuse(path, ~np.isfinite(numbers).all(axis=1), "a number that is not finite")
    known = (numbers[:, 0] >= 0) & (numbers[:, 0] <= _LATEST)
    _refuse(path, ~known, "a time that is not in milliseconds since 1970, UTC")
    times: NDArray[np.int64] = numbers[:, 0].astype(np.int64) * _MILLISECOND
    return times


def _check(path: Path, bars: Rows, numbers: NDArray[np.float64]) -> None:
    top = np.maximum(bars["open"], bars["close"])
    bottom = np.minimum(bars["open"], bars["close"])
    prices = numbers[:, 1:5]
    _refuse(path, (prices <= 0).any(axis=1), "a price that is not above 0")
    _refuse(path, ((prices < _LEAST) | (prices > _MOST)).any(axis=1), "a price beyond any market")
    _refuse(path, bars["volume"] < 0, "a negative volume")
    _refuse(path, bars["volume"] > _MOST, "a volume beyond any market")
    _refuse(path, (bars["high"] < top) | (bars["low"] > bottom), "high or low is inside open and close")
    _refuse(path, bars["ts"] % MINUTE != 0, "a time that is not a whole minute")
    steps = np.diff(bars["ts"], prepend=bars["ts"][0] - MINUTE)
    _refuse(path, steps == 0, "a repeated time: remove one of the two bars")
    _refuse(path, steps < 0, "a time before the line above it: sort the file by time")
    _refuse(path, steps > MINUTE, "a gap before this bar: fill it, or cut the file there")


def _refuse(path: Path, wrong: Any, what: str) -> None:
    lines = np.flatnonzero(wrong)
    if len(lines):
        raise InputError(f"{path}, line {lines[0] + 2}: {what}")


def read_funding(path: Path) -> NDArray[np.void]:
    """A funding csv[.gz] file `ts_ms,funding_rate` as an array of rebuild.FUNDING_RATE, oldest first."""
    numbers = read_csv(path, "ts_ms,funding_rate")
    rates = np.zeros(len(numbers), FUNDING_RATE)
    rates["ts"] = _times(path, numbers)
    rates["rate"] = numbers[:, 1]
    _refuse(path, np.abs(rates["rate"]) > 1, "a funding rate beyond 100 %")
    _refuse(
        path,
        np.diff(rates["ts"], prepend=-1) <= 0,
        "a time not after the line above it: sort the file by time",
    )
    return rates


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
