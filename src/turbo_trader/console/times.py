"""Times and durations as people write them: UTC in ISO 8601; 40s, 2m, 1h, 3d."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from turbo_trader.market.errors import InputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_S = 36_525 * 86_400.0  # a hundred years
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}


def utc_ns(text: str, where: str) -> int:
    """Nanoseconds UTC of a time such as 2025-05-03T10:00 (UTC unless it says otherwise). InputError for anything else."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(f"{where} {text!r}: not a time; write it like 2025-05-03T10:00 (UTC)") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def utc_text(ts: int) -> str:
    """Nanoseconds UTC as 2025-05-03T10:00:00Z, cut to the second."""
    return (_EPOCH + timedelta(seconds=ts // 10**9)).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_duration(text: str) -> float:
    """Seconds of a duration; InputError when it is not one, not above 0 or longer than a hundred years."""
    match = re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)([smhd]?)", text.strip())
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 0 < seconds <= _LONGEST_S:
        raise InputError(
            f"duration {text[:40]!r}: write a number above 0 and s, m, h or d, such as 40s or 2m; 100 years at most"
        )
    return seconds
