"""The registry: who runs is asked of locks; names, folders and rights; what the killed leave behind."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from turbo_trader.live.registry import Kind, Registry, state_home
from turbo_trader.market.errors import InputError

#: Claims MODE and FOLDER below HOME, prints its name or the refusal, and holds on until it is ended.
CLAIM = """
import sys
from pathlib import Path
from turbo_trader.live.registry import Kind, Registry
from turbo_trader.market.errors import InputError
home, mode, folder = sys.argv[1:]
sys.stdin.readline()
try:
    held = Registry(Kind.DAEMON, Path(home)).claim(mode, Path(folder))
    print(held.running.name, flush=True)
except InputError as error:
    print(f"refused: {error}", flush=True)
sys.stdin.readline()
"""


def start(home: Path, mode: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(home), mode, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@contextmanager
def claimed(home: Path, mode: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = start(home, mode, folder)
    try:
        go(process)
        yield process
    finally:
        process.kill()
        process.communicate()


def names(home: Path) -> list[str]:
    return [each.name for each in Registry(Kind.DAEMON, home).running()]


def test_names_are_the_mode_and_then_numbered_and_free_again_at_the_end(tmp_path: Path) -> None:
    registry = Registry(Kind.DAEMON, tmp_path)
    with registry.claim("paper", tmp_path / "a"), registry.claim("live", tmp_path / "b"):
        second = registry.claim("paper", tmp_path / "c")
        assert names(tmp_path) == ["live", "paper", "paper-2"]
        second.end()
        second.end()  # twice is once
        with registry.claim("paper", tmp_path / "d") as third:
            assert third.running.name == "paper-2"
    assert names(tmp_path) == []
    assert not [path for path in (tmp_path / "daemons").iterdir() if path.name != ".claims"]


def test_a_process_killed_is_known_by_its_lock_whatever_its_entry_says(tmp_path: Path) -> None:
    registry = Registry(Kind.DAEMON, tmp_path)
    with claimed(tmp_path, "live", tmp_path / "x") as process:
        assert said(process) == "live"
        assert names(tmp_path) == ["live"]
        assert not registry.was_killed(tmp_path / "x")
        process.kill()
        process.wait()
    entry = tmp_path / "daemons" / "live"
    reported = json.loads(entry.read_text())
    entry.write_text(json.dumps({**reported, "pid": 1}))  # a process that lives, and is another
    assert names(tmp_path) == []
    assert registry.was_killed(tmp_path / "x")
    with registry.claim("live", tmp_path / "x") as heir:
        assert heir.running.name == "live"
        assert not registry.was_killed(tmp_path / "x")


def test_of_starts_on_one_journal_at_the_same_moment_exactly_one_wins(tmp_path: Path) -> None:
    starts = [start(tmp_path, "live", tmp_path / "journal") for _ in range(6)]
    try:
        for process in starts:
            go(process)
        answers = sorted(said(process) for process in starts)
    finally:
        for process in starts:
            process.kill()
            process.communicate()
    assert answers[0] == "live"
    assert all("in use by another instance, daemon live" in answer for answer in answers[1:])


def test_starts_on_journals_of_their_own_all_have_names_of_their_own(tmp_path: Path) -> None:
    starts = [start(tmp_path, "paper", tmp_path / str(i)) for i in range(4)]
    try:
        for process in starts:
            go(process)
        assert sorted(map(said, starts)) == ["paper", "paper-2", "paper-3", "paper-4"]
    finally:
        for process in starts:
            process.kill()
            process.communicate()


def test_entries_are_the_users_alone_also_where_the_folder_was_open(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "daemons"
    folder.mkdir(parents=True, mode=0o755)
    with Registry(Kind.DAEMON, tmp_path / "state").claim("live", tmp_path) as registration:
        registration.listen(4711, "token")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
        for path in folder.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_files_that_are_no_entries_are_passed_over(tmp_path: Path) -> None:
    registry = Registry(Kind.DAEMON, tmp_path)
    with registry.claim("live", tmp_path / "a"):
        for name, text in (("junk", "{"), ("list", "[]"), ("half", '{"mode": "live"}'), ("bytes", "\x00")):
            (tmp_path / "daemons" / name).write_text(text)
        (tmp_path / "daemons" / "folder").mkdir()
        os.mkfifo(tmp_path / "daemons" / "pipe")
        assert names(tmp_path) == ["live"]
        assert [each.name for each, _ in registry.registered()] == ["live"]
        with registry.claim("paper", tmp_path / "b"):
            assert names(tmp_path) == ["live", "paper"]


def test_a_registry_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"registry .*: .*set XDG_STATE_HOME"):
        Registry(Kind.DAEMON, tmp_path / "file").claim("live", tmp_path)


def test_the_registry_is_found_by_the_users_home_and_not_by_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for relative in ("", "state"):  # the specification: a relative one is passed over
        monkeypatch.setenv("XDG_STATE_HOME", relative)
        assert state_home() == tmp_path / ".local" / "state" / "turbo-trader"
    monkeypatch.setenv("XDG_STATE_HOME", "/somewhere")
    assert state_home() == Path("/somewhere/turbo-trader")
