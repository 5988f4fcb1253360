"""What a signal of your own needs: the panel it is given and the scores it answers with (`signals.panel_signal` has them)."""

from turbo_trader.signals.panel_signal import (
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
