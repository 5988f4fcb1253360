"""What bots ask at their start and of which there is nothing here; and what there is no route for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from turbo_trader.exchange.protocol.routes_empty import LISTS, PUBLIC

Face = Any  # conftest.Face


@pytest.mark.parametrize("route", LISTS)
def test_reads_of_what_is_not_simulated_have_an_empty_list(face: Face, route: str) -> None:
    answer = face.ask("GET", f"/v5/{route}", category="linear", coin="USDT")
    assert answer["retCode"] == 0
    name, pages = LISTS[route]
    assert answer["result"][name] == []
    assert answer["result"].get("nextPageCursor", None) == ("" if pages else None)


@pytest.mark.parametrize("route", PUBLIC)
def test_public_reads_of_what_is_not_simulated_are_empty_without_a_key(face: Face, route: str) -> None:
    answer = json.loads(face.raw("GET", f"/v5/{route}", b"category=linear&locale=en-US").body)
    assert (answer["retCode"], answer["result"]["list"]) == (0, [])


def test_balances_to_be_moved_are_none(face: Face) -> None:
    asked = {"accountType": "UNIFIED", "coin": "USDT"}
    many = face.ask("GET", "/v5/asset/transfer/query-account-coins-balance", **asked)
    assert many["result"] == {"memberId": "1", "accountType": "UNIFIED", "balance": []}
    one = face.ask("GET", "/v5/asset/transfer/query-account-coin-balance", **asked)["result"]["balance"]
    assert (one["coin"], one["walletBalance"], one["transferBalance"]) == ("USDT", "0", "0")
    assert face.ask("GET", "/v5/asset/transfer/query-account-coins-balance")["retCode"] == 10001


def test_ratios_of_long_and_short_are_an_empty_list(face: Face) -> None:
    query = b"category=linear&symbol=BTCUSDT&period=1h"
    answer = json.loads(face.raw("GET", "/v5/market/account-ratio", query).body)
    assert answer["result"] == {"list": [], "nextPageCursor": ""}
    wrong = b"category=linear&symbol=BTCUSDT&period=7h"
    assert json.loads(face.raw("GET", "/v5/market/account-ratio", wrong).body)["retCode"] == 10001


@pytest.mark.parametrize("path", ["/v5/nothing", "/v5/market/nothing", "/v2/public/time", "/", "/v5/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_route_is_404_and_json(face: Face, method: str, path: str) -> None:
    reply = face.raw(method, path)
    assert reply.status == 404
    assert reply.headers["Content-Type"].startswith("application/json")
    answer = json.loads(reply.body)
    assert (answer["retCode"], answer["result"], answer["retExtInfo"]) == (10017, {}, {})
