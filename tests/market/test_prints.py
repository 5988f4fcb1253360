"""Prints that are no market: they reach no price, no VWAP, no flow, no candle and no trigger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from turbo_trader.market.frame_json import BLOCK_TRADES, IMPOSSIBLE, OUTSIDE, REPEATED
from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import KIND_MASK, RPI, TRADE, Rows
from turbo_trader.market.tape import read_tape

ARCHIVES = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "archives"
BTC = universe()[0]  # band 2 % about the mark, tick 0.1
T = 1_754_006_400_000


def prints(*items: dict[str, Any]) -> bytes:
    data = [
        {"T": T, "s": "BTCUSDT", "S": "Sell", "v": "0.01", "p": "115000", "L": "PlusTick", "i": f"{n}", "BT": False} | item
        for n, item in enumerate(items)
    ]  # fmt: skip
    return json.dumps({"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": T, "data": data}).encode()


def ticker(mark: str, ts: int = T) -> bytes:
    data = {"symbol": "BTCUSDT", "markPrice": mark}
    return json.dumps({"topic": "tickers.BTCUSDT", "type": "snapshot", "ts": ts, "data": data}).encode()


def trades(found: tuple[int, Rows] | None) -> list[float]:
    if found is None:
        return []
    rows = found[1][(found[1]["kind"] & KIND_MASK) == TRADE]
    return [round(int(price) * 0.1, 1) for price in rows["price"]]


def test_a_block_trade_is_no_print() -> None:
    decoder = FrameDecoder([BTC])
    found = decoder.decode(prints({}, {"BT": True, "p": "100000", "v": "50"}, {"p": "115001"}))
    assert trades(found) == [115_000.0, 115_001.0]
    assert decoder.left_out == {BLOCK_TRADES: 1}


def test_a_frame_of_block_trades_alone_says_nothing() -> None:
    assert FrameDecoder([BTC]).decode(prints({"BT": True})) is None


def test_a_print_against_a_hidden_quote_is_a_trade_and_marked() -> None:
    decoder = FrameDecoder([BTC])
    found = decoder.decode(prints({"RPI": True, "p": "115000.1"}, {}))
    assert trades(found) == [115_000.1, 115_000.0]
    assert found is not None
    assert found[1]["spare"].tolist() == [RPI, 0]
    assert not decoder.left_out


@pytest.mark.parametrize("item", [{"v": "0"}, {"p": "0"}, {"v": "-1"}, {"p": "-5"}, {"v": "0.0000001"}])
def test_a_print_without_size_or_price_is_none(item: dict[str, Any]) -> None:
    decoder = FrameDecoder([BTC])
    assert trades(decoder.decode(prints(item, {}))) == [115_000.0]
    assert decoder.left_out == {IMPOSSIBLE: 1}


@pytest.mark.parametrize("side", ["", "buy", "SELL", "None", "Sellers of much"])
@pytest.mark.parametrize(
    "extra", [{}, {"x": 1}]
)  # in the kernel, and where the kernel does not know the frame
def test_a_print_of_no_known_side_is_none(side: str, extra: dict[str, Any]) -> None:
    decoder = FrameDecoder([BTC])
    assert trades(decoder.decode(prints({"S": side, **extra}, {}))) == [115_000.0]
    assert decoder.left_out == {IMPOSSIBLE: 1}


def test_a_print_far_outside_the_price_band_is_none() -> None:
    decoder = FrameDecoder([BTC])
    decoder.decode(ticker("115000"))
    assert trades(decoder.decode(prints({"p": "1"}, {"p": "109000"}, {"p": "121000"}, {"p": "112000"}))) == [
        112_000.0
    ]
    assert decoder.left_out == {OUTSIDE: 3}


def test_an_old_mark_price_rejects_no_print() -> None:
    decoder = FrameDecoder([BTC])
    decoder.decode(ticker("115000", T - 6_000))
    assert trades(decoder.decode(prints({"p": "109000"}))) == [109_000.0]


def test_a_print_said_again_counts_once() -> None:
    decoder = FrameDecoder([BTC])
    decoder.decode(prints({}))
    assert decoder.decode(prints({})) is None
    assert decoder.left_out == {REPEATED: 1}


@pytest.mark.skipif(not ARCHIVES.exists(), reason="needs ../shared/cases")
def test_a_tape_with_a_block_trade_is_the_same_as_one_without() -> None:
    with_block, without = (read_tape(ARCHIVES / f"{name}.jsonl") for name in ("block", "noblock"))
    assert len(with_block.rows[0]) > 1_000
    assert (with_block.left_out[BLOCK_TRADES], without.left_out.get(BLOCK_TRADES)) == (1, None)
    assert all(np.array_equal(a, b) for a, b in zip(with_block.rows, without.rows, strict=True))
