"""Bars of any interval and many symbols as one panel: a folder of csv files (funding beside them), a csv file, or Parquet.

A csv file: `ts_ms,open,high,low,close,volume`, `.gz` and `.zip` allowed, its name begins with the symbol. Parquet: those columns,
`symbol`, and `funding_rate` where it is known. A row that cannot be is left out and counted; it costs its neighbours nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from turbo_trader.lab.panel import Floats, Panel, Times
from turbo_trader.lab.score_trades import Market
from turbo_trader.market.archive import content_name
from turbo_trader.market.bars import read_csv
from turbo_trader.market.errors import InputError
from turbo_trader.market.names import perpetual_symbol
from turbo_trader.market.parquet import polars

HEADER: Final = "ts_ms,open,high,low,close,volume"
FUNDING: Final = "ts_ms,funding_rate"
_MILLISECOND: Final = 1_000_000
_MOST_CELLS: Final = 60_000_000
_LATEST: Final = 4e12  # ms: the year 2096

Table = dict[str, tuple[Times, Floats]]  # by symbol: times (ns), columns


def read_market(path: Path, symbols: Sequence[str] = (), funding: Path | None = None) -> Market:
    """The panel of a folder or file; `symbols` chooses among its own. InputError says what is wrong with it.

    `funding`: a folder of rates (`SYMBOL.csv`), instead of those beside the bars.
    """
    if not path.exists():
        raise InputError(f"{path}: no such data")
    left_out: Counter[str] = Counter()
    if path.is_dir():
        bars, rates = _folder(path)
    elif content_name(path).endswith(".parquet"):
        bars, rates = _parquet(path)
    elif content_name(path).endswith(".csv"):
        bars, rates = {_symbol(path): _csv(path, HEADER)}, {}
    else:
        raise InputError(f"{path}: not bars: give a folder of csv files, a .csv or a .parquet file")
    if funding is not None:
        rates = _rates(funding, bars)
    wanted = [perpetual_symbol(symbol, "--symbols") for symbol in symbols]
    absent = [symbol for symbol in wanted if symbol not in bars]
    if absent:
        raise InputError(f"{path}: no bars of {', '.join(absent)}; there are {', '.join(sorted(bars))}")
    chosen = {symbol: sound(path, symbol, bars[symbol], left_out) for symbol in wanted or sorted(bars)}
    return _market(path, {s: found for s, found in chosen.items() if len(found[0])}, rates, left_out)


def read_bars(path: Path) -> tuple[Table, Table]:
    """Bars and funding rates of a folder or file by symbol, as they stand there."""
    if path.is_dir():
        return _folder(path)
    return _parquet(path) if path.suffix == ".parquet" else ({_symbol(path): _csv(path, HEADER)}, {})


def _folder(path: Path) -> tuple[Table, Table]:
    kinds = sorted(path.glob("kline_*"))
    if len(kinds) > 1:
        raise InputError(
            f"{path}: bars of several intervals ({', '.join(k.name for k in kinds)}): name one of the folders"
        )
    folder = kinds[0] if kinds else path
    files = [file for file in sorted(folder.glob("*.csv*")) if content_name(file).endswith(".csv")]
    if not files:
        raise InputError(f"{folder}: no bars (SYMBOL.csv or SYMBOL.csv.gz) in it")
    bars = {_symbol(file): _csv(file, HEADER) for file in files}
    beside = (folder.parent if folder.name.startswith("kline_") else folder) / "funding"
    return bars, _rates(beside, bars) if beside.is_dir() else {}


def _rates(folder: Path, bars: Table) -> Table:
    """Funding of the symbols that have bars. InputError where the folder has none of any."""
    files = sorted(file for file in folder.glob("*.csv*") if content_name(file).endswith(".csv"))
    if not files:
        raise InputError(f"{folder}: no funding rates (SYMBOL.csv or SYMBOL.csv.gz, {FUNDING}) in it")
    return {symbol: _csv(file, FUNDING) for file in files if (symbol := _symbol(file)) in bars}


def _symbol(path: Path) -> str:
    return perpetual_symbol(content_name(path).split(".")[0].split("_")[0], str(path))


def _csv(path: Path, header: str) -> tuple[Times, Floats]:
    numbers = read_csv(path, header)
    return _times(numbers[:, 0]), numbers[:, 1:]


def _times(ms: Floats) -> Times:
    """ns; -1 where it is no time."""
    known = np.isfinite(ms) & (ms >= 0) & (ms <= _LATEST)
    found: Times = np.where(known, np.where(known, ms, 0).astype(np.int64) * _MILLISECOND, -1)
    return found


def _parquet(path: Path) -> tuple[Table, Table]:
    pl = polars(path)
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: cannot be read as Parquet: {str(error).partition(chr(10))[0]}") from None
    names = HEADER.split(",")
    missing = [name for name in ("symbol", *names) if name not in frame.columns]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)}: bars have symbol,{HEADER}")
    try:
        frame = frame.with_columns(pl.col(names).cast(pl.Float64), pl.col("symbol").cast(pl.String))
        bars, rates = {}, {}
        for (symbol,), part in frame.group_by("symbol", maintain_order=True):
            name = perpetual_symbol(str(symbol), str(path))
            times = _times(part["ts_ms"].fill_null(float("nan")).to_numpy())
            bars[name] = (times, part.select(names[1:]).fill_null(float("nan")).to_numpy())
            if "funding_rate" in frame.columns:
                known = part["funding_rate"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
                there = np.isfinite(known)
                rates[name] = (times[there], known[there][:, None])
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path}: not numbers: {str(error).partition(chr(10))[0]}") from None
    return bars, rates


def sound(
    path: Path, symbol: str, table: tuple[Times, Floats], left_out: Counter[str]
) -> tuple[Times, Floats]:
    """Without rows that cannot be. InputError where the times go back."""
    ts, columns = table
    o, h, low, c, volume = (columns[:, k] for k in range(5))
    with np.errstate(invalid="ignore"):
        prices = np.isfinite(columns[:, :4]).all(axis=1) & (columns[:, :4] > 0).all(axis=1)
        order = (h >= np.maximum(o, c)) & (low <= np.minimum(o, c))
        fine = {
            "without a time": ts >= 0,
            "with an impossible price": prices,
            "whose high or low is inside open and close": order | ~prices,
            "with an impossible volume": (volume >= 0) & (volume < 1e18),
        }
    keep = np.ones(len(ts), bool)
    for reason, good in fine.items():
        if count := int(np.count_nonzero(keep & ~good)):
            left_out[f"bars {reason}"] += count
        keep &= good
    ts, columns = ts[keep], columns[keep]
    steps = np.diff(ts)
    if (steps < 0).any():
        raise InputError(f"{path}: bars of {symbol} go back in time: sort them by time")
    if (steps == 0).any():
        left_out["repeated bars"] += int(np.count_nonzero(steps == 0))
        first = np.concatenate(([True], steps > 0))
        ts, columns = ts[first], columns[first]
    return ts, columns


def interval_of(path: Path, bars: Mapping[str, tuple[Times, Floats]]) -> int:
    """The interval of bars, ns: the commonest step. InputError where symbols differ or there are too few bars."""
    found: dict[str, int] = {}
    for symbol, (ts, _) in bars.items():
        if len(ts) >= 2:
            steps, counts = np.unique(np.diff(ts), return_counts=True)
            found[symbol] = int(steps[np.argmax(counts)])
    if not found:
        raise InputError(f"{path}: too few bars to study")
    shortest = min(found.values())
    others = sorted(symbol for symbol, step in found.items() if step != shortest)
    if others:
        raise InputError(f"{path}: bars of different intervals ({', '.join(others[:3])}): give one interval")
    return shortest


def _market(path: Path, bars: Table, rates: Table, left_out: Counter[str]) -> Market:
    interval = interval_of(path, bars)
    start = min(int(ts[0]) for ts, _ in bars.values()) // interval * interval
    end = max(int(ts[-1]) for ts, _ in bars.values())
    rows, names = (end - start) // interval + 1, tuple(bars)
    if rows * len(names) > _MOST_CELLS:
        raise InputError(f"{path}: {rows:,} bars of {len(names)} symbols: too long a span; cut it")
    ts = start + interval * np.arange(rows, dtype=np.int64)
    columns = np.full((5, rows, len(names)), np.nan)
    funding, settled = np.full((rows, len(names)), np.nan), np.zeros((rows, len(names)))
    for s, name in enumerate(names):
        mine, values = bars[name]
        whole = mine % interval == 0
        if not whole.all():
            left_out["bars off the interval's grid"] += int(np.count_nonzero(~whole))
        columns[:, (mine[whole] - start) // interval, s] = values[whole].T
        if name in rates:
            _fund(rates[name], ts, interval, funding[:, s], settled[:, s])
    opens, highs, lows, closes, volumes = columns
    panel = Panel(
        symbols=names,
        interval_ns=interval,
        ts=ts,
        open=opens,
        high=highs,
        low=lows,
        close=closes,
        volume=volumes,
        funding=funding,
    )
    return Market(panel, settled, str(path), dict(left_out))


def _fund(rates: tuple[Times, Floats], ts: Times, interval: int, known: Floats, settled: Floats) -> None:
    """The last rate settled up to each bar's end into `known`, what was settled within each bar into `settled`."""
    times, values = rates[0], rates[1][:, 0]
    good = (times >= 0) & (np.abs(values) < 1)
    order = np.argsort(times[good], kind="stable")
    times, values = times[good][order], values[good][order]
    before = np.searchsorted(times, ts + interval, side="right")
    known[before > 0] = values[before[before > 0] - 1]
    place = (
        np.searchsorted(ts, times, side="left") - 1
    )  # a settlement at a bar's opening is paid by who held before it
    inside = (place >= 0) & (times <= ts[-1] + interval)
    np.add.at(settled, place[inside], values[inside])
