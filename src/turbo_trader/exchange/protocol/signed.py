"""The signed routes, behind a key's permissions and the account's rate limits: over HTTP and over the trade socket alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.protocol import routes_empty
from turbo_trader.exchange.protocol.dcp import Protection
from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.exchange.protocol.params import OTHERS, Refused, whole
from turbo_trader.exchange.protocol.rate_limits import Allowance, RateLimits
from turbo_trader.exchange.protocol.routes_account import AccountRoutes, key_info
from turbo_trader.exchange.protocol.routes_orders import TOO_MANY, BatchReply, OrderRoutes, batch_items
from turbo_trader.exchange.protocol.routes_positions import PositionRoutes
from turbo_trader.exchange.protocol.signing import Key

Signed = Callable[[str, Mapping[str, Any], int], Reply]


class SignedRoutes:
    """Routes that need a key, behind its permissions and the account's rate limits. Paths are those after /v5/."""

    def __init__(
        self, data: MarketData, limits: RateLimits | None, *, demo: bool = False, page: int = 0
    ) -> None:
        """`page`: rows of a list that one answer has at most; 0: as many as may be asked for."""
        self._page = page
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
            **routes_empty.routes(),
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
            if self._page and route in self.reads:
                params = {**params, "limit": str(whole(params, "limit", self._page, 1, self._page))}
            return (self.reads.get(route) or self.writes[route])(key.uid, params, now), allowed
        except Refused as refused:
            return refused.reply, allowed


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
    """The rate-limit headers; the reset is reported in the clock of the client's stamps."""
    if allowed is None:
        return {}
    reset = clock_ms + -(-allowed.wait_ns // 1_000_000)
    return {
        "X-Bapi-Limit": str(allowed.limit),
        "X-Bapi-Limit-Status": str(allowed.left),
        "X-Bapi-Limit-Reset-Timestamp": str(reset),
    }
