"""What a signal of your own needs: the panel it is given and the scores it answers with (`signals.panel` has them)."""

from turbo_trader.signals.panel import (
    COLUMNS,
    LOOKBACK,
    PRICES,
    Floats,
    Panel,
    PanelSignal,
    Scores,
    Times,
    bars_in,
    every,
    interval,
    lookback,
    moments,
)

__all__ = [
    "COLUMNS",
    "LOOKBACK",
    "PRICES",
    "Floats",
    "Panel",
    "PanelSignal",
    "Scores",
    "Times",
    "bars_in",
    "every",
    "interval",
    "lookback",
    "moments",
]
