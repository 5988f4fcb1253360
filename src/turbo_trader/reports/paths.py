"""What the page's price chart needs, in few bytes: each symbol's path, each trade with its exits over time.

Every trade is there. Of a path everything around trades is, and elsewhere so much that its shape shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.rows import MINUTE
from turbo_trader.reports.run_data import Prices, PriceStep, TradeRecord

_AROUND: Final = 15 * MINUTE
_THIN: Final = 1_200  # points of a path away from trades
_MOST: Final = 8_000  # points of a path

#: The columns of a trade's row, in order. Times ms UTC; a step is [ms, price].
COLUMNS: Final = (
    "id", "symbol", "tier", "direction", "opened", "closed", "qty", "entry", "exit", "net", "bp", "reason", "minutes",
    "stage", "size", "leverage", "binding", "ev", "fees", "stops", "targets", "zones",
)  # fmt: skip


def path_of(prices: Prices, symbol: str, trades: Sequence[TradeRecord]) -> dict[str, Any]:
    """Mid prices of a symbol: `t` = seconds since the one before (the first: since 1970), `p` = prices."""
    ts, mids = prices.of(symbol)
    index = _kept(ts, trades)
    seconds = ts[index] // 1_000_000_000
    return {
        "t": np.diff(seconds, prepend=0).tolist() if len(index) else [],
        "p": [float(f"{price:.7g}") for price in mids[index]],
    }


def trade_row(trade: TradeRecord) -> list[Any]:
    """One trade as the page has it, by COLUMNS."""
    minutes = (trade.closed_ts - trade.opened_ts) / MINUTE if trade.closed else None
    return [
        trade.id, trade.symbol, trade.tier, trade.direction, _ms(trade.opened_ts), _ms(trade.closed_ts),
        f"{trade.qty.normalize():f}", _figure(trade.entry), _figure(trade.exit) if trade.closed else None,
        round(float(trade.net), 6) if trade.closed else None, round(trade.net_fraction * 1e4, 2) if trade.closed else None,
        trade.reason or "open", None if minutes is None else round(minutes, 1), trade.stage,
        round(float(trade.notional), 2), trade.leverage, trade.binding,
        None if trade.ev is None else round(trade.ev * 1e4, 2), round(float(trade.fees), 6),
        _steps(trade.stops), _steps(trade.targets), [[_ms(ts), what] for ts, what in trade.zones],
    ]  # fmt: skip


def _kept(ts: NDArray[np.int64], trades: Sequence[TradeRecord]) -> NDArray[np.int64]:
    """The indexes of the points that are drawn."""
    count = len(ts)
    if not count:
        return np.zeros(0, np.int64)
    changes = np.zeros(count + 1, np.int64)
    for trade in trades:
        changes[np.searchsorted(ts, trade.opened_ts - _AROUND)] += 1
        end = trade.closed_ts + _AROUND if trade.closed else int(ts[-1])
        changes[np.searchsorted(ts, end, side="right")] -= 1
    near = np.cumsum(changes)[:count] > 0
    near[:: max(1, count // _THIN)] = True
    near[-1] = True
    index = np.flatnonzero(near)
    return index[:: -(-len(index) // _MOST)]


def _steps(steps: Sequence[PriceStep]) -> list[list[float]]:
    return [[_ms(step.ts), _figure(step.price)] for step in steps]


def _ms(ts: int) -> int:
    return ts // 1_000_000


def _figure(price: Any) -> float:
    return float(f"{price:.10g}")
