"""Which daemon a verb is for: the only one, the one named, every one; otherwise one line that says what to do."""

from __future__ import annotations

import os
import pty
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.console import main
from turbo_trader.console.daemons import addressed, folder_read
from turbo_trader.live.registry import Kind, Registry, Running
from turbo_trader.market.errors import InputError


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Path]:
    """A live and a paper daemon."""
    registry = Registry(Kind.DAEMON)
    for name in ("live", "paper-1"):
        (tmp_path / name).mkdir()
    with registry.claim("live", tmp_path / "live"), registry.claim("paper", tmp_path / "paper-1"):
        yield tmp_path


def test_without_a_daemon_verbs_say_so() -> None:
    with pytest.raises(InputError, match="no daemon is running; start one with `turbo-trader run`"):
        addressed("flatten", None, None, every=False)
    with pytest.raises(InputError, match="no daemon is running"):
        addressed("flatten", None, None, every=True)


def test_the_only_daemon_is_meant_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Registry(Kind.DAEMON).claim("live", tmp_path / "live"):
        monkeypatch.chdir("/")
        assert [each.name for each in addressed("stop", None, None, every=False)] == ["live"]
        assert folder_read("report", None, None) == tmp_path / "live"


@pytest.mark.usefixtures("two")
def test_of_several_none_is_guessed_and_one_line_names_them_and_the_command() -> None:
    with pytest.raises(InputError) as raised:
        addressed("flatten", None, None, every=False)
    said = str(raised.value)
    assert "\n" not in said
    for part in ("live, paper", "turbo-trader flatten --daemon live", "turbo-trader flatten --all"):
        assert part in said
    with pytest.raises(
        InputError, match="turbo-trader report --daemon live, or a journal with --journal-dir"
    ):
        folder_read("report", None, None)


def test_a_name_a_folder_or_all_of_them_choose(two: Path) -> None:
    def chosen(name: str | None = None, folder: Path | None = None, every: bool = False) -> list[str]:
        return [each.name for each in addressed("halt", name, folder, every=every)]

    assert chosen(name="paper") == ["paper"]
    assert chosen(folder=two / "live") == ["live"]
    assert chosen(every=True) == ["live", "paper"]
    assert chosen(folder=two, every=True) == ["live", "paper"]
    assert folder_read("report", "paper", None) == two / "paper-1"
    with pytest.raises(InputError, match="did you mean live"):
        chosen(name="liv")
    with pytest.raises(InputError, match="give one of the two"):
        chosen(name="live", every=True)
    with pytest.raises(InputError, match="none of this name is running; running: paper"):
        chosen(name="live", folder=two / "paper-1")


def test_a_journal_given_is_read_whoever_runs(two: Path) -> None:
    (two / "old").mkdir()
    assert folder_read("report", None, two / "old") == two / "old"


def test_without_a_daemon_the_last_run_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOURNAL_DIR", str(tmp_path))
    assert folder_read("report", None, None) == tmp_path
    with pytest.raises(InputError, match="--daemon live: no daemon is running"):
        folder_read("report", "live", None)


@pytest.mark.usefixtures("two")
def test_a_person_at_a_terminal_is_asked_which_one_and_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own on a pseudo-terminal, as a person sits at one."""
    code = (
        "from turbo_trader.console.daemons import addressed; "
        "print('chosen', *[d.name for d in addressed('flatten', None, None, every=False)])"
    )
    pid, terminal = pty.fork()
    if not pid:  # the child
        os.execv(sys.executable, [sys.executable, "-c", code])
    seen = ""
    answers = ["nobody\n", "paper\n"]
    while "chosen paper" not in seen:
        try:
            seen += os.read(terminal, 4096).decode()
        except OSError:
            break
        if answers and seen.count("which daemon") == 3 - len(answers):
            os.write(terminal, answers.pop(0).encode())
    os.waitpid(pid, 0)
    os.close(terminal)
    assert "chosen paper" in seen, seen
    assert "live, process" in seen


@pytest.mark.parametrize("dead", ["live", "paper"])
@pytest.mark.parametrize("verb", ["flatten", "halt", "stop", "resume"])
def test_a_daemon_that_does_not_answer_keeps_a_verb_from_no_other(
    two: Path, verb: str, dead: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def ask(daemon: Running, *_: object) -> dict[str, Any]:
        asked.append(daemon.name)
        if daemon.name == dead:
            raise InputError(f"daemon {daemon.name}: it does not answer")
        return {"view": {"refusal": "", "lifted_by": ""}}

    monkeypatch.setattr("turbo_trader.live.control_client.ask", ask)
    monkeypatch.setattr("sys.argv", ["turbo-trader", verb, "--all"])
    with pytest.raises(SystemExit) as ended:
        main.main()
    said = capsys.readouterr()
    assert asked == ["live", "paper"]
    assert ended.value.code == 1
    assert f"daemon {dead}: it does not answer" in said.err
    assert f"{verb}: taken by daemon {'paper' if dead == 'live' else 'live'}" in said.out
