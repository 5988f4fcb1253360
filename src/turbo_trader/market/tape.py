"""A tape: the rows of several symbols over one span of time, and where it came from. Reading and writing.

Read are: a Parquet tape of ours, raw V5 frames (.jsonl[.gz]), and one-minute bars (a csv[.gz] file or a folder of them, with
`kline_1m/` and `funding/` below it or not), which are rebuilt into rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from turbo_trader.market.bars import read_bars, read_funding
from turbo_trader.market.errors import InputError
from turbo_trader.market.events import KIND_MASK, LAST, LEVEL, ROW, SNAPSHOT, TRADE, Rows
from turbo_trader.market.instruments import UNIVERSE, Instrument, resolve
from turbo_trader.market.rebuild import Order, rebuild
from turbo_trader.market.recording import is_recording, read_recording
from turbo_trader.market.reference import instrument_for, universe

_FORMAT = "turbo-trader tape 1"


@dataclass(frozen=True, slots=True)
class Tape:
    """Rows per instrument, in the order of `instruments`, each ordered by time.

    `rebuilt`: made from bars, so the path inside a minute is made up. `made_up`: the whole market is.
    """

    instruments: tuple[Instrument, ...]
    rows: tuple[Rows, ...]
    source: str
    rebuilt: bool = False
    made_up: bool = False

    @property
    def start(self) -> int:
        """Time of the first row, ns UTC."""
        return min(int(rows["ts"][0]) for rows in self.rows if len(rows))

    @property
    def end(self) -> int:
        """Time just after the last row, ns UTC."""
        return max(int(rows["ts"][-1]) for rows in self.rows if len(rows)) + 1

    def facts(self) -> dict[str, Any]:
        """What `tape info` says: span, rows by kind and symbol, bytes an event."""
        return {
            "source": self.source,
            "rebuilt": self.rebuilt,
            "made_up": self.made_up,
            "start_ns": self.start,
            "end_ns": self.end,
            "events": sum(len(rows) for rows in self.rows),
            "bytes_an_event": ROW.itemsize,
            "symbols": {
                instrument.symbol: {
                    "events": len(rows),
                    "trades": _count(rows, TRADE),
                    "levels": _count(rows, LEVEL),
                    "snapshots": _count(rows, SNAPSHOT),
                    "frames": int(np.count_nonzero(rows["kind"] & LAST)),
                }
                for instrument, rows in zip(self.instruments, self.rows, strict=True)
            },
        }


def _count(rows: Rows, kind: int) -> int:
    return int(np.count_nonzero((rows["kind"] & KIND_MASK) == kind))


def read_tape(
    path: Path, symbols: Sequence[str] | None = None, *, seed: int = 1, order: Order = "random"
) -> Tape:
    """Read a tape of any format; `symbols` chooses (default: those in the universe). InputError says what is wrong."""
    if not path.exists():
        raise InputError(f"{path}: no such tape")
    wanted = tuple(dict.fromkeys(resolve(symbol) for symbol in symbols)) if symbols else None
    name = path.name.removesuffix(".gz")
    if path.is_dir():
        return _read_folder(path, wanted, seed, order)
    if name.endswith(".parquet"):
        return _read_parquet(path, wanted)
    if is_recording(path):
        return _read_frames(path, wanted)
    if name.endswith(".csv"):
        return _rebuild([path], path, wanted or (name.removesuffix(".csv"),), None, seed, order)
    raise InputError(
        f"{path}: not a tape: give a .parquet tape, raw frames (.jsonl[.gz]), or one-minute bars (.csv[.gz] or a folder)"
    )


def _read_folder(path: Path, wanted: tuple[str, ...] | None, seed: int, order: Order) -> Tape:
    folder = path / "kline_1m" if (path / "kline_1m").is_dir() else path
    files = {file.name.split(".")[0]: file for file in sorted(folder.glob("*.csv*"))}
    if not files:
        raise InputError(f"{folder}: no bars (SYMBOL.csv or SYMBOL.csv.gz) in it")
    known = {resolve(symbol): file for symbol, file in files.items()}
    chosen = wanted or tuple(symbol for symbol in UNIVERSE if symbol in known)
    if not chosen:
        raise InputError(
            f"{folder}: none of its symbols is in the universe: choose with --symbols out of {', '.join(known)}"
        )
    for symbol in chosen:
        if symbol not in known:
            raise InputError(f"{folder}: no bars of {symbol}: it has {', '.join(known)}")
    return _rebuild([known[symbol] for symbol in chosen], path, chosen, path / "funding", seed, order)


def _rebuild(
    files: Sequence[Path],
    source: Path,
    symbols: tuple[str, ...],
    funding: Path | None,
    seed: int,
    order: Order,
) -> Tape:
    """Bars of several symbols, cut to the span they share, as one rebuilt tape."""
    bars = [read_bars(file) for file in files]
    first = max(int(part["ts"][0]) for part in bars)
    last = min(int(part["ts"][-1]) for part in bars)
    if first > last:
        raise InputError(f"{source}: the bars of its symbols share no time")
    instruments, rows = [], []
    for file, symbol, part in zip(files, symbols, bars, strict=True):
        shared = part[(part["ts"] >= first) & (part["ts"] <= last)]
        instrument = instrument_for(symbol, float(shared["close"][-1]))
        rates = funding / file.name if funding is not None else None
        known = read_funding(rates) if rates is not None and rates.exists() else None
        instruments.append(instrument)
        rows.append(rebuild(shared, instrument, seed=seed, funding=known, order=order))
    return Tape(tuple(instruments), tuple(rows), str(source), rebuilt=True)


def _read_frames(path: Path, wanted: tuple[str, ...] | None) -> Tape:
    instruments = universe()
    if wanted:
        outside = [symbol for symbol in wanted if symbol not in UNIVERSE]
        if outside:
            raise InputError(f"{path}: {outside[0]} is not in the universe")
        instruments = tuple(instrument for instrument in instruments if instrument.symbol in wanted)
    rows = read_recording(path, instruments)
    present = [i for i, part in enumerate(rows) if len(part)]
    if not present:
        raise InputError(f"{path}: no market data of {', '.join(i.symbol for i in instruments)} in it")
    return Tape(tuple(instruments[i] for i in present), tuple(rows[i] for i in present), str(path))


def write_tape(tape: Tape, path: Path) -> None:
    """Write a tape as one Parquet file (zstd): a row per event with its symbol's index, and the facts in the file's metadata."""
    import polars as pl

    columns = {name: np.concatenate([rows[name] for rows in tape.rows]) for name in ROW.names or ()}
    symbol = np.concatenate([np.full(len(rows), i, np.int16) for i, rows in enumerate(tape.rows)])
    about = {
        "format": _FORMAT,
        "symbols": [instrument.symbol for instrument in tape.instruments],
        "source": tape.source,
        "rebuilt": tape.rebuilt,
        "made_up": tape.made_up,
    }
    part = path.with_name(path.name + ".part")
    try:
        frame = pl.DataFrame({"symbol": symbol, **columns})
        frame.write_parquet(part, compression="zstd", metadata={"turbo_trader": json.dumps(about)})
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error}") from None


def _read_parquet(path: Path, wanted: tuple[str, ...] | None) -> Tape:
    import polars as pl

    try:
        about = json.loads(pl.read_parquet_metadata(path).get("turbo_trader", "{}"))
        frame = pl.read_parquet(path)
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: cannot be read as Parquet: {str(error).splitlines()[0]}") from None
    if about.get("format") != _FORMAT or set(frame.columns) != {"symbol", *(ROW.names or ())}:
        raise InputError(
            f"{path}: a Parquet file, but not a tape of this program (format {about.get('format')!r})"
        )
    index = frame["symbol"].to_numpy()
    symbols = about["symbols"]
    chosen = [s for s in symbols if wanted is None or s in wanted]
    if not chosen:
        raise InputError(f"{path}: none of {', '.join(wanted or ())} in it: it has {', '.join(symbols)}")
    parts, instruments = [], []
    for symbol in chosen:
        mine = index == symbols.index(symbol)
        rows = np.zeros(int(np.count_nonzero(mine)), ROW)
        for name in ROW.names or ():
            rows[name] = frame[name].to_numpy()[mine]
        parts.append(rows)
        instruments.append(instrument_for(symbol, 1.0))
    return Tape(tuple(instruments), tuple(parts), about["source"], about["rebuilt"], about["made_up"])
