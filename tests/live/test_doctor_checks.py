"""Venue and machine by fabricated facts: each thing that can be wrong is named, with its fix, at its level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.venue_errors import classify, classify_http
from turbo_trader.live.account import DAY
from turbo_trader.live.checks import Check, Level, worst
from turbo_trader.live.doctor_checks import (
    MachineFacts,
    VenueFacts,
    machine_checks,
    maintenance,
    venue_checks,
)
from turbo_trader.market.reference import universe
from turbo_trader.rules.policy import Policy

NOW = 1_770_000_000 * 10**9
POLICY = Policy()


def said(result: Mapping[str, Any] | None = None, code: int = 0, message: str = "") -> Answer:
    return Answer(classify(code), code, message, 0, result or {})


def found(checks: list[Check], name: str) -> Check:
    (one,) = [check for check in checks if check.name == name]
    return one


def venue(**changed: Any) -> VenueFacts:
    instruments = universe()[:3]
    prices = {"BTCUSDT": Decimal(80_000), "ETHUSDT": Decimal(2_000), "SOLUSDT": Decimal(100)}
    facts = VenueFacts(
        where="https://api",
        now=NOW,
        time=said(),
        offset=3_000_000,
        status=said({"list": []}),
        instruments=instruments,
        missing=(),
        prices=prices,
        balance=Decimal(10_000),
    )
    return replace(facts, **changed)


def test_a_venue_in_order_passes() -> None:
    assert worst(venue_checks(venue(), POLICY)) is Level.PASS


@pytest.mark.parametrize(
    ("changed", "name", "level", "phrase"),
    [
        ({"offset": -600_000_000}, "clock", Level.WARN, "-600 ms"),
        ({"offset": 1_000_000_000}, "clock", Level.FAIL, "NTP"),
        ({"balance": Decimal(0)}, "balance", Level.FAIL, "transfer"),
        ({"balance": Decimal("0.3")}, "balance", Level.FAIL, "0 of 3"),
        ({"balance": Decimal(1)}, "balance", Level.WARN, "BTCUSDT: the smallest order needs 80.00 USDT"),
        ({"missing": ("symbol XUSDT: the venue does not know it",)}, "symbols", Level.FAIL, "XUSDT"),
        ({"instruments": (replace(universe()[0], status="Closed"),)}, "symbols", Level.WARN, "Closed"),
        ({"instruments": (replace(universe()[0], delivery_ns=NOW + DAY),)}, "symbols", Level.WARN, "delisted"),
        ({"time": said(code=-2)}, "venue", Level.FAIL, "no connection"),
        ({"time": said(code=10024)}, "venue", Level.FAIL, "region"),
        ({"time": Answer(classify_http(403), 403, "", 0)}, "venue", Level.FAIL, "region"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_venue_is_named(
    changed: dict[str, Any], name: str, level: Level, phrase: str
) -> None:
    check = found(venue_checks(venue(**changed), POLICY), name)
    assert (check.level, phrase in str(check)) == (level, True), check


def test_maintenance_is_the_next_one_of_futures_that_is_not_over() -> None:
    def item(state: str, begin: int, end: int, product: list[int]) -> dict[str, Any]:
        ms = NOW // 1_000_000
        return {
            "state": state,
            "begin": str(ms + begin),
            "end": str(ms + end) if end else "",
            "product": product,
        }

    rows = [
        item("completed", -5_000, 9_000, [1]), item("scheduled", 1_000, 2_000, [2]), item("canceled", 1_000, 2_000, [1]),
        item("ongoing", -9_000, -1_000, [1]), item("scheduled", 60_000, 90_000, [1, 2]), item("scheduled", 70_000, 0, []),
    ]  # fmt: skip
    answer = said({"list": rows})
    assert maintenance(answer, NOW) == (NOW + 60 * 10**9, NOW + 90 * 10**9)
    assert maintenance(said({"list": rows[-1:]}), NOW) == (NOW + 70 * 10**9, 0)
    assert maintenance(said({"list": rows[:4]}), NOW) is None
    assert found(venue_checks(venue(status=answer), POLICY), "maintenance").level is Level.WARN


@pytest.mark.parametrize(
    ("changed", "name", "level"),
    [
        ({}, "disk", Level.PASS),
        ({"free_bytes": 10**9}, "disk", Level.WARN),
        ({"free_bytes": 10**8}, "disk", Level.FAIL),
        ({"journal": None}, "journal", Level.PASS),
        ({"journal": "malformed"}, "journal", Level.FAIL),
        ({"owner": "17"}, "instance", Level.WARN),
        ({"proxies": ("HTTPS_PROXY", "ALL_PROXY")}, "proxy", Level.WARN),
    ],
)
def test_the_machine(changed: dict[str, Any], name: str, level: Level) -> None:
    facts = replace(MachineFacts("var", 10**10, "", ""), **changed)
    assert found(machine_checks(facts), name).level is level


def test_no_proxy_is_no_check() -> None:
    assert "proxy" not in {check.name for check in machine_checks(MachineFacts("var", 10**10, "", ""))}


@pytest.mark.parametrize("product", [1, True, "1", {"1": 2}, [[1]], [None, 1], None, [], ["1"]])
def test_a_notice_whose_products_are_odd_counts(product: Any) -> None:
    row = {"product": product, "begin": str(NOW // 10**6 + 1), "end": "", "state": 5}
    assert maintenance(said({"list": [None, 5, row]}), NOW) == (NOW + 10**6, 0)


@pytest.mark.parametrize("begin", ["-5", -1, "NaN", None, "", [], {}, "x", True])
def test_a_notice_without_a_beginning_is_none(begin: Any) -> None:
    assert maintenance(said({"list": [{"product": [1], "begin": begin, "end": ""}]}), NOW) is None


@pytest.mark.parametrize("begin", ["1e29", 10**30, "99999999999999999"])
def test_a_notice_beyond_all_time_is_shown(begin: Any) -> None:
    status = said({"list": [{"product": [1], "begin": begin, "end": begin}]})
    assert worst(venue_checks(venue(status=status), POLICY)) in (Level.WARN, Level.PASS)
