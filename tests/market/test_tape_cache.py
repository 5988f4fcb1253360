"""Kept tapes have the rows that would be rebuilt, and are never stale, spoiled or too many."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from turbo_trader.market import tape as tapes
from turbo_trader.market.record_copies import joined
from turbo_trader.market.tape import Tape, read_tape
from turbo_trader.market.tape_cache import TapeCache


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    folder = tmp_path / "bars"
    folder.mkdir()
    write(folder / "BTCUSDT.csv", 94_000)
    write(folder / "ETHUSDT.csv", 1_800)
    return folder


def write(path: Path, price: float) -> None:
    lines = ["ts_ms,open,high,low,close,volume"]
    for k in range(30):
        ts = 1_746_057_600_000 + 60_000 * k
        lines.append(f"{ts},{price},{price * 1.001:.1f},{price * 0.999:.1f},{price},{10 + k}")
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def cache(tmp_path: Path) -> TapeCache:
    return TapeCache(tmp_path / "cache")


def same(one: Tape, other: Tape) -> bool:
    rows = [part.tobytes() for part in one.rows] == [part.tobytes() for part in other.rows]
    return rows and (one.instruments, one.source, one.rebuilt) == (
        other.instruments, other.source, other.rebuilt,
    )  # fmt: skip


def rebuilds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The symbols that are rebuilt from now on."""
    done: list[str] = []
    real = tapes.rebuild  # type: ignore[attr-defined]

    def counted(bars: object, instrument: object, **how: object) -> object:
        done.append(instrument.symbol)  # type: ignore[attr-defined]
        return real(bars, instrument, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(tapes, "rebuild", counted)
    return done


def test_second_read_rebuilds_nothing_and_gives_the_same(
    bars: Path, cache: TapeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = read_tape(bars)
    assert same(read_tape(bars, cache=cache), plain)
    done = rebuilds(monkeypatch)
    assert same(read_tape(bars, cache=cache), plain)
    assert done == []


def test_other_bars_seed_order_or_symbols_are_rebuilt(
    bars: Path, cache: TapeCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_tape(bars, cache=cache)
    done = rebuilds(monkeypatch)
    assert same(read_tape(bars, seed=2, cache=cache), read_tape(bars, seed=2))
    assert same(read_tape(bars, order="low-first", cache=cache), read_tape(bars, order="low-first"))
    assert same(read_tape(bars, ["ETHUSDT"], cache=cache), read_tape(bars, ["ETHUSDT"]))
    times = (bars / "BTCUSDT.csv").stat()
    write(bars / "BTCUSDT.csv", 94_001)
    os.utime(bars / "BTCUSDT.csv", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert same(read_tape(bars, cache=cache), read_tape(bars))
    assert len(done) == 14


def test_spoiled_file_is_rebuilt(bars: Path, cache: TapeCache, tmp_path: Path) -> None:
    read_tape(bars, cache=cache)
    (kept,) = (tmp_path / "cache").iterdir()
    for spoiled in (kept.read_bytes()[:-24], b"", b"\0" * 5000):
        kept.write_bytes(spoiled)
        assert same(read_tape(bars, cache=cache), read_tape(bars))
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [kept.name]


def test_tape_just_rebuilt_is_the_one_that_was_kept(bars: Path, cache: TapeCache) -> None:
    rows = read_tape(bars, cache=cache).rows
    assert np.shares_memory(joined(rows), rows[0])  # one array, as in the file


def test_changed_rows_do_not_reach_the_file(bars: Path, cache: TapeCache) -> None:
    read_tape(bars, cache=cache)
    read_tape(bars, cache=cache).rows[0]["price"] = 1
    assert same(read_tape(bars, cache=cache), read_tape(bars))


def test_files_used_last_stay_within_the_bound(bars: Path, tmp_path: Path) -> None:
    size = 4096 + sum(rows.nbytes for rows in read_tape(bars).rows)
    folder = tmp_path / "cache"
    cache = TapeCache(folder, most=size * 5 // 2)
    for seed in (1, 2):
        read_tape(bars, seed=seed, cache=cache)
    first, second = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    os.utime(first, (4e9, 4e9))
    read_tape(bars, seed=3, cache=cache)
    assert first.exists()
    assert not second.exists()
    assert sum(path.stat().st_size for path in folder.iterdir()) <= size * 5 // 2


def test_folder_that_cannot_be_written_costs_nothing_else(bars: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert same(read_tape(bars, cache=TapeCache(tmp_path / "file")), read_tape(bars))
