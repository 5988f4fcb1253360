"""JOURNAL_URL and JOURNAL_NAME: where the journal of a folder is kept, and its password on the way to libpq.

The password goes to PGPASSWORD of this process and those it starts, as libpq's own tools are given it, and nowhere else.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from turbo_trader.console.dotenv import dotenv
from turbo_trader.journal.address import Address, address, password_of
from turbo_trader.market.errors import InputError

if TYPE_CHECKING:
    from turbo_trader.console.settings import Settings

_DOTENV: Final = Path(".env")
_URL: Final = "JOURNAL_URL"
_PASSWORD: Final = "PGPASSWORD"  # noqa: S105 - the variable's name


def database_of(settings: Settings, folder: Path) -> Address | None:
    """Where the journal of `folder` is kept; None: in a file of it.

    InputError for a wrong JOURNAL_URL or without the extra; Refused where a password stands in a file that others may read.
    """
    text = settings.journal_url.get_secret_value()
    if not text:
        return None
    found, password = address(text, "-".join(filter(None, (settings.journal_name, folder.resolve().name))))
    if password and _URL not in os.environ:
        from turbo_trader.bybit.endpoints import others_must_not_read

        others_must_not_read(_DOTENV, _DOTENV.stat().st_mode, f"{_URL} in")
    return found


def sign_in() -> None:
    """Let libpq find the password of JOURNAL_URL, whatever verb runs. What is wrong with the setting is said by who uses it."""
    with contextlib.suppress(InputError):
        text = {**dotenv(_DOTENV), **os.environ}.get(_URL, "")
        if password := password_of(text.strip()):
            os.environ[_PASSWORD] = password
