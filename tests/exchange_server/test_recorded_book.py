"""Real frames through tape, Exchange, V5 face, decoder and market state: the daemon's book is the recorded one."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from turbo_trader.exchange.protocol.public_stream import PublicClient
from turbo_trader.exchange.protocol.shown_books import BOOK_CADENCE
from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.market_source import TapeSource
from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.kernel import advance
from turbo_trader.market.recording import frames
from turbo_trader.market.rows import KIND_MASK, LAST, LEVEL, SNAPSHOT
from turbo_trader.market.state import new_states
from turbo_trader.market.tape import read_tape
from turbo_trader.rules.policy import Policy

RECORDING = (
    Path(__file__).resolve().parents[2].parent
    / "shared/data/bybit-v5-session-20260809/linear_BTCUSDT_DOGEUSDT.jsonl.gz"
)
DEPTH = 50


def recorded_books() -> dict[tuple[str, int], tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]]:
    """Both sides after the last frame of each matching-engine time, by symbol and time (ms), by hand from the raw text."""
    books: dict[str, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]] = {}
    found = {}
    for _, raw in frames(RECORDING):
        message = json.loads(raw)
        if not message.get("topic", "").startswith("orderbook."):
            continue
        data = message["data"]
        if message["type"] == "snapshot":
            books[data["s"]] = ({}, {})
        for side, name in zip(books[data["s"]], "ba", strict=True):
            for price, size in data[name]:
                side[Decimal(price)] = Decimal(size)
                if not Decimal(size):
                    del side[Decimal(price)]
        bids, asks = books[data["s"]]
        found[data["s"], message["cts"]] = (dict(bids), dict(asks))
    return found


@pytest.mark.skipif(not RECORDING.exists(), reason="needs the recorded session in ../shared/data")
def test_the_daemons_book_is_the_recorded_one_at_every_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BOOK_CADENCE, DEPTH, 0)  # show every change at once
    tape = read_tape(RECORDING)
    venue = Venue(TapeSource(tape), VenueConfig("k", "s", Decimal(18)))
    decoder = FrameDecoder(tape.instruments)
    states = new_states(tape.instruments, **Policy().market_parameters())
    client = PublicClient(venue.feed, "test")
    names = [instrument.symbol for instrument in tape.instruments]
    request = {"op": "subscribe", "args": [f"orderbook.{DEPTH}.{name}" for name in names]}
    pending = client.take(json.dumps(request).encode(), venue.now)
    recorded = recorded_books()
    compared = 0
    for s, time in frame_times(tape.rows):
        venue._move_private(time + 1)
        for raw in (*pending, *client.push(venue.feed.push(venue.now, {}))):
            decoded = decoder.decode(raw)
            if decoded is not None:
                advance(states, decoded[0], decoded[1], 0, int(decoded[1]["ts"][-1]) + 1)
        pending = []
        expected = recorded.get((names[s], time // 1_000_000))
        if expected is not None and states["book_valid"][s]:
            for i, (levels, best_first) in enumerate(zip(expected, (True, False), strict=True)):
                top = sorted(levels.items(), reverse=best_first)[:DEPTH]
                assert shown(states, s, i, tape.instruments[s].tick, tape.instruments[s].step) == top
            compared += 1
    assert compared > 700


def frame_times(rows: tuple[np.ndarray, ...]) -> list[tuple[int, int]]:
    """(symbol, time) of every book frame, by time."""
    found = []
    for s, part in enumerate(rows):
        ends = part[(part["kind"] & LAST > 0) & np.isin(part["kind"] & KIND_MASK, (LEVEL, SNAPSHOT))]
        found += [(int(ts), s) for ts in np.unique(ends["ts"])]
    return [(s, time) for time, s in sorted(found)]


def shown(states: np.ndarray, s: int, i: int, tick: Decimal, step: Decimal) -> list[tuple[Decimal, Decimal]]:
    n = int(states["levels"][s][i])
    keys, lots = states["key"][s][i][:n][::-1][:DEPTH], states["lots"][s][i][:n][::-1][:DEPTH]
    return [(abs(int(key)) * tick, int(lot) * step) for key, lot in zip(keys, lots, strict=True)]
