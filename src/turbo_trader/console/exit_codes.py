"""Exit codes and the errors behind them: one clear line each, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import wrap
from typing import Final, NoReturn

from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.market.errors import InputError, Refused

OK: Final = 0
FAILED: Final = 1
USAGE: Final = 2
REFUSED: Final = 3

LINE: Final = 200  # characters of a line of an error at the most
_LEAST: Final = 40  # columns; a narrower terminal folds by itself


class Failed(Exception):
    """It was tried and did not succeed (exit code 1)."""


@contextmanager
def explained() -> Iterator[None]:
    """Ends the process with one line and its code where the body raises one of our errors, or may not use a file."""
    try:
        yield
    except InputError as error:
        end(str(error), USAGE)
    except Refused as error:
        end(f"refused: {error}", REFUSED)
    except (Failed, JournalError) as error:
        end(str(error), FAILED)
    except PermissionError as error:
        end(
            f"{error.filename}: {error.strerror}; give this user the right to it, or name another place",
            USAGE,
        )


def end(line: str, code: int) -> NoReturn:
    """`report`, then the exit code."""
    report(line)
    sys.exit(code)


def report(line: str) -> None:
    """One line on stderr, folded at spaces where it is longer than LINE or than the terminal."""
    width = os.get_terminal_size(sys.stderr.fileno()).columns if sys.stderr.isatty() else LINE
    folded = wrap(
        f"turbo-trader: {line}", min(LINE, max(width, _LEAST)), subsequent_indent="  ", break_on_hyphens=False
    )
    print("\n".join(folded), file=sys.stderr, flush=True)
