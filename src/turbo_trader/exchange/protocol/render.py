"""An account's objects as V5 JSON objects: numbers as strings, empty strings where the venue has them, its order of keys."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import Any, Final

from turbo_trader.exchange.messages import (
    SETTLED_IN,
    ExecutionMessage,
    LogEntry,
    OrderMessage,
    PositionMessage,
    WalletMessage,
)
from turbo_trader.market.order_terms import ExecKind, Side, StopMode

_DECIMALS = 8
_MILLISECOND = 1_000_000
_FUNDING = Decimal("0.000001")


def text(value: Decimal | None, none: str = "") -> str:
    """A number in plain notation without needless zeros, with eight decimals at most as the venue's are; `none` for None."""
    if value is None:
        return none
    shown = str(value)
    if "E" in shown or len(shown.partition(".")[2]) > _DECIMALS:
        if -int(value.as_tuple().exponent) > _DECIMALS:
            value = round(value, _DECIMALS) + 0  # no -0
        shown = format(value, "f")
    return (shown.rstrip("0").rstrip(".") or "0") if "." in shown else shown


def _price(value: Decimal | None, tick: Decimal) -> str:
    """A price that is not an order's: with the decimals of the tick."""
    return text(None if value is None else round(value, max(0, -int(tick.as_tuple().exponent))))


def ms(ns: int) -> str:
    """ns as a string of ms."""
    return str(ns // _MILLISECOND)


#: Fields of an order that are not used here, as the venue sends them.
_UNSET: Final[dict[str, Any]] = {
    "blockTradeId": "", "isLeverage": "", "smpGroup": 0, "orderIv": "", "marketUnit": "", "placeType": "", "ocoTriggerBy": "",
    "extraFees": "", "rpiTakerAccess": False, "rpiMatchedQty": "",
}  # fmt: skip


def order(o: OrderMessage) -> dict[str, Any]:
    """Order object of REST lists and of the `order` stream (which adds category, closedPnl, feeCurrency)."""
    return {
        "orderId": o.order_id,
        "orderLinkId": o.link_id,
        "parentOrderLinkId": o.parent_link_id,
        "symbol": o.symbol,
        "price": text(o.price, "0"),
        "qty": text(o.qty),
        "side": o.side.venue_name,
        "positionIdx": o.position_idx,
        "orderStatus": o.status,
        "createType": o.create_type,
        "cancelType": o.cancel_type,
        "rejectReason": o.reject_reason,
        "avgPrice": text(o.avg_price),
        "leavesQty": text(o.leaves),
        "leavesValue": text(o.leaves * o.price) if o.price is not None else "0",
        "cumExecQty": text(o.filled),
        "cumExecValue": text(o.filled_value),
        "cumExecFee": text(o.fee),
        "cumFeeDetail": {coin: text(fee) for coin, fee in ((SETTLED_IN, o.fee), *o.coin_fees) if fee},
        "timeInForce": o.time_in_force,
        "orderType": o.order_type,
        "stopOrderType": o.stop_type,
        "triggerPrice": text(o.trigger_price),
        "triggerDirection": o.trigger_direction,
        "triggerBy": o.trigger_by if o.trigger_price is not None else "",
        **_carried(o),
        "lastPriceOnCreated": text(o.last_price),
        "reduceOnly": o.reduce_only,
        "closeOnTrigger": o.close_on_trigger,
        "slippageToleranceType": o.slippage.kind if o.slippage is not None else "UNKNOWN",
        "slippageTolerance": text(o.slippage.amount) if o.slippage is not None else "",
        "smpType": o.smp,
        "smpOrderId": o.smp_order_id,
        "createdTime": ms(o.created_ts),
        "updatedTime": ms(o.ts),
        **_UNSET,
    }


def _carried(o: OrderMessage) -> dict[str, str]:
    """The TP and SL that an order carries."""
    return {
        "takeProfit": text(o.take_profit),
        "stopLoss": text(o.stop_loss),
        "tpslMode": o.tpsl_mode,
        "tpLimitPrice": text(o.tp_limit),
        "slLimitPrice": text(o.sl_limit),
        "tpTriggerBy": o.tp_trigger_by if o.take_profit is not None else "",
        "slTriggerBy": o.sl_trigger_by if o.stop_loss is not None else "",
    }


def execution(e: ExecutionMessage) -> dict[str, Any]:
    """Execution object of REST lists and of the `execution` stream (which adds category, execPnl)."""
    return {
        "symbol": e.symbol,
        "orderId": e.order_id,
        "orderLinkId": e.link_id,
        "side": e.side.venue_name,
        "orderPrice": text(e.order_price, "0"),
        "orderQty": text(e.order_qty),
        "leavesQty": text(e.leaves),
        "createType": e.create_type,
        "orderType": e.order_type,
        "stopOrderType": e.stop_type or "UNKNOWN",
        "execFee": text(e.fee),
        "execId": e.exec_id,
        "execPrice": text(e.price),
        "execQty": text(e.qty),
        "execType": e.kind,
        "execValue": text(e.price * e.qty),
        "execTime": ms(e.ts),
        "isMaker": e.is_maker,
        "feeRate": text(_shown_rate(e)),
        "feeCurrency": e.fee_coin,
        "closedSize": text(e.closed_qty),
        "seq": e.seq,
        "markPrice": _price(e.mark_price, e.tick),
        "indexPrice": _price(e.index_price, e.tick),
        "extraFees": "",
        "blockTradeId": "",
        "tradeIv": "",
        "markIv": "",
        "underlyingPrice": "",
        "execPnl": text(e.pnl),
    }


def _shown_rate(e: ExecutionMessage) -> Decimal:
    """The rate of funding is shown with six decimals; what is charged has more."""
    return e.fee_rate.quantize(_FUNDING, ROUND_DOWN) if e.kind == ExecKind.FUNDING else e.fee_rate


def fast_execution(e: ExecutionMessage) -> dict[str, Any]:
    """Item of `execution.fast`: no fee, and no link id of a maker's fill."""
    return {
        "category": "linear",
        "symbol": e.symbol,
        "execId": e.exec_id,
        "execPrice": text(e.price),
        "execQty": text(e.qty),
        "orderId": e.order_id,
        "isMaker": e.is_maker,
        "orderLinkId": "" if e.is_maker else e.link_id,
        "side": e.side.venue_name,
        "execTime": ms(e.ts),
        "seq": e.seq,
    }


def position(p: PositionMessage, *, stream: bool) -> dict[str, Any]:
    """Position object; REST calls the entry price avgPrice, the stream entryPrice. A flat one has side ""."""
    held = p.size != 0
    entry = text(p.entry_price) if held else "0"
    return {
        "positionIdx": p.position_idx,
        "riskId": p.tier,
        "riskLimitValue": text(p.tier_limit),
        "symbol": p.symbol,
        "side": Side.opening(p.size).venue_name if p.size else "",
        "size": text(abs(p.size)),
        "entryPrice" if stream else "avgPrice": entry,
        "positionValue": text(abs(p.size) * p.entry_price) if held else "",
        "autoAddMargin": int(p.auto_margin),
        "positionStatus": p.status,
        "leverage": text(p.leverage),
        "breakEvenPrice": text(p.break_even),
        "markPrice": _price(p.mark_price, p.tick),
        "liqPrice": _price(p.liq_price, p.tick) if held else "",
        "positionIM": text(p.margin) if held else "",
        "positionIMByMp": text(p.margin) if held else "",
        "positionMM": text(p.maintenance) if held else "",
        "positionMMByMp": text(p.maintenance) if held else "",
        "takeProfit": text(p.take_profit),
        "stopLoss": text(p.stop_loss),
        "trailingStop": text(p.trailing_stop, "0"),
        "sessionAvgPrice": "",
        "unrealisedPnl": text(p.unrealised) if held else "",
        "curRealisedPnl": text(p.realised_now),
        "cumRealisedPnl": text(p.realised_ever),
        "adlRankIndicator": p.adl_rank,
        "createdTime": ms(p.created_ts),
        "updatedTime": ms(p.ts),
        "openTime": p.opened_ts // _MILLISECOND,
        "seq": p.seq,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "tpslMode": StopMode.FULL,
        "bustPrice": _price(p.bust_price, p.tick),
        "positionBalance": text(p.margin) if held else "",
        "tradeMode": 0,
    }


def wallet(w: WalletMessage) -> dict[str, Any]:
    """Wallet object. With isolated margin the totals of margin are empty and the coin carries the figures. One USDT is one USD."""
    equity = text(w.balance + w.unrealised)
    others = sum((worth for _, _, worth in w.coins), Decimal(0))
    initial = w.position_margin + w.order_margin
    cross = (w.margin_balance, w.available, initial, w.maintenance) if w.cross else (None,) * 4
    balance, available, initial_margin, maintenance = (text(figure) for figure in cross)
    rates = (_rate(initial, w), _rate(w.maintenance, w)) if w.cross else ("", "")
    return {
        "accountType": "UNIFIED",
        "totalEquity": text(w.balance + w.unrealised + others),
        "totalWalletBalance": text(w.balance + others),
        "totalMarginBalance": balance,
        "totalAvailableBalance": available,
        "totalPerpUPL": text(w.unrealised),
        "totalInitialMargin": initial_margin,
        "totalMaintenanceMargin": maintenance,
        "accountIMRate": rates[0],
        "accountMMRate": rates[1],
        "accountIMRateByMp": rates[0],
        "accountMMRateByMp": rates[1],
        "totalInitialMarginByMp": initial_margin,
        "totalMaintenanceMarginByMp": maintenance,
        "accountLTV": "0" if w.cross else "",  # nothing is borrowed here
        "coin": [
            {
                "coin": "USDT",
                "equity": equity,
                "usdValue": equity,
                "walletBalance": text(w.balance),
                "locked": "0",
                "borrowAmount": "0",
                "accruedInterest": "0",
                "totalOrderIM": text(w.order_margin),
                "totalPositionIM": text(w.position_margin),
                "totalPositionMM": text(w.maintenance),
                "unrealisedPnl": text(w.unrealised),
                "cumRealisedPnl": text(w.realised_ever),
                "bonus": "0",
                "collateralSwitch": True,
                "marginCollateral": True,
                "colRes": "0",
                "spotBorrow": "0",
                "spotHedgingQty": "0",
                "availableToWithdraw": "",
                "availableToBorrow": "",
            },
            *(_other_coin(*each) for each in w.coins),
        ],
    }


def _other_coin(name: str, balance: Decimal, worth: Decimal) -> dict[str, Any]:
    """A coin that nothing is traded in: fees are paid with it."""
    none = dict.fromkeys(
        ("locked", "borrowAmount", "accruedInterest", "totalOrderIM", "totalPositionIM", "totalPositionMM",
         "unrealisedPnl", "cumRealisedPnl", "bonus"), "0",
    )  # fmt: skip
    return {
        "coin": name,
        "equity": text(balance),
        "usdValue": text(worth),
        "walletBalance": text(balance),
        **none,
        "collateralSwitch": False,
        "marginCollateral": False,
        "colRes": "0",
        "spotBorrow": "0",
        "spotHedgingQty": "0",
        "availableToWithdraw": "",
        "availableToBorrow": "",
    }


def _rate(margin: Decimal, w: WalletMessage) -> str:
    """A margin as a fraction of the margin balance; "" where there is none left to compare with."""
    if not margin:
        return "0"
    return text((margin / w.margin_balance).quantize(Decimal("0.00000001"))) if w.margin_balance > 0 else ""


def log_entry(e: LogEntry) -> dict[str, Any]:
    """Transaction-log object: change = cashFlow + funding - fee."""
    traded = e.price * e.qty if e.kind not in ("SETTLEMENT", "TRANSFER_IN", "TRANSFER_OUT") else Decimal(0)
    return {
        "id": e.id,
        "symbol": e.symbol,
        "category": "linear" if e.symbol else "",
        "side": e.side.venue_name or "None",
        "transactionTime": ms(e.ts),
        "type": e.kind,
        "transSubType": "",
        "qty": text(e.qty),
        "size": text(e.size),
        "currency": e.coin,
        "tradePrice": text(e.price),
        "funding": text(e.funding) if e.funding else "",
        "fee": text(e.fee),
        "cashFlow": text(e.cash_flow),
        "change": text(e.change),
        "cashBalance": text(e.balance),
        "feeRate": text((e.fee / traded).quantize(Decimal("0.00000001")).normalize()) if traded else "",
        "bonusChange": "",
        "tradeId": e.id,
        "orderId": e.order_id,
        "orderLinkId": e.link_id,
        "extraFees": "",
    }
