"""Exit codes and the two errors a person may meet: one clear line each, never a traceback."""

from __future__ import annotations

from typing import Final

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
REFUSED: Final = 3


class Refused(Exception):
    """Refused for safety (exit code 3): says what is missing or unsafe and what to do."""


class Failed(Exception):
    """It was tried and did not succeed (exit code 1)."""
