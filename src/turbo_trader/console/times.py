"""Times as people write them: UTC, ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from turbo_trader.market.errors import InputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
