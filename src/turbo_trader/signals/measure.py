"""One scan of one symbol: every figure of the signals and the forecast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel
from turbo_trader.market.state import States
from turbo_trader.signals.filters import Filters
from turbo_trader.signals.parameters import SignalParameters


@kernel
def measure(
    states: States, filters: Filters, s: int, now: int, params: SignalParameters, out: NDArray[np.void], j: int
) -> None:
    """Fill the FIGURES of out[j] for symbol `s` at `now` (ns UTC), the state having been advanced to `now`.

    Catches `filters[s]` up with the state first (one-second and one-minute rings). `params`: one SIGNAL_PARAMETERS record, the
    first is read. Every figure is finite; one that could not be had is 0 with its flag 0. Fields of out[j] beyond FIGURES are
    left alone.
    """
    out[j].ts = now
    out[j].symbol = s
