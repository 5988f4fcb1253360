"""`report --html`, `--csv`, `--list`: finds the run and writes its files."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from turbo_trader.console.folders import BACKTESTS
from turbo_trader.console.times import utc_ns, utc_text
from turbo_trader.journal.private_files import private_opener
from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import DAY
from turbo_trader.reports.reading import FOREVER
from turbo_trader.reports.run_catalogue import Entry, catalogue
from turbo_trader.reports.run_data import Run


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the arguments of `report` ask for. `run` "": the running daemon's or the last run; times ns UTC.

    A file without a name is called after the run.
    """

    run: str = ""
    html: Path | None = None
    csv: Path | None = None
    since: int = 0
    until: int = FOREVER

    @property
    def part(self) -> bool:
        """Is it of a part of the run?"""
        return (self.since, self.until) != (0, FOREVER)


def asked_for(arguments: list[str], *, html: bool, csv: bool, since: str, until: str) -> Asked:
    """RUN and FILEs among the arguments, distinguished by how they end. A day such as 2026-01-05 is that day of the last run.

    InputError for two of a kind, not a time, an end before its begin.
    """
    pages: list[str] = []
    tables: list[str] = []
    names: list[str] = []
    for argument in arguments:
        kind = {".html": pages, ".csv": tables}.get(Path(argument).suffix.lower(), names)
        kind.append(argument)
        if len(kind) > 1:
            raise InputError(
                f"report {' '.join(arguments)}: one RUN, one FILE.html and one FILE.csv at most; "
                "a name with blanks needs quotes"
            )
    run = names[0] if names else ""
    begin, end = (utc_ns(since, "--from") if since else 0), (utc_ns(until, "--to") if until else FOREVER)
    if (day := _day(run)) is not None:
        run, begin, end = "", max(begin, day), min(end, day + DAY)
    if begin >= end:
        raise InputError(f"--from {since or '-'} --to {until or '-'}: the end must be after the begin")
    return Asked(
        run=run,
        html=_file(pages, wanted=html),
        csv=_file(tables, wanted=csv),
        since=begin,
        until=end,
    )


def folder_of(run: str, base: Path) -> Path:
    """The folder of a run or backtest: by its name in the journals' folder, or by a path. InputError, with the nearest name."""
    given = Path(run)
    for place in (base / run, base / BACKTESTS / run, given):
        if place.is_dir():
            return place
    names = [entry.name for entry in runs_in(base)]
    near = get_close_matches(run, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else "`turbo-trader report --list` shows what there is"
    raise InputError(f"{run}: no such run or backtest in {base}; {hint}")


def runs_in(base: Path) -> list[Entry]:
    """Runs, then backtests."""
    return catalogue(base, base / BACKTESTS)


def list_lines(entries: list[Entry], base: Path) -> list[str]:
    """The list for a person, newest last."""
    from turbo_trader.console.tables import aligned

    if not entries:
        return [
            f"no run and no backtest in {base} yet; `turbo-trader run` or `turbo-trader backtest` makes one"
        ]
    rows = [
        (each.name, each.mode or "-", each.state.value, utc_text(each.begun)[:16] if each.begun else "-", f"{each.trades:,}")
        for each in entries
        if not each.error
    ]  # fmt: skip
    broken = [f"{each.name}: {each.error}" for each in entries if each.error]
    return [*aligned(("run", "mode", "state", "begun, UTC", "trades"), rows, left=4), *broken]


def write_files(folder: Path, asked: Asked) -> list[Path]:
    """Write what is asked for; private files, for they show money. InputError where one cannot be written."""
    from turbo_trader.reports.page import render
    from turbo_trader.reports.reading import read_run

    run = read_run(folder, asked.since, asked.until)
    written = []
    for given, suffix, text in ((asked.html, ".html", render), (asked.csv, ".csv", _table)):
        if given is None:
            continue
        path = given if given.name else Path(f"turbo-trader-{run.name}{suffix}")
        _write(path, text(run))
        written.append(path)
    return written


def entry_json(entry: Entry) -> dict[str, Any]:
    """A line of the list as plain values."""
    times = {
        name: utc_text(ts) if ts else None for name, ts in (("begun", entry.begun), ("ended", entry.ended))
    }
    plain = {"name": entry.name, "folder": entry.folder, "mode": entry.mode, "state": entry.state}
    return {**plain, **times, "trades": entry.trades, "error": entry.error}


def _write(path: Path, text: str) -> None:
    try:
        with open(path, "w", encoding="utf-8", newline="", opener=private_opener) as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}: name another file") from None


def _table(run: Run) -> str:
    from turbo_trader.reports.taxes import trades_csv

    return trades_csv(run.closed)


def _file(given: list[str], *, wanted: bool) -> Path | None:
    """The file named; an empty path where one is wanted without a name."""
    if given:
        return Path(given[0])
    return Path() if wanted else None


def _day(text: str) -> int | None:
    """The begin of a day written as 2026-01-05, ns; None for anything else."""
    if len(text) != len("2026-01-05") or text.count("-") != 2 or not text.replace("-", "").isdigit():
        return None
    return utc_ns(text, "report")
