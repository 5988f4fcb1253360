"""The venue's sockets: HTTP requests and streams of clients, through the faults in force."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from uvicorn.protocols.http.h11_impl import H11Protocol

from turbo_trader.exchange.protocol import render
from turbo_trader.exchange.protocol.faults import FaultPlan, Faults, RequestFault
from turbo_trader.exchange.protocol.params import Refused, number
from turbo_trader.exchange.protocol.private import PrivateClient
from turbo_trader.exchange.protocol.public import PublicClient
from turbo_trader.exchange.protocol.render_market import instrument as instrument_info
from turbo_trader.exchange.protocol.rest import HttpReply, HttpRequest
from turbo_trader.exchange.protocol.signing import BARRED, Key
from turbo_trader.exchange.protocol.trade import TradeClient
from turbo_trader.live.venue_line import Client, Line
from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import Instrument

if TYPE_CHECKING:
    from turbo_trader.live.venue import Venue

LARGEST_BODY = 256 * 1024  # bytes read of a request; the rest face says what it thinks of them

# wall seconds before an answer on a stream: clients are made for a distant venue (pybit notes what it asked for after sending it)
ANSWER_S = 0.01
IDLE_S = 600.0  # a stream connection without a word from its client for so long is cut

_FIGURES = ("tick", "step", "min_qty", "max_qty", "max_market_qty", "min_notional", "max_leverage")
_STATUSES = ("PreLaunch", "Trading", "Assumed", "Delivering")  # a contract is closed by its delivery


class Connection(H11Protocol):
    """uvicorn's protocol, which shows the application its transport: to cut a connection, to write frames at once."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connected."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class VenueSockets:
    """The ASGI application of a venue: every path is the REST face's, but for the streams and the control routes."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def app(self) -> Starlette:
        """The application."""
        routes: list[BaseRoute] = [
            WebSocketRoute("/v5/public/linear", self._public),
            WebSocketRoute("/v5/private", self._private),
        ]
        if not self._venue.config.demo:
            routes.append(WebSocketRoute("/v5/trade", self._trade))
        if self._venue.config.control:
            routes += [
                Route("/control/keys", self._keys, methods=["POST"]),
                Route("/control/faults", self._faults, methods=["GET", "POST"]),
                Route("/control/instrument", self._instrument, methods=["POST"]),
                Route("/control/disconnect", self._disconnect, methods=["POST"]),
                Route("/control/adl", self._deleverage, methods=["POST"]),
            ]
        routes.append(Route("/{path:path}", self._rest, methods=["GET", "POST", "PUT", "DELETE"]))
        return Starlette(routes=routes)

    # -- requests

    async def _rest(self, request: Request) -> Response:
        body = await _body(request)
        fault = self._venue.faults.request(_path(request).removeprefix("/v5/"))
        if fault is None:
            return self._answer(request, body)
        return await self._faulty(request, body, fault)

    def _answer(self, request: Request, body: bytes) -> Response:
        now = self._venue.catch_up()
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in request.headers.raw}
        query = request.scope["query_string"]
        address = request.client.host if request.client else ""
        asked = HttpRequest(request.method, _path(request), query, headers, body, address)
        reply = self._venue.rest.handle(now, asked, time.time_ns())
        self._venue.tell()
        return _response(reply)

    async def _faulty(self, request: Request, body: bytes, fault: RequestFault) -> Response:
        if fault.name == "delay":
            await asyncio.sleep(fault.wait_s)
        answer = self._answer(request, body) if fault.processed else Response()
        if fault.name == "slow":
            await asyncio.sleep(fault.wait_s)
        if fault.name in ("delay", "slow"):
            return answer
        if fault.name == "half_open":
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return Response()
        if fault.name.startswith("drop"):
            request.scope["state"]["transport"].abort()
            await asyncio.sleep(0)  # lets uvicorn see that nobody is there to be answered
            return Response()
        return _response(self._venue.rest.faulty(self._venue.catch_up(), fault.name))

    # -- streams

    async def _public(self, socket: WebSocket) -> None:
        client = PublicClient(self._venue.feed, self._venue.connection())
        try:
            await self._serve(socket, client, IDLE_S)
        finally:
            client.close()

    async def _private(self, socket: WebSocket) -> None:
        client = PrivateClient(self._venue.keys, self._venue.connection())
        await self._serve(socket, client, _idle(socket))

    async def _trade(self, socket: WebSocket) -> None:
        venue = self._venue
        client = TradeClient(
            venue.rest.signed, venue.keys, venue.connection(), _address(socket), venue.config.speed
        )
        await self._serve(socket, client, _idle(socket))

    async def _serve(self, socket: WebSocket, client: Client, idle_s: float) -> None:
        limits = self._venue.limits
        if limits is not None and not limits.connects(_address(socket), time.monotonic_ns()):
            await socket.close()  # before it is accepted: 403
            return
        line = Line(socket, client)
        self._venue.lines[line] = None
        try:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):
                await socket.accept()
                await self._listen(socket, line, idle_s)
        finally:
            line.end()
            del self._venue.lines[line]

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
                line.answer(line.client.take(raw, self._venue.now, time.time_ns()))

    async def _order(self, line: Line, client: TradeClient, raw: bytes) -> None:
        """An operation of the trade socket, through the faults of its REST route."""
        route = client.route(raw)
        fault = self._venue.faults.request(route) if route else None
        if fault is not None and fault.name == "delay":
            await asyncio.sleep(fault.wait_s)
        answers = []
        if fault is None or fault.processed:
            answers = client.take(raw, self._venue.catch_up(), time.time_ns())
            self._venue.tell()
        if fault is None or fault.name == "delay":
            _later(line, answers)
        elif fault.name == "slow":
            await asyncio.sleep(fault.wait_s)
            line.answer(answers)
        elif fault.name.startswith("drop"):
            line.cut()
        elif fault.name != "half_open":
            _later(line, client.refuse(raw, fault.name, self._venue.now))

    # -- control

    async def _faults(self, request: Request) -> Response:
        """GET tells the plan in force and what it did; POST {"faults": TEXT, "seed"?: int, "times"?: int} begins another."""
        if request.method == "POST":
            try:
                asked = json.loads(await _body(request))
                plan = FaultPlan.parse(str(asked["faults"]))
                seed, times = int(asked.get("seed", 0)), int(asked.get("times", 0))
                self._venue.faults = Faults(plan, abs(seed), abs(times))
            except InputError as error:
                return JSONResponse({"error": str(error)}, 400)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                return JSONResponse({"error": 'send {"faults": "drop=0.05", "seed": 0, "times": 0}'}, 400)
        faults = self._venue.faults
        return JSONResponse({"faults": str(faults.plan), "counts": dict(faults.counts)})

    async def _keys(self, request: Request) -> Response:
        """POST {"key": NAME, ...} changes a key, or adds one: secret, uid, read_only, permissions, expires_ms, addresses,
        symbols, barred."""
        try:
            asked = json.loads(await _body(request))
            name = str(asked["key"])
            before = self._venue.keys.get(
                name, Key(name, str(asked.get("secret", "")), str(asked.get("uid", "1")))
            )
            permissions = asked.get("permissions", before.permissions)
            expires = asked.get("expires_ms", before.expires_ms)
            key = Key(
                name, str(asked.get("secret", before.secret)), str(asked.get("uid", before.uid)),
                bool(asked.get("read_only", before.read_only)),
                {str(group): tuple(map(str, names)) for group, names in permissions.items()},
                None if expires is None else int(expires), tuple(map(str, asked.get("addresses", before.addresses))),
                tuple(map(str, asked.get("symbols", before.symbols))), int(asked.get("barred", before.barred)),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return JSONResponse({"error": 'send {"key": "simulated-key", "read_only": true}'}, 400)
        if key.barred and key.barred not in BARRED:
            return JSONResponse({"error": f"barred: one of {', '.join(map(str, BARRED))}, or 0"}, 400)
        self._venue.add_key(key)
        return JSONResponse({"key": name, "uid": key.uid})

    async def _instrument(self, request: Request) -> Response:
        """POST {"symbol": NAME, ...} changes an instrument: status, delivery_ms, and the figures of `_FIGURES`."""
        venue = self._venue
        try:
            asked = json.loads(await _body(request))
            venue.catch_up()
            known = venue.exchange.instruments[venue.exchange.index[str(asked["symbol"])]]
            venue.relist(_changed(known, asked))
        except InputError as error:
            return JSONResponse({"error": str(error)}, 400)
        except (ValueError, KeyError, TypeError, ArithmeticError, AttributeError, RecursionError):
            return JSONResponse({"error": 'send {"symbol": "BTCUSDT", "tick": "0.05"}'}, 400)
        venue.tell()
        return JSONResponse(instrument_info(venue.exchange.instruments[venue.exchange.index[known.symbol]]))

    async def _deleverage(self, request: Request) -> Response:
        """POST {"symbol": NAME, ...} closes a position by deleveraging: uid ("1"), positionIdx (0), qty (all), price (the mark)."""
        try:
            asked = json.loads(await _body(request))
            closed = self._venue.exchange.deleverage(
                self._venue.catch_up(), str(asked.get("uid", "1")), str(asked["symbol"]), int(asked.get("positionIdx", 0)),
                number(asked, "qty"), number(asked, "price"),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, Refused):
            return JSONResponse({"error": 'send {"symbol": "BTCUSDT", "positionIdx": 0, "qty": "0.01"}'}, 400)
        self._venue.tell()
        return JSONResponse({"closed": render.text(closed)})

    async def _disconnect(self, request: Request) -> Response:
        """POST cuts every stream connection."""
        del request
        lines = list(self._venue.lines)
        for line in lines:
            line.cut()
        return JSONResponse({"cut": len(lines)})


def _changed(known: Instrument, asked: dict[str, Any]) -> Instrument:
    figures: dict[str, Any] = {name: Decimal(str(asked[name])) for name in _FIGURES if name in asked}
    status = str(asked.get("status", known.status))
    if any(not figure > 0 for figure in figures.values()) or status not in _STATUSES:
        raise InputError(f"{known.symbol}: figures are positive, the status is one of {', '.join(_STATUSES)}")
    ends = int(asked.get("delivery_ms", known.delivery_ns // 1_000_000)) * 1_000_000
    return replace(known, status=status, delivery_ns=ends, **figures)


def _later(line: Line, answers: list[bytes]) -> None:
    asyncio.get_running_loop().call_later(ANSWER_S, line.answer, answers)


async def _body(request: Request) -> bytes:
    """The body, or as much of it as anyone should send."""
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > LARGEST_BODY:
            break
    return b"".join(parts)


def _path(request: Request) -> str:
    """As it was asked for: `request.url` would read the Host header too, which may be anything."""
    return str(request.scope["path"])


def _address(socket: WebSocket) -> str:
    return socket.client.host if socket.client else ""


def _idle(socket: WebSocket) -> float:
    """Wall seconds without a word after which a connection is cut: max_active_time of its URL, 30s to 600s or 1m to 10m."""
    asked = socket.query_params.get("max_active_time", "")
    number, unit = asked[:-1], asked[-1:]
    if not number.isascii() or not number.isdigit() or unit not in ("s", "m") or len(number) > 4:
        return IDLE_S
    return min(IDLE_S, max(30.0, float(number) * (60 if unit == "m" else 1)))


def _response(reply: HttpReply) -> Response:
    return Response(reply.body, reply.status, reply.headers)
