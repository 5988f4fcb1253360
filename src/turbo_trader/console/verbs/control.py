"""`status`, `halt`, `resume`, `flatten`, `stop`, `session`: the verbs that running daemons answer through their control ports."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from turbo_trader.console.options import Every, Folder, Name
from turbo_trader.trader.control_verbs import ControlVerb

Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]


def status(daemon: Name = None, journal_dir: Folder = None, json: Json = False) -> None:
    """What the running daemons and guards are doing; without a daemon, how the last run ended."""
    from turbo_trader.console.status import print_status

    print_status(daemon, journal_dir, as_json=json)


def halt(daemon: Name = None, every: Every = False, journal_dir: Folder = None, json: Json = False) -> None:
    """No new entries until `resume`; open positions are still managed."""
    _say(ControlVerb.HALT, {}, daemon, every, journal_dir, json)


def resume(daemon: Name = None, every: Every = False, journal_dir: Folder = None, json: Json = False) -> None:
    """Lift a halt set by a person or by the edge watchdog."""
    _say(ControlVerb.RESUME, {}, daemon, every, journal_dir, json)


def flatten(
    daemon: Name = None, every: Every = False, journal_dir: Folder = None, json: Json = False
) -> None:
    """Emergency stop: cancel entries, close everything, halt."""
    _say(ControlVerb.FLATTEN, {}, daemon, every, journal_dir, json)


def stop(
    leave: Annotated[
        bool, typer.Option("--leave", help="leave open positions to their stops on the venue")
    ] = False,
    daemon: Name = None,
    every: Every = False,
    journal_dir: Folder = None,
    json: Json = False,
) -> None:
    """Close everything and end the daemon; with --leave end it and leave positions to their stops."""
    _say(ControlVerb.STOP, {"leave": leave}, daemon, every, journal_dir, json)


def session(
    action: Annotated[str, typer.Argument(help="new")],
    daemon: Name = None,
    every: Every = False,
    journal_dir: Folder = None,
    json: Json = False,
) -> None:
    """`session new` begins a new session: lifts halts set by a limit and pauses."""
    from turbo_trader.market.errors import InputError

    if action != "new":
        raise InputError(f"session {action}: the only action is `session new`")
    _say(ControlVerb.SESSION_NEW, {}, daemon, every, journal_dir, json)


def explore(
    again: Annotated[
        bool, typer.Option("--again", help="let the smallest orders lose their whole budget once more")
    ] = False,
    daemon: Name = None,
    every: Every = False,
    journal_dir: Folder = None,
    json: Json = False,
) -> None:
    """SIZE=earned: allow the smallest orders once more after they have cost 10 % of the account."""
    from turbo_trader.market.errors import InputError

    if not again:
        raise InputError(
            "explore: this spends the budget of the smallest orders once more; say `explore --again`"
        )
    _say(ControlVerb.EXPLORE, {}, daemon, every, journal_dir, json)


def _say(
    verb: ControlVerb, args: dict[str, Any], name: str | None, every: bool, folder: Folder, as_json: bool
) -> None:
    """Give a verb to every daemon it is for. One that does not answer keeps it from no other; it fails the verb in the end."""
    from turbo_trader.console.daemons import addressed
    from turbo_trader.console.exit_codes import Failed
    from turbo_trader.console.output import print_json
    from turbo_trader.console.standing import entries_line
    from turbo_trader.live.control_client import ask
    from turbo_trader.market.errors import InputError

    taken: list[dict[str, Any]] = []
    failed: list[str] = []
    daemons = addressed(verb.typed, name, folder, every=every)
    for each in daemons:
        try:
            answer = ask(each, verb, {**args, "by": _user()})
        except InputError as error:
            if len(daemons) == 1:
                raise
            failed.append(str(error))
            continue
        taken.append({"name": each.name, "verb": verb, **answer})
        if not as_json:
            entries = entries_line(answer["view"])
            print(f"{verb.typed}: taken by daemon {each.name} (process {each.pid}); entries: {entries}")
    if as_json:
        print_json({"daemons": taken, "failed": failed} if every else taken[0])
    if failed:
        raise Failed("; ".join(failed))


def _user() -> str:
    """Who says it: the login name, for the session's record."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
