"""The way to the venue's REST: lanes, budget, clock and bans in one place; commands in, results out."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from turbo_trader.bybit import commands, trade
from turbo_trader.bybit.budget import SHARE, Budget
from turbo_trader.bybit.commands import Call
from turbo_trader.bybit.endpoints import Endpoints, Keys
from turbo_trader.bybit.errors import BANNED, NOT_SENT, Action, Kind, judge
from turbo_trader.bybit.reads import Reader
from turbo_trader.bybit.rest import Answer, Lane, Permit
from turbo_trader.live.clock import SPEED_HEADER, VenueClock, read_speed
from turbo_trader.live.order_entry import TradeSocket
from turbo_trader.live.settings import DaemonSettings
from turbo_trader.trader.commands import WriteCommand
from turbo_trader.trader.events import CommandResult

CONNECTIONS: Mapping[str, int] = {"exits": 4, "orders": 2, "reads": 4, "history": 4}
ENTRY_PATIENCE_S = (
    2.0  # an entry that could not leave for so long was decided on another market: it does not leave
)
_READ_PAUSES_S = (0.1, 0.4, 1.0)
_OPTIONAL = frozenset(
    {"get_fee_rates", "get_system_status"}
)  # not served everywhere; their absence says nothing of the key
_RETRIED = (Kind.TEMPORARY, Kind.AMBIGUOUS)

Tell = Callable[[str, str, dict[str, Any]], None]  # name, level, fields


class Gateway:
    """Sends calls; owns the lanes. `tell` hears about bans, fatal answers and clock trouble."""

    def __init__(
        self,
        endpoints: Endpoints,
        keys: Keys,
        clock: VenueClock,
        tell: Tell,
        timeout: float = 5.0,
        permit: Permit = lambda: True,
        connections: Mapping[str, int] = CONNECTIONS,
        share: float = SHARE,
        socket: TradeSocket | None = None,
    ) -> None:
        """`permit`: may this process write now? `connections` of each lane; `share` of the venue's limits it may use.

        `socket`: orders other than closes leave by it while it is up, by REST otherwise.
        """
        self.clock = clock
        self.budget = Budget(share=share)
        self.sent = 0
        self.fatal = ""  # why the key or account cannot trade; "" while it can
        self.on_fatal: Callable[[str], None] = lambda _: None  # told so once, and again by each order
        self._stale = asyncio.Event()  # the venue's terms are not the ones we know
        self._tell = tell
        self._socket = socket
        self._lanes = {
            name: Lane(n, endpoints, keys, clock.stamp, timeout, permit) for name, n in connections.items()
        }
        self._reader = Reader(self.read, clock.now)
        self._syncing: asyncio.Lock = asyncio.Lock()
        self.execute_read = self._reader.read

    def request(self, lane: str, call: Call, patience: float = math.inf) -> Coroutine[Any, Any, Answer]:
        """One call, when the budget lets it go: not during a ban, and not later than `patience` seconds from now.

        By REST it has left when this returns, where nothing is to be waited for: no turn of the event loop lies between.
        """
        now = time.monotonic()
        if self.budget.banned(now) or self._wait(call, now):
            return self._later(lane, call, now + patience)
        return self._now(lane, call, patience)

    async def _later(self, lane: str, call: Call, until: float) -> Answer:
        while True:
            now = time.monotonic()
            if self.budget.banned(now):
                return self._kept_back(BANNED, "the venue refused this address (HTTP 403); waiting")
            wait = self._wait(call, now)
            if not wait:
                return await self._now(lane, call, until - now)
            if now + wait > until:
                return self._kept_back(NOT_SENT, "it never left: the request budget was used up")
            await asyncio.sleep(min(wait, 1.0))

    def _wait(self, call: Call, now: float) -> float:
        return self.budget.reserve(call.group, now, exit_share=call.protective)

    def _now(self, lane: str, call: Call, patience: float) -> Coroutine[Any, Any, Answer]:
        self.sent += 1
        if self._socket is not None and trade.takes(call):
            answer: Coroutine[Any, Any, Answer] = self._by_socket(self._socket, lane, call, patience)
        else:
            answer = self._lanes[lane].call(call, patience)
        return self._learned(call, answer)

    async def _by_socket(self, socket: TradeSocket, lane: str, call: Call, patience: float) -> Answer:
        """By REST what certainly did not leave by the socket, and nothing else."""
        answer = await socket.call(call)
        return answer if answer.code != NOT_SENT else await self._lanes[lane].call(call, patience)

    async def _learned(self, call: Call, coming: Coroutine[Any, Any, Answer]) -> Answer:
        answer = await coming
        await self._learn(call, answer)
        return answer

    def _kept_back(self, code: int, why: str) -> Answer:
        return Answer(judge(code), code, why, self.clock.now())

    @property
    def order_entry(self) -> str:
        """The way an order would take now: websocket or rest."""
        return "websocket" if self._socket is not None and self._socket.up else "rest"

    def jobs(self) -> list[Coroutine[Any, Any, None]]:
        """What must run beside the requests, once the clock has been measured."""
        return [] if self._socket is None else [self._socket.run()]

    def send(self, command: WriteCommand) -> Coroutine[Any, Any, CommandResult]:
        """Carry out a command once; it leaves as `request` says.

        Only what was certainly not accepted is sent again, and never an entry.
        """
        call = commands.call(command)
        lane = "exits" if call.protective else "orders"
        coming = self.request(lane, call, ENTRY_PATIENCE_S if call.opens else math.inf)
        return self._result(command.id, lane, call, coming)

    async def _result(
        self, name: str, lane: str, call: Call, coming: Coroutine[Any, Any, Answer]
    ) -> CommandResult:
        answer = await coming
        if answer.verdict.action is Action.RESYNC and not call.opens:
            answer = await self.request(lane, call)
        verdict = answer.verdict
        later, barred = verdict.kind is Kind.TEMPORARY, verdict.action is Action.STOP_ENTRIES
        return CommandResult(
            self.clock.now(), name, verdict.outcome, answer.code, answer.message, later, barred
        )

    async def read(self, call: Call) -> Answer:
        """A read, asked again a few times when the trouble may pass."""
        return await self._patient("reads", call)

    async def history(self, call: Call) -> Answer:
        """A read of bulk data, in its own lane behind nobody."""
        return await self._patient("history", call)

    async def until_stale(self, seconds: float) -> None:
        """Until an answer has said that the venue's terms are others than we know, `seconds` at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stale.wait()
        self._stale.clear()

    async def sync_clock(self) -> bool:
        """Measure the venue's clock and speed; False when it did not answer, or nothing may be asked."""
        if self.budget.banned(time.monotonic()):
            return False
        async with self._syncing:
            lane, call = self._lanes["exits"], Call("get_server_time", "market", {}, protective=True)
            await lane.call(call)  # opens the connection, so that the measured round trip is one
            before = time.monotonic_ns()
            answer = await lane.call(call)
            after = time.monotonic_ns()
        nano = answer.result.get("timeNano")
        if not answer.ok or nano is None:
            return False
        speed = read_speed(answer.headers.get(SPEED_HEADER))
        self.clock.measured(int(nano), before, after, speed)
        return True

    async def close(self) -> None:
        """Wait for requests under way, then close the connections."""
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))

    async def _patient(self, lane: str, call: Call) -> Answer:
        for pause in _READ_PAUSES_S:
            answer = await self.request(lane, call)
            if answer.ok or answer.verdict.kind not in _RETRIED or answer.verdict.action is Action.BAN:
                return answer
            await asyncio.sleep(pause)
        return await self.request(lane, call)

    async def _learn(self, call: Call, answer: Answer) -> None:
        now = time.monotonic()
        venue_ms = self.clock.now() // 1_000_000
        self.budget.report(call.group, now, answer.headers, venue_ms)
        fields = {"call": call.method, "code": answer.code, "message": answer.message}
        match answer.verdict.action:
            case Action.WAIT:
                self.budget.hold(call.group, now, answer.headers, venue_ms)
                self._tell("rate-limited", "warning", fields)
            case Action.BAN if answer.code != BANNED:
                self.budget.ban(now)
                self._tell(
                    "address-refused", "error", {**fields, "meaning": answer.verdict.meaning, "wait_s": 600}
                )
            case Action.RESYNC:
                before = self.clock.offset
                self.clock.doubt()
                await self.sync_clock()
                self._tell(
                    "clock-resynced",
                    "warning",
                    {"offset_ms": self.clock.offset / 1e6, "was_ms": before / 1e6},
                )
            case Action.HALT if call.method not in _OPTIONAL:
                was, self.fatal = self.fatal, f"{answer.verdict.meaning} ({answer.code})"
                self._tell("account-refused", "error", {**fields, "meaning": answer.verdict.meaning})
                if was != self.fatal or call.method == "place_order":
                    self.on_fatal(self.fatal)
            case Action.REFRESH:
                self._stale.set()
            case _:
                pass


def open_gateway(settings: DaemonSettings, clock: VenueClock, tell: Tell, permit: Permit) -> Gateway:
    """The daemon's way to the venue, with the trade socket where its settings ask for it."""
    where, keys, timeout = settings.endpoints, settings.keys, settings.request_timeout_s
    by_socket = settings.order_entry == "websocket"
    socket = TradeSocket(where.trade, keys, clock, tell, timeout, permit) if by_socket else None
    return Gateway(where, keys, clock, tell, timeout, permit, socket=socket)
