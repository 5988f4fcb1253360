"""A client passes where its books are the exchange's, it traded, and nothing was refused that was not part of its play."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from clients.verdict import Books, Verdict, differences, of_client, of_exchange, refusals

HELD = Books(positions={"BTCUSDT": Decimal("0.02")}, balance=Decimal("99.5"), orders=frozenset({"a"}))


def test_equal_books_differ_in_nothing() -> None:
    belief = {"positions": {"BTCUSDT": 0.02, "ETHUSDT": 0}, "balance": "99.5000001", "orders": ["a"]}
    assert differences(HELD, of_client(belief)) == ()


@pytest.mark.parametrize(
    ("belief", "said"),
    [
        (replace(HELD, positions={}), "position of BTCUSDT: exchange 0.02, client 0"),
        (replace(HELD, positions={"BTCUSDT": Decimal("-0.02")}), "position of BTCUSDT: exchange 0.02, client -0.02"),
        (replace(HELD, balance=Decimal("99.6")), "balance: exchange 99.5, client 99.6"),
        (replace(HELD, orders=frozenset()), "order a: open at the exchange, unknown to the client"),
        (replace(HELD, orders=frozenset("ab")), "order b: open for the client, not at the exchange"),
    ],
)  # fmt: skip
def test_each_difference_is_a_line(belief: Books, said: str) -> None:
    assert differences(HELD, belief) == (said,)


@pytest.mark.parametrize("belief", [{}, {"positions": [], "balance": "1", "orders": []},
                                    {"positions": {"X": "?"}, "balance": "1", "orders": []}])  # fmt: skip
def test_books_that_a_driver_did_not_print_are_an_error(belief: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="printed no books"):
        of_client(belief)


def test_the_exchange_adds_both_sides_of_hedge_mode() -> None:
    rows = [
        {"symbol": "BTCUSDT", "positionIdx": 1, "size": "0.3"},
        {"symbol": "BTCUSDT", "positionIdx": 2, "size": "-0.3"},
    ]
    account = {"positions": rows, "balance": "5", "orders": [{"orderId": "x"}], "created": 3, "trades": 2}
    assert of_exchange(account) == Books(
        positions={}, balance=Decimal(5), orders=frozenset({"x"}), created=3, trades=2
    )


def request(answer: Any, status: int = 200) -> dict[str, Any]:
    return {
        "kind": "request",
        "asked": {"method": "POST", "path": "/v5/x"},
        "status": status,
        "answer": answer,
    }


def test_refusals_are_counted_but_for_the_expected_codes() -> None:
    refused = request({"retCode": 110007, "retMsg": "no money"})
    batch = request(
        {"retCode": 0, "retExtInfo": {"list": [{"code": 0, "msg": "OK"}, {"code": 110094, "msg": "small"}]}}
    )
    socket = {
        "kind": "operation",
        "asked": {"op": "order.create"},
        "answers": [{"retCode": 10404, "retMsg": "?"}],
    }
    topic = {
        "kind": "operation",
        "asked": {"op": "subscribe"},
        "answers": [{"success": False, "ret_msg": "topic"}],
    }
    fine = [request({"retCode": 0}), request({"retCode": 110043}), {"kind": "message", "sent": {}}]
    assert refusals([refused, refused, batch, socket, topic, request("gone", 404), *fine], frozenset({110043})) == (
        "POST /v5/x: 110007 no money (2x)", "POST /v5/x: 110094 small (1x)", "stream order.create: 10404 ? (1x)",
        "stream subscribe: -1 topic (1x)", "POST /v5/x: 404 gone (1x)",
    )  # fmt: skip


def test_only_a_play_with_trades_equal_books_and_no_error_has_passed() -> None:
    good = Verdict(version="1", trades=2, orders=3, seconds=1.23)
    assert good.as_json() == {
        "version": "1", "passed": True, "trades": 2, "orders": 3, "errors": [], "books_equal": True, "seconds": 1.2,
    }  # fmt: skip
    for worse in ({"trades": 0}, {"errors": ("x",)}, {"differences": ("y",)}, {"played": False}):
        assert not replace(good, **worse).passed
    assert replace(good, differences=("y",)).as_json()["errors"] == ["y"]
