"""The market row: one event of one symbol, 24 bytes, the unit of every tape.

A frame (one push of the venue) is one or more rows; its first row carries FIRST, its last LAST (a lone row both). The book may
be crossed inside a frame, so prices, imbalance and watches are looked at only after LAST.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray


def record_dtype(fields: list[Any]) -> np.dtype[np.record]:
    """A packed record dtype: make one module-level object of each and share it (numba types equal but distinct ones again)."""
    return np.dtype((np.record, fields))  # type: ignore[return-value]


#: Row fields. `ts`: exchange time, ns UTC. `price`: ticks. `lots`: quantity in lots (quantity steps); see the kinds for others.
#: `side`: +1 bid or taker buy, -1 ask or taker sell, 0 neither. `spare`: see FUNDING and RPI.
ROW: Final = record_dtype(
    [("ts", "<i8"), ("lots", "<i8"), ("price", "<i4"), ("kind", "u1"), ("side", "i1"), ("spare", "<u2")]
)

Rows: TypeAlias = NDArray[np.record]

TRADE: Final = 1  # a print: price, lots, side = the taker's
LEVEL: Final = 2  # a book level: side, price, lots = its new size (0 deletes it)
SNAPSHOT: Final = 3  # both sides of the book are emptied; the LEVEL rows after it in the same frame fill it
MARK: Final = 4  # mark price: price = nearest tick, lots = the price in 1e-4 ticks
INDEX: Final = 5  # index price: as MARK
FUNDING: Final = 6  # funding rate in force for the next settlement: lots = rate per interval in 1e-12, spare = interval in minutes
GAP: Final = 7  # the feed lost data: the book is void until the next SNAPSHOT

KIND_MASK: Final = 15
FIRST: Final = 16
LAST: Final = 32
WHOLE: Final = FIRST | LAST

RPI: Final = 1  # `spare` of a TRADE whose maker stood in no book (a hidden quote for retail orders)

FINE: Final = 10_000  # MARK and INDEX carry their price in ticks / FINE
RATE: Final = 1_000_000_000_000  # FUNDING carries its rate in 1 / RATE

SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
DAY: Final = 86_400 * SECOND
NEVER: Final = 2**63 - 1  # a time that does not come

#: One-minute bars, for back-filling at start. `ts`: open of the bar, ns UTC. Prices in quote currency, `volume` in base units.
BAR: Final = record_dtype(
    [
        ("ts", "<i8"),
        ("open", "f8"),
        ("high", "f8"),
        ("low", "f8"),
        ("close", "f8"),
        ("volume", "f8"),
        ("turnover", "f8"),
    ]
)
