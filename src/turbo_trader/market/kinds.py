"""The types of a kernel's arguments, as far as its machine code depends on them."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import numpy as np


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
    if type(value) is int:
        return "int64" if -(2**63) <= value < 2**63 else "uint64"
    if isinstance(value, np.generic):
        return value.dtype.name if value.dtype.names is None else _layout(value.dtype)
    if isinstance(value, tuple) and type(value) is tuple:
        return f"({','.join(map(kind, value))})"
    if value is None:
        return "none"
    raise TypeError(f"a kernel takes no {type(value).__name__}")


def fits(expected: Any, value: Any) -> bool:
    """Is `value` as plainly as can be of the same kind as `expected`? A faster `kind`: many calls take a microsecond."""
    if isinstance(value, np.ndarray):
        return (
            isinstance(expected, np.ndarray)
            and value.flags.carray
            and value.ndim == expected.ndim
            and value.dtype == expected.dtype
        )
    if isinstance(value, float):
        return type(expected) is float
    return (type(value) is int or type(value) is bool) and type(value) is type(expected)


def example(value: object) -> object:
    """What stands for `value` in `fits`, without its memory."""
    if isinstance(value, np.ndarray):
        return np.empty((0,) * value.ndim, value.dtype)
    return float(value) if isinstance(value, float) else value


@cache
def _layout(dtype: np.dtype[Any]) -> str:
    if dtype.names is None:
        return dtype.str
    fields = f"{dtype.descr} {dtype.itemsize} {dtype.alignment}"
    return f"record-{hashlib.sha256(fields.encode()).hexdigest()[:16]}"
