"""`report --html`, `--csv`, `--list`, `--from`, `--to`: which run is meant and what is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.reports.conftest import write_run

from turbo_trader.console.report_files import asked_for, folder_of, runs_in
from turbo_trader.console.verbs.report import report
from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import DAY
from turbo_trader.reports.reading import FOREVER
from turbo_trader.rules.scan_funnel import HOUR

MIDNIGHT = 1_767_571_200_000_000_000  # 2026-01-05


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journals' folder with two runs and a backtest; what is written without a name lands in `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "var" / "paper-1", 2)
    write_run(tmp_path / "var" / "backtests" / "backtest-1", 3)
    return tmp_path / "var"


@pytest.mark.parametrize(
    ("given", "html", "run", "page"),
    [
        ([], True, "", Path()),
        (["page.html"], True, "", Path("page.html")),
        (["paper-1", "page.html"], True, "paper-1", Path("page.html")),
        (["paper-1"], True, "paper-1", Path()),
        (["paper-1"], False, "paper-1", None),
    ],
)
def test_a_run_and_a_file_are_reported_apart(
    given: list[str], html: bool, run: str, page: Path | None
) -> None:
    asked = asked_for(given, html=html, csv=False, since="", until="")
    assert (asked.run, asked.html, asked.csv) == (run, page, None)


def test_a_day_stands_for_its_hours() -> None:
    asked = asked_for(["2026-01-05"], html=False, csv=False, since="", until="")
    assert (asked.run, asked.since, asked.until) == ("", MIDNIGHT, MIDNIGHT + DAY)
    asked = asked_for(["2026-01-05"], html=False, csv=False, since="2026-01-05T10:00", until="")
    assert asked.since == MIDNIGHT + 10 * HOUR
    assert asked_for([], html=False, csv=False, since="", until="").until == FOREVER


@pytest.mark.parametrize(
    ("given", "since", "until"),
    [
        (["a", "b"], "", ""),
        (["a.html", "b.html"], "", ""),
        ([], "yesterday", ""),
        ([], "2026-01-06", "2026-01-05"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(given: list[str], since: str, until: str) -> None:
    with pytest.raises(InputError) as error:
        asked_for(given, html=True, csv=False, since=since, until=until)
    assert len(str(error.value).splitlines()) == 1


def test_runs_and_backtests_are_found_by_name_and_by_path(base: Path) -> None:
    assert folder_of("paper-1", base) == base / "paper-1"
    assert folder_of("backtest-1", base) == base / "backtests" / "backtest-1"
    assert folder_of(str(base / "paper-1"), Path("elsewhere")) == base / "paper-1"
    with pytest.raises(InputError, match=r"did you mean paper-1\?"):
        folder_of("papr-1", base)
    assert [entry.name for entry in runs_in(base)] == ["backtest-1", "paper-1"]


def test_page_and_table_are_written_private_and_named_after_the_run(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(arguments=["backtest-1"], html=True, csv=True, journal_dir=base)
    page, table = Path("turbo-trader-backtest-1.html"), Path("turbo-trader-backtest-1.csv")
    assert capsys.readouterr().out.splitlines() == [f"written: {page}", f"written: {table}"]
    assert page.read_text().startswith("<!doctype html>")
    assert len(table.read_text().splitlines()) == 4
    assert page.stat().st_mode & 0o077 == 0
    report(arguments=["paper-1", "mine.csv"], journal_dir=base, json=True)
    assert json.loads(capsys.readouterr().out) == {"files": ["mine.csv"]}


def test_a_file_that_cannot_be_written_is_named(base: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere/x\.html: No such file or directory"):
        report(arguments=["paper-1", "nowhere/x.html"], html=True, journal_dir=base)


def test_the_text_is_of_the_time_asked_for(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(arguments=["paper-1"], since="2026-01-05T09:30", journal_dir=base)
    assert capsys.readouterr().out.startswith("1 trades (0 A, 1 B)")
    report(arguments=["backtest-1"], journal_dir=base)
    assert capsys.readouterr().out.startswith("3 trades")


def test_the_list_names_runs_and_backtests(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report(listed=True, journal_dir=base)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["backtest-1", "paper-1"]
    report(listed=True, journal_dir=base, json=True)
    assert [each["trades"] for each in json.loads(capsys.readouterr().out)["runs"]] == [3, 2]
    report(listed=True, journal_dir=base / "empty")
    assert "no run and no backtest in" in capsys.readouterr().out
