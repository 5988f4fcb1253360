"""The simulated exchange behind its V5 face, in process: signed requests in, answers and private frames out, all as bytes."""

from __future__ import annotations

from typing import Final, cast

import msgspec
import numpy as np

from turbo_trader.bybit.endpoints import Keys
from turbo_trader.bybit.rest import Permit, Request, Signer
from turbo_trader.exchange.exchange_machine import Exchange
from turbo_trader.exchange.messages import Message
from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.exchange.protocol.private_stream import PrivateClient
from turbo_trader.exchange.protocol.rate_limits import RateLimits
from turbo_trader.exchange.protocol.rest_face import HttpReply, HttpRequest, RestFace
from turbo_trader.exchange.protocol.signing import Key
from turbo_trader.market.rows import BAR, Rows
from turbo_trader.runtime.clock import MeasuredClock

_NAME: Final = "simulated"
_SECRET: Final = "simulated-secret"  # noqa: S105 - of the exchange in this process
_TOPICS: Final = ("order", "execution", "position", "wallet")
_NO_BARS: Final = cast("Rows", np.zeros(0, BAR))


class WireVenue:
    """One account of an Exchange as a client on the wire meets it."""

    def __init__(self, exchange: Exchange, uid: str, *, limits: bool = True, page: int = 0) -> None:
        """`limits`: with the venue's rate limits. `page`: rows of a list that one answer has at most; 0: all."""
        self.exchange = exchange
        self.uid = uid
        self._keys = {_NAME: Key(key=_NAME, secret=_SECRET, uid=uid)}
        data = MarketData(exchange, {i.symbol: _NO_BARS for i in exchange.instruments})
        self._face = RestFace(data, self._keys, limits=RateLimits() if limits else None, page=page)
        self._stream = PrivateClient(self._keys, "sim")

    def signer(self, clock: MeasuredClock, permit: Permit) -> Signer:
        """Signs with the account's key, by the client's clock."""
        return Signer(Keys(_NAME, _SECRET), clock.stamp, permit)

    def handle(self, now: int, request: Request) -> HttpReply:
        """Answer a request that arrives now."""
        path, _, query = request.target.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        return self._face.handle(
            now, HttpRequest(request.method, path, query.encode(), headers, request.body)
        )

    def faulty(self, now: int, fault: str) -> HttpReply:
        """The answer of a fault (protocol/faults_on_demand.py)."""
        return self._face.faulty(now, fault)

    def subscribe(self, now: int) -> None:
        """The client's private stream begins (again)."""
        self._stream = PrivateClient(self._keys, "sim")
        self._stream.uid = self.uid
        self._stream.take(msgspec.json.encode({"op": "subscribe", "args": _TOPICS}), now)

    def frames(self, now: int, message: Message) -> list[bytes]:
        """A message of the account as its stream carries it."""
        return self._stream.push(now, (message,))
