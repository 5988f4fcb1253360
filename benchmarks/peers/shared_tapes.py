"""What all programs are given: a tape of rows, the same kind of market as raw public frames, and bars of a made-up month."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.dense import one_level_rows
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import SECOND, Rows
from turbo_trader.simulation.synthetic import SyntheticMarket

BTC: Final[Instrument] = universe()[0]
START: Final = 1_767_603_600 * SECOND
_LEVELS = 50
_MID = 600_000  # ticks


def tick_rows(count: int) -> Rows:
    """A dense tape of frames of one level."""
    return one_level_rows(count, START)


def tick_file(path: Path, rows: Rows) -> Path:
    """The plain columns of rows, for other programs."""
    columns = {name: rows[name] for name in ("ts", "lots", "price", "kind", "side")}
    np.savez(path, tick=float(BTC.tick), lot=float(BTC.step), **columns)  # type: ignore[arg-type]
    return path


def book_frames(folder: Path, count: int) -> tuple[list[bytes], Path]:
    """A snapshot of 50 levels a side, then deltas of one to six levels a side; a frame a line."""
    draws = np.random.default_rng(1)

    def frame(n: int, bids: list[list[str]], asks: list[list[str]]) -> bytes:
        ms = START // 1_000_000 + 20 * n
        data = {"s": BTC.symbol, "b": bids, "a": asks, "u": n + 2, "seq": 10 * n + 7}
        head = {"topic": f"orderbook.50.{BTC.symbol}", "type": "delta" if n else "snapshot", "ts": ms}
        return _encoded({**head, "data": data, "cts": ms - 2})

    def levels(side: int, away: list[int]) -> list[list[str]]:
        sizes = draws.integers(1, 5_000, len(away))
        return [
            [str((_MID - side * each) * BTC.tick), str(int(size) * BTC.step)]
            for each, size in zip(away, sizes, strict=True)
        ]

    whole = list(range(1, _LEVELS + 1))
    frames = [frame(0, levels(1, whole), levels(-1, whole))]
    for n in range(1, count):
        changed = [sorted({*draws.integers(1, _LEVELS + 1, draws.integers(1, 7)).tolist()}) for _ in range(2)]
        frames.append(frame(n, levels(1, changed[0]), levels(-1, changed[1])))
    return frames, _written(folder / "book.jsonl", frames)


def print_frames(folder: Path, count: int) -> tuple[list[bytes], Path]:
    """One to three prints a frame."""
    draws = np.random.default_rng(2)
    frames = []
    for n in range(count):
        ms = START // 1_000_000 + 20 * n
        prints = [
            {
                "T": ms, "s": BTC.symbol, "S": "Buy" if draws.random() < 0.5 else "Sell",
                "v": str(int(draws.integers(1, 5_000)) * BTC.step), "p": str((_MID + int(draws.integers(-5, 6))) * BTC.tick),
                "L": "ZeroMinusTick", "i": f"{n:08x}-0000-5000-8000-{k:012x}", "BT": False, "RPI": False, "seq": 10 * n + k,
            }
            for k in range(draws.integers(1, 4))
        ]  # fmt: skip
        frames.append(
            _encoded({"topic": f"publicTrade.{BTC.symbol}", "type": "snapshot", "ts": ms, "data": prints})
        )
    return frames, _written(folder / "prints.jsonl", frames)


def bars(folder: Path, minutes: int) -> tuple[list[Rows], Path]:
    """One-minute bars of every symbol of the universe, of the made-up market without an edge; and a file of them."""
    instruments = universe()
    market = SyntheticMarket(instruments, 1, START, history=minutes)
    found = [market.history(each.symbol) for each in instruments]
    path = folder / "bars.npz"
    named = {each.symbol: part for each, part in zip(instruments, found, strict=True)}
    sizes = {
        "ticks": [float(each.tick) for each in instruments],
        "steps": [float(each.step) for each in instruments],
    }
    np.savez(path, symbols=list(named), **sizes, **named)  # type: ignore[arg-type]
    return found, path


def _encoded(frame: dict[str, object]) -> bytes:
    return json.dumps(frame, separators=(",", ":")).encode()


def _written(path: Path, frames: list[bytes]) -> Path:
    path.write_bytes(b"\n".join(frames) + b"\n")
    return path
