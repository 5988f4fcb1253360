"""One-minute bars turned into a tape of book frames and trades. Its results are always marked `rebuilt`."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.events import ROW, Rows
from turbo_trader.market.instruments import Instrument

#: Which extreme of a bar comes first: as a Brownian path would have it, or always the same.
Order: TypeAlias = Literal["random", "high-first", "low-first"]
#: Settlement time (ns UTC) and rate (fraction per interval) of each funding, oldest first.
FUNDING_RATE = np.dtype([("ts", "<i8"), ("rate", "f8")])


def rebuild(
    bars: Rows,
    instrument: Instrument,
    *,
    seed: int,
    funding: NDArray[np.void] | None = None,
    order: Order = "random",
) -> Rows:
    """The rows of `bars` (market.events.BAR, oldest first): book frames and trades, at least 30 rows a bar."""
    del bars, instrument, seed, funding, order
    return np.zeros(0, ROW)
