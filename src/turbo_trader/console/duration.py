"""Durations as people type them: 40s, 2m, 1h, 3d."""

from __future__ import annotations

import re

from turbo_trader.market.errors import InputError

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}


def parse_duration(text: str) -> float:
    """Seconds of a duration; InputError when it is not one or not above 0."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if seconds <= 0:
        raise InputError(f"duration {text!r}: write a number above 0 and s, m, h or d, such as 40s or 2m")
    return seconds
