"""Trades as a table for a tax return: one line per closed trade, amounts exact to the last digit, ISO 8601 times in UTC.

`COLUMNS` says what each column is; docs/reports.md prints it, held equal by a test.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Final

from turbo_trader.market.order_terms import Direction
from turbo_trader.reports.run_data import ZERO, TradeRecord

COLUMNS: Final[dict[str, str]] = {
    "trade_id": "our id of the trade: that of its entry order",
    "symbol": "the perpetual, settled in USDT",
    "side": "long or short",
    "opened_utc": "time of the first fill, to the microsecond",
    "closed_utc": "time of the last fill, to the microsecond",
    "quantity": "in the base coin",
    "entry_price": "average of the opening fills, USDT, to 12 digits",
    "exit_price": "average of the closing fills, USDT, to 12 digits",
    "entry_value_usdt": "price x quantity over the opening fills",
    "exit_value_usdt": "price x quantity over the closing fills",
    "result_usdt": "realised by the change of the price, before fees and funding",
    "fees_usdt": "trading fees of all its fills; those paid in another coin at the value the venue gave them",
    "fees_other_coins": "the part of the fees paid in other coins, as AMOUNT COIN; empty: none",
    "funding_usdt": "funding received (paid: below 0)",
    "net_usdt": "result_usdt - fees_usdt + funding_usdt",
    "closed_by": "what ended it: stop, backstop, target, time, flatten, liquidation, ...",
    "signal_tier": "A or B",
}


def trades_csv(trades: Iterable[TradeRecord]) -> str:
    """The table of closed trades (RFC 4180, lines end with CRLF), its header first; without trades the header alone."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for trade in trades:
        if trade.closed:
            writer.writerow(_row(trade))
    return out.getvalue()


def _row(trade: TradeRecord) -> list[str]:
    bought, sold = _value(trade, trade.direction, trade.entry), _value(trade, -trade.direction, trade.exit)
    prices = _average(bought, trade.qty), _average(sold, trade.qty)
    amounts = (trade.qty, *prices, bought, sold, trade.result, trade.fees)
    return [
        _safe(trade.id),
        _safe(trade.symbol),
        Direction(trade.direction).text,
        utc_exact(trade.opened_ts),
        utc_exact(trade.closed_ts),
        *(_exact(amount) for amount in amounts),
        _safe(trade.coin_fees),
        _exact(trade.funding),
        _exact(trade.net),
        _safe(trade.reason),
        _safe(trade.tier),
    ]


def utc_exact(ts: int) -> str:
    """Nanoseconds UTC as 2025-05-03T10:00:00.123456Z."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ts // 1000)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _value(trade: TradeRecord, side: int, average: Decimal) -> Decimal:
    """Price x quantity over its fills on one side; by the average where not every fill was kept."""
    fills = [fill for fill in trade.fills if fill.side == side]
    if fills and sum((fill.qty for fill in fills), ZERO) == trade.qty:
        return sum((fill.price * fill.qty for fill in fills), ZERO)
    return average * trade.qty


def _average(value: Decimal, qty: Decimal) -> Decimal:
    """Exact where it ends within 12 digits, as that of one fill does; else rounded to them."""
    return Context(prec=12).divide(value, qty).normalize() if qty else ZERO


def _exact(amount: Decimal) -> str:
    return format(amount, "f")


def _safe(text: str) -> str:
    """A text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
