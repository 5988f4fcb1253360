"""Progress: what it does, how far it is, how long it still takes; nothing on stdout, nothing for short work."""

from __future__ import annotations

import io
import json
import time
from contextlib import suppress
from pathlib import Path

import pytest
from tests.reports.conftest import write_run

from turbo_trader.console import main, progress
from turbo_trader.console.progress import Progress, seconds


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Broken(io.StringIO):
    def write(self, _text: str) -> int:
        raise BrokenPipeError


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shown at once, and again soon."""
    monkeypatch.setattr(progress, "FIRST_S", 0.01)
    monkeypatch.setattr(progress, "LINE_S", 0.01)


def test_half_way_as_long_again_is_left() -> None:
    times = iter([0.0, 30.0])
    shown = Progress("compiling", 10, out=io.StringIO(), clock=lambda: next(times))
    shown.at(5, "signals.kalman")
    assert shown.line() == "compiling  [##########..........]  50%  30 s left  signals.kalman"


@pytest.mark.parametrize(("total", "done"), [(0, 3), (10, 0)])
def test_without_a_share_the_time_taken_is_shown(total: float, done: float) -> None:
    times = iter([0.0, 65.0])
    shown = Progress("installing", total, out=io.StringIO(), clock=lambda: next(times))
    shown.at(done)
    assert shown.line().endswith("1 min 5 s so far")


def test_more_than_the_total_is_not_more_than_all() -> None:
    shown = Progress("compiling", 10, out=io.StringIO())
    shown.at(12)
    assert "100%" in shown.line()
    assert "-" not in shown.line()


def test_short_work_shows_nothing() -> None:
    out = io.StringIO()
    with Progress("reading", 2, out=out) as shown:
        shown.advance()
    assert out.getvalue() == ""


@pytest.mark.usefixtures("quick")
def test_a_pipe_gets_whole_plain_lines() -> None:
    out = io.StringIO()
    with Progress("reading", 2, out=out) as shown:
        shown.advance()
        time.sleep(0.2)
    lines = out.getvalue().splitlines()
    assert len(lines) > 2
    assert all(line.startswith("reading  [") for line in lines[:-1])
    assert lines[-1] == "reading: done in 0 s"
    assert "\x1b" not in out.getvalue()


@pytest.mark.usefixtures("quick")
def test_a_terminal_gets_one_line_that_ends() -> None:
    out = Terminal()
    with Progress("reading " * 50, 2, out=out):
        time.sleep(0.1)
    assert out.getvalue().count("\n") == 1
    assert out.getvalue().endswith("\n")
    assert max(map(len, out.getvalue().split("\r"))) < 90


def test_a_part_of_the_work_has_its_own_share_and_time_left() -> None:
    times = iter([0.0, 100.0, 130.0])
    shown = Progress("study", 1, out=io.StringIO(), clock=lambda: next(times))
    shown.at(1.0, "asking the signal")
    shown.part("the future cut off")
    shown.at(0.5, shown.detail)
    assert shown.line() == "study  [##########..........]  50%  30 s left  the future cut off"


@pytest.mark.usefixtures("quick")
def test_a_line_that_stays_stands_alone_on_a_terminal() -> None:
    out = Terminal()
    with Progress("chaos", 2, out=out) as shown:
        time.sleep(0.1)
        shown.say("seed 3: an invariant broke")
        time.sleep(0.1)
    assert "\r\x1b[Kseed 3: an invariant broke\n\r" in out.getvalue()


@pytest.mark.usefixtures("quick")
def test_what_is_printed_meanwhile_stands_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    with Progress("rows", 2, out=terminal) as shown:
        for row in ("one", "two"):
            time.sleep(0.1)
            print(f"| {row} |")
            shown.advance()
    assert "\r\x1b[K| one |\n" in terminal.getvalue()
    assert "\r\x1b[K| two |\n" in terminal.getvalue()


def test_each_item_moves_the_progress_on(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[float] = []
    monkeypatch.setattr(Progress, "advance", lambda bar: done.append(bar.total))
    assert list(progress.each("rows", [1, 2])) == [1, 2]
    assert list(progress.each("rows", iter([1, 2, 3]), 3)) == [1, 2, 3]
    assert done == [2, 2, 3, 3, 3]


@pytest.mark.usefixtures("quick")
def test_work_that_fails_is_not_called_done() -> None:
    out = io.StringIO()
    with suppress(KeyError), Progress("reading", 2, out=out):
        time.sleep(0.1)
        raise KeyError
    assert out.getvalue().splitlines()[-1].startswith("reading: stopped after")


@pytest.mark.usefixtures("quick")
def test_a_reader_that_left_does_not_stop_the_work() -> None:
    with Progress("reading", 2, out=Broken()) as shown:
        time.sleep(0.1)
        shown.advance()
    assert shown.done == 1


def test_stdout_stays_the_result_alone(quick: None, capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("reading"):
        time.sleep(0.1)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("reading")


@pytest.mark.parametrize(
    ("taken", "said"), [(8.2, "8 s"), (125, "2 min 5 s"), (3840, "1 h 4 min"), (-1, "0 s")]
)
def test_durations_are_said_as_people_say_them(taken: float, said: str) -> None:
    assert seconds(taken) == said


@pytest.mark.parametrize(
    "given",
    [
        ["report"],
        ["report", "--html"],
        ["funnel"],
        ["calibration"],
        ["journal", "check"],
        ["journal", "export", "out"],
    ],
)
def test_verbs_that_read_a_long_journal_say_so_meanwhile(
    given: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "FIRST_S", 0.0)
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "run")
    monkeypatch.setattr(
        "sys.argv", ["turbo-trader", *given, "--journal-dir", str(tmp_path / "run"), "--json"]
    )
    with pytest.raises(SystemExit) as end:
        main.main()
    out, err = capsys.readouterr()
    assert end.value.code == 0
    assert json.loads(out)
    assert "the journal  0 s so far" in err
