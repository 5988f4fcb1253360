"""numba's `njit` with a cache that is never stale and never compiles what has not changed.

numba's own cache notices an edited function but not an edited callee: a cached caller silently keeps the old code of what it
calls. So the folder of a module's kernels is named by a hash of numba's version, of the module's source and of the sources of
every module it imports from this package and from its own, directly or not. An edit compiles the kernels that can see it, and no
others; where a package lies and when its files were written does not matter, so checkouts share what they compiled. A kernel of
another package (a study, a user's signal) is kept in the same way.

Kernels are compiled for any x86-64 processor since 2009, not for the one at hand: they run where they were not compiled. So an
installation has them in the package's folder (`ship`), where every user of it finds what is not in a cache of their own. A cache
that cannot be written costs the next start time, nothing else.
"""

# mypy: disable-error-code="no-untyped-call, attr-defined"
# numba is typed in part
from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from llvmlite import binding
from numba.core import caching, event
from numba.core.dispatcher import Dispatcher

_F = TypeVar("_F", bound=Callable[..., Any])
_PACKAGE = Path(__file__).resolve().parent.parent
_SHIPPED = _PACKAGE / "kernels"
_IMPORT = re.compile(r"^from (\.*)([\w.]*) import (\([^)]*\)|.+)$", re.MULTILINE)


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
    digest = hashlib.sha256(numba.__version__.encode())
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


class SourceLocator(caching._CacheLocator):  # noqa: SLF001 - numba's seam for caches of one's own
    """Says where the compiled kernels of a module are."""

    def __init__(self, module: Path, line: int) -> None:
        self._stamp = sources_hash(module)
        self._folder = module_folder(module)
        self._line = line

    @classmethod
    def from_function(cls, function: Any, file: str) -> SourceLocator | None:
        """The locator of a function of a file; None for others, which numba caches as it does."""
        module = Path(file).resolve()
        return cls(module, function.__code__.co_firstlineno) if module.is_file() else None

    def get_cache_path(self) -> str:
        """The folder of the module's kernels."""
        return str(self._folder)

    def get_source_stamp(self) -> str:
        """What a cached kernel was compiled from."""
        return self._stamp

    def get_disambiguator(self) -> str:
        """Keeps functions of one name apart."""
        return str(self._line)


class _Files(caching.CompileResultCacheImpl):
    """numba's cache files, where SourceLocator says."""

    _locator_classes = [SourceLocator, *caching.CacheImpl._locator_classes]  # noqa: RUF012, SLF001 - as numba declares it


def _index(file: caching.IndexDataCacheFile) -> dict[Any, str]:
    """What a cache file holds; nothing where it cannot be read."""
    with suppress(OSError):
        return cast("dict[Any, str]", file._load_index())  # noqa: SLF001
    return {}


class LayeredCache(caching.FunctionCache):
    """The user's cache, and below it the kernels that came with the package."""

    _impl_class = _Files

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._shipped = caching.IndexDataCacheFile(
            cache_path=str(_SHIPPED / Path(self._cache_path).name),
            filename_base=self._impl.filename_base,
            source_stamp=self._impl.locator.get_source_stamp(),
        )

    def holds(self, types: tuple[Any, ...], context: Any) -> bool:
        """Whether the kernel for arguments of these types is in either."""
        key = self._index_key(types, context.codegen())
        return any(key in _index(file) for file in (self._cache_file, self._shipped))

    def ship(self, types: tuple[Any, ...], context: Any) -> None:
        """Copy the kernel for these types from the user's cache into the package's folder, where it is not there."""
        key = self._index_key(types, context.codegen())
        if key not in _index(self._shipped) and (found := self._cache_file.load(key)) is not None:
            Path(self._shipped._cache_path).mkdir(parents=True, exist_ok=True)  # noqa: SLF001
            self._shipped.save(key, found)

    def _load_overload(self, types: tuple[Any, ...], context: Any) -> Any:
        key = self._index_key(types, context.codegen())
        for file in (self._cache_file, self._shipped):
            if key in _index(file) and (data := file.load(key)) is not None:
                return self._impl.rebuild(context, data)
        return None

    def _save_overload(self, types: tuple[Any, ...], data: Any) -> None:
        with suppress(OSError):  # a full disk, a folder of someone else's
            super()._save_overload(types, data)


def is_cached(kernel: Any, types: tuple[Any, ...]) -> bool:
    """Whether a process before this one compiled `kernel` for arguments of these numba types."""
    return bool(kernel._cache.holds(types, kernel.targetctx))  # noqa: SLF001


def put_into_package(kernel: Any, types: tuple[Any, ...]) -> None:
    """Copy a kernel that is in the user's cache into the package's folder."""
    kernel._cache.ship(types, kernel.targetctx)  # noqa: SLF001


def any_processor() -> None:
    """Compile for every x86-64 processor since 2009 (`x86-64-v2`), unless NUMBA_CPU_NAME says what for, or this one is older."""
    features = binding.get_host_cpu_features() if numba.config.CPU_NAME is None else {}
    if features.get("sse4.2") and features.get("popcnt"):
        numba.config.CPU_NAME, numba.config.CPU_FEATURES = "x86-64-v2", ""


any_processor()


@contextmanager
def compilations(each: Callable[[str], None]) -> Iterator[None]:
    """While the context lasts, `each` gets the name of every kernel of this package that has been compiled."""

    class Listener(event.Listener):
        def on_start(self, _event: Any) -> None:
            pass

        def on_end(self, ended: Any) -> None:
            function = ended.data["dispatcher"].py_func
            if function.__module__.startswith("turbo_trader."):
                each(f"{function.__module__.removeprefix('turbo_trader.')}.{function.__name__}")

    with event.install_listener("numba:compile", Listener()):
        yield


def reachable(start: Any) -> set[Any]:
    """A kernel and all kernels it calls, directly or not."""
    found: set[Any] = set()
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
        ahead.extend(each for each in named if isinstance(each, Dispatcher))
    return found


def _compiled(function: _F, **options: Any) -> _F:
    made = numba.njit(**options)(function)
    if isinstance(made, Dispatcher):  # not with NUMBA_DISABLE_JIT=1
        made._cache = LayeredCache(function)  # noqa: SLF001 - what enable_caching does
    return cast("_F", made)


def kernel(function: _F) -> _F:
    """Compile `function` in nopython mode and cache it; `NUMBA_DISABLE_JIT=1` leaves it plain Python.

    `fastmath` stays off and `error_model` stays Python's, so that both give the same bits.
    """
    return _compiled(function)


def released(function: _F) -> _F:
    """As `kernel`, without the interpreter's lock: for long ones on a thread, beside which an event loop must have its turn."""
    return _compiled(function, nogil=True)


def inlined(function: _F) -> _F:
    """As `kernel`, inlined into its callers: for the few innermost steps only (each inlining is compiled again)."""
    return _compiled(function, inline="always")
