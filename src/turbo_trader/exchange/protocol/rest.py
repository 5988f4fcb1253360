"""The REST face: a request's bytes in, an answer's bytes out; and the signed routes themselves, which the trade socket uses too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.protocol.codes import ON_DEMAND
from turbo_trader.exchange.protocol.dcp import BareReply, Protection
from turbo_trader.exchange.protocol.limits import Allowance, RateLimits
from turbo_trader.exchange.protocol.maintenance import CLOSED, SERVED, Notices
from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.exchange.protocol.params import OTHERS, Refused
from turbo_trader.exchange.protocol.routes_account import AccountRoutes, key_info
from turbo_trader.exchange.protocol.routes_market import MarketRoutes
from turbo_trader.exchange.protocol.routes_orders import TOO_MANY, BatchReply, OrderRoutes, batch_items
from turbo_trader.exchange.protocol.routes_positions import PositionRoutes
from turbo_trader.exchange.protocol.signing import Key, check_request
from turbo_trader.exchange.protocol.wire import decode, encode

_LARGEST_BODY = 64 * 1024
_GATEWAY = {
    403: b"access too frequent",
    429: b"too many requests",
    502: b"<html><body><h1>502 Bad Gateway</h1></body></html>",
}

Public = Callable[[Mapping[str, Any], int], dict[str, Any]]
Signed = Callable[[str, Mapping[str, Any], int], Reply]


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


class SignedRoutes:
    """Routes that need a key, behind its permissions and the account's rate limits. Paths are those after /v5/."""

    def __init__(self, data: MarketData, limits: RateLimits | None, *, demo: bool = False) -> None:
        orders, positions = OrderRoutes(data.exchange), PositionRoutes(data.exchange)
        account = AccountRoutes(data.exchange, demo=demo)
        self.protection = Protection(data.exchange, demo=demo)
        self._limits = limits
        self._orders = orders
        self.reads: dict[str, Signed] = {
            "order/realtime": orders.open_orders,
            "order/history": orders.order_history,
            "execution/list": orders.executions,
            "position/list": positions.positions,
            "position/closed-pnl": positions.closed_pnl,
            "account/wallet-balance": account.wallet,
            "account/info": account.info,
            "account/fee-rate": account.fee_rate,
            "account/transaction-log": account.transaction_log,
            "account/query-dcp-info": self.protection.info,
            "account/user-setting-config": account.settings,
            "asset/coin/query-info": account.coins,
        }
        self.writes: dict[str, Signed] = {
            "order/create": orders.create,
            "order/amend": orders.amend,
            "order/cancel": orders.cancel,
            "order/cancel-all": orders.cancel_all,
            "order/pre-check": orders.pre_check,
            "order/disconnected-cancel-all": self.protection.set,
            "position/set-leverage": positions.set_leverage,
            "position/trading-stop": positions.trading_stop,
            "position/switch-mode": positions.switch_mode,
            "position/add-margin": positions.add_margin,
            "position/set-auto-add-margin": positions.set_auto_margin,
            "position/confirm-pending-mmr": positions.confirm_pending,
            "account/set-margin-mode": account.set_margin_mode,
            "account/set-limit-px-action": account.set_price_action,
        }
        if demo:
            self.writes["account/demo-apply-money"] = account.apply_money
        self.batches = ("order/create-batch", "order/amend-batch", "order/cancel-batch")

    def operates(self, address: str, now: int) -> bool:
        """May this address send another operation over a trade socket?"""
        return self._limits is None or self._limits.operates(address, now)

    def knows(self, method: str, route: str) -> bool:
        """Is there such a route?"""
        if method == "GET":
            return route in self.reads or route == "user/query-api"
        return method == "POST" and (route in self.writes or route in self.batches)

    def call(
        self, key: Key, route: str, params: Mapping[str, Any], now: int, clock_ms: int, address: str
    ) -> tuple[Reply, Allowance | None]:
        """Carry out a request of `key`; the allowance says what the headers show, None where nothing is limited."""
        refusal = key.refusal(
            route,
            writes=not self.knows("GET", route),
            address=address,
            now_ms=clock_ms,
            symbols=_symbols(params),
        )
        allowed = None if self._limits is None else self._limits.take(key.uid, route, now, 0)
        if refusal is not None:
            return refusal, allowed
        try:
            units = len(batch_items(params)) if route in self.batches else 1
            if self._limits is not None:
                allowed = self._limits.take(key.uid, route, now, units)
                if not allowed.granted:
                    return TOO_MANY, allowed
            if route in self.batches:
                granted = units if allowed is None else allowed.granted
                return self._orders.batch(route, key.uid, params, now, granted), allowed
            if route in self.reads and params.get("category") in OTHERS:
                nothing = {"category": params["category"], "list": [], "nextPageCursor": ""}
                return Reply(result=nothing), allowed
            if route == "user/query-api":
                return key_info(key, clock_ms), allowed
            return (self.reads.get(route) or self.writes[route])(key.uid, params, now), allowed
        except Refused as refused:
            return refused.reply, allowed


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
    ) -> None:
        self._notices = notices or Notices()
        market = MarketRoutes(data)
        self.signed = SignedRoutes(data, limits, demo=demo)
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
            "system/status": self._status,
        }

    def handle(self, now: int, request: HttpRequest, wall: int = 0) -> HttpReply:
        """Answer one request at the venue's time `now`; `wall`: another clock that stamps may follow (both ns). Never raises on
        what a client sends."""
        if self._limits is not None and not self._limits.admits(request.address, now):
            return self.faulty(now, "http_403")
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
        return HttpReply(404, {"Content-Type": "text/plain"}, b"404 page not found")

    def faulty(self, now: int, name: str) -> HttpReply:
        """The answer of a fault `http_...` or `ret_...` (protocol/faults.py)."""
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
            return self.faulty(now, "http_403")
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

    def _envelope(self, now: int, reply: Reply, headers: Mapping[str, str] | None = None) -> HttpReply:
        envelope = {
            "retCode": reply.code,
            "retMsg": reply.message,
            "result": reply.result,
            "retExtInfo": extra_info(reply),
            "time": now // 1_000_000,
        }
        if isinstance(reply, BareReply):
            envelope = {"retCode": reply.code, "retMsg": reply.message}
        told = {
            "Content-Type": "application/json; charset=utf-8", "Ret_code": str(reply.code), "Traceid": f"{now:032x}",
            "Timenow": str(now // 1_000_000), **(headers or {}),
        }  # fmt: skip
        if self._speed != 1.0:
            told["X-Sim-Speed"] = f"{self._speed:g}"
        return HttpReply(200, told, encode(envelope))


def _symbols(params: Mapping[str, Any]) -> list[object]:
    """What a request is about: its symbol, and those of a batch."""
    items = params.get("request")
    each = [item.get("symbol") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return [params["symbol"], *each] if "symbol" in params else each


def extra_info(reply: Reply) -> dict[str, Any]:
    """`retExtInfo`: the items' codes of a batch, else empty."""
    if isinstance(reply, BatchReply):
        return {"list": [{"code": code, "msg": message} for code, message in reply.codes]}
    return {}


def limit_headers(allowed: Allowance | None, clock_ms: int) -> dict[str, str]:
    """The rate-limit headers; the reset is told in the clock of the client's stamps."""
    if allowed is None:
        return {}
    reset = clock_ms + -(-allowed.wait_ns // 1_000_000)
    return {
        "X-Bapi-Limit": str(allowed.limit),
        "X-Bapi-Limit-Status": str(allowed.left),
        "X-Bapi-Limit-Reset-Timestamp": str(reset),
    }


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
