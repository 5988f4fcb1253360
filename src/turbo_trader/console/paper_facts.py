"""What the banner says of a paper market: how fast its time runs, and the edge that was put into it."""

from __future__ import annotations

from turbo_trader.console.markets import in_lockstep
from turbo_trader.console.options import FASTEST
from turbo_trader.console.settings import Settings


def time_text(settings: Settings, speed: float) -> str:
    """How fast its time runs; "" where it is the wall's clock."""
    if speed == FASTEST:
        return "; time runs as fast as this machine can follow"
    most = "up to " if in_lockstep(settings) else ""
    return f"; time runs {most}{speed:g} times faster" if speed != 1 else ""


def edge_fact(settings: Settings) -> list[tuple[str, str]]:
    """The edge of the synthetic market; nothing of any other."""
    if settings.mode != "paper" or settings.market != "synthetic":
        return []
    if not settings.edge:
        return [("edge", "none: this market cannot be predicted")]
    return [
        ("edge", f"{settings.edge:g}, put into this market by construction; a real one need not have any")
    ]
