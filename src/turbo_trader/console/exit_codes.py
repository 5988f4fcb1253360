"""Exit codes and the errors behind them: one clear line each, never a traceback."""

from __future__ import annotations

from typing import Final

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
REFUSED: Final = 3


class Failed(Exception):
    """It was tried and did not succeed (exit code 1)."""
