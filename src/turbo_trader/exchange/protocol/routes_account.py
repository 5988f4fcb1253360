"""Signed routes: orders, positions, account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.machine import Exchange
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.protocol import params as read
from turbo_trader.exchange.protocol import render

Params = Mapping[str, Any]


class AccountRoutes:
    """Each takes (account id, parameters, now ns) and returns a Reply whose result is the envelope's."""

    def __init__(self, exchange: Exchange) -> None:
        self._x = exchange

    # -- orders

    def create(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/order/create."""
        read.linear(params)
        kind = read.word(params, "orderType")
        tif = read.word(params, "timeInForce", "GTC" if kind == "Limit" else "IOC")
        side = {"Buy": 1, "Sell": -1}.get(read.word(params, "side"))
        qty = read.number(params, "qty")
        if side is None or qty is None:
            raise read.Refused("params error: side or qty invalid")
        request = ask.CreateOrder(
            read.word(params, "symbol"), side, kind, qty, read.price(params, "price") if kind == "Limit" else None, tif,
            read.word(params, "orderLinkId", ""), read.flag(params, "reduceOnly"), read.flag(params, "closeOnTrigger"),
            read.whole(params, "positionIdx", 0, -9, 9), read.price(params, "takeProfit"), read.price(params, "stopLoss"),
            read.word(params, "tpTriggerBy", "LastPrice"), read.word(params, "slTriggerBy", "LastPrice"),
            read.price(params, "triggerPrice"), read.whole(params, "triggerDirection", 0, 0, 9),
            read.word(params, "triggerBy", "LastPrice"),
        )  # fmt: skip
        return self._x.handle(now, uid, request)

    def amend(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/order/amend."""
        read.linear(params)
        request = ask.AmendOrder(
            read.word(params, "symbol"), read.word(params, "orderId", ""), read.word(params, "orderLinkId", ""),
            read.number(params, "qty"), read.price(params, "price"), read.price(params, "triggerPrice"),
        )  # fmt: skip
        return self._x.handle(now, uid, request)

    def cancel(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/order/cancel."""
        read.linear(params)
        ids = read.word(params, "orderId", ""), read.word(params, "orderLinkId", "")
        return self._x.handle(now, uid, ask.CancelOrder(read.word(params, "symbol"), *ids))

    def cancel_all(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/order/cancel-all."""
        read.linear(params)
        symbol = read.word(params, "symbol", "")
        if not symbol and not params.get("settleCoin") and not params.get("baseCoin"):
            raise read.Refused("params error: symbol, baseCoin or settleCoin is required")
        return self._x.handle(now, uid, ask.CancelAll(symbol, read.word(params, "orderFilter", "")))

    def open_orders(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/order/realtime."""
        account = self._account(uid, params)
        if params.get("orderId") or params.get("orderLinkId") or params.get("openOnly") == "1":
            orders = self._chosen(account, params)
        else:
            if not params.get("symbol") and not params.get("settleCoin") and not params.get("baseCoin"):
                raise read.Refused("params error: symbol, settleCoin or baseCoin is required")
            orders = [o for o in self._chosen(account, params) if o.open]
        return self._page([render.order(o.message(now)) for o in orders], params, 50)

    def order_history(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/order/history."""
        orders = [o for o in self._chosen(self._account(uid, params), params) if not o.open]
        status = params.get("orderStatus")
        return self._page(
            [render.order(o.message(now)) for o in orders if status in (None, o.status)], params, 50
        )

    def executions(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/execution/list, newest first."""
        del now
        account = self._account(uid, params)
        start = read.whole(params, "startTime", 0, 0, 10**15) * 1_000_000
        end = read.whole(params, "endTime", 10**15, 0, 10**15) * 1_000_000
        wanted = {name: params.get(key) for name, key in _EXECUTION_FILTERS.items() if params.get(key)}
        found = [
            render.execution(e)
            for e in reversed(account.executions)
            if start <= e.ts <= end and all(getattr(e, name) == value for name, value in wanted.items())
        ]
        return self._page(found, params, 100)

    # -- positions

    def positions(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/position/list: by symbol also flat, by settleCoin only what is held."""
        self._account(uid, params)
        symbol = params.get("symbol")
        if symbol and symbol not in self._x.index:
            raise read.Refused("params error: Not supported symbols")
        if not symbol and not params.get("settleCoin"):
            raise read.Refused("params error: symbol or settleCoin is required")
        chosen = [symbol] if symbol else list(self._x.accounts[uid].positions)
        found = [self._x.position(uid, name, now) for name in chosen]
        shown = [render.position(p, stream=False) for p in found if symbol or p.size]
        return self._page(shown, params, 200)

    def set_leverage(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/position/set-leverage."""
        read.linear(params)
        buy, sell = read.number(params, "buyLeverage"), read.number(params, "sellLeverage")
        if buy is None or buy != sell:
            raise read.Refused("params error: buyLeverage and sellLeverage must be equal")
        return self._x.handle(now, uid, ask.SetLeverage(read.word(params, "symbol"), buy))

    def trading_stop(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/position/trading-stop (Full mode)."""
        read.linear(params)
        if read.word(params, "tpslMode", "Full") != "Full":
            raise read.Refused("params error: tpslMode: only Full is simulated")
        request = ask.SetTradingStop(
            read.word(params, "symbol"), read.number(params, "takeProfit"), read.number(params, "stopLoss"),
            read.word(params, "tpTriggerBy", "LastPrice"), read.word(params, "slTriggerBy", "LastPrice"),
            read.whole(params, "positionIdx", 0, 0, 2),
        )  # fmt: skip
        return self._x.handle(now, uid, request)

    def switch_mode(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/position/switch-mode: one-way is what there is."""
        del now
        self._account(uid, params)
        if read.whole(params, "mode", 0, 0, 3) == 0:
            return Reply(110025, "Position mode has not been modified")
        return Reply(10001, "hedge mode is not simulated")

    # -- account

    def wallet(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/account/wallet-balance."""
        if read.word(params, "accountType") != "UNIFIED":
            raise read.Refused("accountType only support UNIFIED.")
        return Reply(result={"list": [render.wallet(self._x.wallet_message(uid, now))]})

    def info(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/account/info."""
        del uid, params
        return Reply(
            result={
                "marginMode": "ISOLATED_MARGIN",
                "updatedTime": str(now // 1_000_000),
                "unifiedMarginStatus": 5,
                "dcpStatus": "OFF",
                "timeWindow": 10,
                "smpGroup": 0,
                "isMasterTrader": False,
                "spotHedgingStatus": "OFF",
            }
        )

    def set_margin_mode(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/account/set-margin-mode: isolated is what there is."""
        del uid, now
        if read.word(params, "setMarginMode") != "ISOLATED_MARGIN":
            reasons = [{"reasonCode": "3400000", "reasonMsg": "only isolated margin is simulated"}]
            return Reply(3400045, "Set margin mode failed", {"reasons": reasons})
        return Reply(result={"reasons": []})

    def fee_rate(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/account/fee-rate."""
        del now
        account = self._account(uid, params)
        symbol = params.get("symbol")
        rates = {"takerFeeRate": render.text(account.taker), "makerFeeRate": render.text(account.maker)}
        names = [i.symbol for i in self._x.instruments if symbol in (None, i.symbol)]
        return Reply(result={"category": "linear", "list": [{"symbol": name, **rates} for name in names]})

    def transaction_log(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/account/transaction-log, newest first."""
        del now
        account = self._account(uid, params)
        kind = params.get("type")
        rows = [render.log_entry(e) for e in reversed(account.log) if kind in (None, e.kind)]
        return self._page(rows, params, 50)

    def api_key(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/user/query-api."""
        del params, now
        return Reply(
            result={
                "id": uid,
                "note": "simulated",
                "apiKey": "***",
                "readOnly": 0,
                "secret": "",
                "permissions": {
                    "ContractTrade": ["Order", "Position"],
                    "Spot": [],
                    "Wallet": [],
                    "Derivatives": ["DerivativesTrade"],
                },
                "ips": ["127.0.0.1"],
                "type": 1,
                "deadlineDay": 365,
                "expiredAt": "2099-01-01T00:00:00Z",
                "createdAt": "2026-01-01T00:00:00Z",
                "unified": 0,
                "uta": 1,
                "userID": 1,
                "inviterID": 0,
                "vipLevel": "No VIP",
                "mktMakerLevel": "0",
                "affiliateID": 0,
                "isMaster": False,
                "parentUid": "1",
            }
        )

    def coins(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/asset/coin/query-info: no coin can be moved here."""
        del uid, params, now
        return Reply(result={"rows": []})

    def closed_pnl(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/position/closed-pnl, newest first: one row per closing execution."""
        del now
        account = self._account(uid, params)
        rows = [
            {
                "symbol": e.symbol, "orderId": e.order_id, "side": render.side(e.side), "qty": render.text(e.order_qty),
                "orderPrice": render.text(e.order_price, "0"), "orderType": e.order_type, "execType": e.kind,
                "closedSize": render.text(e.closed_qty), "avgExitPrice": render.text(e.price),
                "closedPnl": render.text(e.pnl - e.fee), "fillCount": "1", "createdTime": render.ms(e.ts),
                "updatedTime": render.ms(e.ts),
            }
            for e in reversed(account.executions)
            if e.closed_qty and params.get("symbol") in (None, e.symbol)
        ]  # fmt: skip
        return self._page(rows, params, 100)

    # -- inside

    def _account(self, uid: str, params: Params) -> Account:
        read.linear(params)
        return self._x.accounts[uid]

    def _chosen(self, account: Account, params: Params) -> list[Any]:
        """Orders by id, or of a symbol, newest first; of a filter."""
        order_id, link_id = params.get("orderId"), params.get("orderLinkId")
        symbol, kind = params.get("symbol"), params.get("orderFilter")
        if order_id or link_id:
            found = account.orders.get(order_id or account.links.get(link_id or "", ""))
            return [found] if found is not None and symbol in (None, found.symbol) else []
        orders = [o for o in reversed(account.orders.values()) if symbol in (None, o.symbol)]
        if kind in ("Order", "StopOrder"):
            orders = [o for o in orders if bool(o.stop_type) == (kind == "StopOrder")]
        return orders

    def _page(self, rows: list[dict[str, Any]], params: Params, most: int) -> Reply:
        """One page; the cursor is the offset of the next one."""
        limit = read.whole(params, "limit", 20 if most == 50 else most, 1, most)
        first = read.whole(params, "cursor", 0, 0, 10**9)
        page = rows[first : first + limit]
        following = str(first + limit) if first + limit < len(rows) else ""
        return Reply(result={"category": "linear", "list": page, "nextPageCursor": following})


_EXECUTION_FILTERS = {"symbol": "symbol", "order_id": "orderId", "link_id": "orderLinkId", "kind": "execType"}
