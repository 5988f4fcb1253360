"""Our own format and parquet: damaged, empty and without polars."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from tests.market.tape_files import book, refused, write

from turbo_trader.market.errors import InputError
from turbo_trader.market.tape import Tape, read_tape, write_tape


def tape_file(tmp_path: Path, **changed: object) -> Path:
    path = tmp_path / "a.parquet"
    write_tape(read_tape(write(tmp_path / "a.data", *map(book, range(3)))), path)
    about = json.loads(pl.read_parquet_metadata(path)["turbo_trader"])
    frame = pl.read_parquet(path)
    facts = {name: value for name, value in changed.items() if name in about}
    columns = {name: value for name, value in changed.items() if name not in about}
    about.update(facts)
    if "about" in columns:
        about = columns.pop("about")
    for name, value in columns.items():
        frame = frame.drop(name) if value is None else frame.with_columns(value.alias(name))  # type: ignore[attr-defined]
    frame.write_parquet(path, metadata={"turbo_trader": json.dumps(about)})
    return path


@pytest.mark.parametrize(
    "changed",
    [
        {"about": []},
        {"about": {"format": "turbo-trader tape 1"}},
        {"symbols": "BTCUSDT"},
        {"symbols": [1]},
        {"symbols": []},
        {"symbols": ["BTCUSDT", "BTCUSDT"]},
        {"source": None},
        {"rebuilt": "no"},
        {"format": "other"},
        {"price": None},
        {"ts": pl.lit("x")},
        {"ts": pl.col("ts").reverse()},
        {"ts": -pl.col("ts")},
        {"ts": pl.lit(None, pl.Int64)},
        {"kind": pl.lit(0, pl.UInt8)},
        {"kind": pl.lit(15, pl.UInt8)},
        {"symbol": pl.lit(7, pl.Int16)},
        {"symbol": pl.lit(-1, pl.Int16)},
        {"lots": pl.col("lots").cast(pl.Float64)},
    ],
)  # fmt: skip
def test_a_damaged_tape_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    refused(tape_file(tmp_path, **changed))


def test_a_tape_without_events_is_refused(tmp_path: Path) -> None:
    tape = read_tape(write(tmp_path / "a.data", book(0)))
    write_tape(Tape(tape.instruments, (tape.rows[0][:0],), "x"), tmp_path / "a.parquet")
    assert "no events in it" in refused(tmp_path / "a.parquet")


def test_a_parquet_file_that_is_none_is_refused(tmp_path: Path) -> None:
    whole = tape_file(tmp_path).read_bytes()
    for content in (b"", b"PAR1", whole[: len(whole) // 2], whole[:-5]):
        (tmp_path / "a.parquet").write_bytes(content)
        refused(tmp_path / "a.parquet")
    pl.DataFrame({"x": [1]}).write_parquet(tmp_path / "a.parquet")
    refused(tmp_path / "a.parquet")


@pytest.mark.parametrize("name", ["read", "write"])
def test_parquet_without_polars_says_what_to_install(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = Tape((), (), "made up")
    path = tmp_path / "one.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(InputError, match=r"one.parquet: Parquet needs polars: .*turbo-trader\[parquet\]"):
        read_tape(path) if name == "read" else write_tape(tape, path)


def test_nothing_but_parquet_imports_polars() -> None:
    code = (
        "import sys; sys.modules['polars'] = None; import turbo_trader.market.tape, turbo_trader.console.command_line, "
        "turbo_trader.simulation.backtest, turbo_trader.live.daemon, turbo_trader.lab.data, turbo_trader.lab.importing"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_malformed_recording_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"t":"recv","data":"{}"}\n{"t":\n')
    with pytest.raises(InputError, match=r"a\.jsonl, line 2"):
        read_tape(tmp_path / "a.jsonl")
    (tmp_path / "b.txt").write_text("x")
    with pytest.raises(InputError, match="not a tape"):
        read_tape(tmp_path / "b.txt")
