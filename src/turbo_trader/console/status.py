"""The facts of `status`: every running daemon and guard; without a daemon, how the last run ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from turbo_trader.console.daemons import one_of, within
from turbo_trader.console.folders import journals, last_journal
from turbo_trader.console.output import print_json
from turbo_trader.console.standing import status_lines
from turbo_trader.journal.kept_state import overview, state
from turbo_trader.journal.opening import believable
from turbo_trader.live.control_client import ask
from turbo_trader.live.registry import Kind, Registry, Running
from turbo_trader.market.errors import InputError
from turbo_trader.trader.control_verbs import STATUS


def print_status(name: str | None, folder: Path | None, *, as_json: bool) -> None:
    """`status`: one JSON object, or lines for a person."""
    found, lines = status_of(name, folder)
    if as_json:
        print_json(found)
    else:
        print("\n".join(lines))


def status_of(name: str | None, folder: Path | None) -> tuple[dict[str, Any], list[str]]:
    """`daemons` and `guards`, each with name, mode, pid and folder; a daemon with what it answers, or with `error`. And its lines.

    `last_run` where no daemon runs. InputError where the one named does not run.
    """
    daemons = within(Registry(Kind.DAEMON).running(), folder)
    guards = within(Registry(Kind.GUARD).running(), folder)
    if name is not None:
        daemons = [one_of(daemons, name, "daemon", "turbo-trader status --daemon", "turbo-trader status")]
        guards = [guard for guard in guards if guard.folder == daemons[0].folder]
    found: dict[str, Any] = {
        "daemons": [_answer(each) for each in daemons],
        "guards": [_reported(each) for each in guards],
    }
    if daemons:
        return found, status_lines(found)
    last = last_journal(folder, journals() if folder is None else folder)
    with believable(last):
        found["last_run"] = {**overview(last), "session": state(last).get("session", {})}
        return found, status_lines(found)


def _answer(daemon: Running) -> dict[str, Any]:
    try:
        return {**_reported(daemon), **ask(daemon, STATUS), "error": ""}
    except InputError as error:
        return {**_reported(daemon), "error": str(error)}


def _reported(running: Running) -> dict[str, Any]:
    return {"name": running.name, "mode": running.mode, "pid": running.pid, "folder": running.folder}
