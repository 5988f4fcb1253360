"""Which running daemon a verb acts on: the one named, the only one, or all of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from turbo_trader.live.registry import Kind, Registry, Running
from turbo_trader.market.errors import InputError


def addressed(command: str, name: str | None, folder: Path | None, *, every: bool) -> list[Running]:
    """The daemons that `command` is for, at least one. InputError where there is none, or where it is not clear which."""
    found = within(Registry(Kind.DAEMON).running(), folder)
    if every and name is not None:
        raise InputError("--all and --daemon: give one of the two")
    if not found:
        where = "" if folder is None else f"journal folder {folder}: "
        raise InputError(f"{where}no daemon is running; start one with `turbo-trader run`")
    return (
        found
        if every
        else [
            one_of(found, name, "daemon", f"turbo-trader {command} --daemon", f"turbo-trader {command} --all")
        ]
    )


def journal_of(command: str, name: str | None, given: Path | None) -> Path:
    """The folder of `folder_read` for a verb that needs the journal itself. InputError where there is none in it."""
    from turbo_trader.console.folders import require_journal

    return require_journal(folder_read(command, name, given))


def folder_read(command: str, name: str | None, given: Path | None) -> Path:
    """The folder that a reading verb is for: the one given, else the daemon's named or running, else the last run's."""
    from turbo_trader.console.folders import journals, last_journal

    found = Registry(Kind.DAEMON).running() if given is None or name is not None else []
    if name is None and not found:
        return last_journal(given, journals() if given is None else given)
    found = within(found, given)
    if not found:
        raise InputError(f"--daemon {name}: no daemon is running")
    return Path(
        one_of(
            found, name, "daemon", f"turbo-trader {command} --daemon", "a journal with --journal-dir"
        ).folder
    )


def within(found: Sequence[Running], folder: Path | None) -> list[Running]:
    """Those whose journal is `folder` or lies in it; all of them without one. InputError where it is no folder."""
    if folder is None:
        return list(found)
    if not folder.is_dir():
        raise InputError(f"--journal-dir {folder}: no such folder")
    where = str(folder.resolve())
    return [each for each in found if where in (each.folder, str(Path(each.folder).parent))]


def one_of(found: Sequence[Running], name: str | None, what: str, naming: str, otherwise: str) -> Running:
    """The one of this name, or the only one; a person at a terminal is asked. InputError, one line, in any other case.

    `naming` is the command that a name is appended to, `otherwise` what there is instead.
    """
    names = [each.name for each in found]
    listed = ", ".join(names)
    if name is not None and name not in names:
        meant = get_close_matches(name, names, n=1)
        hint = f"did you mean {meant[0]}? " if meant else ""
        running = f"running: {listed}" if listed else f"no {what} is running"
        raise InputError(f"{what} {name!r}: none of this name is running; {hint}{running}")
    if name is None and len(found) > 1:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise InputError(
                f"{len(found)} {what}s are running: {listed}; name one: {naming} {names[0]}, or {otherwise}"
            )
        name = _asked(found, what)
    return found[0] if name is None else found[names.index(name)]


def _asked(found: Sequence[Running], what: str) -> str:
    import typer

    for each in found:
        typer.echo(f"{each.name:<12} {each.mode}, process {each.pid}, {each.folder}", err=True)
    names = [each.name for each in found]
    while (answer := typer.prompt(f"which {what} ({', '.join(names)})", err=True)) not in names:
        typer.echo(f"{answer}: none of this name is running", err=True)
    return str(answer)
