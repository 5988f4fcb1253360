"""Public frames that are odd: an odd print costs no neighbour, and nothing but ValueError comes of a frame."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.reference import universe

SYMBOL = universe()[0].symbol
PRINT = {"T": 1_767_600_000_000, "S": "Buy", "v": "1", "p": "60000", "i": "a"}
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
    with contextlib.suppress(ValueError):
        FrameDecoder(universe()[:1]).decode(frame("tickers", {"symbol": SYMBOL, field: junk}))


def test_frame_of_good_prints_leaves_nothing_out() -> None:
    decoder = FrameDecoder(universe()[:1])
    assert decoder.decode(frame("publicTrade", [PRINT])) is not None
    assert not decoder.left_out
