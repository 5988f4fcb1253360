"""The REST face: a request's bytes in, an answer's bytes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.protocol import routes_empty
from turbo_trader.exchange.protocol.codes import ON_DEMAND
from turbo_trader.exchange.protocol.dcp import BareReply
from turbo_trader.exchange.protocol.fault_terms import Fault
from turbo_trader.exchange.protocol.maintenance import CLOSED, SERVED, Notices
from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.exchange.protocol.params import Refused
from turbo_trader.exchange.protocol.rate_limits import RateLimits
from turbo_trader.exchange.protocol.routes_market import MarketRoutes
from turbo_trader.exchange.protocol.signed import SignedRoutes, extra_info, limit_headers
from turbo_trader.exchange.protocol.signing import Key, check_request
from turbo_trader.exchange.protocol.wire import decode, encode

_LARGEST_BODY = 64 * 1024
_GATEWAY = {
    403: b"access too frequent",
    429: b"too many requests",
    502: b"<html><body><h1>502 Bad Gateway</h1></body></html>",
}

Public = Callable[[Mapping[str, Any], int], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What arrived: `query` without "?", `headers` with lower-case names."""

    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes
    address: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class HttpReply:
    """Status, headers and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class RestFace:
    """All routes. `speed`: of the venue's time against the wall clock; `limits`: None = unlimited."""

    def __init__(
        self,
        data: MarketData,
        keys: Mapping[str, Key],
        speed: float = 1.0,
        limits: RateLimits | None = None,
        *,
        demo: bool = False,
        notices: Notices | None = None,
        page: int = 0,
    ) -> None:
        """`page`: rows of an account's list that one answer has at most; 0: as many as may be asked for."""
        self._notices = notices or Notices()
        market = MarketRoutes(data)
        self.signed = SignedRoutes(data, limits, demo=demo, page=page)
        self._keys = keys
        self._speed = speed
        self._limits = limits
        self.public: dict[str, Public] = {
            "market/time": market.time,
            "market/instruments-info": market.instruments,
            "market/risk-limit": market.risk_limit,
            "market/tickers": market.tickers,
            "market/orderbook": market.orderbook,
            "market/recent-trade": market.trades,
            "market/kline": market.klines,
            "market/mark-price-kline": market.mark_klines,
            "market/index-price-kline": market.index_klines,
            "market/premium-index-price-kline": market.premium_klines,
            "market/funding/history": market.funding_history,
            "market/open-interest": market.open_interest,
            "market/price-limit": market.price_limit,
            "market/adlAlert": market.adl_alert,
            "market/account-ratio": market.account_ratio,
            "system/status": self._status,
            **routes_empty.public(),
        }

    def handle(self, now: int, request: HttpRequest, wall: int = 0) -> HttpReply:
        """Answer one request at the venue's time `now`; `wall`: another clock that stamps may follow (both ns). Never raises on
        what a client sends."""
        if self._limits is not None and not self._limits.admits(request.address, now):
            return self.faulty(now, Fault.HTTP_403)
        route = request.path.removeprefix("/v5/").rstrip("/") if request.path.startswith("/v5/") else ""
        if self._notices.closed(now) and route not in SERVED:
            return self._envelope(now, CLOSED)
        try:
            if request.method == "GET" and route in self.public:
                result = self.public[route](_query(request.query), now)
                return self._envelope(now, Reply(result=result))
            if self.signed.knows(request.method, route):
                return self._signed(now, request, route, wall)
        except Refused as refusal:
            return self._envelope(now, refusal.reply)
        return self._envelope(now, Reply(10017, ON_DEMAND[10017]), status=404)

    def faulty(self, now: int, name: str) -> HttpReply:
        """The answer of a fault `http_...` or `ret_...` (protocol/faults_on_demand.py)."""
        kind, _, code = name.partition("_")
        if kind == "http":
            return HttpReply(int(code), {"Content-Type": "text/html"}, _GATEWAY[int(code)])
        return self._envelope(now, Reply(int(code), ON_DEMAND[int(code)]))

    def _status(self, params: Mapping[str, Any], now: int) -> dict[str, Any]:
        """GET /v5/system/status: announced maintenance, newest first."""
        rows = self._notices.rows(now)
        wanted = {name: params[name] for name in ("id", "state") if params.get(name)}
        return {"list": [row for row in rows if all(row[name] == value for name, value in wanted.items())]}

    def _signed(self, now: int, request: HttpRequest, route: str, wall: int) -> HttpReply:
        if request.method == "GET" and request.body:
            return self.faulty(now, Fault.HTTP_403)
        if len(request.body) > _LARGEST_BODY:
            raise Refused("params error: request body too large")
        clocks = (now // 1_000_000, wall // 1_000_000) if wall else (now // 1_000_000,)
        payload = request.query if request.method == "GET" else request.body
        found = check_request(self._keys, request.headers, payload, clocks, max(1.0, self._speed))
        if isinstance(found, Reply):
            return self._envelope(now, found)
        key, clock_ms = found
        params = _query(payload) if request.method == "GET" else _json(payload)
        reply, allowed = self.signed.call(key, route, params, now, clock_ms, request.address)
        return self._envelope(now, reply, limit_headers(allowed, clock_ms))

    def _envelope(
        self, now: int, reply: Reply, headers: Mapping[str, str] | None = None, status: int = 200
    ) -> HttpReply:
        envelope = {
            "retCode": reply.code,
            "retMsg": reply.message,
            "result": reply.result,
            "retExtInfo": extra_info(reply),
            "time": now // 1_000_000,
        }
        if isinstance(reply, BareReply):
            envelope = {"retCode": reply.code, "retMsg": reply.message}
        sent = {
            "Content-Type": "application/json; charset=utf-8", "Ret_code": str(reply.code), "Traceid": f"{now:032x}",
            "Timenow": str(now // 1_000_000), **(headers or {}),
        }  # fmt: skip
        if self._speed != 1.0:
            sent["X-Sim-Speed"] = f"{self._speed:g}"
        return HttpReply(status, sent, encode(envelope))


def _query(raw: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=100))
    except ValueError:
        raise Refused("params error: query is not UTF-8, or has too many fields") from None


def _json(raw: bytes) -> dict[str, Any]:
    try:
        return decode(raw or b"{}")
    except ValueError:
        raise Refused("params error: body is not a JSON object") from None
