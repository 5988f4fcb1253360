"""Public frames that are odd: an odd print costs no neighbour, and nothing but ValueError comes of a frame."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import FUNDING, KIND_MASK

SYMBOL = universe()[0].symbol
PRINT: dict[str, Any] = {"T": 1_767_600_000_000, "S": "Buy", "v": "1", "p": "60000", "i": "a"}
JUNK: list[Any] = [None, "", "abc", "NaN", "Infinity", "1e30000000", {}, []]


def frame(topic: str, data: Any) -> bytes:
    return json.dumps(
        {"topic": f"{topic}.{SYMBOL}", "type": "snapshot", "ts": 1_767_600_000_000, "data": data}
    ).encode()


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("field", ["T", "S", "v", "p"])
def test_odd_print_costs_no_neighbour(field: str, junk: Any) -> None:
    prints = [{**PRINT, "i": "x"}, {**PRINT, field: junk}, {**PRINT, "i": "z"}]
    found = FrameDecoder(universe()[:1]).decode(frame("publicTrade", prints))
    assert found is not None
    assert len(found[1]) >= 2


@pytest.mark.parametrize("junk", [*JUNK, "1e900000", "-1", "1e300"])
@pytest.mark.parametrize("field", ["markPrice", "indexPrice", "fundingRate", "fundingIntervalHour"])
def test_odd_ticker_is_unreadable_and_nothing_worse(field: str, junk: Any) -> None:
    decoder, found = FrameDecoder(universe()[:1]), None
    with contextlib.suppress(ValueError):
        found = decoder.decode(frame("tickers", {"symbol": SYMBOL, field: junk}))
    prices = found[1][found[1]["kind"] & KIND_MASK != FUNDING] if found is not None else ()
    assert all(row["price"] > 0 for row in prices)
    assert decoder.decode(frame("tickers", {"symbol": SYMBOL, "markPrice": "90000"})) is not None


def test_frame_of_good_prints_leaves_nothing_out() -> None:
    decoder = FrameDecoder(universe()[:1])
    assert decoder.decode(frame("publicTrade", [PRINT])) is not None
    assert not decoder.left_out


DAY_MS = 86_400_000
T: int = PRINT["T"]


@pytest.mark.parametrize("when", [T + 60_001, T + DAY_MS, 2**53, 2**63 - 1, 10**30])
def test_a_print_dated_after_its_own_frame_moves_no_time_and_costs_no_neighbour(when: int) -> None:
    decoder = FrameDecoder(universe()[:1])
    prints = [{**PRINT, "i": "x"}, {**PRINT, "T": when}, {**PRINT, "i": "z"}]
    found = decoder.decode(frame("publicTrade", prints))
    assert found is not None
    assert found[1]["ts"].tolist() == [T * 10**6] * 2
    assert sum(decoder.left_out.values()) == 1
    again = decoder.decode(frame("publicTrade", [{**PRINT, "i": "later"}]))
    assert again is not None
    assert again[1]["ts"].tolist() == [T * 10**6]


def test_a_print_dated_a_little_after_its_frame_is_taken() -> None:
    found = FrameDecoder(universe()[:1]).decode(frame("publicTrade", [{**PRINT, "T": T + 60_000}]))
    assert found is not None
    assert found[1]["ts"].tolist() == [(T + 60_000) * 10**6]


def test_a_book_whose_engine_time_is_after_its_push_is_dated_by_the_push() -> None:
    for ahead, ts in ((0, T), (59_000, T + 59_000), (61_000, T), (DAY_MS, T)):
        book = {"s": SYMBOL, "b": [["60000", "1"]], "a": [["60001", "1"]], "u": 1}
        raw = {"topic": f"orderbook.50.{SYMBOL}", "type": "snapshot", "ts": T, "data": book, "cts": T + ahead}
        found = FrameDecoder(universe()[:1]).decode(json.dumps(raw).encode())
        assert found is not None
        assert set(found[1]["ts"].tolist()) == {ts * 10**6}


def test_a_mark_price_that_leaps_is_believed_when_the_next_says_the_same() -> None:
    decoder = FrameDecoder(universe()[:1])

    def mark(price: str) -> list[int]:
        found = decoder.decode(frame("tickers", {"symbol": SYMBOL, "markPrice": price}))
        assert found is not None
        return [int(each) for each in found[1]["price"]]

    assert mark("60000") == [600_000]
    for odd in ("6000", "600000", "1", "0.01"):
        with pytest.raises(ValueError, match="leaps"):
            mark(odd)
        assert mark("60001") == [600_010]
    with pytest.raises(ValueError, match="leaps"):
        mark("6000")
    assert mark("6001") == [60_010]


def test_a_time_that_no_row_can_hold_is_refused() -> None:
    decoder = FrameDecoder(universe())
    latest = 2**63 // 1_000_000 - 1
    for ts, fits in ((latest, True), (latest + 1, False), (10**30, False)):
        data = [{"T": ts, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": "100.0"}]
        raw = json.dumps({"topic": "publicTrade.BTCUSDT", "ts": ts, "data": data}).encode()
        if fits:
            assert decoder.decode(raw) is not None
            continue
        with pytest.raises(ValueError, match="not a time"):
            decoder.decode(raw)
