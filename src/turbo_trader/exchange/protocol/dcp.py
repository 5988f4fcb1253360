"""Disconnect protection (DCP): an account whose protected streams are all gone for its window loses its resting orders."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from turbo_trader.exchange.exchange_machine import Exchange
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.protocol import params as read

_SECOND: Final = 1_000_000_000
_PRODUCTS: Final = ("OPTIONS", "DERIVATIVES", "SPOT")
TOPIC: Final = "dcp.future"


class BareReply(Reply):
    """An answer without `result` and what follows it."""


class Protection:
    """The windows of all accounts (ns), by account and product, and when the protected streams were last there."""

    def __init__(self, exchange: Exchange, *, demo: bool = False) -> None:
        self._x = exchange
        self._demo = demo
        self._windows: dict[str, dict[str, int]] = {}
        self._seen: dict[str, int] = {}

    def set(self, uid: str, params: Mapping[str, Any], now: int) -> Reply:
        """POST /v5/order/disconnected-cancel-all: the window of a product, 3 to 300 s. Only DERIVATIVES has orders here."""
        del now
        if self._demo:
            return Reply(10001, "Demo trading are not supported.")
        product = read.string(params, "product", "OPTIONS")
        seconds = read.whole(params, "timeWindow", 0, -1, 1_000)
        if product not in _PRODUCTS or not 3 <= seconds <= 300:
            raise read.Refused("params error: product or timeWindow invalid")
        self._windows.setdefault(uid, {})[product] = seconds * _SECOND
        return BareReply(message="success")

    def info(self, uid: str, params: Mapping[str, Any], now: int) -> Reply:
        """GET /v5/account/query-dcp-info: nothing until a window was set."""
        del params, now
        rows = [
            {"product": product, "dcpStatus": "ON", "timeWindow": str(window // _SECOND)}
            for product, window in self._windows.get(uid, {}).items()
        ]
        return Reply(result={"dcpInfos": rows})

    def look(self, now: int, protected: Collection[str]) -> None:
        """`protected` are the accounts with a stream subscribed to `dcp.future`; the orders of those gone too long end."""
        for uid, windows in self._windows.items():
            if "DERIVATIVES" not in windows:
                continue
            if uid in protected:
                self._seen[uid] = now
            elif uid in self._seen and now - self._seen[uid] >= windows["DERIVATIVES"]:
                del self._seen[uid]
                self._x.cancel_resting(uid, "CancelByDCP", now)
