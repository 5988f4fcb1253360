"""The keys of a real environment: from the environment, from `.env`, or from a file of their own; files are the owner's alone."""

from __future__ import annotations

import os
from pathlib import Path

from turbo_trader.bybit.endpoints import Keys, others_must_not_read, read_key_file
from turbo_trader.console.settings import Settings

_DOTENV = Path(".env")
_NAMES = ("BYBIT_API_KEY", "BYBIT_API_SECRET")


def given_keys(settings: Settings) -> Keys:
    """Key and secret as given, "" where there is none. Refused when they are in a file that others may read."""
    if settings.bybit_key_file is not None:
        return read_key_file(settings.bybit_key_file)
    values = (settings.bybit_api_key.get_secret_value(), settings.bybit_api_secret.get_secret_value())
    surrounding = {name.upper() for name in os.environ}
    if any(value and name not in surrounding for name, value in zip(_NAMES, values, strict=True)):
        others_must_not_read(_DOTENV, _DOTENV.stat().st_mode)
    return Keys(*values)


def missing_keys(keys: Keys) -> list[str]:
    """The settings that are empty."""
    return [name for name, value in zip(_NAMES, (keys.key, keys.secret), strict=True) if not value]
