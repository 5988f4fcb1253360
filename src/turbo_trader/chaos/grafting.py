"""Grafts a mutant into a running process: functions that are already imported get the changed code, whoever holds them.

A forked child so needs no import of its own. What stands outside of functions (constants, defaults) cannot be grafted.
"""

from __future__ import annotations

import functools
import gc
import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Final

from turbo_trader.chaos.mutants import Mutant, path_of_module, plainly

_KEPT: Final = type(functools.cache(lambda: None))  # what keeps the results of a function
_FUNCTION: Final = inspect.CO_OPTIMIZED | inspect.CO_NEWLOCALS


class Ungraftable(Exception):
    """The change is not inside a function that lives in this process."""


def function_of(mutant: Mutant) -> str:
    """The name of the function a mutant changes. Ungraftable where it changes none."""
    was, _ = _changed(mutant)
    return was.co_qualname


def graft(mutant: Mutant) -> None:
    """From now on this process runs the mutant. Ungraftable where that cannot be."""
    was, code = _changed(mutant)
    gc.unfreeze()  # `gc.get_objects` leaves out what is frozen
    found = list(_living(was))
    if not found:
        raise Ungraftable(f"{mutant.name}: {was.co_qualname} is not imported")
    for function in found:
        if function.__code__.co_freevars != code.co_freevars:
            raise Ungraftable(f"{mutant.name}: its closure changes")
        function.__code__ = code
    _forget(mutant.module)


def _changed(mutant: Mutant) -> tuple[CodeType, CodeType]:
    """The code of the function as its file has it, and as the mutant has it."""
    path = path_of_module(mutant.module)
    source = path.read_text(encoding="utf-8")
    real, plain, other = (
        compile(text, str(path), "exec", dont_inherit=True) for text in (source, plainly(source), mutant.text)
    )
    for at in _difference(plain, other):
        real, plain, other = (_children(code)[at] for code in (real, plain, other))
        if real.co_flags & _FUNCTION == _FUNCTION and not real.co_name.startswith("<"):
            return real, other
    raise Ungraftable(f"{mutant.name}: outside of functions")


def _difference(plain: CodeType, other: CodeType) -> Iterator[int]:
    """The way from a module's code down to the innermost code that differs: which child, again and again."""
    while True:
        ours, theirs = _children(plain), _children(other)
        if len(ours) != len(theirs):
            return
        at = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if not _same(a, b)), None)
        if at is None:
            return
        yield at
        plain, other = ours[at], theirs[at]


def _same(a: CodeType, b: CodeType) -> bool:
    """Do two codes do the same? Lines do not count."""
    if (a.co_code, a.co_names, a.co_varnames) != (b.co_code, b.co_names, b.co_varnames):
        return False
    if [repr(c) for c in a.co_consts if not isinstance(c, CodeType)] != [
        repr(c) for c in b.co_consts if not isinstance(c, CodeType)
    ]:
        return False
    ours, theirs = _children(a), _children(b)
    return len(ours) == len(theirs) and all(map(_same, ours, theirs))


def _children(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def _living(code: CodeType) -> Iterator[FunctionType]:
    key = (code.co_filename, code.co_qualname, code.co_firstlineno)
    for each in gc.get_objects():
        if type(each) is FunctionType:  # isinstance asks a dead weak proxy for its class, which raises
            found = each.__code__
            if (found.co_filename, found.co_qualname, found.co_firstlineno) == key:
                yield each


def _forget(module: str) -> None:
    """Results that were kept by the functions of a module."""
    for each in gc.get_objects():
        if type(each) is _KEPT and each.__module__ == module:
            each.cache_clear()
