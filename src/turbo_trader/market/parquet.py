"""A tape's Parquet file: a row per event with its symbol's index, the facts of the tape in the file's metadata."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import GAP, KIND_MASK, ROW, TRADE, Rows

if TYPE_CHECKING:
    import polars as pl

FORMAT = "turbo-trader tape 1"
_FACTS = (("symbols", list), ("source", str), ("rebuilt", bool), ("made_up", bool))
_COLUMNS = {"symbol": np.dtype(np.int16), **{name: ROW[name] for name in ROW.names or ()}}


def polars(path: Path) -> Any:
    """The library that reads and writes Parquet: 190 MB, and so an extra. InputError where it is not installed."""
    try:
        import polars as pl
    except ImportError:
        raise InputError(
            f"{path}: Parquet needs polars: .venv/bin/pip install 'turbo-trader[parquet]'"
        ) from None
    return pl


def read_parquet(path: Path) -> tuple[dict[str, Any], dict[str, Rows]]:
    """The facts of a tape and its rows by symbol, each in order of time. InputError where the file is no such tape."""
    pl = polars(path)
    try:
        about = json.loads(pl.read_parquet_metadata(path).get("turbo_trader", "{}"))
        frame = pl.read_parquet(path)
    except (OSError, ValueError, RecursionError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: cannot be read as Parquet: {str(error).partition(chr(10))[0]}") from None
    known = about.get("format") if isinstance(about, dict) else None
    if known != FORMAT or set(frame.columns) != set(_COLUMNS):
        raise InputError(f"{path}: a Parquet file, but not a tape of this program (format {known!r})")
    _check(path, about, frame)
    index = frame["symbol"].to_numpy()
    parts: dict[str, Rows] = {}
    for number, symbol in enumerate(about["symbols"]):
        mine = index == number
        rows = np.zeros(int(np.count_nonzero(mine)), ROW)
        for name in ROW.names or ():
            rows[name] = frame[name].to_numpy()[mine]
        if (np.diff(rows["ts"]) < 0).any():
            raise InputError(f"{path}: the rows of {symbol} go back in time: import the recording again")
        if len(rows):
            parts[symbol] = cast("Rows", rows)
    return about, parts


def _check(path: Path, about: dict[str, Any], frame: pl.DataFrame) -> None:
    damaged = f"{path}: a damaged tape: import the recording again"
    if any(not isinstance(about.get(name), kind) for name, kind in _FACTS):
        raise InputError(f"{damaged} (facts missing)")
    symbols = about["symbols"]
    if not all(isinstance(symbol, str) and symbol.isalnum() for symbol in symbols) or len(set(symbols)) < len(
        symbols
    ):
        raise InputError(f"{damaged} (symbols)")
    for name, kind in _COLUMNS.items():
        column = frame[name]
        if column.null_count() or not column.dtype.is_integer() or column.to_numpy().dtype != kind:
            raise InputError(f"{damaged} (column {name})")
    if not len(frame):
        raise InputError(f"{path}: no events in it")
    kinds = frame["kind"].to_numpy() & KIND_MASK
    index = frame["symbol"].to_numpy()
    if index.min() < 0 or index.max() >= len(symbols) or kinds.min() < TRADE or kinds.max() > GAP:
        raise InputError(f"{damaged} (symbols or kinds)")
    if int(cast("int", frame["ts"].min())) < 0:
        raise InputError(f"{damaged} (times)")
