"""The network between a process and the venue: latencies (ns), and what faults do to requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from turbo_trader.bybit.rest import Request
from turbo_trader.exchange.protocol.rest_face import HttpReply
from turbo_trader.simulation import tampering
from turbo_trader.simulation.faults import NO_FAULT, Faults, RequestFault
from turbo_trader.simulation.loop import Action, Loop

MILLISECOND: Final = 1_000_000
KEY_REFUSED: Final = "ret_10003"  # an answer that concerns signed requests alone


@dataclass(slots=True)
class Reach:
    """How the venue can be reached by all of this machine's processes. Times in ns."""

    down_until: int = 0  # it cannot be before
    refusal: str = ""  # what requests are answered with, and until when
    refused_until: int = 0


@dataclass(frozen=True, slots=True)
class Latency:
    """One-way delays: market data to the Trader, requests to the venue, replies and private messages back."""

    feed: int = 20 * MILLISECOND
    request: int = 30 * MILLISECOND
    reply: int = 20 * MILLISECOND
    stream: int = 20 * MILLISECOND

    def __post_init__(self) -> None:
        if min(self.feed, self.request, self.reply, self.stream) < 0:
            raise ValueError("a latency cannot be negative")


Later = Callable[
    [int, Action], None
]  # something happens at a time, where the process that asked is still there


class Server(Protocol):
    """What answers requests at the far end."""

    def handle(self, now: int, symbol: str, request: Request) -> HttpReply:
        """The answer to a request about `symbol` ("" = none) that arrives now."""

    def faulty(self, now: int, fault: str) -> HttpReply:
        """The answer of a gateway that does not let a request through (protocol/faults_on_demand.py)."""


class Network:
    """Carries requests to the venue and answers back. `faults` None: nothing goes wrong."""

    def __init__(
        self,
        loop: Loop,
        server: Server,
        latency: Latency,
        faults: Faults | None,
        reach: Reach | None = None,
    ) -> None:
        self.latency = latency
        self.reach = Reach() if reach is None else reach
        self.on_carry: Callable[[Request], None] = lambda _: (
            None
        )  # who looks on sees each request that leaves
        # ... and each answer that comes back in time, with the method it answers
        self.on_receive: Callable[[str, HttpReply], None] = lambda _method, _reply: None
        self._loop = loop
        self._server = server
        self._faults = faults

    @property
    def down(self) -> bool:
        """Does nothing get through?"""
        return self._loop.now < self.reach.down_until

    @property
    def refused(self) -> bool:
        """Is everything refused, whatever is asked?"""
        return self._loop.now < self.reach.refused_until

    def refuse(self, answer: str, until: int) -> None:
        """Everything is answered with this fault (protocol/faults_on_demand.py) before `until` (ns), and nothing is carried out.

        A refused key concerns requests that are signed.
        """
        self.reach.refusal = answer
        self.reach.refused_until = max(until, self.reach.refused_until)

    def answers_within(self, time: int) -> bool:
        """Does every request get its answer sooner than `time` (ns)?"""
        return self._faults is None and self.latency.request + self.latency.reply < time

    def carry(self, request: Request, symbol: str, later: Later, then: Callable[[HttpReply], None]) -> None:
        """Carry one request about `symbol`; its answer, where one comes back, reaches `then` by `later`."""
        self.on_carry(request)
        fault = NO_FAULT if self._faults is None else self._faults.request()
        refusal = self.reach.refusal
        if self.refused and (refusal != KEY_REFUSED or "X-BAPI-SIGN" in request.headers):
            fault = RequestFault(arrives=False, answer=refusal)
        arrival = self._loop.now + self.latency.request + fault.out_ns
        if fault.arrives:
            self._loop.post(arrival, partial(self._arrive, request, symbol, fault, later, then))
        elif fault.answer:
            self._loop.post(arrival, partial(self._answer, None, fault, later, then))

    def _arrive(
        self,
        request: Request,
        symbol: str,
        fault: RequestFault,
        later: Later,
        then: Callable[[HttpReply], None],
    ) -> None:
        if not self.down:
            self._answer(self._server.handle(self._loop.now, symbol, request), fault, later, then)

    def _answer(
        self, reply: HttpReply | None, fault: RequestFault, later: Later, then: Callable[[HttpReply], None]
    ) -> None:
        if fault.answer:
            reply = self._server.faulty(self._loop.now, fault.answer)
        if reply is not None and fault.answered:
            if fault.odd and self._faults is not None:
                reply = tampering.answer(reply, self._faults)
            later(self._loop.now + self.latency.reply + fault.back_ns, partial(then, reply))
