"""Parameters of requests: read strictly, refused with the venue's words."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from turbo_trader.exchange.messages import Reply


class Refused(Exception):
    """A parameter is missing or wrong; `reply` is the answer."""

    def __init__(self, text: str, code: int = 10001) -> None:
        super().__init__(text)
        self.reply = Reply(code, text)


def word(params: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A text parameter; Refused when it is missing and has no default, or is not a text."""
    value = params.get(name, default)
    if value is None or isinstance(value, dict | list | bool):
        raise Refused(f"params error: {name} invalid")
    return str(value)


def number(params: Mapping[str, Any], name: str) -> Decimal | None:
    """A decimal parameter; None when absent or ""."""
    value = params.get(name)
    if value is None or value == "":
        return None
    try:
        found = Decimal(word(params, name))
    except InvalidOperation:
        raise Refused(f"params error: {name} invalid") from None
    if not found.is_finite():
        raise Refused(f"params error: {name} invalid")
    return found


def price(params: Mapping[str, Any], name: str) -> Decimal | None:
    """A price parameter where "0" and absent both mean none."""
    return number(params, name) or None


def whole(params: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    """An integer parameter, cut to [low, high]."""
    value = params.get(name)
    if value is None or value == "":
        return default
    text = word(params, name)
    if not text.lstrip("-").isdigit() or len(text) > 18:
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


def linear(params: Mapping[str, Any]) -> None:
    """The category must be linear."""
    if word(params, "category", "linear") != "linear":
        raise Refused("params error: Invalid category: only linear is simulated")
