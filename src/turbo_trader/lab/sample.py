"""The bundled sample: made-up one-minute bars, `scripts/sample-bars` writes them, the same bytes each time."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Final

import numpy as np

from turbo_trader.lab.data import HEADER
from turbo_trader.lab.made_up_panels import MadeUpPanel

#: Price and decimals of each symbol: of the size these markets have, nothing more.
_PRICES: Final = {"BTCUSDT": (100_000.0, 1, 0.4), "ETHUSDT": (3_000.0, 2, 6.0), "SOLUSDT": (150.0, 3, 90.0)}


def write_sample(folder: Path, days: int = 2, seed: int = 1) -> None:
    """One csv.gz a symbol."""
    folder.mkdir(parents=True, exist_ok=True)
    panel = MadeUpPanel(days=days, symbols=len(_PRICES), minutes=1, hold=30).panel(seed)
    for s, (symbol, (price, digits, volume)) in enumerate(_PRICES.items()):
        rows = [HEADER]
        for t, ts in enumerate(panel.ts.tolist()):
            o, h, low, c = (
                round(float(x[t, s]) / 100.0 * price, digits)
                for x in (panel.open, panel.high, panel.low, panel.close)
            )
            traded = round(float(panel.volume[t, s]) * volume, 3)
            rows.append(f"{ts // 1_000_000},{o},{max(h, o, c)},{min(low, o, c)},{c},{traded}")
        text = ("\n".join(rows) + "\n").encode()
        (folder / f"{symbol}.csv.gz").write_bytes(gzip.compress(text, mtime=0))


if __name__ == "__main__":
    np.seterr(all="raise")
    write_sample(Path(sys.argv[1]))
