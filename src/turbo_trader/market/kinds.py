"""The types of a kernel's arguments, as far as its machine code depends on them."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any, NamedTuple

import numpy as np


class Plain(NamedTuple):
    """The kinds of arguments that are ints, floats, bools and contiguous arrays that can be written to."""

    types: tuple[type, ...]
    arrays: tuple[tuple[int, np.dtype[Any], int], ...]  # which argument, its dtype, its dimensions


def kind(value: object) -> str:
    """The type of an argument, as far as machine code depends on it. TypeError where there is no such machine code."""
    if isinstance(value, np.ndarray):
        flags = value.flags
        layout = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"
        return f"{_layout(value.dtype)}[{value.ndim}{layout}{flags.writeable:d}{flags.aligned:d}]"
    if isinstance(value, bool | np.bool_):
        return "bool"
    if isinstance(value, float):
        return "float64"
    if isinstance(value, int):  # of an enumeration, too
        return "int64" if -(2**63) <= value < 2**63 else "uint64"
    if isinstance(value, np.generic):
        return value.dtype.name if value.dtype.names is None else _layout(value.dtype)
    if isinstance(value, tuple):
        made = type(value)
        named = "" if made is tuple else f"{made.__module__}.{made.__qualname__}"
        return f"{named}({','.join(map(kind, value))})"
    if value is None:
        return "none"
    raise TypeError(f"a kernel takes no {type(value).__name__}")


def plain_kinds(given: tuple[Any, ...]) -> Plain | None:
    """What `fits` knows of such arguments; None where one is of another kind than `Plain` has."""
    arrays: list[tuple[int, np.dtype[Any], int]] = []
    for at, value in enumerate(given):
        if type(value) is np.ndarray and value.flags.carray:
            arrays.append((at, value.dtype, value.ndim))
        elif type(value) not in {int, float, bool}:
            return None
    return Plain(tuple(map(type, given)), tuple(arrays))


def fits(plain: Plain, given: tuple[Any, ...]) -> bool:
    """Are `given` plainly of these kinds? A fast `kind`: some kernels take a microsecond."""
    if tuple(map(type, given)) != plain.types:
        return False
    for at, dtype, ndim in plain.arrays:
        value = given[at]
        if not ((value.dtype is dtype or value.dtype == dtype) and value.ndim == ndim and value.flags.carray):
            return False
    return True


@cache
def _layout(dtype: np.dtype[Any]) -> str:
    if dtype.names is None:
        return dtype.str
    fields = f"{dtype.descr} {dtype.itemsize} {dtype.alignment}"
    return f"record-{hashlib.sha256(fields.encode()).hexdigest()[:16]}"
