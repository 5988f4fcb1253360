"""numba's `njit` with a cache that is never stale.

numba's own cache notices an edited function but not an edited callee: a cached caller silently keeps the old code of what it
calls. So the cache folder is named by a hash of all kernel rooms' sources and of numba's version: any edit is a new folder.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

_F = TypeVar("_F", bound=Callable[..., Any])
_PACKAGE = Path(__file__).resolve().parent.parent
_KERNEL_ROOMS = ("market", "signals", "rules")


def sources_hash() -> str:
    """The first 16 hex digits of a SHA-256 over every source file of the rooms that hold kernels."""
    digest = hashlib.sha256(numba.__version__.encode())
    for room in _KERNEL_ROOMS:
        for path in sorted((_PACKAGE / room).glob("*.py")):
            digest.update(path.name.encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where compiled kernels are kept: below TURBO_TRADER_CACHE, else below the user's cache folder."""
    base = os.environ.get("TURBO_TRADER_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "turbo-trader" / "kernels" / sources_hash()


numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined]


def kernel(function: _F) -> _F:
    """Compile `function` in nopython mode and cache it; `NUMBA_DISABLE_JIT=1` leaves it plain Python.

    `fastmath` stays off and `error_model` stays Python's, so that both give the same bits.
    """
    return cast("_F", numba.njit(cache=True)(function))


def released(function: _F) -> _F:
    """As `kernel`, without the interpreter's lock: for long ones on a thread, beside which an event loop must have its turn."""
    return cast("_F", numba.njit(cache=True, nogil=True)(function))


def inlined(function: _F) -> _F:
    """As `kernel`, inlined into its callers: for the few innermost steps only (each inlining is compiled again)."""
    return cast("_F", numba.njit(cache=True, inline="always")(function))
