"""Frames of the venue beside frames recorded from Bybit: names, order and types of fields, and how numbers are written."""

from __future__ import annotations

import gzip
import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.exchange.protocol.public_stream import PublicClient
from turbo_trader.exchange.protocol.render_market import instrument
from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.market.recording import frames
from turbo_trader.market.reference import universe

FOLDER = Path(__file__).resolve().parents[2].parent / "shared/data/bybit-v5-session-20260809"
RECORDING = FOLDER / "linear_BTCUSDT_DOGEUSDT.jsonl.gz"
SYMBOLS = ("BTCUSDT", "DOGEUSDT")
KINDS = ("orderbook.200", "publicTrade", "tickers", "kline.1")
pytestmark = pytest.mark.skipif(not RECORDING.exists(), reason="needs the recorded session in ../shared/data")

Shape = Any


def shape(value: Any) -> Shape:
    """Names in their order, and the kind of each value; lists by their first item."""
    if isinstance(value, dict):
        return [(name, shape(item)) for name, item in value.items()]
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def decimals(text: str) -> int:
    return len(text.partition(".")[2])


@pytest.fixture(scope="module")
def recorded() -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Messages by topic and type."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for _, raw in frames(RECORDING):
        message = json.loads(raw)
        found.setdefault((message.get("topic", message.get("op")), message.get("type", "")), []).append(
            message
        )
    return found


@pytest.fixture(scope="module")
def ours(make_venue: Callable[..., Venue]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """The same topics of our own market over 70 seconds of its time."""
    venue = make_venue(symbols=SYMBOLS)
    client = PublicClient(venue.feed, "sim-1")
    topics = [f"{kind}.{symbol}" for symbol in SYMBOLS for kind in KINDS]
    raws = client.take(json.dumps({"op": "subscribe", "args": topics}).encode(), venue.now)
    for n in range(1, 701):
        raws += client.push(venue.advance(venue.source.start + n * 100_000_000))
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for raw in raws:
        message = json.loads(raw)
        found.setdefault((message.get("topic", message.get("op")), message.get("type", "")), []).append(
            message
        )
    return found


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize(
    ("kind", "type_"),
    [("orderbook.200", "snapshot"), ("orderbook.200", "delta"), ("publicTrade", "snapshot"), ("tickers", "snapshot"),
     ("kline.1", "snapshot")],
)  # fmt: skip
def test_frames_have_the_recorded_shape(recorded: Any, ours: Any, symbol: str, kind: str, type_: str) -> None:
    def whole(messages: list[dict[str, Any]]) -> dict[str, Any]:
        return next(
            m for m in messages if not kind.startswith("order") or (m["data"]["b"] and m["data"]["a"])
        )

    key = (f"{kind}.{symbol}", type_)
    assert shape(whole(ours[key])) == shape(whole(recorded[key]))


def test_ticker_deltas_keep_the_order_of_the_snapshot(recorded: Any, ours: Any) -> None:
    for messages in (recorded, ours):
        names = list(messages["tickers.BTCUSDT", "snapshot"][0]["data"])
        names.sort(key=lambda name: name.startswith("single"))  # which come last in deltas
        for message in messages["tickers.BTCUSDT", "delta"]:
            at = [names.index(name) for name in message["data"]]
            assert at == sorted(at)
            assert message["data"]["symbol"] == "BTCUSDT"
            assert len(at) > 1


def test_acks_have_the_recorded_shape(recorded: Any, ours: Any) -> None:
    assert shape(ours["subscribe", ""][0]) == shape(recorded["subscribe", ""][0])


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_numbers_are_written_with_the_recorded_decimals(recorded: Any, ours: Any, symbol: str) -> None:
    def written(messages: Any) -> dict[str, set[int]]:
        found: dict[str, set[int]] = {}
        for kind in ("snapshot", "delta"):
            for message in messages[f"orderbook.200.{symbol}", kind]:
                for price, size in message["data"]["b"] + message["data"]["a"]:
                    found.setdefault("book price", set()).add(decimals(price))
                    if size != "0":
                        found.setdefault("book size", set()).add(decimals(size))
        for message in messages[f"publicTrade.{symbol}", "snapshot"]:
            for item in message["data"]:
                found.setdefault("trade price", set()).add(decimals(item["p"]))
                found.setdefault("trade size", set()).add(decimals(item["v"]))
        ticker = messages[f"tickers.{symbol}", "snapshot"][0]["data"]
        exact = ("lastPrice", "markPrice", "indexPrice", "highPrice24h", "prevPrice1h", "bid1Price", "ask1Size", "turnover24h",
                 "volume24h", "price24hPcnt", "openInterest", "openInterestValue")  # fmt: skip
        return found | {name: {decimals(ticker[name])} for name in exact}

    assert written(ours) == written(recorded)


def test_updates_count_and_levels_are_sorted(recorded: Any, ours: Any) -> None:
    for messages in (recorded, ours):
        for symbol in SYMBOLS:
            updates = [m["data"]["u"] for m in messages[f"orderbook.200.{symbol}", "delta"]]
            assert updates == list(range(updates[0], updates[0] + len(updates)))
            for message in messages[f"orderbook.200.{symbol}", "delta"]:
                for side, sign in (("b", -1), ("a", 1)):
                    prices = [sign * float(price) for price, _ in message["data"][side]]
                    assert prices == sorted(prices)


def test_candles_of_the_stream_carry_no_needless_zeros(recorded: Any, ours: Any) -> None:
    for messages in (recorded, ours):
        for message in messages["kline.1.BTCUSDT", "snapshot"]:
            item = message["data"][0]
            assert item["end"] - item["start"] == 59_999
            for name in ("open", "close", "high", "low", "volume", "turnover"):
                assert not re.search(r"\.\d*0$", item[name])


def test_trade_ids_are_shaped_like_uuids(recorded: Any, ours: Any) -> None:
    for messages in (recorded, ours):
        for message in messages["publicTrade.BTCUSDT", "snapshot"]:
            for item in message["data"]:
                assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", item["i"])
                assert item["L"] in ("PlusTick", "ZeroPlusTick", "MinusTick", "ZeroMinusTick")


def test_instruments_have_the_recorded_shape() -> None:
    with gzip.open(FOLDER / "rest_instruments_info_linear.json.gz", "rt") as file:
        rows = {row["symbol"]: row for row in json.load(file)["result"]["list"]}
    for known in universe():
        found, shown = rows.get(known.symbol), instrument(known)
        if found is None:
            continue
        assert shape(shown) == shape(found)
        for group in ("priceFilter", "lotSizeFilter"):
            for name, text in found[group].items():
                assert decimals(shown[group][name]) == decimals(text), (known.symbol, name)


def test_the_best_level_has_the_recorded_shape(make_venue: Callable[..., Venue]) -> None:
    """Of 2025-06: recorded as text, a receive time before each frame."""
    path = FOLDER.parent / "bybit-v5-fixtures" / "cryptofeed_2025-06-13_linear_orderbook1.txt"
    lines = [
        line.partition(": ")[2] for line in path.read_text().splitlines() if '"topic":"orderbook.1.' in line
    ]
    messages = [json.loads(line) for line in lines if line.startswith('{"topic"')]
    venue = make_venue(symbols=SYMBOLS)
    client = PublicClient(venue.feed, "sim-1")
    client.take(b'{"op":"subscribe","args":["orderbook.1.BTCUSDT"]}', venue.now)
    raws = [
        raw for n in range(1, 800) for raw in client.push(venue.advance(venue.source.start + n * 10_000_000))
    ]
    mine = [json.loads(raw) for raw in raws]
    assert {json.dumps(shape(m)) for m in mine} == {json.dumps(shape(m)) for m in messages}
    for found in (messages, mine):
        by_symbol: dict[str, list[dict[str, Any]]] = {}
        for message in found:
            by_symbol.setdefault(message["topic"], []).append(message)
        for reported in by_symbol.values():
            for n, (a, b) in enumerate(itertools.pairwise(reported)):
                same = (a["data"]["b"], a["data"]["a"]) == (b["data"]["b"], b["data"]["a"])
                assert b["data"]["u"] - a["data"]["u"] == (0 if same else 1)
                assert b["ts"] - a["ts"] >= (
                    3_000 if same and n else 0
                )  # the first one answers the subscription
                assert b["data"]["seq"] > a["data"]["seq"]
