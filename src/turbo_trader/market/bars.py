"""One-minute bars from csv files: `ts_ms,open,high,low,close,volume`, ts_ms = open of the bar, UTC; checked line by line."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.errors import InputError
from turbo_trader.market.events import BAR, MINUTE, Rows
from turbo_trader.market.rebuild import FUNDING_RATE

_MILLISECOND = 1_000_000
_COLUMNS = "ts_ms,open,high,low,close,volume"


def read_csv(path: Path, header: str) -> NDArray[np.float64]:
    """The numbers of a csv[.gz] file whose first line is `header`; InputError names file, line and what is wrong."""
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    first, _, rest = text.partition("\n")
    if first.strip() != header:
        raise InputError(f"{path}, line 1: expected the header {header}, found {first.strip()[:60]!r}")
    try:
        return np.loadtxt(io.StringIO(rest), delimiter=",", ndmin=2)
    except ValueError:
        raise InputError(_first_bad_line(path, rest, header.count(",") + 1)) from None


def _first_bad_line(path: Path, rest: str, columns: int) -> str:
    for number, line in enumerate(rest.splitlines(), 2):
        cells = line.split(",")
        try:
            numbers = [float(cell) for cell in cells]
        except ValueError:
            return f"{path}, line {number}: not {columns} numbers: {line[:60]!r}"
        if len(numbers) != columns:
            return f"{path}, line {number}: {len(numbers)} numbers instead of {columns}: {line[:60]!r}"
    return f"{path}: cannot be read as numbers"


def read_bars(path: Path) -> Rows:
    """A csv[.gz] file of one-minute bars as a BAR array; InputError on gaps, repeated or unordered times, impossible prices."""
    numbers = read_csv(path, _COLUMNS)
    bars = np.zeros(len(numbers), BAR)
    if len(numbers) == 0:
        raise InputError(f"{path}: no bars in it")
    bars["ts"] = numbers[:, 0].astype(np.int64) * _MILLISECOND
    for column, name in enumerate(("open", "high", "low", "close", "volume"), 1):
        bars[name] = numbers[:, column]
    _check(path, bars, numbers)
    return bars


def _check(path: Path, bars: Rows, numbers: NDArray[np.float64]) -> None:
    top = np.maximum(bars["open"], bars["close"])
    bottom = np.minimum(bars["open"], bars["close"])
    finite = np.isfinite(numbers).all(axis=1)
    _refuse(path, ~finite, "a number that is not finite")
    _refuse(path, (numbers[:, 1:5] <= 0).any(axis=1), "a price that is not above 0")
    _refuse(path, bars["volume"] < 0, "a negative volume")
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
    rates["ts"] = numbers[:, 0].astype(np.int64) * _MILLISECOND
    rates["rate"] = numbers[:, 1]
    return rates
