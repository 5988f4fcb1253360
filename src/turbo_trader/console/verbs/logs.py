"""`turbo-trader logs`: the log of a run as sentences, and followed as it grows."""

from __future__ import annotations

import json as text
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from turbo_trader.console.daemons import folder_read
from turbo_trader.console.options import Journal, Name, whole
from turbo_trader.market.errors import InputError

LOG = "turbo-trader.jsonl"
LEVELS = ("debug", "info", "warning", "error")
_POLL_S = 0.25


def logs(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="follow the log as it grows; Ctrl-C stops")
    ] = False,
    last: Annotated[
        int, typer.Option("--last", "-n", help="number of lines from the end; 0: all", parser=whole())
    ] = 50,
    level: Annotated[str, typer.Option(help="least level: debug, info, warning, error")] = "info",
    daemon: Name = None,
    journal_dir: Journal = None,
    json: Annotated[bool, typer.Option("--json", help="the JSON lines as they are")] = False,
) -> None:
    """The log of the running daemon or of the last run, one sentence per line."""
    if level not in LEVELS:
        raise InputError(f"--level {level}: must be one of {', '.join(LEVELS)}")
    path = folder_read("logs", daemon, journal_dir) / LOG
    try:
        shown = [line for line in _kept(path) if _wanted(line, level)]
    except FileNotFoundError:
        raise InputError(
            f"{path.parent}: no log here; start a run with `turbo-trader run`, or name another with --journal-dir"
        ) from None
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror}; give its user the right to read it, or name another with --journal-dir"
        ) from None
    try:
        for line in shown[-last:] if last else shown:
            _show(line, raw=json)
        if follow:
            for line in _grown(path):
                if _wanted(line, level):
                    _show(line, raw=json)
    except KeyboardInterrupt:
        return


def _show(line: tuple[str, dict[str, Any]], *, raw: bool) -> None:
    from turbo_trader.console.sentences import log_line

    print(line[0] if raw else log_line(line[1]), flush=True)


def _wanted(line: tuple[str, dict[str, Any]], least: str) -> bool:
    level = str(line[1].get("level", "info"))
    return LEVELS.index(level if level in LEVELS else "info") >= LEVELS.index(least)


def _kept(path: Path) -> list[tuple[str, dict[str, Any]]]:
    """All lines, those of rotated files first."""
    older = sorted(
        path.parent.glob(f"{LOG}.*"),
        key=lambda each: -int(each.suffix[1:]) if each.suffix[1:].isdigit() else 0,
    )
    found = []
    for each in (*older, path):
        with each.open(encoding="utf-8", errors="replace") as file:
            found += [parsed for raw in file if (parsed := _parsed(raw)) is not None]
    return found


def _parsed(raw: str) -> tuple[str, dict[str, Any]] | None:
    """A line and its object; None for a line that is none (cut by a full disk, or not whole yet)."""
    try:
        line = text.loads(raw)
    except ValueError:
        return None
    return (raw.rstrip("\n"), line) if isinstance(line, dict) else None


def _grown(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lines as they come, across rotations; never ends by itself."""
    file = path.open(encoding="utf-8", errors="replace")
    file.seek(0, 2)
    waiting = ""
    while True:
        chunk = file.readline()
        if chunk:
            waiting += chunk
            if waiting.endswith("\n"):
                parsed, waiting = _parsed(waiting), ""
                if parsed is not None:
                    yield parsed
            continue
        if _rotated(path, file.fileno()):
            file.close()
            file = path.open(encoding="utf-8", errors="replace")
            continue
        sys.stdout.flush()
        time.sleep(_POLL_S)


def _rotated(path: Path, descriptor: int) -> bool:
    """Is the file that is read another one than that of the path by now?"""
    try:
        return path.stat().st_ino != os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False
