"""Odd and future rows in messages and answers: valid where they should be, read as the daemon reads them."""

from __future__ import annotations

import json

import pytest

from turbo_trader.bybit import decode
from turbo_trader.bybit.schemas import OddRow, Unreadable
from turbo_trader.market.rows import SECOND
from turbo_trader.simulation.tampering import future, odd

FRAME = (
    b'{"topic":"position","creationTime":1700000000000,"data":[{"symbol":"AAAUSDT","side":"Buy","size":"1",'
    b'"updatedTime":"1700000000000","seq":1}]}'
)
LIST = (
    b'{"retCode":0,"result":{"list":[{"symbol":"AAAUSDT","qty":"1","cumExecQty":"0"}]},"time":1700000000000}'
)


def test_a_future_message_is_dated_later_in_every_row() -> None:
    body = json.loads(future(FRAME, 5 * SECOND))
    assert body["creationTime"] == 1700000005000
    assert body["data"][0]["updatedTime"] == "1700000005000"


@pytest.mark.parametrize("choice", [0, 1, 2, 3])
def test_an_odd_message_is_read_as_one(choice: int) -> None:
    found: list[OddRow] = []
    changed = odd(FRAME, lambda count: choice % count)
    try:
        reports = decode.private(decode.frame(changed), 0, found.append)
    except Unreadable:
        reports = []
        found.append(OddRow("", "", "cut"))
    assert len(found) == 1
    assert not reports


def test_an_odd_answer_has_another_figure_or_ends_early() -> None:
    assert json.loads(odd(LIST, lambda count: count - 1)) != json.loads(LIST)
    assert odd(LIST, lambda _: 0) == LIST[: len(LIST) // 2]


def test_an_answer_without_rows_stays_as_it_is() -> None:
    answer = b'{"retCode":0,"result":{"orderId":"1"},"time":1}'
    assert odd(answer, lambda _: 1) == answer
