"""What a driver is given (JSON on stdin), and how it says what the client believes at its end."""

from __future__ import annotations

import json
import re
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
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


def jump(where: Mapping[str, Any], symbol: str, percent: str) -> None:
    """Let the exchange move a market at once, with a print at the new price."""
    body = json.dumps({"symbol": symbol, "move": "jump", "percent": percent}).encode()
    url, headers = f"{where['url']}/control/market", {"Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - the exchange's own address
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20).close()


def until(true: Callable[[], object], what: str, seconds: float = 20.0, every: float = 0.05) -> None:
    """Wait until it is so; TimeoutError where it is not in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not in {seconds:.0f} s: {what}")
        time.sleep(every)


def logged(log: Path, explained: Iterable[str]) -> list[str]:
    """Errors and warnings of a client's log but for the explained ones, each kind once: figures in it do not make another."""
    kinds: dict[str, None] = {}
    for line in log.read_text(errors="replace").splitlines():
        found = re.search(r"\b(ERROR|CRITICAL|WARNING|WARN)\b(.*)", line)
        if found and not any(known in line for known in explained):
            kinds.setdefault(f"{log.stem}: {found[1]}: {re.sub('[0-9]+', '#', found[2]).strip(' -]')[:160]}")
    return list(kinds)
