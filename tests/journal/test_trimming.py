"""The journal stays small while it is written: scans packed, old rows without money gone, pages given back, in small steps."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from decimal import Decimal
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.journal import earlier

from turbo_trader.journal import readers
from turbo_trader.journal.packing import TOGETHER, pack, shortened, unpack, whole
from turbo_trader.journal.schema import FILE
from turbo_trader.journal.store import Journal
from turbo_trader.journal.trimming import Trimming
from turbo_trader.market.order_terms import Side
from turbo_trader.market.rows import DAY, SECOND
from turbo_trader.rules.scan import SCAN
from turbo_trader.trader.commands import Note, Persist, Scanned
from turbo_trader.trader.events import ClockOffset, Fill, Outcome, ReadResult

SYMBOLS = ("BTCUSDT", "ETHUSDT")
NOW = 1_767_603_600 * SECOND


def rows_of(n: int, rng: np.random.Generator) -> Any:
    rows = np.zeros(2, SCAN)
    rows["ts"], rows["symbol"], rows["ev"], rows["sigma"] = NOW + n, (0, 1), (n, -n), rng.random(2)
    return rows


def scanned(journal: Journal, numbers: range, rng: np.random.Generator) -> list[Any]:
    found = [rows_of(n, rng) for n in numbers]
    for n, rows in zip(numbers, found, strict=True):
        journal.scanned(Scanned(NOW + n, rows))
    journal.flush()
    return found


def trim(journal: Journal, trimming: Trimming, steps: int = 50, now: int = NOW) -> float:
    """The longest of so many steps, seconds."""
    longest = 0.0
    for _ in range(steps):
        group = trimming.gather()
        begun = time.perf_counter()
        journal.tend(lambda db, group=group: trimming.step(db, now, group))  # type: ignore[misc]
        longest = max(longest, time.perf_counter() - begun)
    return longest


def fill(n: int) -> Fill:
    return Fill(
        ts=NOW, symbol="BTCUSDT", exec_id=f"e{n}", order_id="o", link_id="", side=Side.BUY, qty=Decimal(1), price=Decimal(2),
        fee=Decimal("0.001"), kind="Trade", closed_qty=Decimal(0), is_maker=False, seq=n,
    )  # fmt: skip


def test_packed_scans_are_read_back_to_the_last_bit(tmp_path: Path) -> None:
    journal, rng = Journal(tmp_path, SYMBOLS), np.random.default_rng(1)
    written = scanned(journal, range(3 * TOGETHER + 7), rng)
    trimming = Trimming(tmp_path, 0)
    trim(journal, trimming)
    written += scanned(journal, range(67, 70), rng)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("SELECT count(*) FROM scans").fetchone() == (3 + 7 + 3,)
    found = list(readers.all_scans(tmp_path))
    assert [ts for ts, _, _ in found] == [NOW + n for n in range(70)]
    assert b"".join(rows.tobytes() for _, _, rows in found) == b"".join(rows.tobytes() for rows in written)
    assert readers.overview(tmp_path)["scans"] == 70
    journal.close(1, "test")


@pytest.mark.parametrize(
    ("until", "last", "expected"),
    [(None, 3, [67, 68, 69]), (25, 3, [23, 24, 25]), (41, 4, [38, 39, 40, 41])],
)
def test_a_symbols_scans_are_found_inside_packed_ones(
    tmp_path: Path, until: int | None, last: int, expected: list[int]
) -> None:
    journal = Journal(tmp_path, SYMBOLS)
    scanned(journal, range(70), np.random.default_rng(1))
    trim(journal, Trimming(tmp_path, 0))
    found = readers.scans(tmp_path, "ETHUSDT", last, None if until is None else NOW + until)
    assert [-int(row["ev"]) for row in found] == expected
    assert [ts - NOW for ts, _, _ in readers.all_scans(tmp_path, NOW + 25)] == list(range(25, 70))
    journal.close(1, "test")


def test_the_next_run_goes_on_packing_and_leaves_the_rest_of_other_symbols(tmp_path: Path) -> None:
    first, rng = Journal(tmp_path, SYMBOLS), np.random.default_rng(1)
    scanned(first, range(TOGETHER + 5), rng)
    trim(first, Trimming(tmp_path, 0))
    first.close(1, "test")
    second = Journal(tmp_path, (*SYMBOLS[::-1],))
    scanned(second, range(30, 30 + 2 * TOGETHER), rng)
    trim(second, Trimming(tmp_path, 0))
    second.close(2, "test")
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("SELECT count(*) FROM scans").fetchone() == (1 + 5 + 2,)
    assert len(list(readers.all_scans(tmp_path))) == 3 * TOGETHER + 5


def test_scans_of_an_earlier_version_are_packed_too(tmp_path: Path) -> None:
    earlier.write(tmp_path, "1, with outcomes", scans=2 * TOGETHER)
    journal = Journal(tmp_path, earlier.SYMBOLS)
    trim(journal, Trimming(tmp_path, 0), steps=5)
    journal.close(10**18, "test")
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("SELECT count(*) FROM scans").fetchone() == (2,)
    assert [int(rows["ev"][0]) for _, _, rows in readers.all_scans(tmp_path)] == list(range(2 * TOGETHER))


def test_old_rows_go_and_rows_of_money_stay_for_ever(tmp_path: Path) -> None:
    journal, rng = Journal(tmp_path, SYMBOLS), np.random.default_rng(1)
    journal.persist(Persist(NOW, "session", {"halted": "a person"}))
    for n in range(700):
        journal.event(ClockOffset(NOW, n))
        journal.note(Note(NOW, "gate", "debug", {"n": n}))
    journal.event(fill(1))
    journal.note(Note(NOW, "fill", "info", {"exec_id": "e1"}))
    journal.event(ReadResult(ts=NOW, id="r", outcome=Outcome.CONFIRMED, asked_ts=NOW))
    scanned(journal, range(2 * TOGETHER), rng)
    trimming = Trimming(tmp_path, 30)
    trim(journal, trimming, now=NOW + 29 * DAY)
    before = readers.overview(tmp_path)
    assert (before["scans"], before["events"], before["notes"]) == (2 * TOGETHER, 702, 701)
    trim(journal, trimming, now=NOW + 31 * DAY)
    after = readers.overview(tmp_path)
    assert (after["scans"], after["events"], after["notes"]) == (0, 1, 1)
    assert [note["name"] for note in readers.notes(tmp_path)] == ["fill"]
    assert readers.state(tmp_path) == {"session": {"halted": "a person"}}
    later = NOW + 32 * DAY
    journal.note(Note(later, "gate", "debug", {}))
    journal.flush()
    trim(journal, trimming, now=later + 31 * DAY)
    assert (
        readers.count_notes(tmp_path, "gate") == 0
    )  # row numbers that were given again are let go of as well
    journal.close(1, "test")


def test_the_file_shrinks_by_small_steps_while_it_is_written(tmp_path: Path) -> None:
    journal, rng = Journal(tmp_path, SYMBOLS), np.random.default_rng(1)
    for n in range(3_000):
        journal.event(
            ReadResult(
                ts=NOW, id=f"r{n}", outcome=Outcome.CONFIRMED, asked_ts=NOW, message=rng.bytes(1_000).hex()
            )
        )
    journal.flush()
    journal.checkpoint()
    size = (tmp_path / FILE).stat().st_size
    assert size > 3_000_000
    trim(journal, Trimming(tmp_path, 1), steps=60, now=NOW + 2 * DAY)
    journal.note(Note(NOW, "line", "info", {}))
    journal.flush()
    journal.checkpoint()
    assert (tmp_path / FILE).stat().st_size < 2_000_000
    journal.close(1, "test")


@pytest.mark.clock
def test_no_step_takes_as_long_as_an_order_may_wait(tmp_path: Path) -> None:
    """A backlog of months is worked off in steps of a few milliseconds; a machine that is busy gets several tries."""
    journal, rng = Journal(tmp_path, SYMBOLS), np.random.default_rng(1)
    for n in range(5_000):
        journal.event(ClockOffset(NOW, n))
        journal.note(Note(NOW, "gate", "debug", {"why": "x" * 200}))
    scanned(journal, range(20 * TOGETHER), rng)
    trimming = Trimming(tmp_path, 1)
    longest = [trim(journal, trimming, steps=20, now=NOW + 2 * DAY) for _ in range(4)]
    assert sorted(longest)[1] < 0.02, longest
    assert readers.overview(tmp_path)["scans"] == 0
    journal.close(1, "test")


def test_a_journal_that_another_holds_is_trimmed_later(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SYMBOLS)
    scanned(journal, range(TOGETHER), np.random.default_rng(1))
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    trimming = Trimming(tmp_path, 0)
    trim(journal, trimming, steps=1)
    assert not journal.failed
    other.execute("ROLLBACK")
    trim(journal, trimming, steps=1)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("SELECT count(*) FROM scans").fetchone() == (1,)
    journal.close(1, "test")


def test_what_is_packed_comes_back_whole_and_nonsense_is_refused() -> None:
    rng = np.random.default_rng(1)
    rows = [rng.bytes(4 * 13) for _ in range(3)]
    assert unpack(pack([1, 2, 3], rows, 13), 13) == ([1, 2, 3], b"".join(rows))
    for text in (b"{}", b'{"a":"' + b"x" * 999 + b'"}'):
        assert whole(shortened(text)) == text
    assert len(shortened(json.dumps({"a": "x" * 999}).encode())) < 100
    for read in (
        lambda: unpack(b"nonsense", 13),
        lambda: whole(b"nonsense"),
        lambda: whole(b"\x01nonsense"),
        lambda: whole(b""),
    ):
        with pytest.raises(ValueError, match="cannot be read"):
            read()


def test_the_typical_events_that_journals_were_written_with_never_change() -> None:
    """A change of the file would make every event written with it unreadable: add events-2.txt instead."""
    typical = files("turbo_trader.journal").joinpath("assets/events-1.txt").read_bytes()
    assert sha256(typical).hexdigest() == "5a53e53831ea21694b4bd5f99526bcdd1660261c2f51f2b5f494fcf1fbfeb132"
