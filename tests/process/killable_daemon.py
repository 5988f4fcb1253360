"""A daemon that kills itself with SIGKILL at a named point: `mortal_daemon.py PORT JOURNAL SECONDS POINT COUNT DELAY_MS`.

Prints its summary as one JSON object when it is left to live (POINT = never).
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import sys
import threading
from collections.abc import Awaitable
from decimal import Decimal
from pathlib import Path
from typing import Any

from turbo_trader.bybit.endpoints import Keys, loopback
from turbo_trader.bybit.errors import NOT_SENT
from turbo_trader.bybit.rest import Lane
from turbo_trader.journal.lease import LeaseRules
from turbo_trader.live.daemon import run_daemon
from turbo_trader.live.order_entry import TradeSocket
from turbo_trader.live.registry import Kind, Registry
from turbo_trader.live.router import Router
from turbo_trader.live.settings import DaemonSettings
from turbo_trader.market.reference import universe
from turbo_trader.rules import records, tiers
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.commands import Note, PlaceOrder, SetStops
from turbo_trader.trader.events import CommandResult, Fill

#: Rules that trade often and not for long: what is tested is what becomes of orders, not whether they were wise. Venue time runs
#: fast, and a moment of a busy machine is seconds of it: books and entries may be so old.
OFTEN = {
    "ON_TERM": "flatten",
    "OFI_THRESHOLD": "0", "OU_THRESHOLD": "0", "TURBO_MIN_SNR": "0", "TURBO_MIN_CONFIDENCE": "0", "FLAT_EDGE": "0",
    "TURBO_FEE_MULTIPLIER": "0", "OU_HALF_LIFE_MAX": "10000", "DICKEY_FULLER_LEVEL": "0.10",
    "TURBO_HORIZON": "120", "TURBO_MAX_HOLD": "120", "HOLD_FACTOR": "1",
    "MICRO_TURBO_SIGNAL_INTERVAL": "5", "OU_SAMPLES": "480", "KALMAN_WARMUP": "5", "BELIEF": "weighed", "COOLDOWN_HORIZONS": "0",
    "TURBO_MAX_POSITIONS": "5", "SAME_DIRECTION": "1", "A_RISK": "0.03", "B_RISK": "0.03",
    "STALE_BOOK": "30", "ENTRY_RECV_WINDOW": "10000",
    "SESSION_LOSS": "0.9", "DRAWDOWN_PAUSE": "0.9", "WATCHDOG_PROBABILITY": "0",
}  # fmt: skip


#: As the guard of tests/process/guard_child.py has it.
SHORT = LeaseRules(renew_ns=200_000_000, fence_ns=1_000_000_000, window_ns=500_000_000)


def expect_anything() -> None:
    """No trade has too little net EV: no number of the policy says so, for no one should."""
    records.minimum_ev = tiers.minimum_ev = lambda *_: Decimal(-1)  # type: ignore[attr-defined]


class Death:
    """Comes at the `count`th time its point is reached, `delay` seconds later (at once without)."""

    def __init__(self, point: str, count: int, delay: float) -> None:
        self.point, self.left, self.delay = point, count, delay

    def at(self, point: str) -> None:
        if point != self.point:
            return
        self.left -= 1
        if self.left == 0 and self.delay:
            threading.Timer(self.delay, self.come).start()
        elif self.left == 0:
            self.come()

    @staticmethod
    def come() -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def haunt(death: Death) -> None:
    """Put the points in: written (the intent; nothing sent), left (by REST; nothing else done yet), handed (to the trade socket),
    sent (no answer taken in), acked, filled (not booked), booked, and the same of stop changes and closes."""
    send, run, deliver, by_socket = Router._send, Lane.call, Router.deliver, TradeSocket.call

    def kind(command: Any) -> str:
        if isinstance(command, PlaceOrder):
            return "close" if command.reduce_only else "entry"
        return "stop" if isinstance(command, SetStops) else ""

    def sending(self: Router, command: Any) -> None:
        death.at(f"{kind(command)}-written")
        send(self, command)
        death.at(f"{kind(command)}-left")

    def ran(self: Lane, call: Any, patience: float = math.inf) -> Any:
        name = {"place_order": "close" if call.protective else "entry", "set_trading_stop": "stop"}.get(
            call.method, ""
        )
        return answered(name, run(self, call, patience))

    async def answered(name: str, coming: Awaitable[Any]) -> Any:
        answer = await coming
        death.at(f"{name}-sent")
        return answer

    async def handed(self: TradeSocket, call: Any) -> Any:
        entry = call.method == "place_order"
        if entry and self.up:  # as soon as it waits: the frame is with the kernel, no answer has been read
            asyncio.get_running_loop().call_soon(death.at, "entry-handed")
        answer = await by_socket(self, call)
        if answer.code != NOT_SENT and entry:
            death.at("entry-sent")
        return answer

    def delivered(self: Router, event: Any) -> None:
        filled = isinstance(event, Fill) and event.link_id.endswith("entry")
        if filled:
            death.at("entry-filled")
        deliver(self, event)
        if filled:
            death.at("entry-booked")
        if isinstance(event, CommandResult) and event.id.endswith("entry"):
            death.at("entry-acked")

    Router._send, Lane.call, Router.deliver = sending, ran, delivered  # type: ignore[method-assign]
    TradeSocket.call = handed  # type: ignore[method-assign]


class Log:
    """Every note as a line of JSON in the journal's folder, over all lives."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a")

    def note(self, note: Note) -> None:
        self._file.write(
            json.dumps({"name": note.name, "level": note.level, **note.fields}, default=str) + "\n"
        )
        self._file.flush()

    def scanned(self, scanned: Any) -> None:
        """Not kept."""

    def view(self, view: Any, daemon: Any) -> None:
        """Not shown."""


def main() -> None:
    port, journal, seconds, point, count, delay_ms = sys.argv[1:7]
    expect_anything()
    haunt(Death(point, int(count), int(delay_ms) / 1e3))
    if point == "any-time":
        threading.Timer(int(delay_ms) / 1e3, Death.come).start()
    settings = DaemonSettings(
        endpoints=loopback(int(port)), keys=Keys("key", "secret"),
        symbols=tuple(os.environ["SYMBOLS"].split()) if "SYMBOLS" in os.environ else tuple(i.symbol for i in universe()),
        journal=Path(journal), duration_s=float(seconds),
        registration=Registry(Kind.DAEMON).claim("testnet", Path(journal)),
        lease=SHORT if os.environ.get("SHORT_LEASE") else LeaseRules(),
        take_over=bool(os.environ.get("TAKE_OVER")),
        order_entry="websocket" if os.environ.get("ORDER_ENTRY") == "websocket" else "rest",
    )  # fmt: skip
    policy = Policy.from_env({**OFTEN, **json.loads(os.environ.get("RULES", "{}"))})
    summary = asyncio.run(run_daemon(settings, policy, Log(Path(journal) / "notes.jsonl")))
    print(json.dumps({"reason": summary.reason, "failed": summary.failed, **summary.trader}, default=str))


if __name__ == "__main__":
    main()
