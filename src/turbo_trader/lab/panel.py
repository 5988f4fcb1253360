"""What your own signal needs: the panel it gets and the scores it returns (defined in `signals.panel_signal`)."""

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
