"""A tape's memory is given back behind its cursors, and its rows stay what they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks.dense import one_level_rows
from turbo_trader.market import parquet
from turbo_trader.market.errors import InputError
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import SECOND, Rows
from turbo_trader.market.tape import Tape, read_tape, write_tape
from turbo_trader.market.tape_cache import TapeCache
from turbo_trader.market.tape_pages import Behind, give_back

START = 1_767_603_600 * SECOND
HEAD = """
import sys
from decimal import Decimal
from pathlib import Path
from benchmarks.lengths import peak_mb
from turbo_trader.market.reference import universe
from turbo_trader.market.tape import Tape, write_tape
from turbo_trader.market.tape_cache import TapeCache
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.backtest import Backtest
_, rows = TapeCache(Path(sys.argv[1])).find(sys.argv[2])
tape = Tape(universe()[:1], rows, "dense")
"""
RUN = """
print(Backtest(tape, Policy(), Decimal(18)).run()["events"], peak_mb())
"""
WRITE = """
write_tape(tape, Path(sys.argv[1]) / "a.parquet")
print(len(rows[0]), peak_mb())
"""


def kept(folder: Path, key: str, copies: int) -> None:
    """A kept tape that is so many copies of a million events, one after the other."""
    part = one_level_rows(1_000_000, START)
    length = int(part["ts"][-1]) - START + SECOND

    def later(k: int) -> Rows:
        rows = part.copy()
        rows["ts"] += k * length
        return rows

    TapeCache(folder).keep(key, {}, [copies * len(part)], ((0, later(k)) for k in range(copies)))


@pytest.mark.parametrize(("use", "most"), [(RUN, 40), (WRITE, 60)], ids=["run", "write"])
def test_a_longer_tape_takes_no_more_memory(use: str, most: int, tmp_path: Path) -> None:
    """`most`: MB; the rows of the five more are 114 MB."""
    peaks = []
    for copies in (1, 6):
        kept(tmp_path, f"{copies}", copies)
        command = [sys.executable, "-c", HEAD + use, str(tmp_path), f"{copies}"]
        events, peak = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.split()
        assert int(events) > 900_000 * copies
        if use == WRITE:
            written = pl.scan_parquet(tmp_path / "a.parquet").select(pl.len()).collect().item()
            assert written == int(events)
        peaks.append(int(peak))
    assert peaks[1] - peaks[0] < most


def test_a_tape_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    target = tmp_path / "a.parquet"
    target.mkdir()
    with pytest.raises(InputError, match=r"a\.parquet: cannot be written: "):
        write_tape(Tape(universe()[:1], (one_level_rows(300, START),), "dense"), target)
    assert [*tmp_path.iterdir()] == [target]


def test_rows_given_back_are_read_again_from_the_file(tmp_path: Path) -> None:
    rows = one_level_rows(100_000, START)
    cache = TapeCache(tmp_path)
    cache.keep("a", {}, [len(rows)], [(0, rows)])
    found = cache.find("a")
    assert found is not None
    (mapped,) = found[1]
    for given in (mapped, mapped[1_000:70_001], mapped[5:6]):
        give_back(given)
        assert mapped.tobytes() == rows.tobytes()
    Behind(1).at([mapped], [len(mapped)])
    assert mapped.tobytes() == rows.tobytes()


def test_rows_in_memory_are_not_given_back() -> None:
    rows = one_level_rows(100_000, START)
    before = rows.tobytes()
    give_back(rows)
    assert rows.tobytes() == before


@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("wanted", [None, ["ETHUSDT"], ["SOLUSDT", "BTCUSDT"]])
def test_a_parquet_tape_read_in_parts_has_all_rows(
    cached: bool, wanted: list[str] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tuple(one_level_rows(300 * (n + 1), START, n) for n in range(3))
    tape = Tape(universe()[:3], rows, "dense", made_up=True)
    path = tmp_path / "a.parquet"
    write_tape(tape, path)
    about = pl.read_parquet_metadata(path)["turbo_trader"]
    mixed = pl.read_parquet(path).sort("ts", maintain_order=True)  # of all symbols in one part
    mixed.write_parquet(path, metadata={"turbo_trader": about})
    monkeypatch.setattr(parquet, "_AT_ONCE", 97)
    cache = TapeCache(tmp_path / "cache") if cached else None
    by_name = {each.symbol: part for each, part in zip(tape.instruments, rows, strict=True)}
    for _ in range(2):
        read = read_tape(path, wanted, cache=cache)
        assert [each.symbol for each in read.instruments] == (wanted or list(by_name))
        for each, part in zip(read.instruments, read.rows, strict=True):
            assert np.array_equal(part.view(np.uint8), by_name[each.symbol].view(np.uint8))


def test_rows_that_go_back_between_two_parts_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = one_level_rows(300, START)
    turned = np.concatenate([rows[200:], rows[:200]]).view(rows.dtype)
    write_tape(Tape(universe()[:1], (turned,), "dense"), tmp_path / "a.parquet")
    monkeypatch.setattr(parquet, "_AT_ONCE", len(rows) - 200)
    with pytest.raises(InputError, match="go back in time"):
        read_tape(tmp_path / "a.parquet", cache=TapeCache(tmp_path / "cache"))
    assert not list((tmp_path / "cache").iterdir())
