"""A guard with short times: `guard_child.py PORT JOURNAL`. Writes what it tells to guard.jsonl in the journal's folder."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from turbo_trader.bybit.endpoints import Keys, loopback
from turbo_trader.journal.lease import LeaseRules
from turbo_trader.live.guard import GuardSettings, watch_over
from turbo_trader.trader.guard import GuardRules

LEASE = LeaseRules(renew_ns=200_000_000, fence_ns=1_000_000_000, window_ns=500_000_000)
RULES = GuardRules(look_ns=300_000_000, agree_ns=200_000_000, close_ns=4_000_000_000)


def main() -> None:
    port, journal = sys.argv[1:3]
    with (Path(journal) / "guard.jsonl").open("a") as reported:

        def emit(name: str, level: str, fields: dict[str, Any]) -> None:
            reported.write(json.dumps({"name": name, "level": level, **fields}, default=str) + "\n")
            reported.flush()

        settings = GuardSettings(
            endpoints=loopback(int(port)),
            keys=Keys("key", "secret"),
            journal=Path(journal),
            rules=RULES,
            lease=LEASE,
        )
        asyncio.run(watch_over(settings, emit))


if __name__ == "__main__":
    main()
