"""Events, commands and plain values as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np


def encode(value: Any) -> bytes:
    """JSON of an event, a command or plain values: Decimals as strings, arrays as lists, anything else by its text."""
    return msgspec.json.encode(value, enc_hook=plain_text)


def plain_text(value: Any) -> Any:
    """An array as lists, a number of numpy's as one of Python's, anything else as its text."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value)
