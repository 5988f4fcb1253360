"""A tape: the rows of several symbols over one span of time, and where it came from. Reading and writing.

Read are: a Parquet tape of ours; raw V5 frames (.jsonl, .data) and prints of the venue's public archives (.csv), which give rows as
they are; one-minute bars (a .csv file or a folder of them, with `kline_1m/` and `funding/` below it or not), which are rebuilt into
rows. All but Parquet may be gzip, or the one file of a zip archive. What a reader leaves out is counted in the tape.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from turbo_trader.market import recording
from turbo_trader.market.archive import content_name
from turbo_trader.market.bars import read_bars, read_funding
from turbo_trader.market.compiled import sources_hash
from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import UNIVERSE, Instrument, resolve
from turbo_trader.market.names import known_symbol, perpetual_symbol
from turbo_trader.market.parquet import ParquetTape, write_parts
from turbo_trader.market.prints import is_prints, read_prints
from turbo_trader.market.rebuild import Order, rebuild
from turbo_trader.market.recording import is_recording, read_recording, recorded_parts
from turbo_trader.market.reference import instrument_for, universe
from turbo_trader.market.row_spool import RowSpool
from turbo_trader.market.rows import KIND_MASK, LAST, LEVEL, ROW, SNAPSHOT, TRADE, Rows
from turbo_trader.market.tape_cache import TapeCache, tape_key

_MOST_TICKS = 2**30  # a row holds a price in 32 bits, twice this one included


@dataclass(frozen=True, slots=True)
class Tape:
    """Rows per instrument, in the order of `instruments`, each ordered by time.

    `rebuilt`: made from bars, so the path inside a minute is made up. `made_up`: the whole market is. `left_out`: how many lines or
    frames of the source are not in it, by reason.
    """

    instruments: tuple[Instrument, ...]
    rows: tuple[Rows, ...]
    source: str
    rebuilt: bool = False
    made_up: bool = False
    left_out: Mapping[str, int] = field(default_factory=dict)

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
            "left_out": dict(self.left_out),
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
    path: Path,
    symbols: Sequence[str] | None = None,
    *,
    seed: int = 1,
    order: Order = "random",
    listed: Mapping[str, Instrument] | None = None,
    cache: TapeCache | None = None,
) -> Tape:
    """Read a tape of any format; `symbols` chooses (default: those in the universe). InputError says what is wrong.

    `listed`: instruments that bars are rebuilt for; those of the universe, or stand-ins, where a symbol is not among them.
    `cache`: where the rows of bars, of Parquet tapes and of raw frames are kept and found; they are the same.
    """
    names = [perpetual_symbol(symbol, "--symbols") for symbol in symbols or ()]
    require_tape(path)
    wanted = tuple(dict.fromkeys(names)) or None
    if path.is_dir():
        return _read_folder(path, wanted, _How(seed, order, listed or {}, cache))
    name = content_name(path)
    if name.endswith(".parquet"):
        return _read_parquet(path, wanted, cache)
    if is_recording(path):
        return _read_frames(path, wanted, cache)
    if name.endswith(".csv") and is_prints(path):
        found = read_prints(path, wanted)
        return Tape(tuple(i for i, _ in found), tuple(rows for _, rows in found), str(path))
    return _rebuild(
        [path], path, _only(path, name, wanted), funding=None, how=_How(seed, order, listed or {}, cache)
    )


def require_tape(path: Path) -> None:
    """InputError where there is none, or where it is none by its name: said without reading it."""
    if not path.exists():
        raise InputError(f"{path}: no such tape")
    if path.is_dir():
        _bars_of(path)
    elif not content_name(path).endswith((".parquet", ".jsonl", ".data", ".csv")):
        raise InputError(
            f"{path}: not a tape: give a .parquet tape, raw frames (.jsonl, .data), prints of the venue's archives (.csv), or "
            "one-minute bars (.csv or a folder); .gz and .zip of them are read too"
        )


def holds_bars(path: Path) -> bool:
    """Is it made of bars, so that it is rebuilt? InputError where it cannot be read."""
    return path.is_dir() or (content_name(path).endswith(".csv") and not is_prints(path))


def _only(path: Path, name: str, wanted: tuple[str, ...] | None) -> tuple[str]:
    """The symbol of a file of bars, by its name unless one is chosen."""
    if wanted and len(wanted) > 1:
        raise InputError(f"{path}: bars of one symbol: --symbols names {len(wanted)}")
    return (wanted[0] if wanted else resolve(name.removesuffix(".csv")),)


def _bars_of(path: Path) -> tuple[Path, dict[str, Path]]:
    """The folder of bars in `path`, and its files by symbol. InputError where it has none."""
    folder = path / "kline_1m" if (path / "kline_1m").is_dir() else path
    files = {resolve(file.name.split(".")[0]): file for file in sorted(folder.glob("*.csv*"))}
    if not files:
        raise InputError(f"{folder}: no bars (SYMBOL.csv or SYMBOL.csv.gz) in it")
    return folder, files


def _read_folder(path: Path, wanted: tuple[str, ...] | None, how: _How) -> Tape:
    folder, known = _bars_of(path)
    chosen = wanted or tuple(symbol for symbol in UNIVERSE if symbol in known)
    if not chosen:
        raise InputError(
            f"{folder}: none of its symbols is in the universe: choose with --symbols out of {', '.join(known)}"
        )
    for symbol in chosen:
        known_symbol(symbol, known, "--symbols", f"the bars of {folder}")
    return _rebuild([known[symbol] for symbol in chosen], path, chosen, funding=path / "funding", how=how)


@dataclass(frozen=True, slots=True)
class _How:
    """How bars are rebuilt: `listed` instruments by symbol, kept in `cache`."""

    seed: int
    order: Order
    listed: Mapping[str, Instrument]
    cache: TapeCache | None


def _rebuild(
    files: Sequence[Path], source: Path, symbols: tuple[str, ...], *, funding: Path | None, how: _How
) -> Tape:
    """Bars of several symbols, cut to the span they share, as one rebuilt tape."""
    rates = [file for file in (funding / file.name for file in files) if file.exists()] if funding else []
    key = _key(how.cache, [*files, *rates], symbols, how.seed, how.order)
    found = how.cache.find(key) if how.cache is not None and key else None
    if found is not None:
        about, rows = found
        closes = zip(symbols, about["closes"], strict=True)
        instruments = tuple(how.listed.get(name) or instrument_for(name, close) for name, close in closes)
        if about["instruments"] == _digest(instruments):
            return Tape(instruments, rows, str(source), rebuilt=True)
    closes_now, tape = _rebuild_now(files, source, symbols, funding=funding, how=how)
    if how.cache is not None and key:
        about = {"closes": closes_now, "instruments": _digest(tape.instruments)}
        how.cache.keep(key, about, [len(part) for part in tape.rows], enumerate(tape.rows))
        if (kept := how.cache.find(key)) is not None:  # mapped, the rows of all symbols one after the other
            return replace(tape, rows=kept[1])
    return tape


def _key(cache: TapeCache | None, files: Iterable[Path], *about: object) -> str:
    """Under which its rows are kept; "" where they are not."""
    try:
        return tape_key(files, *about) if cache is not None else ""
    except OSError:
        return ""  # its reader says what is wrong


def _digest(instruments: Sequence[Instrument]) -> str:
    return hashlib.sha256(repr(tuple(instruments)).encode()).hexdigest()


def _rebuild_now(
    files: Sequence[Path], source: Path, symbols: tuple[str, ...], *, funding: Path | None, how: _How
) -> tuple[list[float], Tape]:
    """The tape, and each symbol's last price."""
    bars = [read_bars(file) for file in files]
    first = max(int(part["ts"][0]) for part in bars)
    last = min(int(part["ts"][-1]) for part in bars)
    if first > last:
        raise InputError(f"{source}: the bars of its symbols share no time")
    closes: list[float] = []
    instruments, rows = [], []
    for file, symbol, part in zip(files, symbols, bars, strict=True):
        shared = part[(part["ts"] >= first) & (part["ts"] <= last)]
        instrument = how.listed.get(symbol) or instrument_for(symbol, float(shared["close"][-1]))
        if shared["high"].max() / float(instrument.tick) >= _MOST_TICKS:
            raise InputError(f"{file}: a price that {symbol}'s tick of {instrument.tick} cannot express")
        rates = funding / file.name if funding is not None else None
        known = read_funding(rates) if rates is not None and rates.exists() else None
        instruments.append(instrument)
        rows.append(rebuild(shared, instrument, seed=how.seed, funding=known, order=how.order))
        closes.append(float(shared["close"][-1]))
    return closes, Tape(tuple(instruments), tuple(rows), str(source), rebuilt=True)


def _read_frames(path: Path, wanted: tuple[str, ...] | None, cache: TapeCache | None) -> Tape:
    """The tape of a recording, its rows mapped from the cache where there is one."""
    instruments = universe()
    if wanted:
        for symbol in wanted:
            known_symbol(symbol, UNIVERSE, "--symbols", "the universe")
        instruments = tuple(instrument for instrument in instruments if instrument.symbol in wanted)
    key = _key(cache, [path], _digest(instruments), sources_hash(Path(recording.__file__)))
    found = cache.find(key) if cache is not None and key else None
    if found is None and cache is not None and key:
        with suppress(OSError):  # read whole where it cannot be kept
            _keep_recording(path, instruments, cache, key)
            found = cache.find(key)
    left_out = Counter[str]()
    if found is not None:
        left_out.update(found[0]["left_out"])
    rows = found[1] if found is not None else read_recording(path, instruments, left_out)
    present = [i for i, part in enumerate(rows) if len(part)]
    if not present:
        raise InputError(f"{path}: no market data of {', '.join(i.symbol for i in instruments)} in it")
    kept, parts = tuple(instruments[i] for i in present), tuple(rows[i] for i in present)
    return Tape(kept, parts, str(path), left_out=+left_out)


def _keep_recording(path: Path, instruments: Sequence[Instrument], cache: TapeCache, key: str) -> None:
    """Part by part. OSError where it cannot be kept."""
    left_out = Counter[str]()
    with RowSpool(cache.folder, len(instruments)) as spool:
        for s, rows in recorded_parts(path, instruments, left_out):
            spool.add(s, rows)
        if any(spool.counts):
            cache.keep(key, {"left_out": +left_out}, spool.counts, spool.parts())


def write_tape(tape: Tape, path: Path) -> None:
    """Write a tape as one Parquet file: a row per event with its symbol's index, and the facts in the file's metadata."""
    about = {
        "symbols": [instrument.symbol for instrument in tape.instruments],
        "source": tape.source,
        "rebuilt": tape.rebuilt,
        "made_up": tape.made_up,
    }
    write_parts(path, about, tape.rows)


def _read_parquet(path: Path, wanted: tuple[str, ...] | None, cache: TapeCache | None) -> Tape:
    """The tape, its rows mapped from the cache where there is one."""
    key = _key(cache, [path], wanted)
    found = cache.find(key) if cache is not None and key else None
    if found is None:
        file = ParquetTape(path)
        chosen = [
            known_symbol(symbol, file.counts, "--symbols", str(path)) for symbol in wanted or file.counts
        ]
        counts = [file.counts[symbol] for symbol in chosen]
        about = {**file.about, "symbols": chosen}
        if cache is not None and key:
            cache.keep(key, about, counts, file.parts(chosen))
            found = cache.find(key)
    about, rows = found or (about, _in_memory(counts, file.parts(chosen)))
    instruments = tuple(instrument_for(symbol, 1.0) for symbol in about["symbols"])
    return Tape(instruments, rows, about["source"], about["rebuilt"], about["made_up"])


def _in_memory(counts: Sequence[int], parts: Iterable[tuple[int, Rows]]) -> tuple[Rows, ...]:
    whole = cast("Rows", np.zeros(sum(counts), ROW))
    ends = np.cumsum(counts)
    rows = tuple(whole[end - count : end] for end, count in zip(ends, counts, strict=True))
    filled = [0] * len(counts)
    for s, part in parts:
        rows[s][filled[s] : filled[s] + len(part)] = part
        filled[s] += len(part)
    return rows
