"""Figures of recorded markets (the data folder is described in its README): what made-up markets are fitted to."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

SIZES = (1e3, 1e4, 1e5, 1e6)
_SPREADS = "perp-spread-slippage-1m/before_2026-02-13T12Z.csv.gz"
_SESSION = "bybit-v5-session-20260809/linear_BTCUSDT_DOGEUSDT.jsonl.gz"
_BARS = "binance-usdm-1m-2025-05/kline_1m"
_TRADES = "binance-raw-l2-trades-20240808/usdm_btcusdt_20240808.gz"
_LAGS = (1, 60, 240)

_Sides: TypeAlias = tuple[dict[float, float], dict[float, float]]  # bids, asks: size by price


def bar_figures(returns: NDArray[np.float64], leader: NDArray[np.float64]) -> dict[str, float]:
    """Of one-minute log returns: standard deviation (bp), kurtosis, autocorrelations; beta and correlation to the leader's."""
    size = np.abs(returns)
    standard = (returns - returns.mean()) / returns.std()
    figures = {"sd_bp": float(returns.std() * 1e4), "kurtosis": float(np.mean(standard**4))}
    for lag in _LAGS:
        figures[f"acf_{lag}"] = float(np.corrcoef(size[:-lag], size[lag:])[0, 1])
    figures["acf_r_1"] = float(np.corrcoef(returns[:-1], returns[1:])[0, 1])
    figures["beta"] = float(leader @ returns / (leader @ leader))
    figures["correlation"] = float(np.corrcoef(leader, returns)[0, 1])
    return figures


def recorded_bars(data: Path) -> dict[str, dict[str, float]]:
    """`bar_figures` of every symbol of the month of one-minute bars, aligned by time."""
    closes: dict[str, dict[int, float]] = {}
    for path in sorted((data / _BARS).glob("*.csv.gz")):
        with gzip.open(path, "rt") as lines:
            closes[path.name.split(".")[0]] = {
                int(r["ts_ms"]): float(r["close"]) for r in csv.DictReader(lines)
            }
    times = sorted(set.intersection(*(set(rows) for rows in closes.values())))
    returns = {s: np.diff(np.log([rows[t] for t in times])) for s, rows in closes.items()}
    return {symbol: bar_figures(r, returns["BTCUSDT"]) for symbol, r in returns.items()}


def recorded_depth(data: Path) -> dict[str, dict[str, float]]:
    """Medians of spread and slippage (bp) by symbol: of Bybit's rows, else of the recorded Bybit session."""
    rows: dict[str, list[list[float]]] = {}
    sizes = ("1k", "10k", "100k", "1m")
    with gzip.open(data / _SPREADS, "rt") as lines:
        for row in csv.DictReader(lines):
            slips = [(row[f"ask_slip_{size}"], row[f"bid_slip_{size}"]) for size in sizes]
            if row["exchange"] == "bybit" and row["mid_price"] and all(a and b for a, b in slips):
                figures = [float(row["spread_bps"]), *((float(a) + float(b)) / 2 for a, b in slips)]
                rows.setdefault(row["ticker"] + "USDT", []).append(figures)
    found: dict[str, dict[str, float]] = {}
    for symbol, table in rows.items():
        middle = np.median(np.array(table), axis=0)
        found[symbol] = depth_row(middle[0], middle[1:].tolist())
    session, _ = recorded_session(data)
    return {**session, **found}


def depth_row(spread_bp: float, slips_bp: Sequence[float]) -> dict[str, float]:
    """Spread and slippage at 1 k, 10 k, 100 k and 1 M USD, in bp."""
    return {
        "spread": float(spread_bp),
        **{f"slip_{size:.0e}": float(s) for size, s in zip(SIZES, slips_bp, strict=True)},
    }


def slippage(bids: Sequence[tuple[float, float]], asks: Sequence[tuple[float, float]], usd: float) -> float:
    """Mean of buying's and selling's slippage against mid (bp) for an order of `usd`; nan where the book is too thin.

    Levels: (price, quantity), best first.
    """
    mid = (bids[0][0] + asks[0][0]) / 2
    found = []
    for sign, levels in ((1, asks), (-1, bids)):
        left, quantity = usd, 0.0
        for price, size in levels:
            take = min(left, price * size)
            quantity += take / price
            left -= take
            if left <= 0:
                break
        found.append(sign * (usd / quantity / mid - 1.0) * 1e4 if left <= 0 else np.nan)
    return float(np.mean(found))


def recorded_session(data: Path) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """Of the recorded Bybit session: depth by symbol (medians over frames); prints and frames a minute, print sizes in USD."""
    books: dict[str, _Sides] = {}
    depths: dict[str, list[list[float]]] = {}
    prints: dict[str, list[float]] = {}
    times: dict[str, list[int]] = {}
    for message in _session(data / _SESSION):
        topic = str(message.get("topic", "")).split(".")
        kind, symbol = topic[0], topic[-1]
        if kind == "publicTrade":
            prints.setdefault(symbol, []).extend(float(t["v"]) * float(t["p"]) for t in message["data"])
        elif kind == "orderbook":
            books[symbol] = _changed(books.get(symbol), message)
            depths.setdefault(symbol, []).append(_depth(*books[symbol]))
            times.setdefault(symbol, []).append(int(message["ts"]))
    depth, pace = {}, {}
    for symbol, table in depths.items():
        middle = np.nanmedian(np.array(table), axis=0)
        depth[symbol] = depth_row(middle[0], middle[1:].tolist())
        minutes = (times[symbol][-1] - times[symbol][0]) / 6e4
        sizes = np.array(prints[symbol])
        pace[symbol] = {
            "prints": len(sizes) / minutes, "frames": len(table) / minutes, "usd_median": float(np.median(sizes)),
            "usd_mean": float(sizes.mean()),
        }  # fmt: skip
    return depth, pace


def _changed(before: _Sides | None, message: Mapping[str, Any]) -> _Sides:
    """The book after a frame: a snapshot begins it again, a size of 0 takes its level out."""
    if before is None or message["type"] == "snapshot":
        before = {}, {}
    for side, changes in zip(before, (message["data"]["b"], message["data"]["a"]), strict=True):
        for price, size in changes:
            side[float(price)] = float(size)
            if float(size) == 0:
                del side[float(price)]
    return before


def _depth(bids: dict[float, float], asks: dict[float, float]) -> list[float]:
    """Spread, then the slippage of each of SIZES, in bp."""
    below, above = sorted(bids.items(), reverse=True), sorted(asks.items())
    spread = (above[0][0] / below[0][0] - 1.0) * 1e4
    return [spread, *(slippage(below, above, size) for size in SIZES)]


def _session(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") as lines:
        for line in lines:
            raw = json.loads(line).get("data")
            if isinstance(raw, str):
                yield json.loads(raw)


def recorded_prints(data: Path) -> dict[str, float]:
    """Of five minutes of BTCUSDT on Binance: prints a minute, moments with prints a minute, sizes in USD."""
    sizes, times = [], []
    with gzip.open(data / _TRADES, "rt") as lines:
        for line in lines:
            message = json.loads(line.split(" ", 1)[1])
            if message.get("stream", "").endswith("@trade"):
                sizes.append(float(message["data"]["q"]) * float(message["data"]["p"]))
                times.append(int(message["data"]["T"]))
    minutes = (times[-1] - times[0]) / 6e4
    return {
        "prints": len(sizes) / minutes, "moments": len(set(times)) / minutes, "usd_median": float(np.median(sizes)),
        "usd_mean": float(np.mean(sizes)),
    }  # fmt: skip
