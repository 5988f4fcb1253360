"""Requests to the venue without I/O: budget, bans, patience, retries, clock measurements, splitting of reads.

Each job is a generator (`Job`): it yields what it needs from the world (`Transmit`, `Sleep`) and is resumed with the answer. The
asyncio shell waits for real connections and timers, the simulation for its heap; the decisions between are the same objects.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol, TypeAlias, TypeVar

from turbo_trader.bybit import command_calls, trade_socket
from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.budget import SHARE, Budget
from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.reads import Reader
from turbo_trader.bybit.schemas import OddRow, decimal
from turbo_trader.bybit.venue_errors import BANNED, NOT_SENT, Action, Kind, classify
from turbo_trader.runtime.arrivals import Alarm, Arrivals
from turbo_trader.runtime.clock import SPEED_HEADER, MeasuredClock, read_speed
from turbo_trader.trader.commands import Read, WriteCommand
from turbo_trader.trader.events import CommandResult, ReadResult

REQUEST_TIMEOUT_S: Final = 5.0  # for a connection, and again for the answer
ENTRY_PATIENCE_S: Final = 2.0  # an entry that could not leave for so long was decided on another market
READ_PAUSES_S: Final = (0.1, 0.4, 1.0)  # between the tries of a read
_LONGEST_SLEEP_S: Final = 1.0  # while a request waits for the budget: a ban may begin meanwhile
_DISAGREE_NS: Final = 2_000_000_000  # between two readings of the venue's clock, beside the time that passed
_SYNC_POLL_S: Final = 0.05  # a second measurement of the clock waits for the first one
_OPTIONAL: Final = frozenset(
    {"get_fee_rates", "get_system_status"}
)  # not served everywhere: nothing on the key
_REFUSED_ADDRESS: Final = "the venue refused this address (HTTP 403); waiting"
_RETRIED: Final = (Kind.TEMPORARY, Kind.AMBIGUOUS)


def nano(answer: Answer | None) -> int | None:
    """The venue's time (ns) in an answer to `get_server_time`; None where it is none."""
    if answer is None or not answer.ok:
        return None
    found = decimal(answer.result.get("timeNano"))
    return int(found) if found is not None and 0 < found < 2**63 else None


class Lane(StrEnum):
    """Requests of one lane never wait for those of another."""

    EXITS = "exits"
    ORDERS = "orders"
    READS = "reads"
    HISTORY = "history"
    SOCKET = "socket"  # the trade socket


@dataclass(frozen=True, slots=True)
class Transmit:
    """Let a call leave within `patience_s` seconds; resumed with its `Answer`, whatever the outcome."""

    lane: Lane
    call: Call
    patience_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait; resumed with None."""

    seconds: float


Effect: TypeAlias = Transmit | Sleep
T = TypeVar("T")
Job: TypeAlias = Generator[Effect, Any, T]
Emit: TypeAlias = Callable[[str, str, dict[str, Any]], None]  # name, level, fields


class Hooks(Protocol):
    """What a shell reports beside the answers."""

    def emit(self, name: str, level: str, fields: dict[str, Any], /) -> None:
        """An event for log and journal."""

    def on_fatal(self, why: str, /) -> None:
        """The key or account cannot trade."""

    def on_stale(self) -> None:
        """The venue's terms are not the ones we know."""


class Requests:
    """Sends calls within the venue's limits and learns from the answers."""

    def __init__(
        self,
        clock: MeasuredClock,
        hooks: Hooks,
        *,
        share: float = SHARE,
        socket_up: Callable[[], bool] | None = None,
        simulated: bool = False,
    ) -> None:
        """`share`: of the venue's limits this process may use. `socket_up`: is the trade socket up; None where there is none.

        `simulated`: the venue runs on this machine, and its time may run at another speed. No other venue is believed that.
        """
        self.clock = clock
        self.budget = Budget(share=share)
        self.sent = 0
        self.fatal = ""  # why the key or account cannot trade; "" while it can
        self._refused = (
            ""  # the call that was answered so: once it is answered otherwise, the next refusal is a new one
        )
        self._hooks = hooks
        self._socket_up = socket_up
        self._simulated = simulated
        self._odd = Alarm(hooks.emit, "row-unreadable", "rest")
        self._arrivals = Arrivals("rest", hooks.emit)
        self._reader = Reader(self.read, clock.now, self._on_odd)
        self._syncing = False

    # -- one call

    def request(self, lane: Lane, call: Call, patience_s: float = math.inf) -> Job[Answer]:
        """One call, when the budget lets it go: not during a ban, and not later than `patience_s` from now."""
        until = self._steady_s() + patience_s
        while True:
            now = self._steady_s()
            if self.budget.banned(now):
                return self._not_sent(BANNED, _REFUSED_ADDRESS)
            wait = self.budget.reserve(call.group, now, exit_share=call.protective)
            if not wait:
                break
            if now + wait > until:
                return self._not_sent(NOT_SENT, "it never left: the request budget was used up")
            yield Sleep(min(wait, _LONGEST_SLEEP_S))
        answer = yield from self._transmit(lane, call, until - now)
        yield from self._learn(call, answer)
        return answer

    def read(self, call: Call) -> Job[Answer]:
        """A read, asked again a few times when the trouble may pass."""
        return self._patient(Lane.READS, call)

    def history(self, call: Call) -> Job[Answer]:
        """A read of bulk data, in its own lane behind nobody."""
        return self._patient(Lane.HISTORY, call)

    # -- the Trader's commands

    def send(self, command: WriteCommand) -> Job[CommandResult]:
        """Carry out a command once. Only what was certainly not accepted is sent again, and never an entry."""
        call = command_calls.call(command)
        lane = Lane.EXITS if call.protective else Lane.ORDERS
        answer = yield from self.request(lane, call, ENTRY_PATIENCE_S if call.opens else math.inf)
        if answer.verdict.action is Action.RESYNC and not call.opens:
            answer = yield from self.request(lane, call)
        verdict = answer.verdict
        later, barred = verdict.kind is Kind.TEMPORARY, verdict.action is Action.STOP_ENTRIES
        return CommandResult(
            ts=self.clock.now(),
            id=command.id,
            outcome=verdict.outcome,
            code=answer.code,
            message=answer.message,
            later=later,
            barred=barred,
            barred_key=verdict.action is Action.HALT,
        )

    def execute_read(self, command: Read) -> Job[ReadResult]:
        """The lists a `Read` asks for, complete, or an outcome that is not CONFIRMED."""
        result = yield from self._reader.read(command)
        return self._arrivals.read(result, self.clock.now(), self.clock.speed)

    def _on_odd(self, odd: OddRow) -> None:
        self._odd.add(self.clock.now(), list=odd.where, symbol=odd.symbol, error=odd.why)

    # -- the clock

    def sync_clock(self) -> Job[bool]:
        """Measure the venue's clock and speed; False when it did not answer, or nothing may be asked."""
        while self._syncing:
            yield Sleep(_SYNC_POLL_S)
        if self.budget.banned(self._steady_s()):
            return False
        self._syncing = True
        try:
            began = self.clock.steady()
            first = yield from self._server_time()  # opens the connection: the next round trip is one
            if self.budget.banned(self._steady_s()):
                return False
            before = self.clock.steady()
            answer = yield from self._server_time()
            after = self.clock.steady()
        finally:
            self._syncing = False
        venue, speed = nano(answer), read_speed(answer.headers.get(SPEED_HEADER)) if self._simulated else 1.0
        if venue is None:
            return False
        witness = nano(first)
        if witness is not None and not -_DISAGREE_NS < venue - witness - (
            after - began
        ) * speed < _DISAGREE_NS * max(1.0, speed):
            apart = round((venue - witness) / 1e9, 3)
            self._hooks.emit(
                "clock-doubtful", "error", {"apart_s": apart, "meaning": "two readings differ: none counts"}
            )
            return False
        self.clock.measured(venue, before, after, speed)
        return True

    # -- inside

    def _server_time(self) -> Job[Answer]:
        """The venue's clock, at once: no budget holds it up, but what it says of bans and limits counts."""
        call = Call("get_server_time", "market", {}, protective=True)
        answer: Answer = yield Transmit(Lane.EXITS, call)
        if answer.verdict.action in {Action.BAN, Action.WAIT}:  # not a wrong time: that one is being measured
            yield from self._learn(call, answer)
        return answer

    def _patient(self, lane: Lane, call: Call) -> Job[Answer]:
        for pause in READ_PAUSES_S:
            answer = yield from self.request(lane, call)
            if answer.ok or answer.verdict.kind not in _RETRIED or answer.verdict.action is Action.BAN:
                return answer
            yield Sleep(pause)
        return (yield from self.request(lane, call))

    def _transmit(self, lane: Lane, call: Call, patience_s: float) -> Job[Answer]:
        """By the trade socket where it is up; by REST what certainly did not leave by it, and nothing else."""
        self.sent += 1
        if self._socket_up is not None and self._socket_up() and trade_socket.takes(call):
            answer: Answer = yield Transmit(Lane.SOCKET, call, patience_s)
            if answer.code != NOT_SENT:
                return answer
            if self.budget.banned(self._steady_s()):  # since it was handed over
                return self._not_sent(BANNED, _REFUSED_ADDRESS)
        answer = yield Transmit(lane, call, patience_s)
        return answer

    def _not_sent(self, code: int, why: str) -> Answer:
        return Answer(classify(code), code, why, self.clock.now())

    def _steady_s(self) -> float:
        return self.clock.steady() / 1e9

    def _learn(self, call: Call, answer: Answer) -> Job[None]:
        now, venue_ms = self._steady_s(), self.clock.now() // 1_000_000
        self.budget.report(call.group, now, answer.headers, venue_ms)
        fields = {"call": call.method, "code": answer.code, "message": answer.message}
        if not answer.code and call.method == self._refused:
            self.fatal = self._refused = ""
        match answer.verdict.action:
            case Action.WAIT:
                self.budget.hold(call.group, now, answer.headers, venue_ms)
                self._hooks.emit("rate-limited", "warning", fields)
            case Action.BAN if answer.code != BANNED:
                self.budget.ban(now)
                meaning = {"meaning": answer.verdict.meaning, "wait_s": 600}
                self._hooks.emit("address-refused", "error", {**fields, **meaning})
            case Action.RESYNC:
                before = self.clock.offset
                self.clock.doubt()
                yield from self.sync_clock()
                offsets = {"offset_ms": self.clock.offset / 1e6, "was_ms": before / 1e6}
                self._hooks.emit("clock-resynced", "warning", offsets)
            case Action.HALT if call.method not in _OPTIONAL:
                was, self.fatal = self.fatal, f"{answer.verdict.meaning} ({answer.code})"
                self._refused = call.method
                self._hooks.emit("account-refused", "error", {**fields, "meaning": answer.verdict.meaning})
                if was != self.fatal or call.method == "place_order":
                    self._hooks.on_fatal(self.fatal)
            case Action.REFRESH:
                self._hooks.on_stale()
            case _:
                pass
