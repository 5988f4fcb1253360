"""numba's `njit` with a cache that is never stale and never compiles what has not changed.

numba's own cache notices an edited function but not an edited callee: a cached caller silently keeps the old code of what it
calls. So the folder of a module's kernels is named by a hash of numba's version, of the module's source and of the sources of
every module of this package it imports, directly or not. An edit compiles the kernels that can see it, and no others; where the
package lies and when its files were written does not matter, so checkouts share what they compiled.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import caching

_F = TypeVar("_F", bound=Callable[..., Any])
_PACKAGE = Path(__file__).resolve().parent.parent
_IMPORT = re.compile(r"^from turbo_trader\.(\w+(?:\.\w+)*) import (\([^)]*\)|.+)$", re.MULTILINE)


@cache
def imported(path: Path) -> frozenset[Path]:
    """The modules of this package that the module at `path` imports where it is loaded."""
    found = set()
    for room, names in _IMPORT.findall(path.read_text(encoding="utf-8")):
        place = _PACKAGE.joinpath(*room.split("."))
        candidates = [place, *(place / name for name in re.findall(r"\w+", names))]
        found |= {file for c in candidates if (file := c.with_suffix(".py")).exists()}
    return frozenset(found)


@cache
def sources_hash(path: Path) -> str:
    """The first 16 hex digits of a SHA-256 over the module at `path` and all it imports from this package."""
    seen: set[Path] = set()
    ahead = [path]
    while ahead:
        if (module := ahead.pop()) not in seen:
            seen.add(module)
            ahead.extend(imported(module))
    digest = hashlib.sha256(numba.__version__.encode())
    for module in sorted(seen):
        digest.update(str(module.relative_to(_PACKAGE)).encode())
        digest.update(module.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where compiled kernels are kept: below TURBO_TRADER_CACHE, else below the user's cache folder."""
    base = os.environ.get("TURBO_TRADER_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "turbo-trader" / "kernels"


def module_folder(module: Path) -> Path:
    """Where the compiled kernels of a module are kept."""
    return cache_folder() / f"{module.parent.name}.{module.stem}-{sources_hash(module)}"


def compiled_before() -> bool:
    """Whether a process before this one compiled the scan as it stands, and so all below it."""
    return module_folder(_PACKAGE / "rules" / "assess.py").exists()


class SourceLocator(caching._CacheLocator):  # noqa: SLF001 - numba's seam for caches of one's own
    """Says where the compiled kernels of a module of this package are."""

    def __init__(self, module: Path, line: int) -> None:
        self._stamp = sources_hash(module)
        self._folder = module_folder(module)
        self._line = line

    @classmethod
    def from_function(cls, function: Any, file: str) -> SourceLocator | None:
        """The locator of a function of this package; None for others, which numba caches as it does."""
        module = Path(file).resolve()
        return cls(module, function.__code__.co_firstlineno) if module.is_relative_to(_PACKAGE) else None

    def get_cache_path(self) -> str:
        """The folder of the module's kernels."""
        return str(self._folder)

    def get_source_stamp(self) -> str:
        """What a cached kernel was compiled from."""
        return self._stamp

    def get_disambiguator(self) -> str:
        """Keeps functions of one name apart."""
        return str(self._line)


if SourceLocator not in caching.CacheImpl._locator_classes:  # noqa: SLF001
    caching.CacheImpl._locator_classes.insert(0, SourceLocator)  # noqa: SLF001


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
