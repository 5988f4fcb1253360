"""The jobs of one life of a process in simulated time: their requests go over its network, their waits on the loop."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from turbo_trader.bybit.answers import Answer, read_answer
from turbo_trader.bybit.rest import Fenced, Signer
from turbo_trader.bybit.venue_errors import FENCED, NO_ANSWER, classify
from turbo_trader.exchange.protocol.rest_face import HttpReply
from turbo_trader.market.rows import SECOND
from turbo_trader.runtime.clock import MeasuredClock
from turbo_trader.runtime.venue_requests import REQUEST_TIMEOUT_S, Job, Sleep, Transmit
from turbo_trader.simulation.loop import Loop
from turbo_trader.simulation.network import Later, Network

T = TypeVar("T")


class Jobs:
    """Carries them out until the life is `over`. `later`: something happens inside this life."""

    def __init__(
        self, loop: Loop, network: Network, *, clock: MeasuredClock, signer: Signer, later: Later
    ) -> None:
        self.over = False
        self._loop, self._network = loop, network
        self._clock, self._signer, self._later = clock, signer, later

    def run(self, job: Job[T], then: Callable[[T], None], found: Any = None) -> None:
        """Carry a job out; its result reaches `then`."""
        try:
            effect = job.send(found)
        except StopIteration as end:
            then(end.value)
            return
        if isinstance(effect, Sleep):
            self._later(self._loop.now + round(effect.seconds * SECOND), partial(self.run, job, then))
        elif not self.over:
            self._transmit(effect, partial(self.run, job, then))

    def _transmit(self, effect: Transmit, then: Callable[[Answer], None]) -> None:
        """Let a call leave; its answer, or that none came in time, reaches `then` once."""
        sent, waiting = self._clock.now(), [True]
        try:
            request = self._signer.request(effect.call)
        except Fenced:
            then(Answer(classify(FENCED), FENCED, "not sent: the lease to write is not held", sent))
            return

        def answer(found: Answer) -> None:
            if waiting:
                waiting.clear()
                then(found)

        def on_reply(reply: HttpReply) -> None:
            if waiting:
                self._network.on_receive(effect.call.method, reply)
            answer(read_answer(effect.call, reply.status, reply.headers, reply.body, sent, str))

        unanswered = Answer(classify(NO_ANSWER), NO_ANSWER, "no answer from the venue", sent)
        symbol = str(effect.call.params.get("symbol") or "")
        self._network.carry(request, symbol, self._later, on_reply)
        if self._network.answers_within(round(REQUEST_TIMEOUT_S * SECOND)):
            return
        self._later(self._loop.now + round(REQUEST_TIMEOUT_S * SECOND), partial(answer, unanswered))
