"""Order entry over a socket (/v5/trade): the REST operations with their answers in camel case, matched by reqId."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.protocol.codes import ON_DEMAND
from turbo_trader.exchange.protocol.fault_terms import Fault
from turbo_trader.exchange.protocol.rate_limits import Allowance
from turbo_trader.exchange.protocol.signed import SignedRoutes, extra_info, limit_headers
from turbo_trader.exchange.protocol.signing import Key, check_stream, is_whole, matching_clock
from turbo_trader.exchange.protocol.wire import MOST_ECHOED, decode, echoed, encode

ROUTES: Final = {
    "order.create": "order/create", "order.amend": "order/amend", "order.cancel": "order/cancel",
    "order.create-batch": "order/create-batch", "order.amend-batch": "order/amend-batch",
    "order.cancel-batch": "order/cancel-batch",
}  # fmt: skip
_FAULTS: Final = {Fault.HTTP_403: 10403, Fault.HTTP_429: 10429, Fault.HTTP_502: 10016, "ret_429": 10429}
_REMEMBERED: Final = 10_000  # reqIds of a connection


class TradeClient:
    """One connection to /v5/trade. `speed` widens the window of stamps where time runs faster."""

    def __init__(
        self, routes: SignedRoutes, keys: Mapping[str, Key], connection: str, address: str, speed: float = 1.0
    ) -> None:
        self._routes = routes
        self._keys = keys
        self._connection = connection
        self._address = address
        self._stretch = max(1.0, speed)
        self._key: Key | None = None
        self._seen: deque[str] = deque(maxlen=_REMEMBERED)
        self._ids: set[str] = set()

    @staticmethod
    def route(raw: bytes) -> str:
        """The REST route an operation stands for, "" for none."""
        try:
            return ROUTES.get(str(decode(raw).get("op")), "")
        except ValueError:
            return ""

    def take(self, raw: bytes, now: int, wall: int = 0) -> list[bytes]:
        """Answer one operation at the venue's time `now`; stamps may follow `wall` too (both ns)."""
        try:
            message = decode(raw)
        except ValueError:
            return [self._answer("", "", Reply(10001, "error:invalid message"), now)]
        op, req_id = str(message.get("op", ""))[:MOST_ECHOED], str(echoed(message, "reqId"))
        clocks = (now // 1_000_000, (wall or now) // 1_000_000)
        if op == "ping":
            pong = {
                "retCode": 0,
                "retMsg": "OK",
                "op": "pong",
                "data": [str(clocks[0])],
                "connId": self._connection,
            }
            return [encode({"reqId": req_id, **pong} if req_id else pong)]
        if op == "auth":
            return [self._auth(message, req_id, clocks)]
        reply, allowed, clock = self._operation(message, op, req_id, now, clocks)
        return [self._answer(op, req_id, reply, now, limit_headers(allowed, clock))]

    def refuse(self, raw: bytes, fault: str, now: int) -> list[bytes]:
        """The answer of a fault `http_...` or `ret_...` (protocol/faults_on_demand.py) to an operation that has a route."""
        message = decode(raw)
        code = _FAULTS.get(fault) or int(fault.removeprefix("ret_"))
        reply = Reply(code, ON_DEMAND.get(code, "System busy"))
        return [self._answer(str(message["op"]), str(echoed(message, "reqId")), reply, now)]

    def _auth(self, message: Mapping[str, Any], req_id: str, clocks: tuple[int, int]) -> bytes:
        code, text = 0, "OK"
        if self._key is not None:
            code, text = 20001, "Repeat auth"
        elif not isinstance(message.get("args"), list):
            code, text = 10001, "Parameter error"
        else:
            self._key = check_stream(self._keys, message["args"], clocks)
            if self._key is None:
                code, text = 10004, "Invalid sign"
        reported = {"retCode": code, "retMsg": text, "op": "auth", "connId": self._connection}
        return encode({"reqId": req_id, **reported} if req_id else reported)

    def _operation(
        self, message: Mapping[str, Any], op: str, req_id: str, now: int, clocks: tuple[int, int]
    ) -> tuple[Reply, Allowance | None, int]:
        key, route = self._key, ROUTES.get(op)
        if key is None:
            return Reply(10005, "Permission denied: authenticate first"), None, clocks[0]
        if route is None:
            return Reply(10404, f"op {op} is not found"), None, clocks[0]
        if len(req_id) > 36:
            return Reply(10001, "reqId is longer than 36 characters"), None, clocks[0]
        if req_id and req_id in self._ids:
            return Reply(20006, "reqId is duplicated"), None, clocks[0]
        self._remember(req_id)
        if not self._routes.operates(self._address, now):
            return Reply(10403, "Exceeded IP rate limit."), None, clocks[0]
        clock = self._clock(message.get("header"), clocks)
        if isinstance(clock, Reply):
            return clock, None, clocks[0]
        args = message.get("args")
        if not isinstance(args, list) or len(args) != 1 or not isinstance(args[0], dict):
            return Reply(10001, "params error: args must hold one object"), None, clock
        if args[0].get("category") != "linear":
            return Reply(10404, "category is not correct"), None, clock
        reply, allowed = self._routes.call(key, route, args[0], now, clock, self._address)
        return reply, allowed, clock

    def _remember(self, req_id: str) -> None:
        if len(self._seen) == _REMEMBERED:
            self._ids.discard(self._seen[0])
        self._seen.append(req_id)
        self._ids.add(req_id)

    def _clock(self, header: object, clocks: tuple[int, int]) -> int | Reply:
        """The clock the stamp in the header follows; the refusal where it follows none."""
        given = (
            {str(name).lower(): str(value) for name, value in header.items()}
            if isinstance(header, dict)
            else {}
        )
        stamp, window = given.get("x-bapi-timestamp", ""), given.get("x-bapi-recv-window", "5000")
        if not is_whole(stamp) or not is_whole(window):
            return Reply(10001, "Request parameter error: header X-BAPI-TIMESTAMP is required")
        found = matching_clock(int(stamp), int(window), clocks, self._stretch)
        if found is None:
            text = f"req_timestamp[{stamp}],server_timestamp[{clocks[0]}],recv_window[{window}]"
            return Reply(
                10002, f"invalid request, please check your server timestamp or recv_window param. {text}"
            )
        return found

    def _answer(
        self, op: str, req_id: str, reply: Reply, now: int, headers: Mapping[str, str] | None = None
    ) -> bytes:
        reported = {**(headers or {}), "Traceid": f"{now:032x}", "Timenow": str(now // 1_000_000)}
        return encode({
            "reqId": req_id, "retCode": reply.code, "retMsg": reply.message, "op": op, "data": reply.result,
            "retExtInfo": extra_info(reply), "header": reported, "connId": self._connection,
        })  # fmt: skip
