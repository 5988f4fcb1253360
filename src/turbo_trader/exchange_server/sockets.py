"""The venue's sockets: HTTP requests and streams of clients, through the faults in force."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.http.h11_impl import H11Protocol

from turbo_trader.exchange.protocol.fault_terms import Fault
from turbo_trader.exchange.protocol.faults_on_demand import RequestFault, widened
from turbo_trader.exchange.protocol.private_stream import PrivateClient
from turbo_trader.exchange.protocol.public_stream import Feed, PublicClient
from turbo_trader.exchange.protocol.rest_face import HttpReply, HttpRequest
from turbo_trader.exchange.protocol.trade_stream import TradeClient
from turbo_trader.exchange_server.body import read_body
from turbo_trader.exchange_server.control_routes import VenueControl
from turbo_trader.exchange_server.line import Client, Line
from turbo_trader.exchange_server.market_control_routes import MarketControl
from turbo_trader.live.same_site import same_site

if TYPE_CHECKING:
    from turbo_trader.exchange_server.exchange_host import Venue

# wall seconds before an answer on a stream: clients are made for a distant venue (pybit notes what it asked for after sending it)
ANSWER_S = 0.01
_REMEMBERED = 1_000  # answers
IDLE_S = 600.0  # a stream connection without a message from its client for so long is cut


class Connection(H11Protocol):
    """uvicorn's protocol, which shows the application its transport: to cut a connection, to write frames at once. Who never asks
    is cut as who asks no more."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}
        self._await_request()

    def data_received(self, data: bytes) -> None:
        """Some of a request came, or all."""
        super().data_received(data)
        asking = self.cycle is None or self.cycle.response_complete
        if asking and self.timeout_keep_alive_task is None and self.transport.get_protocol() is self:
            self._await_request()

    def _await_request(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )


class VenueSockets:
    """The ASGI application of a venue: every path is the REST face's, but for the streams and the control routes."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._earlier: dict[
            tuple[str, bytes, str], HttpReply
        ] = {}  # answers to reads, while they may come again

    def app(self) -> Starlette:
        """The application."""
        routes: list[BaseRoute] = [
            WebSocketRoute("/v5/public/linear", self._public),
            WebSocketRoute("/v5/public/misc/status", self._status),
            WebSocketRoute("/v5/private", self._private),
        ]
        if not self._venue.config.demo:
            routes.append(WebSocketRoute("/v5/trade", self._trade))
        if self._venue.config.control:
            routes += VenueControl(self._venue).routes() + MarketControl(self._venue).routes()
            routes.append(Route("/control/openapi.json", same_site(_described), methods=["GET"]))
        routes.append(Route("/health", self._health, methods=["GET"]))
        routes.append(Route("/{path:path}", self._rest, methods=["GET", "POST", "PUT", "DELETE"]))
        return Starlette(routes=routes)

    async def _health(self, request: Request) -> Response:
        """For whoever waits until it can be asked: what is served, once there is a market."""
        del request
        venue = self._venue
        now = venue.catch_up()
        facts = {"status": "ok", "now_ms": now // 1_000_000, "market": venue.source.label, "speed": venue.config.speed,
                 "symbols": [instrument.symbol for instrument in venue.exchange.instruments],
                 "accounts": len(venue.exchange.accounts), "streams": len(venue.lines)}  # fmt: skip
        return JSONResponse(facts)

    # -- requests

    async def _rest(self, request: Request) -> Response:
        body = await read_body(request)
        fault = self._venue.faults.request(_path(request).removeprefix("/v5/"))
        if fault is None:
            response = _response(self._answer(request, body))
        else:
            response = await self._faulty(request, body, fault)
        if self._venue.record is not None:
            self._venue.record.request(self._venue.now, request, body, response, fault.name if fault else "")
        return response

    def _answer(self, request: Request, body: bytes) -> HttpReply:
        now = self._venue.catch_up()
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in request.headers.raw}
        query = request.scope["query_string"]
        address = request.client.host if request.client else ""
        asked = HttpRequest(request.method, _path(request), query, headers, body, address)
        reply = self._venue.rest.handle(now, asked, self._venue.clock.wall())
        self._venue.publish()
        if request.method == "GET" and self._venue.faults.may(Fault.STALE):
            self._earlier[_asked(request)] = reply
            if len(self._earlier) > _REMEMBERED:
                del self._earlier[next(iter(self._earlier))]
        return reply

    async def _faulty(self, request: Request, body: bytes, fault: RequestFault) -> Response:
        if fault.name == Fault.DELAY:
            await asyncio.sleep(fault.wait_s)
        before = self._earlier.get(_asked(request))
        answer = self._answer(request, body) if fault.processed else None
        if fault.name == Fault.SLOW:
            await asyncio.sleep(fault.wait_s)
        if fault.name == Fault.STALE:
            return _response(before or self._answer(request, body))
        if answer is not None and fault.name in (Fault.DELAY, Fault.SLOW):
            return _response(answer)
        if answer is not None and fault.name == Fault.EXTRA:
            return _response(replace(answer, body=widened(answer.body)))
        if fault.name == Fault.HALF_OPEN:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return Response()
        if fault.name in (Fault.DROP_BEFORE, Fault.DROP_AFTER):
            request.scope["state"]["transport"].abort()
            await asyncio.sleep(0)  # lets uvicorn see that nobody is there to be answered
            return Response()
        return _response(self._venue.rest.faulty(self._venue.catch_up(), fault.name))

    # -- streams

    async def _public(self, socket: WebSocket) -> None:
        await self._subscribed(socket, self._venue.feed)

    async def _status(self, socket: WebSocket) -> None:
        await self._subscribed(socket, self._venue.status)

    async def _subscribed(self, socket: WebSocket, feed: Feed) -> None:
        connection = self._venue.connection()
        client = PublicClient(feed, connection)
        try:
            await self._serve(socket, client, connection, IDLE_S)
        finally:
            client.close()

    async def _private(self, socket: WebSocket) -> None:
        connection = self._venue.connection()
        client = PrivateClient(self._venue.keys, connection)
        await self._serve(socket, client, connection, _idle(socket))

    async def _trade(self, socket: WebSocket) -> None:
        venue, connection = self._venue, self._venue.connection()
        client = TradeClient(venue.rest.signed, venue.keys, connection, _address(socket), venue.config.speed)
        await self._serve(socket, client, connection, _idle(socket))

    async def _serve(self, socket: WebSocket, client: Client, connection: str, idle_s: float) -> None:
        line = Line(socket, client, connection)
        if not self._admits(line):
            await socket.close()  # before it is accepted: 403
            return
        self._venue.lines.add(line)
        try:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await socket.accept()
                await self._listen(socket, line, idle_s)
        finally:
            line.end()
            self._venue.lines.remove(line)

    def _admits(self, line: Line) -> bool:
        """May there be such a connection now?"""
        venue, limits = self._venue, self._venue.limits
        if venue.notices.closed(venue.now):
            return False
        if limits is None:
            return True
        here = [other for other in venue.lines if other.address == line.address]
        listeners = sum(isinstance(other.client, PublicClient) for other in here)
        public = isinstance(line.client, PublicClient)
        return limits.connects(line.address, venue.clock.wall(), listeners if public else 0)

    async def _listen(self, socket: WebSocket, line: Line, idle_s: float) -> None:
        while True:
            try:
                async with asyncio.timeout(idle_s):
                    message = await socket.receive()
            except TimeoutError:
                line.end()
                await socket.close(1000, "idle")
                return
            if message["type"] == "websocket.disconnect":
                return
            given = message.get("text") or message.get("bytes") or ""
            raw = given.encode() if isinstance(given, str) else given
            if isinstance(line.client, TradeClient):
                await self._order(line, line.client, raw)
            else:
                await asyncio.sleep(ANSWER_S)
                answers = line.client.take(raw, self._venue.now, self._venue.clock.wall())
                self._note(line, raw, answers)
                line.answer(answers)

    async def _order(self, line: Line, client: TradeClient, raw: bytes) -> None:
        """An operation of the trade socket, through the faults of its REST route."""
        route = client.route(raw)
        fault = self._venue.faults.request(route) if route else None
        if fault is not None and fault.name == Fault.DELAY:
            await asyncio.sleep(fault.wait_s)
        answers = []
        if fault is None or fault.processed:
            answers = client.take(raw, self._venue.catch_up(), self._venue.clock.wall())
            self._venue.publish()
        self._note(line, raw, answers)
        if fault is None:
            _later(line, answers)
            return
        match fault.name:
            case Fault.DELAY | Fault.STALE:
                _later(line, answers)
            case Fault.SLOW:
                await asyncio.sleep(fault.wait_s)
                line.answer(answers)
            case Fault.EXTRA:
                _later(line, [widened(answer) for answer in answers])
            case Fault.DROP_BEFORE | Fault.DROP_AFTER:
                line.cut()
            case Fault.HALF_OPEN:
                pass  # there is no answer
            case name:
                _later(line, client.refuse(raw, name, self._venue.now))

    def _note(self, line: Line, raw: bytes, answers: list[bytes]) -> None:
        """Put an operation into the record, where there is one."""
        if self._venue.record is not None:
            self._venue.record.operation(self._venue.now, line.connection, raw, answers)


async def _described(request: Request) -> Response:
    """The OpenAPI description of the control routes."""
    del request
    text = files("turbo_trader.exchange_server").joinpath("assets", "control.json").read_bytes()
    return Response(text, media_type="application/json")


def _later(line: Line, answers: list[bytes]) -> None:
    asyncio.get_running_loop().call_later(ANSWER_S, line.answer, answers)


def _path(request: Request) -> str:
    """As it was asked for: `request.url` would read the Host header too, which may be anything."""
    return str(request.scope["path"])


def _asked(request: Request) -> tuple[str, bytes, str]:
    """What was asked, and by whom."""
    return _path(request), request.scope["query_string"], request.headers.get("x-bapi-api-key", "")


def _address(socket: WebSocket) -> str:
    return socket.client.host if socket.client else ""


def _idle(socket: WebSocket) -> float:
    """Wall seconds without a message after which a connection is cut: max_active_time of its URL, 30s to 600s or 1m to 10m."""
    asked = socket.query_params.get("max_active_time", "")
    number, unit = asked[:-1], asked[-1:]
    if not number.isascii() or not number.isdigit() or unit not in ("s", "m") or len(number) > 4:
        return IDLE_S
    return min(IDLE_S, max(30.0, float(number) * (60 if unit == "m" else 1)))


def _response(reply: HttpReply) -> Response:
    return Response(reply.body, reply.status, reply.headers)
