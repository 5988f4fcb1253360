"""REST: pybit knows the routes, our own connections carry the requests, and every call ends in an `Answer`.

pybit's way of sending waits in a thread and tries again by itself: what it would send is taken from it instead.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import math
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from pybit.unified_trading import HTTP

from turbo_trader.bybit.answers import Answer, read_answer
from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.endpoints import Endpoints, Keys
from turbo_trader.bybit.transport import Connection, NoAnswer, NotSent, Pool, Response
from turbo_trader.bybit.venue_errors import FENCED, NO_ANSWER, NOT_SENT, classify

Permit = Callable[[], bool]  # may this process write to the venue now?
logging.getLogger("pybit").setLevel(logging.CRITICAL)  # its debug lines carry bodies and headers


class Fenced(Exception):
    """A write was about to be signed without the right to write."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it goes over the wire."""

    method: str
    target: str  # path and query
    headers: Mapping[str, str]
    body: bytes


class Signer(HTTP):  # type: ignore[misc]
    """A pybit session signed by our clock: its methods return the `Request` instead of sending it. Its repr shows no key."""

    _writes: bool  # does the call that is being signed change anything?

    def __init__(self, keys: Keys, clock: Callable[[], int], permit: Permit) -> None:
        """`clock`: ns of the venue's time; `permit` is asked for each request that writes."""
        super().__init__(api_key=keys.key, api_secret=keys.secret)
        self.endpoint = ""
        self._keyed = hmac.new(
            keys.secret.encode(), digestmod="sha256"
        )  # copied for each request: half the time
        self._clock = clock
        self._permit = permit

    def __repr__(self) -> str:
        return "Signer()"

    def request(self, call: Call) -> Request:
        """The request of `call`, signed now. Fenced: it writes, and that is not allowed."""
        self.recv_window = call.recv_window_ms
        self._writes = call.writes
        built: Request = getattr(self, call.method)(**call.params)
        return built

    def _submit_request(
        self, method: str, path: str, query: dict[str, Any] | None = None, auth: bool = False
    ) -> Request:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        if method == "GET":
            payload: str = self.prepare_payload(method, given)
            headers = self._signed(payload) if auth else {}
            return Request(method, f"{path}?{payload}" if payload else path, headers, b"")
        body = msgspec.json.encode(given)
        return Request(method, path, self._signed(body.decode()), body)

    def _signed(self, payload: str) -> dict[str, str]:
        timestamp = self._clock() // 1_000_000
        if self._writes and not self._permit():
            raise Fenced  # asked after the stamp is taken: the venue refuses a permitted request that leaves too late
        signature = self._keyed.copy()
        signature.update(f"{timestamp}{self.api_key}{self.recv_window}{payload}".encode())
        return {
            "Content-Type": "application/json",
            "X-BAPI-API-KEY": self.api_key,
            "X-BAPI-SIGN": signature.hexdigest(),
            "X-BAPI-SIGN-TYPE": "2",
            "X-BAPI-TIMESTAMP": str(timestamp),
            "X-BAPI-RECV-WINDOW": str(self.recv_window),
        }


class Lane:
    """A bounded set of connections; calls of one lane never wait for those of another."""

    def __init__(
        self,
        connections: int,
        endpoints: Endpoints,
        keys: Keys,
        clock: Callable[[], int],
        timeout: float,
        permit: Permit = lambda: True,
    ) -> None:
        """`timeout` seconds for the connection, and again for the answer."""
        self._pool = Pool(endpoints.rest, connections)
        self._signer = Signer(keys, clock, permit)
        self._keys = keys
        self._clock = clock
        self._timeout = timeout

    def call(self, call: Call, patience: float = math.inf) -> Coroutine[Any, Any, Answer]:
        """Carry out one call; never raises for what the venue or the network does.

        Where a connection is idle the request has left when this returns. `patience`: seconds after which it does not leave any
        more, whatever it waited for. Cancelling it does not take back a request that has left: its fate is then unknown.
        """
        connection = self._pool.ready()
        if connection is None:
            return self._by_new_connection(call, patience)
        return self._answer(call, *self._send(call, connection))

    async def _by_new_connection(self, call: Call, patience: float) -> Answer:
        sent = self._clock()
        try:
            connection = await self._connection(patience)
        except NotSent as error:
            return _not_sent(error, sent)
        return await self._answer(call, *self._send(call, connection))

    def _send(self, call: Call, connection: Connection) -> tuple[int, asyncio.Future[Response]]:
        sent = self._clock()  # after the wait for a connection: a stamp must not grow old in a queue
        try:
            asked = self._signer.request(call)
            response = connection.exchange(
                asked.method, asked.target, asked.headers, asked.body, self._timeout
            )
        except Exception as error:
            response = asyncio.get_running_loop().create_future()
            response.set_exception(error)
        response.add_done_callback(lambda _: self._pool.give(connection))
        return sent, response

    async def _answer(self, call: Call, sent: int, response: asyncio.Future[Response]) -> Answer:
        try:
            answer = await response
            return read_answer(call, answer.status, answer.headers, answer.body, sent, self._keys.redact)
        except Fenced:
            return Answer(classify(FENCED), FENCED, "not sent: the lease to write is not held", sent)
        except NotSent as error:
            return _not_sent(error, sent)
        except NoAnswer as error:
            return Answer(classify(NO_ANSWER), NO_ANSWER, f"no answer from the venue: {error}", sent)

    async def close(self) -> None:
        """Wait for calls under way (their outcomes matter), then let the connections go."""
        await self._pool.close()

    async def _connection(self, patience: float) -> Connection:
        try:
            async with asyncio.timeout(patience if patience < math.inf else None):
                return await self._pool.take(self._timeout)
        except TimeoutError:
            raise NotSent("no connection in time") from None


def _not_sent(error: NotSent, sent: int) -> Answer:
    return Answer(classify(NOT_SENT), NOT_SENT, f"it never left: {error}", sent)
