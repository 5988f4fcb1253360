"""Kernels: functions that numba compiles, in a cache that is never stale and never compiles what has not changed.

The folder of a module's machine code (`machine_code`) is named by a hash of numba's version, of the module's source and of the
sources of every module it imports from this package and from its own, directly or not. An edit compiles the kernels that can see
it, and no others; where a package lies and when its files were written does not matter, so checkouts share what they compiled. A
kernel of another package (a study, a user's signal) is kept in the same way. (numba's own cache notices an edited function but not
an edited callee, and only numba can read it, which takes longer to start than all else.)

A declared kernel costs nothing until it is called: llvmlite's linker is imported (`machine_code`) with the first call, and numba
(`compiling`) with the first one that no file has machine code for. So `guard`, `explain`, `policy` and whatever else reads the
declarations beside a kernel start without either.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from functools import cache, update_wrapper
from importlib.metadata import version
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from turbo_trader.market.kinds import Plain, fits, kind, plain_kinds

if TYPE_CHECKING:  # llvmlite comes with the first call
    from turbo_trader.market.machine_code import MachineCode

_F = TypeVar("_F", bound=Callable[..., Any])
_PACKAGE = Path(__file__).resolve().parent.parent
_SHIPPED = _PACKAGE / "kernels"
_IMPORT = re.compile(r"^from (\.*)([\w.]*) import (\([^)]*\)|.+)$", re.MULTILINE)
#: What makes machine code, and what calls it.
_COMPILER: Final = tuple(
    Path(__file__).with_name(f"{name}.py") for name in ("compiling", "kinds", "machine_code")
)
_MAKERS: Final = frozenset({"arange", "array", "empty", "full", "ones", "zeros"})
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
    """The first 16 hex digits of a SHA-256 over the module at `path`, all it imports (as `imported` says), and the compiler."""
    seen: set[Path] = set()
    ahead = [path, *_COMPILER]
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
    """A function that becomes machine code when Python first calls it; where a kernel calls it, a part of that one's."""

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        """`options`: of `numba.njit`."""
        self.py_func = cast("FunctionType", function)
        self._options = options
        self._parts: dict[
            bool, Any
        ] = {}  # of kernels that count the references to their arrays, and of those that do not
        self._linked: dict[tuple[str, ...], Callable[..., Any]] = {}
        self._usual: tuple[Plain, Callable[..., Any]] | None = None  # of the first call
        update_wrapper(self, function)

    def __call__(self, *given: Any) -> Any:
        if self._usual is not None:
            plain, call = self._usual
            if fits(plain, given):
                return call(*given)
        return self.ready(*given)(*given)

    def ready(self, *given: Any) -> Callable[..., Any]:
        """What is called for such arguments: linked, from a file, or compiled now. TypeError where it cannot be."""
        kinds = tuple(map(kind, given))
        if (call := self._linked.get(kinds)) is None:
            call = self._linked[kinds] = self._code(given).linked(
                self.py_func.__name__, self.py_func.__doc__ or ""
            )
            if self._usual is None and (plain := plain_kinds(given)) is not None:
                self._usual = plain, call
        return call

    def files(self, *given: Any) -> list[Path]:
        """Where its machine code for such arguments may be: in the user's cache, or with the package. Nowhere for a function of no
        file, or one that closes over variables."""
        from turbo_trader.market.machine_code import file_name

        module = Path(self.py_func.__code__.co_filename).resolve()
        if not module.is_file() or self.py_func.__closure__:
            return []
        name = file_name(self.py_func, tuple(map(kind, given)))
        folder = module_folder(module)
        return [folder / name, _SHIPPED / folder.name / name]

    def is_kept(self, *given: Any) -> bool:
        """Is there a file of its machine code for such arguments?"""
        return any(file.is_file() for file in self.files(*given))

    def ship(self, *given: Any) -> None:
        """Put its machine code for such arguments into the package's folder, where it is not there."""
        *_, shipped = self.files(*given)
        if not shipped.is_file():
            self._code(given).write(shipped)

    def _code(self, given: tuple[Any, ...]) -> MachineCode:
        from turbo_trader.market.machine_code import MachineCode

        files = self.files(*given)
        if (code := MachineCode.read(files)) is None:
            from turbo_trader.market.compiling import machine_code

            code = machine_code(self.py_func, given, arrays=makes_arrays(self), **self._options)
            for file in files[:1]:
                code.write(file)
        return code

    @property
    def _part(self) -> Any:
        from turbo_trader.market.compiling import counts_references, part

        counting = counts_references()
        if counting not in self._parts:
            self._parts[counting] = part(self.py_func, **self._options)
        return self._parts[counting]

    @property
    def _numba_type_(self) -> Any:
        """What numba asks a function for that a kernel calls."""
        return self._part._numba_type_

    @property
    def targetoptions(self) -> dict[str, Any]:
        """What numba asks a function for that a kernel calls: whether it is inlined."""
        return cast("dict[str, Any]", self._part.targetoptions)


def linked(function: _F, *given: Any) -> _F:
    """A kernel without the look at its arguments: for a caller that holds them, all of the kinds of `given`."""
    return cast("_F", function.ready(*given)) if isinstance(function, Kernel) else function


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


def makes_arrays(start: Kernel) -> bool:
    """Does it make arrays by the plain names, or a kernel it calls? Others are found out when they are compiled."""
    return any(_MAKERS.intersection(each.py_func.__code__.co_names) for each in reachable(start))


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
