import re
from pathlib import Path

import pytest

from turbo_trader.bybit.venue_errors import (
    BANNED,
    CODES,
    FENCED,
    NO_ANSWER,
    NO_JOURNAL,
    NOT_SENT,
    Action,
    Kind,
    classify,
    classify_http,
)
from turbo_trader.trader.events import Outcome

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT.parent / "shared" / "bybit-v5.md"
OURS = {
    NO_ANSWER: "no answer",
    NOT_SENT: "never left",
    NO_JOURNAL: "no journal",
    BANNED: "banned",
    FENCED: "no lease",
}


def test_every_code_of_the_reference_has_a_row() -> None:
    if not REFERENCE.exists():
        pytest.skip("needs ../shared/bybit-v5.md")
    chapter = REFERENCE.read_text().split("## 5. Error codes")[1].split("## 6.")[0]
    missing = []
    for line in chapter.splitlines():
        cell = line.split("|")[1] if line.startswith("|") else ""
        for first, last in re.findall(
            r"(\d{3,})(?:-(\d{3,}))?", cell.replace("HTTP 5", "").replace("HTTP 4", "")
        ):
            codes = range(int(first), int(last or first) + 1)
            known = any(code in CODES for code in codes) if last else int(first) in CODES
            if not known and not line.startswith(("| HTTP", "| 170")):
                missing.append(first)
    assert missing == []


def test_the_documented_table_is_the_one_in_force() -> None:
    table = (ROOT / "docs" / "reliability.md").read_text().split("| code | meaning |")[1].split("\n\n")[0]
    reported: dict[str, tuple[str, str, str]] = {}
    for line in table.splitlines()[2:]:
        codes, meaning, outcome, action = (cell.strip() for cell in line.strip("|").split("|"))
        reported |= dict.fromkeys(codes.split(", "), (meaning, outcome, action))
    in_force = {
        OURS.get(code, str(code)): (verdict.meaning, verdict.outcome.value, verdict.action.value)
        for code, verdict in CODES.items()
    }
    assert reported == in_force


@pytest.mark.parametrize("code", [110043, 110025, 110026, 34040])
def test_s15_not_modified_is_success(code: int) -> None:
    assert classify(code).outcome is Outcome.CONFIRMED


@pytest.mark.parametrize("code", [10000, 10014, 10016, 429, 20006, 110072, NO_ANSWER, 987654])
def test_s10_what_may_have_arrived_is_unknown_and_read_before_anything_else(code: int) -> None:
    assert classify(code).outcome is Outcome.UNKNOWN
    assert classify(code).action is Action.RECONCILE


def test_a_cancel_of_an_order_that_is_gone_is_benign_and_read() -> None:
    assert classify(110001, cancel=True).outcome is Outcome.CONFIRMED
    assert classify(110001, cancel=True).action is Action.RECONCILE
    assert classify(110001).outcome is Outcome.REJECTED


def test_s14_nothing_to_reduce_is_refused_and_read() -> None:
    assert classify(110017).action is Action.RECONCILE


@pytest.mark.parametrize("code", [10003, 10004, 10005, 10010, 33004])
def test_s30_key_trouble_halts(code: int) -> None:
    assert classify(code).kind is Kind.FATAL
    assert classify(code).action is Action.HALT


def test_http_statuses() -> None:
    assert classify_http(403).action is Action.BAN
    assert classify_http(401).action is Action.HALT
    assert classify_http(404).kind is Kind.FATAL
    for status in (429, 500, 502, 503, 200):
        assert classify_http(status).outcome is Outcome.UNKNOWN
