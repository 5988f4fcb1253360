"""Key and account by fabricated facts: each way they can be wrong is named, with its fix, at its level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.venue_errors import classify
from turbo_trader.live.account import DAY, AccountFacts, account_checks, expiry, hedged
from turbo_trader.live.checks import Check, Level, worst
from turbo_trader.rules.policy import Policy

NOW = 1_770_000_000 * 10**9
POLICY = Policy()
INFO: dict[str, Any] = {
    "readOnly": 0, "permissions": {"ContractTrade": ["Order", "Position"], "Wallet": []}, "ips": ["10.0.0.1"],
    "expiredAt": "2030-01-01T00:00:00Z",
}  # fmt: skip


def said(result: Mapping[str, Any] | None = None, code: int = 0, message: str = "") -> Answer:
    return Answer(classify(code), code, message, 0, result or {})


def account(**changed: Any) -> AccountFacts:
    one_way = said({"list": [{"symbol": "BTCUSDT", "size": "0", "positionIdx": 0}]})
    info = said({"marginMode": "ISOLATED_MARGIN", "unifiedMarginStatus": 5})
    return replace(AccountFacts("https://api", NOW, said(INFO), info, {"BTCUSDT": one_way}), **changed)


def key(**changed: Any) -> AccountFacts:
    return account(key=said({**INFO, **changed}))


def ends_in(days: float) -> str:
    return datetime.fromtimestamp((NOW + days * DAY) / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def found(checks: list[Check], name: str) -> Check:
    (one,) = [check for check in checks if check.name == name]
    return one


def test_a_good_account_passes_every_line() -> None:
    checks = account_checks(account(), POLICY)
    assert [check.level for check in checks] == [Level.PASS] * len(checks)
    assert {"key", "permissions", "expiry", "address", "account", "margin mode", "position mode"} == {
        check.name for check in checks
    }


def test_a_key_that_may_withdraw_is_refused() -> None:
    rights = {**INFO["permissions"], "Wallet": ["AccountTransfer", "Withdraw"]}
    checks = account_checks(key(permissions=rights), POLICY)
    assert found(checks, "permissions").level is worst(checks) is Level.REFUSE
    assert "withdraw" in str(found(checks, "permissions"))


@pytest.mark.parametrize(
    ("changed", "name", "level", "phrase"),
    [
        ({"readOnly": 1}, "permissions", Level.FAIL, "only read"),
        ({"permissions": {"ContractTrade": ["Order"]}}, "permissions", Level.FAIL, "Position"),
        ({"permissions": {}}, "permissions", Level.FAIL, "Order, Position"),
        ({"permissions": {"ContractTrade": ["Order", "Position"], "Wallet": ["Move"]}}, "permissions", Level.WARN, "Move"),
        ({"ips": ["*"]}, "address", Level.WARN, "no address"),
        ({"ips": []}, "address", Level.WARN, "no address"),
        ({"expiredAt": ends_in(-1)}, "expiry", Level.FAIL, "has expired"),
        ({"expiredAt": ends_in(0.5)}, "expiry", Level.WARN, "no new entries"),
        ({"expiredAt": ends_in(13)}, "expiry", Level.WARN, "13.0 days"),
        ({"expiredAt": ends_in(15)}, "expiry", Level.PASS, "15.0 days"),
        ({"expiredAt": ends_in(26_658.6)}, "expiry", Level.PASS, "73 years"),
        ({"expiredAt": ""}, "expiry", Level.PASS, "no end"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_key_is_named(
    changed: dict[str, Any], name: str, level: Level, phrase: str
) -> None:
    check = found(account_checks(key(**changed), POLICY), name)
    assert check.level is level
    assert phrase in check.found
    assert bool(check.fix) == (level is not Level.PASS)


@pytest.mark.parametrize(
    ("code", "phrase"),
    [
        (10003, "another environment"), (10004, "BYBIT_API_SECRET"), (10010, "not bound"), (33004, "expired"),
        (10024, "region"), (10005, "permission"), (10002, "NTP"), (-1, "network"),
    ],
)  # fmt: skip
def test_a_refused_key_fails_with_its_reason_and_a_fix(code: int, phrase: str) -> None:
    check = found(account_checks(account(key=said(code=code, message="no")), POLICY), "key")
    assert check.level is Level.FAIL
    assert phrase in str(check)
    assert check.fix


def test_hedge_mode_is_refused_also_with_nothing_open() -> None:
    rows = [{"positionIdx": 1, "size": "0"}, {"positionIdx": 2, "size": "0"}]
    facts = account(
        positions={"BTCUSDT": said({"list": [{"positionIdx": 0}]}), "ETHUSDT": said({"list": rows})}
    )
    assert hedged(facts.positions) == ["ETHUSDT"]
    check = found(account_checks(facts, POLICY), "position mode")
    assert check.level is Level.REFUSE
    assert "one-way" in check.fix


@pytest.mark.parametrize(("size", "level"), [("0", Level.WARN), ("0.1", Level.FAIL)])
def test_cross_margin_can_only_be_changed_while_flat(size: str, level: Level) -> None:
    facts = account(
        account=said({"marginMode": "REGULAR_MARGIN", "unifiedMarginStatus": 5}),
        positions={"BTCUSDT": said({"list": [{"positionIdx": 0, "size": size}]})},
    )
    assert found(account_checks(facts, POLICY), "margin mode").level is level


def test_a_classic_account_fails() -> None:
    checks = account_checks(account(account=said({"unifiedMarginStatus": 1})), POLICY)
    assert found(checks, "account").level is Level.FAIL


def test_expiry_reads_what_the_venue_writes() -> None:
    assert expiry(said({"expiredAt": "2026-02-02T02:40:00Z"})) == 1_770_000_000 * 10**9
    assert expiry(said({"expiredAt": "2026-02-02T02:40:00"})) == 1_770_000_000 * 10**9
    assert expiry(said({})) is expiry(said({"expiredAt": "never"})) is None


@pytest.mark.parametrize("odd", [5, True, "x", [], {}, [5], {"Wallet": 5}, None])
def test_an_odd_answer_about_the_key_is_judged_and_grants_nothing(odd: Any) -> None:
    checks = account_checks(key(permissions=odd, ips=odd, readOnly=odd, expiredAt=odd), POLICY)
    assert found(checks, "permissions").level is Level.FAIL


@pytest.mark.parametrize("wallet", ["Withdraw", {"Withdraw": True}, [["Withdraw"]], ["a", None, "withdraw"]])
def test_a_right_to_withdraw_is_seen_however_it_is_written(wallet: Any) -> None:
    rights = {**INFO["permissions"], "Wallet": wallet}
    assert found(account_checks(key(permissions=rights), POLICY), "permissions").level is Level.REFUSE
