"""Where runs keep their journals: one folder per paper run (its venue is new each time), one for each real environment."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from turbo_trader.bybit.endpoints import Mode
from turbo_trader.console.dotenv import dotenv
from turbo_trader.console.setting_names import refuse_renamed
from turbo_trader.journal.health import newest
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.opening import discard
from turbo_trader.journal.private_files import private_folder
from turbo_trader.live.registry import Registration
from turbo_trader.market.errors import InputError, Refused

JOURNALS = "var"  # where JOURNAL_DIR does not say another
BACKTESTS = (
    "backtests"  # of the journals' folder: apart from the runs, so that none is taken for the last run
)


def journals() -> Path:
    """JOURNAL_DIR as `.env` and the environment have it, without reading the other settings; InputError as for those."""
    values = dotenv(Path(".env"))
    refuse_renamed(values, ".env")
    refuse_renamed(os.environ, "environment")
    return Path({**values, **os.environ}.get("JOURNAL_DIR") or JOURNALS)


def run_folder(base: Path, mode: Mode) -> Path:
    """The journal folder of a run that starts now; nothing is made."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    return base / f"paper-{stamp}" if mode == Mode.PAPER else base / mode


def backtest_folder(base: Path, order: str = "") -> Path:
    """The folder that a backtest which ends now is kept in; `order`: of highs and lows, where both were run."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    return base / BACKTESTS / "-".join(filter(None, ("backtest", stamp, order)))


def require_folder(folder: Path) -> None:
    """InputError where the folder of a run cannot be made: said before anything long begins. Nothing is left of it."""
    _remove(_made(folder))


@contextlib.contextmanager
def made_for(registration: Registration, folder: Path) -> Iterator[None]:
    """Make the folder of a run that is registered for it. A start that is refused, or interrupted, takes away what was made for it.

    InputError when it cannot be made.
    """
    missing = _made(folder)
    try:
        yield
    except (InputError, Refused, JournalError, KeyboardInterrupt):
        if folder in missing and not registration.running.port:  # it has never traded
            discard(folder)
            shutil.rmtree(folder, ignore_errors=True)
            _remove(missing[1:])
        raise


def _made(folder: Path) -> list[Path]:
    """Make it; returns what was missing of it, from the innermost on. InputError when it cannot be made."""
    missing: list[Path] = []
    try:
        missing += [path for path in (folder, *folder.parents) if not path.exists()]
        private_folder(folder)
    except OSError as error:
        _remove(missing)
        raise InputError(
            f"journal folder {folder.parent}: {error.strerror}: choose another with --journal-dir or JOURNAL_DIR"
        ) from None
    return missing


def _remove(made: list[Path]) -> None:
    """Folders from the innermost on, as far as they are empty."""
    with contextlib.suppress(OSError):
        for path in made:
            if path.exists():
                path.rmdir()


def last_journal(given: Path | None, usual: Path) -> Path:
    """`given` or else `usual`, where it is a journal folder; the one below it that was started last; itself where there is none.

    InputError where `given` is not a folder; before the first run `usual` need not be there.
    """
    if given is not None and not os.path.isdir(given):  # noqa: PTH112 - False too where it may not be looked at
        raise InputError(f"--journal-dir {given}: no such folder")
    base = given if given is not None else usual
    return newest(base) or base


def require_journal(folder: Path) -> Path:
    """`folder`; InputError where no run has kept a journal in it: there is nothing to answer from."""
    if newest(folder) is None:
        raise InputError(
            f"{folder}: no journal here; start a run with `turbo-trader run`, or name another with --journal-dir"
        )
    return folder
