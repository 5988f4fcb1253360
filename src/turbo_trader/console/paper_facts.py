"""The banner's facts about a paper market: how fast its time runs, and the edge that was put into it."""

from __future__ import annotations

from typing import Final

from turbo_trader.bybit.endpoints import Mode
from turbo_trader.console.markets import in_lockstep
from turbo_trader.console.options import FASTEST
from turbo_trader.console.settings import MarketKind, Settings

#: edge: bp of notional a trade, net of fees, and trades; docs/synthetic-market.md has the command
MEASURED: Final = {1.0: (-5.1, 588), 2.0: (31.3, 1602)}


def time_text(settings: Settings, speed: float) -> str:
    """How fast its time runs; "" where it is the wall's clock."""
    if speed == FASTEST:
        return "; time runs as fast as this machine can follow"
    most = "up to " if in_lockstep(settings) else ""
    return f"; time runs {most}{speed:g} times faster" if speed != 1 else ""


def edge_fact(settings: Settings) -> list[tuple[str, str]]:
    """The edge of the synthetic market; nothing of any other."""
    if settings.mode != Mode.PAPER or settings.market != MarketKind.SYNTHETIC:
        return []
    if not settings.edge:
        return [("edge", "none: this market cannot be predicted")]
    net, trades = MEASURED.get(settings.edge, (0.0, 0))
    worth = f"{net:+.1f} bp net a trade ({trades} trades)" if trades else "unknown"
    what = "put into this market by construction; a real one need not have any"
    return [("edge", f"{settings.edge:g}, {what}; measured with default rules: {worth}")]
