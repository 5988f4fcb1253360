"""What metrics and alarms cost the daemon's event loop, in seconds of the CPU: `python benchmarks/metrics.py`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from turbo_trader.console.alarms.alarms_process import AlarmsBeside, AlarmSettings
from turbo_trader.console.alarms.catalogue import Alarm
from turbo_trader.console.metrics.daemon_metrics import Metrics
from turbo_trader.live.meter import Meter
from turbo_trader.market.reference import universe
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.machine import Trader

_TIMES = 300
_STATUS = {
    "mode": "paper", "pid": 1, "boot": "b1", "speed": 1.0, "may_write": True, "journal_failed": "", "clock_offset_ms": 2.0,
    "public_up": True, "private_up": True, "frames": 10, "unreadable": 0, "gaps": 0, "connections": 3, "requests": 5,
    "in_flight": 0,
}  # fmt: skip


def looked() -> Any:
    """A daemon of 15 symbols, as far as metrics look inside one."""
    trader = Trader(universe(), Policy(), boot="b1", start_ts=1_767_603_600_000_000_000)
    meter = Meter()
    for lane in ("exits", "orders", "reads", "history", "socket"):
        meter.requested(lane, 0.01)
    return SimpleNamespace(
        meter=meter, settings=SimpleNamespace(journal=Path("var/paper"), silence_s=10.0), status=lambda: _STATUS,
        view=trader.view, summary=trader.summary, stream_ages=lambda: {"public": 0.1, "private": 5.0},
        market_ages=lambda: dict.fromkeys(trader.symbols, 0.1), budget_used=lambda: {f"group {i}": 0.1 for i in range(18)},
    )  # fmt: skip


async def timed(metrics: Metrics) -> tuple[float, float]:
    """Medians of a scrape, and of the longest time between two turns of the loop in it, s."""
    scrapes, longest = [], []
    for _ in range(_TIMES):
        began = turn = time.thread_time()
        most = 0.0
        scraping = asyncio.ensure_future(metrics.answer("/metrics", ""))
        while not scraping.done():
            await asyncio.sleep(0)
            now = time.thread_time()
            most, turn = max(most, now - turn), now
        scrapes.append(turn - began)
        longest.append(most)
    return sorted(scrapes)[_TIMES // 2], sorted(longest)[_TIMES // 2]


def median(work: Callable[[], object]) -> float:
    """Seconds."""
    took = []
    for _ in range(_TIMES):
        began = time.thread_time()
        work()
        took.append(time.thread_time() - began)
    return sorted(took)[_TIMES // 2]


def main() -> None:
    """Print both."""
    metrics = Metrics("127.0.0.1", 1, public=False)
    metrics._inside = looked()  # noqa: SLF001 - nothing is served here
    answer = asyncio.run(metrics.answer("/metrics", ""))
    assert answer is not None
    size, lines = len(answer.body), sum(not line.startswith(b"#") for line in answer.body.splitlines())
    scrape, longest = asyncio.run(timed(metrics))
    held = f"holds the event loop for {1e3 * longest:.2f} ms at a time"
    print(
        f"scrape: {1e3 * scrape:.1f} ms, {held}; {size:,} bytes, {lines} samples; every 15 s {100 * scrape / 15:.3f} % of a core"
    )
    asked = AlarmSettings(
        targets=(), process="daemon", sender="x", kinds=tuple(Alarm), level="info", digest="off", interval_s=60.0
    )  # fmt: skip
    beside = AlarmsBeside(asked, lambda *_: None)
    entry = {
        "symbol": "BTCUSDT",
        **{f"figure_{i}": 0.123456789 for i in range(25)},
        "price": Decimal("60000.1"),
    }
    sent = median(lambda: beside.event("entry", entry, 1))
    passed = median(lambda: beside.event("candidate", entry, 1))
    print(f"alarms: an entry {1e6 * sent:.0f} us, an event that no alarm is made of {1e6 * passed:.1f} us")


if __name__ == "__main__":
    main()
