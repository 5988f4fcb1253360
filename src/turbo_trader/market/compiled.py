"""Kernels: functions that numba compiles, in a cache that is never stale and never compiles what has not changed.

numba's own cache notices an edited function but not an edited callee: a cached caller silently keeps the old code of what it
calls. So the folder of a module's kernels is named by a hash of numba's version, of the module's source and of the sources of
every module it imports from this package and from its own, directly or not. An edit compiles the kernels that can see it, and no
others; where a package lies and when its files were written does not matter, so checkouts share what they compiled. A kernel of
another package (a study, a user's signal) is kept in the same way.

A declared kernel costs nothing until it is called: numba is imported (`compiling`) with the first call. So `guard`, `explain`,
`policy` and whatever else reads the declarations beside a kernel start without a compiler.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from functools import cache, cached_property, update_wrapper
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TypeVar, cast

_F = TypeVar("_F", bound=Callable[..., Any])
_PACKAGE = Path(__file__).resolve().parent.parent
_IMPORT = re.compile(r"^from (\.*)([\w.]*) import (\([^)]*\)|.+)$", re.MULTILINE)
_PLAIN: Final = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")


@cache
def _root(folder: Path) -> Path:
    """The folder from which the package in `folder` is imported."""
    return _root(folder.parent) if (folder / "__init__.py").exists() else folder


@cache
def _packages(root: Path) -> frozenset[str]:
    return frozenset(found.parent.name for found in root.glob("*/__init__.py"))


@cache
def imported(path: Path) -> frozenset[Path]:
    """The modules of this package, and of the package of the module at `path`, that it imports where it is loaded."""
    found = set()
    roots = {_PACKAGE.parent, _root(path.parent)}
    for dots, module, names in _IMPORT.findall(path.read_text(encoding="utf-8")):
        parts = module.split(".") if module else []
        bases = [path.parents[len(dots) - 1]] if dots else [r for r in roots if parts[0] in _packages(r)]
        places = [base.joinpath(*parts) for base in bases]
        candidates = [*places, *(place / name for place in places for name in re.findall(r"\w+", names))]
        found |= {file for c in candidates if (file := c.with_suffix(".py")).exists()}
    return frozenset(found)


@cache
def sources_hash(path: Path) -> str:
    """The first 16 hex digits of a SHA-256 over the module at `path` and all it imports, as `imported` says."""
    seen: set[Path] = set()
    ahead = [path]
    while ahead:
        if (module := ahead.pop()) not in seen:
            seen.add(module)
            ahead.extend(imported(module))
    digest = hashlib.sha256(version("numba").encode())
    for module in sorted(seen):
        digest.update(str(module.relative_to(_root(module.parent))).encode())
        digest.update(module.read_bytes())
    return digest.hexdigest()[:16]


def cache_folder() -> Path:
    """Where compiled kernels are kept: below TURBO_TRADER_CACHE, else below the user's cache folder."""
    base = os.environ.get("TURBO_TRADER_CACHE") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "turbo-trader" / "kernels"


def module_folder(module: Path) -> Path:
    """Where the compiled kernels of a module are kept."""
    return cache_folder() / f"{module.parent.name}.{module.stem}-{sources_hash(module)}"


class Kernel:
    """A function that is compiled when it, or a kernel that calls it, is first called. It has what numba's dispatcher has."""

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        """`options`: of `numba.njit`."""
        self.py_func = function
        self._options = options
        update_wrapper(self, function)

    @cached_property
    def dispatcher(self) -> Any:
        """What numba makes of it."""
        from turbo_trader.market.compiling import dispatcher

        return dispatcher(self.py_func, **self._options)

    def __call__(self, *given: Any) -> Any:
        return self.dispatcher(*given)

    def __getattr__(self, name: str) -> Any:
        """Of the dispatcher: numba asks for `_numba_type_` and `targetoptions` where another kernel calls this one."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.dispatcher, name)


def reachable(start: Kernel) -> set[Kernel]:
    """A kernel and all kernels it calls, directly or not."""
    found: set[Kernel] = set()
    ahead = [start]
    while ahead:
        if (one := ahead.pop()) in found:
            continue
        found.add(one)
        names, known = one.py_func.__code__.co_names, one.py_func.__globals__
        named = [known.get(name) for name in names]
        named += [
            getattr(module, name, None) for module in named if hasattr(module, "__file__") for name in names
        ]
        ahead.extend(each for each in named if isinstance(each, Kernel))
    return found


def _declared(function: _F, **options: Any) -> _F:
    return function if _PLAIN else cast("_F", Kernel(function, **options))


def kernel(function: _F) -> _F:
    """Compile `function` in nopython mode and cache it; `NUMBA_DISABLE_JIT=1` leaves it plain Python.

    `fastmath` stays off and `error_model` stays Python's, so that both give the same bits.
    """
    return _declared(function)


def released(function: _F) -> _F:
    """As `kernel`, without the interpreter's lock: for long ones on a thread, beside which an event loop must have its turn."""
    return _declared(function, nogil=True)


def inlined(function: _F) -> _F:
    """As `kernel`, inlined into its callers: for the few innermost steps only (each inlining is compiled again)."""
    return _declared(function, inline="always")
