"""What a backtest measures besides its decisions: how often the rules trade, and what a trade earns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from turbo_trader.market.rows import DAY
from turbo_trader.rules.choices import TradeSize
from turbo_trader.rules.policy import Policy

HOUR_NS: Final = 3.6e12
WEEK: Final = 7 * DAY
OF_THE_UNIVERSE: Final = 15  # symbols that rates are scaled to

#: What `--no-limits` switches off: session result, drawdown pauses, halts, warnings before a limit is reached, the watchdog and the
#: stages of SIZE=earned.
_NO_LIMITS: Final[dict[str, Any]] = {
    "session_loss": Decimal(1),
    "drawdown_pause": Decimal(1),
    "pauses_to_halt": 0,
    "warn_share": Decimal(1),
    "warn_hysteresis": Decimal(0),
    "watchdog_probability": Decimal(0),
    "size": TradeSize.FULL,
}


def without_limits(policy: Policy) -> Policy:
    """The policy with session limits, pauses and watchdog off: to measure what the rules find, never to trade."""
    return policy.model_copy(update=_NO_LIMITS)


@dataclass(slots=True)
class OpenTime:
    """How long entries were allowed, looked at with every scan; and since when they have not been, and why.

    It counts from the first candidate: before it no symbol was warmed up, and no entry was possible.
    """

    ns: int = 0
    halted_at: int = 0  # 0: not halted
    why: str = ""
    warm: bool = False  # there has been a candidate
    _last: int = 0
    _open: bool = False

    def look(self, ts: int, refusal: str, *, candidates: bool = True) -> None:
        """At `ts` the session says `refusal` ("": entries are allowed); `candidates`: the scan had any."""
        self.warm = self.warm or candidates
        if self._open:
            self.ns += ts - self._last
        self._last, self._open = ts, self.warm and not refusal
        if not refusal:
            self.halted_at, self.why = 0, ""
        elif not self.halted_at:
            self.halted_at, self.why = ts, refusal


def entries_by_limit(entries: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many entries had their size set by which limit, the most frequent first; `entries`: notes of entries."""
    return dict(Counter(str(entry["binding"]) for entry in entries).most_common())


def rates(
    trades: Sequence[Mapping[str, Any]], span: tuple[int, int], open_ns: int, symbols: int
) -> dict[str, Any]:
    """Trades an hour, scaled to the universe's fifteen symbols, over all hours, the open ones and week by week; net per trade.

    `trades`: notes of closed trades with their `ts`; `span`: begin and end of the run, ns.
    """
    begin, end = span
    hours, hours_open = (end - begin) / HOUR_NS, open_ns / HOUR_NS
    scale = OF_THE_UNIVERSE / symbols if symbols else 0.0
    nets = [float(trade["net_fraction"]) for trade in trades]
    weeks = []
    for first in range(begin, end, WEEK):
        last = min(first + WEEK, end)
        count = sum(first <= int(trade["ts"]) < last for trade in trades)
        weeks.append(
            {
                "hours": (last - first) / HOUR_NS,
                "trades_per_hour_15": scale * count * HOUR_NS / (last - first),
            }
        )
    return {
        "hours": hours,
        "hours_open": hours_open,
        "trades_per_hour_15": scale * len(trades) / hours if hours > 0 else None,
        "trades_per_hour_15_open": scale * len(trades) / hours_open if hours_open > 0 else None,
        "net_bp_per_trade": 1e4 * sum(nets) / len(nets) if nets else None,
        "weeks": weeks,
    }
