"""Signed routes of positions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.accounts import ZERO, Account
from turbo_trader.exchange.exchange_machine import Exchange
from turbo_trader.exchange.messages import SETTLED_IN, ExecutionMessage, Reply
from turbo_trader.exchange.protocol import params as read
from turbo_trader.exchange.protocol import render
from turbo_trader.market.order_terms import StopMode

Params = Mapping[str, Any]
_MARGIN_STEP: Final = Decimal("0.0001")
_MARGIN_FIELDS: Final = (
    "symbol", "positionIdx", "riskId", "riskLimitValue", "size", "avgPrice", "liqPrice", "bustPrice", "markPrice",
    "positionValue", "leverage", "autoAddMargin", "positionStatus", "positionIM", "positionMM", "takeProfit", "stopLoss",
    "trailingStop", "unrealisedPnl", "cumRealisedPnl", "createdTime", "updatedTime",
)  # fmt: skip


@dataclass(slots=True)
class Closing:
    """What one order closed. The fee of opening is shared out by quantity; funding is no part of it."""

    symbol: str
    last: ExecutionMessage
    qty: Decimal = ZERO
    exit_value: Decimal = ZERO
    pnl: Decimal = ZERO
    open_fee: Decimal = ZERO
    close_fee: Decimal = ZERO
    fills: int = 0

    def add(self, e: ExecutionMessage) -> None:
        """Count an execution of the order that closes."""
        self.last = e
        self.qty += e.closed_qty
        self.exit_value += e.closed_qty * e.price
        self.pnl += e.pnl
        self.open_fee += e.open_fee
        if e.fee_coin == SETTLED_IN:
            self.close_fee += e.fee * e.closed_qty / e.qty
        self.fills += 1

    def row(self) -> dict[str, Any]:
        """The closed-pnl object."""
        e = self.last
        entry_value = self.exit_value + e.side * self.pnl
        return {
            "symbol": e.symbol, "orderId": e.order_id, "side": e.side.venue_name, "qty": render.text(e.order_qty),
            "orderPrice": render.text(e.order_price, "0"), "orderType": e.order_type, "execType": e.kind,
            "closedSize": render.text(self.qty), "cumEntryValue": render.text(entry_value),
            "avgEntryPrice": render.text(entry_value / self.qty), "cumExitValue": render.text(self.exit_value),
            "avgExitPrice": render.text(self.exit_value / self.qty),
            "closedPnl": render.text(self.pnl - self.open_fee - self.close_fee), "fillCount": str(self.fills),
            "leverage": render.text(e.leverage), "openFee": render.text(self.open_fee), "closeFee": render.text(self.close_fee),
            "createdTime": render.ms(e.ts), "updatedTime": render.ms(e.ts),
        }  # fmt: skip


def _closings(account: Account) -> dict[str, Closing]:
    """By order id, oldest first."""
    found: dict[str, Closing] = {}
    for e in account.executions:
        if e.closed_qty:
            found.setdefault(e.order_id, Closing(e.symbol, e)).add(e)
    return found


class PositionRoutes:
    """Each takes (account id, parameters, now ns) and returns a Reply whose result is the envelope's."""

    def __init__(self, exchange: Exchange) -> None:
        self._x = exchange

    def positions(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/position/list: by symbol also flat, by settleCoin only what is held."""
        self._account(uid, params)
        symbol = read.known(params, self._x.index)
        if not symbol and not params.get("settleCoin") and not params.get("baseCoin"):
            raise read.Refused("params error: symbol or settleCoin is required")
        symbols = read.chosen(params, self._x.index)
        held = dict.fromkeys(name for name, _ in self._x.accounts[uid].positions if name in symbols)
        asked = [symbol] if symbol else list(held)
        found = [p for name in asked for p in self._x.positions(uid, name, now)]
        rows = [render.position(p, stream=False) for p in found if symbol or p.size]
        shown, cursor = read.page(rows, params, 200, 20)
        return Reply(result={"category": "linear", "list": shown, "nextPageCursor": cursor})

    def set_leverage(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/position/set-leverage."""
        read.linear(params)
        buy, sell = read.number(params, "buyLeverage"), read.number(params, "sellLeverage")
        if buy is None or sell is None:
            raise read.Refused("params error: buyLeverage and sellLeverage are required")
        return self._x.handle(now, uid, ask.SetLeverage(read.string(params, "symbol"), buy, sell))

    def add_margin(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/position/add-margin: at most four decimals; negative takes back. The answer shows the position."""
        read.linear(params)
        amount = read.number(params, "margin")
        if amount is None or amount % _MARGIN_STEP:
            raise read.Refused("params error: margin invalid")
        idx = read.whole(params, "positionIdx", 0, -9, 9)
        symbol = read.string(params, "symbol")
        reply = self._x.handle(now, uid, ask.AddMargin(symbol, amount, idx))
        if reply.code:
            return reply
        (changed,) = (p for p in self._x.positions(uid, symbol, now) if p.position_idx == idx)
        row = render.position(changed, stream=False)
        return Reply(result={"category": "linear", **{name: row[name] for name in _MARGIN_FIELDS}})

    def set_auto_margin(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/position/set-auto-add-margin; the venue's examples spell it autoAddmargin."""
        read.linear(params)
        name = "autoAddmargin" if "autoAddmargin" in params else "autoAddMargin"
        wanted = read.whole(params, name, -1, -1, 9)
        if wanted not in (0, 1):
            raise read.Refused("params error: autoAddMargin invalid")
        idx = read.whole(params, "positionIdx", 0, -9, 9)
        return self._x.handle(now, uid, ask.SetAutoMargin(read.string(params, "symbol"), wanted == 1, idx))

    def confirm_pending(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/position/confirm-pending-mmr: no risk limit is ever cut here, so that nothing waits for it."""
        del uid, now
        read.linear(params)
        if read.string(params, "symbol") not in self._x.index:
            raise read.Refused("params error: Not supported symbols")
        return Reply()

    def trading_stop(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/position/trading-stop ."""
        read.linear(params)
        mode = read.string(params, "tpslMode", "") or StopMode.FULL
        if mode not in (StopMode.FULL, StopMode.PARTIAL):
            raise read.Refused("params error: tpslMode invalid")
        request = ask.SetTradingStop(
            symbol=read.string(params, "symbol"),
            take_profit=read.number(params, "takeProfit"),
            stop_loss=read.number(params, "stopLoss"),
            tp_trigger_by=read.trigger(params, "tpTriggerBy"),
            sl_trigger_by=read.trigger(params, "slTriggerBy"),
            position_idx=read.whole(params, "positionIdx", 0, 0, 2),
            trailing_stop=read.number(params, "trailingStop"),
            active_price=read.price(params, "activePrice"),
            tpsl_mode=mode,
            tp_size=read.number(params, "tpSize"),
            sl_size=read.number(params, "slSize"),
            tp_limit=read.limit(params, "tp"),
            sl_limit=read.limit(params, "sl"),
        )
        return self._x.handle(now, uid, request)

    def switch_mode(self, uid: str, params: Params, now: int) -> Reply:
        """POST /v5/position/switch-mode: of a symbol, or of every symbol of a coin; the symbol wins where both are given."""
        read.linear(params)
        mode = read.whole(params, "mode", -1, -1, 9)
        symbol, coin = read.string(params, "symbol", ""), read.string(params, "coin", "")
        if mode not in (0, 3):
            raise read.Refused("params error: mode invalid")
        if not symbol and coin != "USDT":
            raise read.Refused("params error: symbol or coin is required")
        return self._x.handle(now, uid, ask.SwitchMode(symbol, mode == 3))

    def closed_pnl(self, uid: str, params: Params, now: int) -> Reply:
        """GET /v5/position/closed-pnl, newest first: one row per closing order."""
        account = self._account(uid, params)
        start, end = read.period(params, now)
        symbols = read.chosen(params, self._x.index)
        rows = [
            closed.row()
            for closed in reversed(list(_closings(account).values()))
            if closed.symbol in symbols and start <= closed.last.ts <= end
        ]
        shown, cursor = read.page(rows, params, 100, 50, "orderId")
        return Reply(result={"category": "linear", "list": shown, "nextPageCursor": cursor})

    def _account(self, uid: str, params: Params) -> Account:
        read.linear(params)
        return self._x.accounts[uid]
