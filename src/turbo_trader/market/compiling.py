"""numba, for the kernels of `compiled`: compiled for any x86-64 processor since 2009, kept where `compiled` says.

Kernels run where they were not compiled. So an installation has them in the package's folder (`ship`), where every user of it
finds what is not in a cache of their own. A cache that cannot be written costs the next start time, nothing else.
"""

# mypy: disable-error-code="no-untyped-call, attr-defined"
# numba is typed in part
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import numba
from llvmlite import binding
from numba.core import caching, event

from turbo_trader.market import compiled

_SHIPPED = Path(__file__).resolve().parent.parent / "kernels"


class SourceLocator(caching._CacheLocator):  # noqa: SLF001 - numba's seam for caches of one's own
    """Says where the compiled kernels of a module are."""

    def __init__(self, module: Path, line: int) -> None:
        self._stamp = compiled.sources_hash(module)
        self._folder = compiled.module_folder(module)
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


def dispatcher(function: Callable[..., Any], **options: Any) -> Any:
    """`function` under `numba.njit(**options)`, with the cache above."""
    made = numba.njit(**options)(function)
    made._cache = LayeredCache(function)  # noqa: SLF001 - what enable_caching does
    return made
