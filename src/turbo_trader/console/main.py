"""`turbo-trader`: the list of verbs and `status` at once, everything else through `app`, whose libraries take longer to load."""

from __future__ import annotations

import os
import sys
from typing import Any, Final

from turbo_trader import __version__
from turbo_trader.console import exit_codes, overview

COMPLETING: Final = "_TURBO_TRADER_COMPLETE"


def main() -> None:
    """Run a verb and end with a documented exit code: 0 ok, 1 failed, 2 usage or configuration, 3 refused for safety."""
    try:
        try:
            _run()
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        if not _nobody_reads():
            raise
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # nor does Python's own flush at the end complain
        sys.exit(exit_codes.FAILED)


def _run() -> None:
    if COMPLETING not in os.environ:  # a shell asks what may follow: typer answers
        _at_once(sys.argv[1:])
    from turbo_trader.console.command_line import run_verb

    run_verb()


def _nobody_reads() -> bool:
    """Whether stdout is a pipe whose reader has gone: `turbo-trader policy | head`."""
    import select

    ends = select.poll()
    ends.register(sys.stdout, 0)
    return any(happened & (select.POLLERR | select.POLLHUP) for _, happened in ends.poll(0))


def _at_once(given: list[str]) -> None:
    """What needs no library: the verbs, the version, a plain `status`. Ends the process where it was one of these."""
    if not given or given[0] in ("-h", "--help", "help"):
        print(overview.text())
        sys.exit(exit_codes.OK)
    if given[0] in ("--version", "-V", "version"):
        print(f"turbo-trader {__version__}")
        sys.exit(exit_codes.OK)
    if given[0] == "status" and (options := _status_options(given[1:])) is not None:
        _status(**options)
        sys.exit(exit_codes.OK)


def _status_options(given: list[str]) -> dict[str, Any] | None:
    """The options of a plain `status`; None where they need `app`: help, anything that is wrong."""
    found: dict[str, Any] = {}
    ahead = iter(given)
    for name in ahead:
        name, given_with, value = name.partition("=")
        if name == "--json" and not given_with:
            found["json"] = True
        elif name in ("--daemon", "--journal-dir") and (value := value or next(ahead, "")):
            found[name.removeprefix("--").replace("-", "_")] = value
        else:
            return None
    return found


def _status(daemon: str | None = None, journal_dir: str | None = None, json: bool = False) -> None:
    from pathlib import Path

    from turbo_trader.console.journal_database import sign_in
    from turbo_trader.console.status import print_status

    sign_in()
    with exit_codes.explained():
        print_status(daemon, Path(journal_dir) if journal_dir else None, as_json=json)


if __name__ == "__main__":
    main()
