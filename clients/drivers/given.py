"""What a driver is given (JSON on stdin), and how it says what the client believes at its end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def read() -> dict[str, Any]:
    """url, stream, key, secret, mode, home, folder, seconds, long, speed, balance."""
    found: dict[str, Any] = json.loads(sys.stdin.readline() or "{}")
    return found


def say(
    *, positions: Mapping[str, Any], balance: Any, orders: Iterable[str], errors: Iterable[str] = ()
) -> None:
    """Signed sizes by symbol, USDT, ids of open orders."""
    print(
        json.dumps(
            {
                "positions": {symbol: str(size) for symbol, size in positions.items()},
                "balance": str(balance),
                "orders": list(orders),
                "errors": list(errors),
            }
        ),
        flush=True,
    )


def until(true: Callable[[], object], what: str, seconds: float = 20.0, every: float = 0.05) -> None:
    """Wait until it is so; TimeoutError where it is not in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not in {seconds:.0f} s: {what}")
        time.sleep(every)
