"""Keys: signatures and time window, permissions, expiry, addresses, symbols."""

from __future__ import annotations

import json
from typing import Any

import pytest

from turbo_trader.exchange.protocol.signing import BARRED, Key

Face = Any  # conftest.Face
MS = 1_000_000


@pytest.mark.parametrize(
    ("offset_ms", "code"), [(0, 0), (-5_000, 0), (-5_001, 10002), (999, 0), (1_000, 10002)]
)
def test_the_time_window_has_both_bounds(face: Face, offset_ms: int, code: int) -> None:
    answer = face.ask("GET", "/v5/account/info", stamp_ms=face.now // MS + offset_ms)
    assert answer["retCode"] == code


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"read_only": True}, "/v5/order/create", 10005),
        ({"permissions": {"ContractTrade": ("Position",)}}, "/v5/order/create", 10005),
        ({"permissions": {"ContractTrade": ("Order",)}}, "/v5/position/set-leverage", 10005),
        ({"permissions": {}}, "/v5/position/trading-stop", 10005),
        ({"expires_ms": 1}, "/v5/order/create", 33004),
        ({"addresses": ("10.0.0.1",)}, "/v5/order/create", 10010),
    ],
)
def test_a_key_may_do_what_it_was_given_alone(
    face: Face, change: dict[str, Any], path: str, code: int
) -> None:
    face.keys["k"] = Key(key="k", secret="s", uid="1", **change)
    assert face.ask("POST", path, category="linear", symbol="BTCUSDT")["retCode"] == code


@pytest.mark.parametrize("code", BARRED)
def test_a_barred_key_is_reported_why_whatever_it_asks(face: Face, code: int) -> None:
    face.keys["k"] = Key(key="k", secret="s", uid="1", barred=code)
    assert face.ask("GET", "/v5/account/info")["retCode"] == code
    assert face.limit_order("none")["retCode"] == code


def test_a_key_trades_the_symbols_of_its_list_alone(face: Face) -> None:
    face.keys["k"] = Key(key="k", secret="s", uid="1", symbols=("ETHUSDT",))
    assert face.limit_order("none")["retCode"] == 10029
    item = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01"}
    batch = face.ask("POST", "/v5/order/create-batch", category="linear", request=[item])
    assert batch["retCode"] == 10029
    assert face.ask("GET", "/v5/position/list", category="linear", symbol="BTCUSDT")["retCode"] == 0
    order = {"side": "Buy", "orderType": "Market", "qty": "0.01"}
    assert face.ask("POST", "/v5/order/create", category="linear", symbol="ETHUSDT", **order)["retCode"] == 0


def test_a_read_only_key_reads_and_says_so(face: Face) -> None:
    face.keys["k"] = Key(
        key="k",
        secret="s",
        uid="1",
        read_only=True,
        permissions={"Wallet": ("Withdraw",)},
        addresses=("127.0.0.1",),
    )
    info = face.ask("GET", "/v5/user/query-api")["result"]
    assert (info["readOnly"], info["permissions"]["Wallet"], info["ips"]) == (1, ["Withdraw"], ["127.0.0.1"])
    assert face.ask("GET", "/v5/account/info")["retCode"] == 0


def test_a_key_reports_when_it_expires(face: Face) -> None:
    face.keys["k"] = Key(key="k", secret="s", uid="1", expires_ms=face.now // MS + 7 * 86_400_000)
    info = face.ask("GET", "/v5/user/query-api")["result"]
    assert (info["deadlineDay"], info["expiredAt"]) == (7, "2026-01-12T09:00:02Z")


@pytest.mark.parametrize("header", ["x-bapi-api-key", "x-bapi-timestamp", "x-bapi-sign"])
def test_a_missing_header_is_named(face: Face, header: str) -> None:
    headers = {"x-bapi-api-key": "k", "x-bapi-timestamp": "1", "x-bapi-sign": "a"}
    headers.pop(header)
    answer = json.loads(face.raw("GET", "/v5/account/info", **headers).body)
    assert answer["retCode"] == 10001
    assert "openapi sign params error" in answer["retMsg"]


def test_an_unknown_key_and_a_get_with_a_body(face: Face) -> None:
    headers = {"x-bapi-api-key": "other", "x-bapi-timestamp": "1", "x-bapi-sign": "a"}
    assert json.loads(face.raw("GET", "/v5/account/info", **headers).body)["retCode"] == 10003
    assert face.raw("GET", "/v5/account/info", body=b"{}", **headers).status == 403


@pytest.mark.parametrize(("age_ms", "code"), [(5_000, 0), (5_001, 10002)])
def test_the_window_is_five_seconds_where_none_is_sent(face: Face, age_ms: int, code: int) -> None:
    stamp = str(face.now // MS - age_ms)
    headers = {
        "x-bapi-api-key": "k",
        "x-bapi-timestamp": stamp,
        "x-bapi-sign": face.key.sign(f"{stamp}k".encode()),
    }
    assert json.loads(face.raw("GET", "/v5/account/info", **headers).body)["retCode"] == code
