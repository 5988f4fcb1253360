"""Every verb that opens a journal names what is wrong with it in one line; no traceback, whatever the damage."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pytest
import structlog

from turbo_trader.console import main as console
from turbo_trader.journal.address import POINTER
from turbo_trader.journal.health import integrity, owner
from turbo_trader.journal.journal_errors import JournalError, UnsoundJournal
from turbo_trader.journal.marker import MARKER
from turbo_trader.journal.readers import state
from turbo_trader.journal.schema import FILE
from turbo_trader.journal.store import Journal
from turbo_trader.live.registry import Kind, Registry
from turbo_trader.market.errors import InputError
from turbo_trader.rules.scan import SCAN
from turbo_trader.trader.commands import Note, Persist, Scanned

if TYPE_CHECKING:
    from turbo_trader.exchange_server.server_thread import ServedVenue

SYMBOLS = ("BTCUSDT", "ETHUSDT")
NOBODY = 65_534


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal of one run with a scan, a trade and a halted session; its folder is a whole run's."""
    run = tmp_path / "var" / "testnet"
    journal = Journal(run, SYMBOLS, "testnet")
    rows = np.zeros(2, SCAN)
    rows["ts"] = 10**18
    journal.scanned(Scanned(10**18, rows))
    trade = {"symbol": "BTCUSDT", "id": "t1", "tier": "A", "direction": 1, "net": "1", "net_fraction": 0.01, "fees": "0.1",
             "reason": "stop", "seconds": 60, "qty": "1", "entry": "100", "exit": "101", "ev": 0.001}  # fmt: skip
    journal.note(Note(10**18, "trade", "info", trade))
    journal.persist(Persist(10**18, "session", {"halted": "somebody"}))
    journal.persist(Persist(10**18, "ledger", {"start": "18", "results": "1", "fees": "0.1", "funding": "0"}))
    journal.commit()
    journal.close(10**18, "test")
    return run


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def gone(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def no_database(path: Path) -> None:
    path.write_bytes(b"by far no database " * 400)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5_000])


def flipped(path: Path) -> None:
    """Everything but the header, so that SQLite opens it."""
    data = bytearray(path.read_bytes())
    data[100:] = bytes(byte ^ 0x55 for byte in data[100:])
    path.write_bytes(bytes(data))


def changed(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path)
    for statement in statements:
        db.execute(statement)
    db.commit()
    db.close()


def newer(path: Path) -> None:
    changed(path, "PRAGMA user_version = 7")


def no_tables(path: Path) -> None:
    changed(path, "DROP TABLE notes", "DROP TABLE state", "DROP TABLE scans")


def no_rows(path: Path) -> None:
    changed(path, "DELETE FROM boots", "DELETE FROM state", "DELETE FROM notes", "DELETE FROM scans")


def no_session(path: Path) -> None:
    changed(path, "DELETE FROM state WHERE key = 'session'")


def bad_values(path: Path) -> None:
    changed(
        path, "UPDATE state SET value = '{\"halted\": '", "UPDATE notes SET fields = x'ff'",
        "UPDATE layouts SET fields = '[[1]]' WHERE n = 1",
    )  # fmt: skip


UNSOUND = (emptied, gone, no_database, cut_short, flipped, no_tables, no_rows, no_session, bad_values)
DAMAGES = (*UNSOUND, newer, a_folder)
VERBS = (
    ("status",), ("report",), ("report", "--json"), ("funnel",), ("calibration",), ("explain", "BTCUSDT"),
    ("explain", "--trade", "t1"),
)  # fmt: skip


def is_folded(error: str) -> bool:
    """One error whose lines after the first are indented: it has more than 200 characters, for its long path."""
    first, *others = error.splitlines()
    return first.startswith("turbo-trader: ") and all(line.startswith("  ") for line in others)


def said(
    verb: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str]:
    """Exit code and the one line on stderr of a verb."""
    monkeypatch.setattr("sys.argv", ["turbo-trader", *verb])
    with pytest.raises(SystemExit) as ended:
        console.main()
    out, error = capsys.readouterr()
    if ended.value.code:
        assert out == ""
        error = " ".join(error.replace("\n  ", "\n").splitlines()) + "\n" if is_folded(error) else error
        assert error.count("\n") == 1, error
    return int(ended.value.code or 0), error


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_verb_names_the_damage_in_one_line(
    folder: Path, verb: tuple[str, ...], damage: Callable[[Path], None],
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    damage(folder / FILE)
    code, line = said((*verb, "--journal-dir", str(folder.parent)), capsys, monkeypatch)
    if damage is bad_values and code == 0:
        return  # this verb reads none of those values
    assert code == (3 if damage in UNSOUND else 2), line
    assert str(folder / FILE) in line
    assert "away" in line  # the way out


@pytest.mark.long
@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_flipped_byte_anywhere_gives_an_answer_or_one_line(
    folder: Path, verb: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, draw = (folder / FILE).read_bytes(), random.Random(5)
    for _ in range(10):
        data = bytearray(whole)
        for _ in range(draw.choice((1, 20, 400))):
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        (folder / FILE).write_bytes(bytes(data))
        code, _ = said((*verb, "--journal-dir", str(folder.parent)), capsys, monkeypatch)
        assert code in (0, 2, 3)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/null")


def circle(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("name", [FILE, f"{FILE}-wal", f"{FILE}-shm", "lock", MARKER, POINTER, "lease"])
def test_whatever_stands_in_place_of_a_file_gives_an_answer_or_one_line(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for stand_in in (pipe, device, circle, Path.mkdir):
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        path.unlink(missing_ok=True)
        stand_in(path)
        code, _ = said(("status", "--journal-dir", str(folder)), capsys, monkeypatch)
        assert code in (0, 1, 2, 3)
        assert isinstance(owner(folder), str)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_locked_journal_is_named(
    folder: Path, verb: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("turbo_trader.journal.opening.BUSY_S", 0.05)
    db = sqlite3.connect(folder / FILE, isolation_level=None)
    db.execute("PRAGMA locking_mode=EXCLUSIVE")
    db.execute("BEGIN EXCLUSIVE")
    code, line = said((*verb, "--journal-dir", str(folder.parent)), capsys, monkeypatch)
    db.close()
    assert (code, "locked by another process" in line) == (1, True)


@pytest.fixture
def of_another(folder: Path) -> Iterator[Path]:
    """A journal's folder as another user finds it: one who may enter the folders and read nothing of the journal."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with TemporaryDirectory() as place:  # pytest closes its own folders to others
        shutil.copytree(folder, Path(place) / "testnet")
        Path(place).chmod(0o711)
        (Path(place) / "testnet").chmod(0o711)
        import rich.console  # noqa: F401

        from turbo_trader.rules import explanation, model_calibration, scan_funnel, strengths, trade_report  # noqa: F401 - compiled code loads as root

        os.seteuid(NOBODY)
        yield Path(place) / "testnet"
        os.seteuid(0)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_journal_of_another_user_is_named(
    of_another: Path, verb: tuple[str, ...],
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("XDG_STATE_HOME", str(of_another))
    code, line = said((*verb, "--journal-dir", str(of_another)), capsys, monkeypatch)
    assert (code, "give its user the right" in line) == (2, True), line


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_before_the_first_run_only_status_has_an_answer(
    tmp_path: Path, verb: tuple[str, ...], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _ = said((*verb, "--journal-dir", str(tmp_path)), capsys, monkeypatch)
    assert code == (0 if "status" in verb else 2)


def test_a_damaged_marker_loses_nothing_of_a_whole_journal(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / MARKER).write_bytes(b"\xff{")
    assert said(("report", "--journal-dir", str(folder.parent)), capsys, monkeypatch)[0] == 0


@pytest.mark.parametrize(
    "damage", [*DAMAGES, None], ids=lambda damage: damage.__name__ if damage else "sound"
)
def test_doctor_finds_what_a_start_would_refuse(folder: Path, damage: Callable[[Path], None] | None) -> None:
    """`doctor` asks `integrity`, `run` opens the journal: what one passes the other takes."""
    if damage is not None:
        damage(folder / FILE)
    found = integrity(folder)
    try:
        Journal(folder, SYMBOLS, "testnet").close(10**18, "test")
        state(folder)
        refused = ""
    except (InputError, JournalError, UnsoundJournal) as error:
        refused = str(error)
    assert bool(found) == bool(refused), (found, refused)


# -- run and guard, in this process, against a served venue


@dataclass(frozen=True)
class Beginning:
    """Begins `run` or `guard` on a journal folder."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, folder: Path, *verb: str) -> tuple[int, str]:
        """Exit code and the lines of its own on stderr, joined; a log line is none of them."""
        monkeypatch = self.monkeypatch
        monkeypatch.setenv("JOURNAL_DIR", str(folder.parent))
        monkeypatch.setattr("sys.argv", ["turbo-trader", *verb])
        with pytest.raises(SystemExit) as ended:
            console.main()
        _, error = self.capsys.readouterr()
        assert "Traceback" not in error
        ours = [line for line in error.replace("\n  ", " ").splitlines() if line.startswith("turbo-trader: ")]
        return int(ended.value.code or 0), "\n".join(ours)


@pytest.fixture
def begin(
    served: ServedVenue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Beginning]:
    """Testnet is the served venue, on which nothing is open; logging is afterwards as before."""
    monkeypatch.chdir(tmp_path)
    given = {
        "MODE": "testnet", "BYBIT_REST_URL": served.url, "BYBIT_STREAM_URL": served.stream, "BYBIT_API_KEY": "key",
        "BYBIT_API_SECRET": "secret", "TARGET_ASSETS": ",".join(SYMBOLS),
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("turbo_trader.journal.opening.BUSY_S", 0.05)
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield Beginning(monkeypatch, capsys)
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def contents(path: Path) -> bytes | None:
    """None where it is no file."""
    return path.read_bytes() if path.is_file() else None


def guard_log(folder: Path) -> dict[str, list[str]]:
    """Why, of each event the guard has logged."""
    lines = (folder / "guard" / "turbo-trader.jsonl").read_text().splitlines()
    found: dict[str, list[str]] = {}
    for event in map(json.loads, lines):
        found.setdefault(event["event"], []).append(str(event.get("why", "")))
    return found


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_run_refuses_a_damaged_journal_in_one_line_and_leaves_it(
    folder: Path, begin: Beginning, damage: Callable[[Path], None]
) -> None:
    damage(folder / FILE)
    before = contents(folder / FILE)
    code, line = begin(folder, "run", "--no-ui", "--for", "1s")
    assert code == (3 if damage in UNSOUND else 2), line
    assert line.count("turbo-trader: ") == 1, line
    assert str(folder / FILE) in line
    assert "away" in line  # the way out
    if damage is not bad_values:  # read once the venue has been: the start is a row by then
        assert contents(folder / FILE) == before
    assert Registry(Kind.DAEMON).running() == Registry(Kind.GUARD).running() == []


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_guard_on_a_damaged_journal_says_so_and_goes_on(
    folder: Path, begin: Beginning, damage: Callable[[Path], None]
) -> None:
    damage(folder / FILE)
    code, line = begin(folder, "guard", "--until-idle")
    assert (code, line) == (0, "")
    said = guard_log(folder)
    assert "guard-idle" in said  # it has read the venue
    assert "guard-failed" not in said
    if damage not in (no_session, bad_values):  # the guard reads nothing of those
        assert str(folder) in said["guard-journal-unreadable"][0]


def test_run_and_guard_on_a_locked_journal(folder: Path, begin: Beginning) -> None:
    db = sqlite3.connect(folder / FILE, isolation_level=None)
    db.execute("PRAGMA locking_mode=EXCLUSIVE")
    db.execute("BEGIN EXCLUSIVE")
    code, line = begin(folder, "run", "--no-ui", "--for", "1s")
    assert (code, line.count("turbo-trader: "), "locked by another process" in line) == (1, 1, True), line
    assert begin(folder, "guard", "--until-idle") == (0, "")
    db.close()
    assert "locked by another process" in guard_log(folder)["guard-journal-unreadable"][0]


def test_run_and_guard_on_a_full_disk(
    begin: Beginning, small_disk: Path, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("fill")
    code, line = begin(small_disk / "testnet", "run", "--no-ui", "--for", "1s")
    assert (code, line.count("turbo-trader: "), "make room" in line) == (1, 1, True), line
    assert Registry(Kind.DAEMON).running() == Registry(Kind.GUARD).running() == []
    code, line = begin(small_disk / "testnet", "guard", "--until-idle")
    assert code == 0, line
