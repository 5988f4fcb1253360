"""Bars of any interval and many symbols, csv or Parquet, as one Parquet file of bars that every study reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from turbo_trader.lab.data import HEADER, interval_of, read_bars, sound
from turbo_trader.market.errors import InputError
from turbo_trader.market.names import perpetual_symbol
from turbo_trader.market.parquet import polars

_MILLISECOND = 1_000_000


def import_bars(source: Path, target: Path, symbols: Sequence[str] = ()) -> tuple[int, int, dict[str, int]]:
    """Write `target`: (bars, interval in ns, rows left out by reason). InputError says what is wrong with the source."""
    pl = polars(target)
    if not source.exists():
        raise InputError(f"{source}: no such data")
    bars, rates = read_bars(source)
    wanted = [perpetual_symbol(symbol, "--symbols") for symbol in symbols] or sorted(bars)
    absent = [symbol for symbol in wanted if symbol not in bars]
    if absent:
        raise InputError(f"{source}: no bars of {', '.join(absent)}; there are {', '.join(sorted(bars))}")
    left_out: Counter[str] = Counter()
    kept = {symbol: sound(source, symbol, bars[symbol], left_out) for symbol in wanted}
    interval = interval_of(source, kept)
    frames = []
    for symbol, (ts, columns) in kept.items():
        frame = {"symbol": [symbol] * len(ts), "ts_ms": ts // _MILLISECOND}
        frame |= {name: columns[:, k] for k, name in enumerate(HEADER.split(",")[1:])}
        funding = np.full(len(ts), np.nan)
        if symbol in rates:
            times, values = rates[symbol]
            place = np.searchsorted(ts, times, side="right") - 1
            inside = (place >= 0) & (times < ts[place] + interval)
            funding[place[inside]] = values[inside, 0]
        frames.append(pl.DataFrame({**frame, "funding_rate": funding}))
    part = target.with_name(target.name + ".part")
    try:
        whole = pl.concat(frames).with_columns(pl.col("funding_rate").fill_nan(None))
        whole.write_parquet(
            part, compression="zstd", metadata={"turbo_trader": '{"format": "turbo-trader bars 1"}'}
        )
        part.replace(target)
    except OSError as error:
        raise InputError(f"{target}: cannot be written: {error.strerror or error}") from None
    return len(whole), interval, dict(left_out)
