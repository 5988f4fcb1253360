"""A tape's Parquet file: a row per event with its symbol's index, the facts of the tape in the file's metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import GAP, KIND_MASK, ROW, TRADE, Rows
from turbo_trader.market.tape_pages import give_back

if TYPE_CHECKING:
    import polars as pl

FORMAT = "turbo-trader tape 1"
_FACTS = (("symbols", list), ("source", str), ("rebuilt", bool), ("made_up", bool))
_AT_ONCE = 2**19  # rows
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


class ParquetTape:
    """A tape's file, read in parts, so that it takes no more memory than one of them. InputError where it is no such tape."""

    def __init__(self, path: Path) -> None:
        """Reads the facts, and how many rows each symbol has."""
        self._path, self._polars = path, polars(path)
        with self._explained():
            self.about: dict[str, Any] = json.loads(
                self._polars.read_parquet_metadata(path).get("turbo_trader", "{}")
            )
            columns = self._polars.read_parquet_schema(path)
        known = self.about.get("format") if isinstance(self.about, dict) else None
        if known != FORMAT or set(columns) != set(_COLUMNS):
            raise InputError(f"{path}: a Parquet file, but not a tape of this program (format {known!r})")
        _check_facts(path, self.about)
        counts = np.zeros(len(self.about["symbols"]), np.int64)
        for frame in self._frames():
            _check(path, len(counts), frame)
            counts += np.bincount(frame["symbol"].to_numpy(), minlength=len(counts))
        if not counts.any():
            raise InputError(f"{path}: no events in it")
        self.counts: dict[str, int] = {
            name: int(n) for name, n in zip(self.about["symbols"], counts, strict=True) if n
        }

    def parts(self, symbols: Sequence[str]) -> Iterator[tuple[int, Rows]]:
        """Parts of the rows of these symbols, each with which of them it is of; those of a symbol are in order of time."""
        number = {self.about["symbols"].index(symbol): k for k, symbol in enumerate(symbols)}
        latest = [0] * len(symbols)
        for frame in self._frames():
            index = frame["symbol"].to_numpy()
            for s in map(int, np.unique(index)):
                if s not in number:
                    continue
                mine, k = index == s, number[s]
                rows = np.zeros(int(np.count_nonzero(mine)), ROW)
                for name in ROW.names or ():
                    rows[name] = frame[name].to_numpy()[mine]
                if rows["ts"][0] < latest[k] or (np.diff(rows["ts"]) < 0).any():
                    raise InputError(
                        f"{self._path}: the rows of {symbols[k]} go back in time: import the recording again"
                    )
                latest[k] = int(rows["ts"][-1])
                yield k, cast("Rows", rows)

    def _frames(self) -> Iterator[pl.DataFrame]:
        begin = 0
        while True:
            with self._explained():
                frame = self._polars.scan_parquet(self._path).slice(begin, _AT_ONCE).collect()
            if not len(frame):
                return
            yield frame
            begin += len(frame)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, RecursionError, self._polars.exceptions.PolarsError) as error:
            line = str(error).partition("\n")[0]
            raise InputError(f"{self._path}: cannot be read as Parquet: {line}") from None


def write_parts(path: Path, about: dict[str, Any], rows: Sequence[Rows]) -> None:
    """Write a tape's file (zstd), symbol after symbol, in parts: those of a kept tape are given back. It is there as a whole or not
    at all. InputError where it cannot be written."""
    pl = polars(path)

    def frames(*_: object) -> Iterator[Any]:
        for s, whole in enumerate(rows):
            for begin in range(0, len(whole), _AT_ONCE):
                part = whole[begin : begin + _AT_ONCE]
                yield pl.DataFrame(
                    {"symbol": np.full(len(part), s, np.int16), **{n: part[n] for n in ROW.names or ()}}
                )
                give_back(part)

    schema = pl.DataFrame({name: np.zeros(0, kind) for name, kind in _COLUMNS.items()}).schema
    source = pl.io.plugins.register_io_source(frames, schema=schema)
    facts = {"turbo_trader": json.dumps({"format": FORMAT, **about})}
    begun = path.with_name(path.name + ".part")
    try:
        source.sink_parquet(begun, compression="zstd", row_group_size=_AT_ONCE, metadata=facts)
        begun.replace(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        with suppress(OSError):
            begun.unlink()
        raise InputError(f"{path}: cannot be written: {str(error).partition(chr(10))[0]}") from None


def _damaged(path: Path, what: str) -> InputError:
    return InputError(f"{path}: a damaged tape: import the recording again ({what})")


def _check_facts(path: Path, about: dict[str, Any]) -> None:
    if any(not isinstance(about.get(name), kind) for name, kind in _FACTS):
        raise _damaged(path, "facts missing")
    symbols = about["symbols"]
    named = all(isinstance(symbol, str) and symbol.isalnum() for symbol in symbols)
    if not named or len(set(symbols)) < len(symbols):
        raise _damaged(path, "symbols")


def _check(path: Path, symbols: int, frame: pl.DataFrame) -> None:
    for name, kind in _COLUMNS.items():
        column = frame[name]
        if column.null_count() or not column.dtype.is_integer() or column.to_numpy().dtype != kind:
            raise _damaged(path, f"column {name}")
    kinds = frame["kind"].to_numpy() & KIND_MASK
    index = frame["symbol"].to_numpy()
    if index.min() < 0 or index.max() >= symbols or kinds.min() < TRADE or kinds.max() > GAP:
        raise _damaged(path, "symbols or kinds")
    if int(cast("int", frame["ts"].min())) < 0:
        raise _damaged(path, "times")
