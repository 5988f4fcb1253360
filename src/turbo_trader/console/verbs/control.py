"""`status`, `halt`, `resume`, `flatten`, `stop`, `session`: a word with a running daemon, through its control port."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]
Folder = Annotated[
    Path | None, typer.Option("--journal-dir", help="the daemon's journal folder; default: the last run's")
]


def status(journal_dir: Folder = None, json: Json = False) -> None:
    """What a running daemon is doing; without one, how the last run ended."""
    from turbo_trader.console.folders import journal_folder
    from turbo_trader.console.output import print_json
    from turbo_trader.console.standing import standing_lines
    from turbo_trader.journal.opening import believable
    from turbo_trader.journal.readers import overview, state
    from turbo_trader.market.errors import InputError

    folder = journal_folder(journal_dir)
    try:
        answer = _ask(folder, "status", {})
    except InputError:
        answer = {"running": False, **overview(folder), "session": state(folder).get("session", {})}
    else:
        answer = {"running": True, **answer}
    with believable(folder):
        lines = standing_lines(answer)
    if json:
        print_json(answer)
    else:
        print("\n".join(lines))


def halt(journal_dir: Folder = None, json: Json = False) -> None:
    """No new entries until `resume`; open positions are managed on."""
    _tell(journal_dir, "halt", {}, json)


def resume(journal_dir: Folder = None, json: Json = False) -> None:
    """Lift a halt set by a person or by the edge watchdog."""
    _tell(journal_dir, "resume", {}, json)


def flatten(journal_dir: Folder = None, json: Json = False) -> None:
    """Emergency stop: cancel entries, close everything, halt."""
    _tell(journal_dir, "flatten", {}, json)


def stop(
    leave: Annotated[
        bool, typer.Option("--leave", help="leave open positions to their stops on the venue")
    ] = False,
    journal_dir: Folder = None,
    json: Json = False,
) -> None:
    """Close everything and end the daemon; with --leave end it and leave positions to their stops."""
    _tell(journal_dir, "stop", {"leave": leave}, json)


def session(
    action: Annotated[str, typer.Argument(help="new")],
    journal_dir: Folder = None,
    json: Json = False,
) -> None:
    """`session new` begins a new session: lifts halts set by a limit and pauses."""
    from turbo_trader.market.errors import InputError

    if action != "new":
        raise InputError(f"session {action}: the only action is `session new`")
    _tell(journal_dir, "session_new", {}, json)


def _tell(journal_dir: Path | None, verb: str, args: dict[str, Any], as_json: bool) -> None:
    from turbo_trader.console.folders import journal_folder
    from turbo_trader.console.output import print_json
    from turbo_trader.console.standing import entries_line

    answer = _ask(journal_folder(journal_dir), verb, {**args, "by": _user()})
    if as_json:
        print_json({"verb": verb, **answer})
    else:
        print(
            f"{verb.replace('_', ' ')}: taken by process {answer['pid']}; entries: {entries_line(answer['view'])}"
        )


def _user() -> str:
    """Who says it: the login name, for the session's record."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def _ask(folder: Path, verb: str, args: dict[str, Any]) -> dict[str, Any]:
    from turbo_trader.live.control import ask

    return ask(folder, verb, args)
