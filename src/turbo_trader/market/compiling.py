"""numba, for the kernels of `compiled`: what makes machine code of them where none is kept."""

# mypy: disable-error-code="no-untyped-call, attr-defined, call-overload"
# numba is typed in part
from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numba
from numba.core import codegen, event
from numba.core.environment import lookup_environment
from numba.core.targetconfig import ConfigStack

from turbo_trader.market.machine_code import MachineCode, processor

numba.config.CPU_NAME, numba.config.CPU_FEATURES = processor()


class Library(codegen.JITCodeLibrary):
    """What numba compiles a function into. numba optimizes and translates a function, and then again in each of its callers, and in
    theirs. Here a function becomes machine code only where Python calls it, once, with all that it calls."""

    _part = False  # linked, not yet machine code

    def finalize(self) -> None:
        """Link what it calls. Machine code at once where Python has a wrapper to call it by."""
        self._part = not any(each.name.startswith("_ZN7cpython") for each in self._final_module.functions)
        super().finalize()

    def _optimize_final_module(self) -> None:
        if not self._part:
            super()._optimize_final_module()

    def _finalize_final_module(self) -> None:
        if self._part:
            self._finalize_dynamic_globals()
            self._finalized = True
            return
        super()._finalize_final_module()
        for each in self._final_module.global_variables:
            if (environment := lookup_environment(each.name)) is not None:
                self._codegen.set_env(each.name, environment)

    def get_pointer_to_function(self, name: str) -> int:
        """Its address; 0 where there is no such function. A part that is asked for one of its own becomes machine code now."""
        self._ensure_finalized()
        if self._part:
            if all(each.name != name or each.is_declaration for each in self._final_module.functions):
                return 0
            self._get_module_for_linking()  # as it is, for callers still to come
            self._part = False
            self._optimize_final_module()
            self._finalize_final_module()
        return int(super().get_pointer_to_function(name))

    @property
    def codegen(self) -> Any:
        """numba's, and for a part one that does not look for its environment in machine code."""
        return self if self._part else self._codegen

    def set_env(self, _name: str, _environment: Any) -> None:
        """Later, in the machine code that a part is in."""


codegen.JITCPUCodegen._library_class = Library  # noqa: SLF001 - as numba declares it


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


def machine_code(
    function: Callable[..., Any], given: tuple[Any, ...], *, arrays: bool = False, **options: Any
) -> MachineCode:
    """`function` under `numba.njit(**options)`, to be called from Python with such arguments.

    numba counts the references to every array that is handed on, by locked instructions. A kernel that makes no array and returns
    none is compiled without: whoever calls it holds its arrays. `arrays`: it is known to make some.
    """
    result = None
    if not arrays:
        with suppress(numba.errors.NumbaError):  # it makes an array after all, or returns a part of one
            result = _compiled(function, given, _nrt=False, **options)
    if result is None:
        result = _compiled(function, given, **options)
    names = [each.name for each in result.library._final_module.global_variables]  # noqa: SLF001
    environments = {name: found.consts for name in names if (found := lookup_environment(name)) is not None}
    code = result.library._get_compiled_object()  # noqa: SLF001
    return MachineCode(
        object_code=code, wrapper=result.fndesc.llvm_cpython_wrapper_name, environments=environments
    )


def _compiled(function: Callable[..., Any], given: tuple[Any, ...], **options: Any) -> Any:
    """numba's result. NumbaError where it cannot be compiled."""
    types = tuple(
        numba.typeof(int(v) if isinstance(v, int) and not isinstance(v, bool) else v) for v in given
    )
    made = numba.njit(no_cfunc_wrapper=True, **options)(function)
    collecting = gc.isenabled()
    gc.disable()  # a tenth of the time: what is made is kept
    try:
        made.compile(types)
    finally:
        if collecting:
            gc.enable()
    return made.overloads[types]


def counts_references() -> bool:
    """Does the kernel that is being compiled count the references to its arrays? What it calls does as it does."""
    flags = ConfigStack.top_or_none()
    return flags is None or bool(flags.nrt)


def part(function: Callable[..., Any], **options: Any) -> Any:
    """`function` under `numba.njit(**options)`, to be called from other kernels, whose machine code it becomes a part of."""
    return numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)(function)
