"""Parameters of requests: read strictly, refused with the venue's message."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import quote, unquote

from turbo_trader.exchange.messages import Reply
from turbo_trader.market.order_terms import OrderType, TriggerBy

OTHERS: Final = ("spot", "inverse", "option")  # categories of which there is nothing here
_DAY: Final = 86_400_000_000_000
_TOO_LARGE: Final = Decimal(10) ** 15


class Refused(Exception):
    """A parameter is missing or wrong; `reply` is the answer."""

    def __init__(self, text: str, code: int = 10001) -> None:
        super().__init__(text)
        self.reply = Reply(code, text)


def string(params: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A text parameter; Refused when it is missing and has no default, or is not a text."""
    value = params.get(name, default)
    if value is None or isinstance(value, dict | list | bool):
        raise Refused(f"params error: {name} invalid")
    return str(value)


def number(params: Mapping[str, Any], name: str) -> Decimal | None:
    """A decimal parameter below 10^15; None when absent or ""."""
    value = params.get(name)
    if value is None or value == "":
        return None
    try:
        found = Decimal(string(params, name))
    except InvalidOperation:
        raise Refused(f"params error: {name} invalid") from None
    if not found.is_finite() or abs(found) >= _TOO_LARGE:
        raise Refused(f"params error: {name} invalid")
    return found


def price(params: Mapping[str, Any], name: str) -> Decimal | None:
    """A price parameter where "0" and absent both mean none."""
    return number(params, name) or None


def trigger(params: Mapping[str, Any], name: str) -> str:
    """The kind of price a trigger looks at; the last price where nothing is said."""
    return string(params, name, "") or TriggerBy.LAST


def limit(params: Mapping[str, Any], kind: str) -> Decimal | None:
    """The limit price of a TP or SL (`kind` "tp", "sl"): only of one that is to be a limit order, and then required."""
    if (string(params, f"{kind}OrderType", "") or OrderType.MARKET) == OrderType.MARKET:
        return None
    found = price(params, f"{kind}LimitPrice")
    if string(params, f"{kind}OrderType") != OrderType.LIMIT or found is None:
        raise Refused(f"params error: {kind}OrderType or {kind}LimitPrice invalid")
    return found


def whole(params: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    """An integer parameter, cut to [low, high]."""
    value = params.get(name)
    if value is None or value == "":
        return default
    text = string(params, name)
    if not text.isascii() or not text.removeprefix("-").isdigit() or len(text) > 18:
        raise Refused(f"params error: {name} invalid")
    return max(low, min(high, int(text)))


def flag(params: Mapping[str, Any], name: str) -> bool:
    """A boolean parameter; texts "true" and "false" are taken too."""
    value = params.get(name, False)
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise Refused(f"params error: {name} invalid")


def period(params: Mapping[str, Any], now: int, default_days: int = 7) -> tuple[int, int]:
    """(startTime, endTime) as ns, both inclusive and at most seven days apart; one alone reaches `default_days`, none the last of
    them."""
    if not params.get("startTime") and not params.get("endTime"):
        return now - default_days * _DAY, now + _DAY
    start = whole(params, "startTime", -1, 0, 10**13) * 1_000_000
    end = whole(params, "endTime", -1, 0, 10**13) * 1_000_000
    start = end - default_days * _DAY if start < 0 else start
    end = start + default_days * _DAY if end < 0 else end
    if end < start or end - start > 7 * _DAY:
        raise Refused(
            "Can't query order with the time range: startTime must be before endTime, at most 7 days"
        )
    return start, end + 999_999


def page(
    rows: Sequence[dict[str, Any]], params: Mapping[str, Any], most: int, default: int, key: str = ""
) -> tuple[list[dict[str, Any]], str]:
    """One page of rows and the cursor of the next, percent-encoded as the venue's are. With a `key` the cursor names the last row
    shown, so that rows that come in between neither repeat nor hide one; else it counts rows."""
    limit = whole(params, "limit", default, 1, most)
    cursor = unquote(string(params, "cursor", ""))
    first = 0
    if cursor:
        name, _, count = cursor.rpartition(":")
        if not count.isascii() or not count.isdigit() or len(count) > 9:
            raise Refused("params error: cursor invalid")
        first = int(count)
        if key:
            first = next((n + 1 for n, row in enumerate(rows) if str(row[key]) == name), len(rows))
    shown = list(rows[first : first + limit])
    if first + limit >= len(rows):
        return shown, ""
    return shown, quote(f"{shown[-1][key] if key else ''}:{first + limit}", safe="")


def known(params: Mapping[str, Any], symbols: Collection[str]) -> str:
    """The symbol of a list that is asked for, "" for all; Refused where it is none of `symbols`."""
    symbol = string(params, "symbol", "")
    if symbol and symbol not in symbols:
        raise Refused("params error: Not supported symbols")
    return symbol


def settled_here(params: Mapping[str, Any]) -> bool:
    """Is it of contracts that settle in USDT, or of all? There are none but these."""
    return params.get("settleCoin") in (None, "", "USDT")


def chosen(params: Mapping[str, Any], symbols: Collection[str]) -> set[str]:
    """The symbols a list is asked for: one, or those of a base and a settle coin. Refused where `symbols` has no such one."""
    symbol, base = known(params, symbols), params.get("baseCoin")
    if symbol:
        return {symbol}
    found = symbols if settled_here(params) else ()
    return {name for name in found if base in (None, "") or name == f"{base}USDT"}


def linear(params: Mapping[str, Any], *, optional: bool = False) -> None:
    """The category must be linear; where it is `optional`, it is so silently."""
    if string(params, "category", "linear" if optional else "") != "linear":
        raise Refused("params error: Category is invalid")
