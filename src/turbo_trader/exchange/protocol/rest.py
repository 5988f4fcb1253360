"""The REST face: a request's bytes in, an answer's bytes out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.exchange.protocol.params import Refused
from turbo_trader.exchange.protocol.routes_account import AccountRoutes
from turbo_trader.exchange.protocol.routes_market import MarketRoutes
from turbo_trader.exchange.protocol.signing import Key, check_request

_LARGEST_BODY = 64 * 1024
_GATEWAY = {
    403: b"access too frequent",
    429: b"too many requests",
    502: b"<html><body><h1>502 Bad Gateway</h1></body></html>",
}
_SERVER = {
    10002: "invalid request, please check your server timestamp or recv_window param.",
    10006: "Too many visits. Exceeded the API Rate Limit.",
    10016: "Request timeout, please try again later.",
}

Public = Callable[[Mapping[str, Any], int], dict[str, Any]]
Signed = Callable[[str, Mapping[str, Any], int], Reply]


@dataclass(frozen=True, slots=True)
class HttpReply:
    """Status, headers and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class RestFace:
    """All routes. `now` is the venue's time, ns; `speed` its speed against the wall clock."""

    def __init__(self, data: MarketData, keys: Mapping[str, Key], speed: float = 1.0) -> None:
        market, account = MarketRoutes(data), AccountRoutes(data.exchange)
        self._keys = keys
        self._speed = speed
        self._public: dict[str, Public] = {
            "/v5/market/time": market.time,
            "/v5/market/instruments-info": market.instruments,
            "/v5/market/risk-limit": market.risk_limit,
            "/v5/market/tickers": market.tickers,
            "/v5/market/orderbook": market.orderbook,
            "/v5/market/recent-trade": market.trades,
            "/v5/market/kline": market.klines,
            "/v5/market/funding/history": market.funding_history,
            "/v5/market/price-limit": market.price_limit,
        }
        self._get: dict[str, Signed] = {
            "/v5/order/realtime": account.open_orders,
            "/v5/order/history": account.order_history,
            "/v5/execution/list": account.executions,
            "/v5/position/list": account.positions,
            "/v5/position/closed-pnl": account.closed_pnl,
            "/v5/account/wallet-balance": account.wallet,
            "/v5/account/info": account.info,
            "/v5/account/fee-rate": account.fee_rate,
            "/v5/account/transaction-log": account.transaction_log,
            "/v5/user/query-api": account.api_key,
            "/v5/asset/coin/query-info": account.coins,
        }
        self._post: dict[str, Signed] = {
            "/v5/order/create": account.create,
            "/v5/order/amend": account.amend,
            "/v5/order/cancel": account.cancel,
            "/v5/order/cancel-all": account.cancel_all,
            "/v5/position/set-leverage": account.set_leverage,
            "/v5/position/trading-stop": account.trading_stop,
            "/v5/position/switch-mode": account.switch_mode,
            "/v5/account/set-margin-mode": account.set_margin_mode,
        }

    def handle(
        self,
        now: int,
        method: str,
        path: str,
        query: bytes,
        headers: Mapping[str, str],
        body: bytes,
        wall: int = 0,
    ) -> HttpReply:
        """Answer one request; `query` without "?", `headers` with lower-case names; `wall`: another clock that
        stamps may follow, ns. Never raises on what a client sends."""
        try:
            reply = self._route(now, method, path, query, headers, body, wall)
        except Refused as refusal:
            reply = refusal.reply
        if reply is None:
            return HttpReply(404, self._headers(now), b"404 page not found")
        return self._envelope(now, reply)

    def faulty(self, now: int, name: str) -> HttpReply:
        """The answer of a fault `http_...` or `ret_...` (protocol/faults.py)."""
        kind, _, code = name.partition("_")
        if kind == "http":
            return HttpReply(int(code), {"Content-Type": "text/html"}, _GATEWAY[int(code)])
        return self._envelope(now, Reply(int(code), _SERVER[int(code)]))

    def _envelope(self, now: int, reply: Reply) -> HttpReply:
        envelope = {
            "retCode": reply.code,
            "retMsg": reply.message,
            "result": reply.result,
            "retExtInfo": {},
            "time": now // 1_000_000,
        }
        return HttpReply(200, self._headers(now), json.dumps(envelope, separators=(",", ":")).encode())

    def _route(
        self,
        now: int,
        method: str,
        path: str,
        query: bytes,
        headers: Mapping[str, str],
        body: bytes,
        wall: int,
    ) -> Reply | None:
        if method == "GET" and path in self._public:
            return Reply(result=self._public[path](_query(query), now))
        routes = self._get if method == "GET" else self._post if method == "POST" else {}
        route = routes.get(path)
        if route is None:
            return None
        if len(body) > _LARGEST_BODY:
            raise Refused("params error: request body too large")
        clocks = (now // 1_000_000, wall // 1_000_000) if wall else (now // 1_000_000,)
        key, refusal = check_request(
            self._keys, headers, query if method == "GET" else body, clocks, max(1.0, self._speed)
        )
        if key is None:
            return refusal
        return route(key.uid, _query(query) if method == "GET" else _json(body), now)

    def _headers(self, now: int) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Timenow": str(now // 1_000_000),
            "X-Bapi-Limit": "50",
            "X-Bapi-Limit-Status": "49",
            "X-Bapi-Limit-Reset-Timestamp": str(now // 1_000_000),
        }
        return headers if self._speed == 1.0 else {**headers, "X-Sim-Speed": f"{self._speed:g}"}


def _query(raw: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(raw.decode(), keep_blank_values=True))
    except UnicodeDecodeError:
        raise Refused("params error: query is not UTF-8") from None


def _json(raw: bytes) -> dict[str, Any]:
    try:
        params = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise Refused("params error: body is not JSON") from None
    if not isinstance(params, dict):
        raise Refused("params error: body is not an object")
    return params
