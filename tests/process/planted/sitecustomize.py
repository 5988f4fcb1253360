"""Python runs this first in the daemons and guards of tests/process/conftest.py: deaths at named points, short times.

DEATH_AT="POINT COUNT DELAY_MS": the process kills itself with SIGKILL the COUNTth time POINT is reached, so much later. Points:
written (the intent; nothing sent), left (by REST; nothing else done yet), handed (to the trade socket), sent (no answer taken in),
acked, filled (not booked), booked, of an entry, a stop or a close; `any-time` counts from where the daemon begins.
SHORT_LEASE=1: daemon and guard wait for each other for a second or two instead of ten.
END_WITH=PID: the process ends itself soon after that one is gone, so that a test run that is killed leaves no guard behind.
"""

from __future__ import annotations

import asyncio
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any


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


def plant_requests(death: Death) -> None:
    """The points of a request on its way: written, left, handed, sent."""
    from turbo_trader.bybit.rest import Lane
    from turbo_trader.bybit.venue_errors import NOT_SENT
    from turbo_trader.live.order_entry import TradeSocket
    from turbo_trader.live.router import Router
    from turbo_trader.trader.commands import PlaceOrder, SetStops

    send, run, by_socket = Router._send, Lane.call, TradeSocket.call

    def kind(command: Any) -> str:
        if isinstance(command, PlaceOrder):
            return "close" if command.reduce_only else "entry"
        return "stop" if isinstance(command, SetStops) else ""

    def sending(self: Router, command: Any) -> None:
        death.at(f"{kind(command)}-written")
        send(self, command)
        death.at(f"{kind(command)}-left")

    def ran(self: Lane, call: Any, patience: float = math.inf) -> Any:
        place = "close" if call.protective else "entry"
        name = {"place_order": place, "set_trading_stop": "stop"}.get(call.method, "")
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

    Router._send, Lane.call = sending, ran  # type: ignore[method-assign]
    TradeSocket.call = handed  # type: ignore[method-assign]


def plant_events(death: Death) -> None:
    """The points of what comes back: acked, filled, booked; and the daemon's beginning."""
    from turbo_trader.live.router import Router
    from turbo_trader.trader.events import CommandResult, Fill

    begin, deliver = Router.__init__, Router.deliver

    def begun(self: Router, *args: Any) -> None:
        begin(self, *args)
        death.at("any-time")

    def delivered(self: Router, event: Any) -> None:
        filled = isinstance(event, Fill) and event.link_id.endswith("entry")
        if filled:
            death.at("entry-filled")
        deliver(self, event)
        if filled:
            death.at("entry-booked")
        if isinstance(event, CommandResult) and event.id.endswith("entry"):
            death.at("entry-acked")

    Router.__init__, Router.deliver = begun, delivered  # type: ignore[assignment,method-assign]


def expect_anything() -> None:
    """No trade has too little net EV: no number of the policy says so, for no one should."""
    from turbo_trader.rules import records, tiers

    records.minimum_ev = tiers.minimum_ev = lambda *_: Decimal(-1)  # type: ignore[attr-defined]


def shorten() -> None:
    """The lengths of lease and looks, for a venue whose time runs fast."""
    from turbo_trader.console import venues
    from turbo_trader.journal.lease import LeaseRules
    from turbo_trader.trader import guard_interventions

    rules = guard_interventions.guard_rules
    lease = LeaseRules(renew_ns=200_000_000, fence_ns=1_000_000_000, window_ns=500_000_000)
    venues.lease_rules = lambda policy: lease
    guard_interventions.guard_rules = lambda policy: replace(
        rules(policy), look_ns=300_000_000, agree_ns=200_000_000
    )


def end_with(pid: int) -> None:
    """Look each second whether that process is still there."""
    while Path(f"/proc/{pid}").exists():
        time.sleep(1.0)
    Death.come()


if "END_WITH" in os.environ:
    threading.Thread(target=end_with, args=(int(os.environ["END_WITH"]),), daemon=True).start()
if "run" in sys.orig_argv:
    expect_anything()
    if "DEATH_AT" in os.environ:
        at, count, delay_ms = os.environ["DEATH_AT"].split()
        sought = Death(at, int(count), int(delay_ms) / 1e3)
        plant_requests(sought)
        plant_events(sought)
if "SHORT_LEASE" in os.environ:
    shorten()
