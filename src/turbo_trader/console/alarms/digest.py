"""The summary of an hour or a day: trades, equity, alarms. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from turbo_trader.console.alarms.catalogue import BY_ALARM, Alarm
from turbo_trader.console.alarms.raising import Raised

PERIODS: Final = {"hourly": 3_600_000_000_000, "daily": 86_400_000_000_000}  # ns


class Digest:
    """Adds up between two ends of an hour or UTC day; `period`: hourly, daily, or off."""

    def __init__(self, period: str) -> None:
        self._length = PERIODS.get(period)
        self._name = {"hourly": "hour", "daily": "day"}.get(period, "")
        self._begun = 0
        self._equity: Decimal | None = None
        self._clear()

    def take(self, name: str, fields: Mapping[str, Any], ts: int, alarms: Counter[Alarm]) -> list[Raised]:
        """Count an event; the summary where the period has ended. `alarms`: counts since the last summary, cleared by it."""
        if self._length is None:
            return []
        if name == "trade":
            self._trades += 1
            net = _money(fields.get("net"))
            self._won += net > 0
            self._net += net
        if name != "summary":
            return []
        self._candidates += int(fields.get("candidates") or 0)
        equity, was = _money(fields.get("equity")), self._begun
        self._equity = equity if self._equity is None else self._equity
        self._begun = ts // self._length
        if not was:
            return []
        if was == self._begun and fields.get("of") != "run":
            return []
        text = self._text(equity, alarms)
        self._equity = equity
        self._clear()
        alarms.clear()
        rule = BY_ALARM[Alarm.DIGEST]
        return [Raised(alarm=Alarm.DIGEST, severity=rule.severity, ts=ts, subject="", text=text)]

    def _clear(self) -> None:
        self._trades = self._won = self._candidates = 0
        self._net = Decimal(0)

    def _text(self, equity: Decimal, alarms: Counter[Alarm]) -> str:
        before = self._equity or equity
        change = f" ({100 * (equity / before - 1):+.2f} %)" if before > 0 else ""
        counted = ", ".join(f"{alarm} {count}" for alarm, count in sorted(alarms.items()) if count)
        return (
            f"summary of the {self._name}: equity {equity:.2f} USDT{change}; {self._trades} trades, {self._won} won,"
            f" net {self._net:+.4f} USDT; {self._candidates} candidates; alarms: {counted or 'none'}"
        )


def _money(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
