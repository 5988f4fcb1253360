"""Events, commands and plain values as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np


def encode(value: Any) -> bytes:
    """JSON of an event, a command or plain values: Decimals as strings, arrays as lists, anything else by its text."""
    return msgspec.json.encode(value, enc_hook=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value)
