"""Disconnect protection: who is gone for the window loses the resting orders, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SECOND = 1_000_000_000


def window(face: Any, **params: Any) -> dict[str, Any]:
    return dict(face.ask("POST", "/v5/order/disconnected-cancel-all", **params))


def open_orders(face: Any) -> list[str]:
    answer = face.ask("GET", "/v5/order/realtime", category="linear", symbol="BTCUSDT")
    return [row["orderLinkId"] or row["stopOrderType"] for row in answer["result"]["list"]]


def begin(face: Any) -> None:
    """A position with a stop, a conditional order and a resting one."""
    face.ask("POST", "/v5/order/create", category="linear", symbol="BTCUSDT", side="Buy", orderType="Market", qty="0.01",
             stopLoss="50000")  # fmt: skip
    face.limit_order("waiting", orderType="Market", triggerPrice="50000", triggerDirection=2)
    face.limit_order("resting")


def test_resting_orders_end_once_the_account_was_gone_for_its_window(face: Any) -> None:
    begin(face)
    protection = face.rest.signed.protection
    assert window(face, product="DERIVATIVES", timeWindow=10) == {"retCode": 0, "retMsg": "success"}
    protection.look(face.now, ())
    protection.look(face.now + 60 * SECOND, ())
    assert "resting" in open_orders(face)  # never armed: no stream was protected yet
    protection.look(face.now, {"1"})
    protection.look(face.now + 9 * SECOND, ())
    protection.look(face.now + 9 * SECOND, {"1"})  # back in time
    protection.look(face.now + 18 * SECOND, ())
    assert "resting" in open_orders(face)
    protection.look(face.now + 19 * SECOND, ())
    assert open_orders(face) == ["waiting", "StopLoss"]
    ended = face.exchange.accounts["1"].find("BTCUSDT", "", "resting")
    assert (ended.status, ended.cancel_type) == ("Cancelled", "CancelByDCP")
    assert face.exchange.accounts["1"].order_margin == 0
    face.limit_order("later")
    protection.look(face.now + 60 * SECOND, ())
    assert "later" in open_orders(face)  # it fires once for each time away


@pytest.mark.parametrize(
    "params", [{}, {"product": "DERIVATIVES", "timeWindow": 2}, {"product": "DERIVATIVES", "timeWindow": 301},
               {"product": "FUTURES", "timeWindow": 10}, {"product": "DERIVATIVES", "timeWindow": "x"}],
)  # fmt: skip
def test_a_window_has_a_product_and_bounds(face: Any, params: dict[str, Any]) -> None:
    assert window(face, **params)["retCode"] == 10001


def test_the_window_is_reported_and_its_product_is_options_unless_said(face: Any) -> None:
    def info() -> Any:
        return face.ask("GET", "/v5/account/query-dcp-info")["result"]["dcpInfos"]

    assert info() == []
    window(face, timeWindow=40)
    window(face, product="DERIVATIVES", timeWindow=10)
    assert info() == [
        {"product": "OPTIONS", "dcpStatus": "ON", "timeWindow": "40"},
        {"product": "DERIVATIVES", "dcpStatus": "ON", "timeWindow": "10"},
    ]


def test_a_window_of_options_protects_nothing_here(face: Any) -> None:
    begin(face)
    window(face, timeWindow=3)
    face.rest.signed.protection.look(face.now, {"1"})
    face.rest.signed.protection.look(face.now + 60 * SECOND, ())
    assert "resting" in open_orders(face)


def test_demo_accounts_have_none(make_face: Callable[..., Any]) -> None:
    answer = window(make_face(demo=True), product="DERIVATIVES", timeWindow=10)
    assert (answer["retCode"], answer["retMsg"]) == (10001, "Demo trading are not supported.")
