"""Where runs keep their journals: one folder a paper run (its venue is new each time), one for each real environment."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from turbo_trader.console.settings import load_settings
from turbo_trader.journal.private import private_folder
from turbo_trader.market.errors import InputError

_LATEST = "latest"


def new_run_folder(base: Path, mode: str) -> Path:
    """The journal folder of a run that starts now; remembered as the latest. InputError when it cannot be made."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
    folder = base / f"paper-{stamp}" if mode == "paper" else base / mode
    try:
        private_folder(folder)
        (base / _LATEST).write_text(folder.name + "\n")
    except OSError as error:
        raise InputError(
            f"journal folder {base}: {error.strerror}: choose another with --journal-dir or JOURNAL_DIR"
        ) from None
    return folder


def journal_folder(given: Path | None) -> Path:
    """The journal folder of the latest run below `given` or JOURNAL_DIR; `given` itself where it is one.

    InputError where `given` is not a folder; before the first run JOURNAL_DIR need not be there.
    """
    if given is not None and not os.path.isdir(given):  # noqa: PTH112 - False too where it may not be looked at
        raise InputError(f"--journal-dir {given}: no such folder")
    base = given if given is not None else load_settings().journal_dir
    try:
        return base / (base / _LATEST).read_text().strip()
    except OSError:
        return base
