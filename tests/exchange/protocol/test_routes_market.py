"""Routes of the market: risk limits, candles, funding."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

Face = Any  # conftest.Face
MS = 1_000_000
SECOND = 1_000 * MS
MINUTE = 60 * SECOND


def test_nothing_of_the_insurance_fund_is_reported_and_no_risk_limit_waits(face: Face) -> None:
    answer = json.loads(face.raw("GET", "/v5/market/adlAlert", b"symbol=BTCUSDT").body)["result"]
    assert (int(answer["updatedTime"]) % 60_000, answer["list"]) == (0, [])
    assert json.loads(face.raw("GET", "/v5/market/adlAlert", b"symbol=FOO").body)["retCode"] == 10001
    path = "/v5/position/confirm-pending-mmr"
    assert face.ask("POST", path, category="linear", symbol="BTCUSDT")["retCode"] == 0
    assert face.ask("POST", path, category="linear", symbol="FOO")["retCode"] == 10001


def test_risk_limits_come_15_symbols_a_page(face: Face) -> None:
    first = json.loads(face.raw("GET", "/v5/market/risk-limit", b"category=linear").body)["result"]
    assert len({row["symbol"] for row in first["list"]}) == 15
    cursor = first["nextPageCursor"].encode()
    rest = json.loads(face.raw("GET", "/v5/market/risk-limit", b"category=linear&cursor=" + cursor).body)[
        "result"
    ]
    assert len({row["symbol"] for row in rest["list"]}) == 2
    assert rest["nextPageCursor"] == ""


@pytest.mark.parametrize(
    "interval", ["1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D", "W", "M"]
)
@pytest.mark.parametrize(
    "kind", ["kline", "mark-price-kline", "index-price-kline", "premium-index-price-kline"]
)
def test_candles_come_newest_first_in_strings(face: Face, interval: str, kind: str) -> None:
    query = f"category=linear&symbol=BTCUSDT&interval={interval}&limit=20".encode()
    rows = json.loads(face.raw("GET", f"/v5/market/{kind}", query).body)["result"]["list"]
    assert rows
    assert all(len(row) == (7 if kind == "kline" else 5) for row in rows)
    assert all(isinstance(figure, str) for row in rows for figure in row)
    times = [int(row[0]) for row in rows]
    assert times == sorted(set(times), reverse=True)
    for _, opened, high, low, close, *_ in rows:
        assert (
            Decimal(low)
            <= min(Decimal(opened), Decimal(close))
            <= max(Decimal(opened), Decimal(close))
            <= Decimal(high)
        )


def test_funding_history_grows_with_each_settlement(face: Face) -> None:
    face.data.note(face.now)
    face.now += 8 * 3_600 * SECOND
    face.data.note(face.now)
    query = b"category=linear&symbol=BTCUSDT"
    rows = json.loads(face.raw("GET", "/v5/market/funding/history", query).body)["result"]["list"]
    assert [row["fundingRateTimestamp"] for row in rows] == ["1767628800000"]
    alone = json.loads(face.raw("GET", "/v5/market/funding/history", query + b"&startTime=1").body)
    assert alone["retCode"] == 10001


def test_open_interest_is_noted_every_five_minutes(face: Face) -> None:
    began = face.now // MINUTE * MINUTE
    for minutes in (0, 4, 6, 31):
        face.data.note(began + minutes * MINUTE)
    face.now = began + 31 * MINUTE

    def stamps(interval: str, **more: Any) -> list[int]:
        asked = {"category": "linear", "symbol": "BTCUSDT", "intervalTime": interval, **more}
        answer = face.ask("GET", "/v5/market/open-interest", **asked)["result"]["list"]
        assert all(row["openInterest"] == row["singleOpenInterest"] == "0.000" for row in answer)
        return [(int(row["timestamp"]) * MS - began) // MINUTE for row in answer]

    assert stamps("5min") == [30, 5, 0]
    assert stamps("15min") == [30, 0]
    assert stamps("1h") == [0]
    assert stamps("5min", limit=1) == [30]
    assert stamps("5min", endTime=(began + 20 * MINUTE) // MS) == [5, 0]
    asked = {"category": "linear", "symbol": "BTCUSDT", "intervalTime": "1"}
    assert face.ask("GET", "/v5/market/open-interest", **asked)["retCode"] == 10001
