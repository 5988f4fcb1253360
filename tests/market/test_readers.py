"""Readers of recorded data: what cannot be read is one line with its place; nothing is left out in silence."""

from __future__ import annotations

import json
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.market.tape_files import BARS, PRINTS, T0, bar, book, print_line, refused, write

from turbo_trader.market.bars import read_bars, read_funding
from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import LAST, TRADE, WHOLE
from turbo_trader.market.tape import holds_bars, read_tape


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zip", "a.data", "a.data.gz", "a.data.zip"]
)
def test_frames_without_envelope_are_read(tmp_path: Path, name: str) -> None:
    tape = read_tape(write(tmp_path / name, *map(book, range(5))))
    assert [i.symbol for i in tape.instruments] == ["BTCUSDT"]
    assert np.count_nonzero(tape.rows[0]["kind"] & LAST) == 5
    assert not tape.left_out


def test_frames_with_and_without_envelope_are_the_same_tape(tmp_path: Path) -> None:
    bare = [book(n) for n in range(5)]
    wrapped = [json.dumps({"t": "recv", "data": frame}) for frame in bare]
    nested = [f'{{"t":"recv","data":{frame}}}' for frame in bare]
    tapes = [
        read_tape(write(tmp_path / f"{i}.jsonl", *each)) for i, each in enumerate((bare, wrapped, nested))
    ]
    assert len({tape.rows[0].tobytes() for tape in tapes}) == 1


@pytest.mark.parametrize("name", ["BTCUSDT2025-08-01.csv", "BTCUSDT2025-08-01.csv.gz", "BTCUSDT.csv.zip"])
def test_archives_of_prints_are_read(tmp_path: Path, name: str) -> None:
    lines = [
        print_line(1754006400.5),
        print_line(1754006401.25, "115000.2"),
        print_line(1754006402, "3000", "ETHUSDT"),
    ]
    tape = read_tape(write(tmp_path / name, PRINTS, *lines))
    assert [i.symbol for i in tape.instruments] == ["BTCUSDT", "ETHUSDT"]
    rows = tape.rows[0]
    assert rows["ts"].tolist() == [1754006400500000000, 1754006401250000000]
    assert rows["price"].tolist() == [1150001, 1150002]
    assert rows["lots"].tolist() == [10, 10]
    assert set(rows["kind"].tolist()) == {TRADE | WHOLE}
    assert [i.symbol for i in read_tape(tmp_path / name, ["ETHUSDT"]).instruments] == ["ETHUSDT"]


def test_bars_differ_from_what_was_recorded(tmp_path: Path) -> None:
    assert holds_bars(write(tmp_path / "BTCUSDT.csv.gz", BARS, bar(0)))
    assert holds_bars(write(tmp_path / "BTCUSDT.csv.zip", BARS, bar(0)))
    assert holds_bars(tmp_path)
    assert not holds_bars(write(tmp_path / "a.csv.gz", PRINTS, print_line(1754006400)))
    assert not holds_bars(write(tmp_path / "a.data.zip", book(0)))


def test_prints_with_the_newest_first_are_sorted(tmp_path: Path) -> None:
    lines = [print_line(1754006400 + n / 10, f"{115000 + n}") for n in range(20)]
    up = read_tape(write(tmp_path / "up.csv", PRINTS, *lines))
    down = read_tape(write(tmp_path / "down.csv", PRINTS, *reversed(lines)))
    mixed = read_tape(write(tmp_path / "mixed.csv", PRINTS, *random.Random(1).sample(lines, 20)))
    assert up.rows[0].tobytes() == down.rows[0].tobytes() == mixed.rows[0].tobytes()


def test_frames_that_run_backwards_are_refused_with_the_line(tmp_path: Path) -> None:
    lines = [book(0), *(book(n) for n in range(9, 0, -1))]
    assert "line 3: orderbook.200.BTCUSDT goes back in time by 0.1 s" in refused(
        write(tmp_path / "a.data", *lines)
    )


def test_what_is_left_out_is_counted_by_reason(tmp_path: Path) -> None:
    def received(frame: str) -> str:
        return json.dumps({"t": "recv", "data": frame})

    lines = [
        '{"t":"header","format":2}',
        '{"t":"sent","data":"{}"}',
        received('{"success":true,"op":"subscribe"}'),
        received(book(0)),
        received(book(1)),
        received(book(3)),  # a gap
        received(book(4)),
        received(book(5)),
        received(book(0, symbol="FOOUSDT", ts=T0)),
        received(f'{{"topic":"kline.1.BTCUSDT","ts":{T0},"data":[]}}'),
    ]
    assert read_tape(write(tmp_path / "a.jsonl", *lines)).left_out == {
        "lines that are not received frames": 2,
        "replies and other frames without data": 1,
        "book changes before a snapshot or after a gap": 2,
        "frames of other symbols": 1,
        "frames of other topics": 1,
        "gaps in a book": 1,
    }


def test_a_zip_holds_one_file(tmp_path: Path) -> None:
    for names in ([], ["a.data", "b.data"]):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            for name in names:
                archive.writestr(name, book(0))
        assert f"{len(names)} files in it" in refused(tmp_path / "a.zip")
    (tmp_path / "b.zip").write_bytes(b"no zip at all")
    assert "cannot be read as a zip archive" in refused(tmp_path / "b.zip")


@pytest.mark.long
@pytest.mark.parametrize("name", ["a.data.zip", "a.data.gz", "BTCUSDT.csv.gz"])
def test_an_archive_that_expands_without_end_is_refused(tmp_path: Path, name: str) -> None:
    short = write(tmp_path / name, BARS, *["0" * 100_000] * 1500)
    assert short.stat().st_size < 1_000_000
    assert "expands to more than 200 times its size" in refused(short, lambda path: [*_lines(path)])
    long = write(tmp_path / name, "0" * (1 << 25))
    assert "longer than" in refused(long)


def _lines(path: Path) -> list[tuple[int, bytes]]:
    from turbo_trader.market.archive import lines

    return list(lines(path))


@pytest.mark.parametrize(
    "name", ["a.data.gz", "a.data.zip", "a.jsonl.gz", "BTCUSDT.csv.gz", "BTCUSDT.csv.zip"]
)
def test_a_truncated_or_damaged_archive_is_refused(tmp_path: Path, name: str) -> None:
    lines = [BARS, *map(bar, range(200))] if "csv" in name else [*map(book, range(200))]
    whole = write(tmp_path / name, *lines).read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-9], b"", whole[:20], b"\x1f\x8b" + whole[2:40]):
        (tmp_path / name).write_bytes(content)
        refused(tmp_path / name)
    rnd = random.Random(3)
    for _ in range(30):
        damaged = bytearray(whole)
        damaged[rnd.randrange(len(whole))] ^= 1 << rnd.randrange(8)
        (tmp_path / name).write_bytes(bytes(damaged))
        _read_or_refused(tmp_path / name)


def _read_or_refused(path: Path) -> None:
    said, rows = "refused in one line", 1
    try:
        rows = min(len(part) for part in read_tape(path).rows)
    except InputError as error:
        said = str(error)
    assert len(said.splitlines()) == 1
    assert rows


ROWS_THAT_ARE_NONE = [
    "",
    "1",
    "1,2",
    "a,b,c,d,e,f",
    ",,,,,",
    "nan,1,1,1,1,1",
    "1e300,1,1,1,1,1",
    "-60000,1,1,1,1,1",
    "#",
    '"',
] + [
    f"{T0},{value},115010,114990,115000,1"
    for value in ("", "nan", "inf", "1e400", "-1", "0", "1e-300", "1e300", "1_0", "0x1")
]


@pytest.mark.parametrize("row", ROWS_THAT_ARE_NONE)
@pytest.mark.parametrize("where", ["alone", "first", "middle", "last"])
def test_a_bar_that_is_none_is_refused_with_its_line(tmp_path: Path, row: str, where: str) -> None:
    good = [bar(n) for n in range(3)]
    at = {"alone": 0, "first": 0, "middle": 1, "last": 3}[where]
    lines = [row] if where == "alone" else [*good[:at], row, *good[at:]]
    if not row and where in ("alone", "last"):  # an empty line at the end is none
        lines.append(row + "x")
    assert "line " in refused(write(tmp_path / "BTCUSDT.csv.gz", BARS, *lines))


@pytest.mark.parametrize("columns", range(1, 9))
def test_a_file_of_bars_with_too_few_or_too_many_columns_is_refused(tmp_path: Path, columns: int) -> None:
    if columns == 6:
        return
    row = ",".join([str(T0), *["1"] * (columns - 1)])
    path = write(tmp_path / "BTCUSDT.csv.gz", BARS, row, row)
    assert f"line 2: {columns} fields instead of 6" in refused(path, read_bars)
    assert "line 2" in refused(
        write(tmp_path / "f.csv", "ts_ms,funding_rate", f"{T0}", f"{T0}"), read_funding
    )


@pytest.mark.parametrize(
    "content", [b"", b"\n", BARS.encode(), f"{BARS}\n\n".encode(), BARS.encode("utf-16"), b"\xff\xfe"]
)
def test_a_file_without_bars_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "BTCUSDT.csv").write_bytes(content)
    refused(tmp_path / "BTCUSDT.csv")


def test_bars_may_have_byte_order_mark_and_carriage_returns(tmp_path: Path) -> None:
    text = "\ufeff" + "\r\n".join([BARS, *map(bar, range(3)), "", ""])
    (tmp_path / "BTCUSDT.csv").write_bytes(text.encode())
    assert len(read_bars(tmp_path / "BTCUSDT.csv")) == 3


@pytest.mark.parametrize(
    "row", ["", f"{T0},x", f"{T0},nan", f"{T0},2", "nan,0.0001", f"{T0 - 1},0.0001", f"{T0},0.0001,1"]
)
def test_a_funding_rate_that_is_none_is_refused(tmp_path: Path, row: str) -> None:
    lines = ["ts_ms,funding_rate", f"{T0},0.0001", row, f"{T0 + 1},0.0001"]
    assert "line " in refused(write(tmp_path / "a.csv", *lines), read_funding)


@pytest.mark.parametrize(
    "row",
    [
        "1", "x,BTCUSDT,Buy,1,1,,,,,,", "nan,BTCUSDT,Buy,1,1,,,,,,", "1754006400000,BTCUSDT,Buy,1,1,,,,,,",
        "1754006400,,Buy,1,1,,,,,,", "1754006400,BTCUSDT,Hold,1,1,,,,,,", "1754006400,BTCUSDT,Buy,0,1,,,,,,",
        "1754006400,BTCUSDT,Buy,1,inf,,,,,,", "1754006400,BTCUSDT,Buy,1,1e30,,,,,,", "1754006400,BTCUSDT,Buy,1e30,1,,,,,,",
        "1754006400,BTCUSDT,Buy,1,1,,,,,,,", "1754006400,BTC USDT,Buy,1,1,,,,,,",
        "1_754006400,BTCUSDT,Buy,1,1,,,,,,", "1754006400,BTCUSDT,Buy,１,1,,,,,,",
    ],
)  # fmt: skip
def test_a_print_that_is_none_is_refused(tmp_path: Path, row: str) -> None:
    refused(write(tmp_path / "a.csv", PRINTS, print_line(1754006400), row))


@pytest.mark.parametrize(
    "line",
    [
        "x", "{", "[]", "1", "null", '{"t":"recv"}', '{"t":"recv","data":"x"}', '{"t":"recv","data":[1]}', '{"t":1}', "[" * 100_000,
        '{"topic":"orderbook.200.BTCUSDT","ts":"x"}', '{"topic":"publicTrade.BTCUSDT","ts":1,"data":[{"T":1}]}',
        '{"topic":"tickers.NOSUCHUSDT","ts":' + "9" * 400 + "}",
        '{"topic":"orderbook.200.BTCUSDT","ts":1e30}', '{"topic":"tickers.BTCUSDT","ts":1,"data":{"markPrice":"x"}}',
    ],
)  # fmt: skip
def test_a_line_that_is_no_frame_is_refused(tmp_path: Path, line: str) -> None:
    assert "line 2" in refused(write(tmp_path / "a.jsonl", book(0), line))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(["bars", "prints", "frames"]), st.data())
def test_whatever_a_file_holds_it_is_a_tape_or_one_line(
    tmp_path: Path, kind: str, data: st.DataObject
) -> None:
    lines = {
        "bars": [BARS, *map(bar, range(4))],
        "prints": [PRINTS, *(print_line(1754006400 + n) for n in range(4))],
        "frames": [*map(book, range(4))],
    }[kind]
    line = data.draw(st.integers(0, len(lines) - 1))
    cells = lines[line].split(",")
    cell = data.draw(st.integers(0, len(cells) - 1))
    change = data.draw(st.sampled_from(["drop", "empty", "twice", "junk"]))
    junk = data.draw(st.text(max_size=6) | st.floats().map(str) | st.integers().map(str))
    cells[cell : cell + 1] = {"drop": [], "empty": [""], "twice": [cells[cell]] * 2, "junk": [junk]}[change]
    lines[line] = ",".join(cells)
    name = "a.data" if kind == "frames" else "BTCUSDT.csv"
    (tmp_path / name).write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    _read_or_refused(tmp_path / name)
