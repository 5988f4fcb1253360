"""What the trade socket is sent and how its answers are judged."""

import json
from decimal import Decimal

import pytest
from tests.sent_orders import close, entry

from turbo_trader.bybit import trade_socket
from turbo_trader.bybit.command_calls import Call, call
from turbo_trader.bybit.venue_errors import CODES, NO_ANSWER, Action, classify
from turbo_trader.trader.commands import CancelOrder, PlaceOrder, SetLeverage, SetStops
from turbo_trader.trader.events import Outcome

ENTRY = entry(recv_window_ms=1_000)
CLOSE = close()
CANCEL = CancelOrder("c1", "BTCUSDT", "e1")


def test_entries_and_cancels_go_over_it_closes_stops_leverage_and_reads_do_not() -> None:
    taken = [call(ENTRY), call(CANCEL), Call("amend_order", "amend", {"orderLinkId": "e1"})]
    left = [
        call(CLOSE),
        call(SetStops("s", "BTCUSDT", Decimal(1), None)),
        call(SetLeverage("l", "BTCUSDT", Decimal(2))),
        Call("get_open_orders", "realtime", {}),
    ]
    assert [trade_socket.takes(each) for each in (*taken, *left)] == [True] * 3 + [False] * 4


def test_a_request_carries_stamp_window_and_the_parameters_of_rest() -> None:
    message = json.loads(trade_socket.request(call(ENTRY), "id-1", 1_700_000_000_123))
    assert message == {
        "reqId": "id-1",
        "header": {"X-BAPI-TIMESTAMP": "1700000000123", "X-BAPI-RECV-WINDOW": "1000"},
        "op": "order.create",
        "args": [call(ENTRY).params],
    }
    none = Call("cancel_order", "cancel", {"symbol": "BTCUSDT", "orderId": None})
    assert json.loads(trade_socket.request(none, "i", 1))["args"] == [{"symbol": "BTCUSDT"}]


@pytest.mark.parametrize("code", [0, *(code for code in CODES if code > 0), 424_242])
@pytest.mark.parametrize("command", [ENTRY, CANCEL])
def test_an_answer_is_classified_by_the_table_of_rest(code: int, command: PlaceOrder | CancelOrder) -> None:
    answer = trade_socket.answer(call(command), {"retCode": code, "retMsg": "said"}, 7)
    assert answer.verdict == classify(code, cancel=command is CANCEL)
    assert (answer.code, answer.sent, answer.message) == (code, 7, "said" if code else "")


@pytest.mark.parametrize("message", [{}, {"retCode": None}, {"retCode": "0"}, {"retCode": True}])
def test_an_answer_that_says_nothing_leaves_the_order_unknown(message: dict[str, object]) -> None:
    answer = trade_socket.answer(call(ENTRY), message, 0)
    assert (answer.code, answer.verdict.outcome) == (NO_ANSWER, Outcome.UNKNOWN)
    assert answer.verdict.action is Action.RECONCILE


def test_limits_are_read_however_they_are_spelled() -> None:
    header = {"x-bapi-limit-status": 3, "X-BAPI-LIMIT": "10", "Timenow": "1700000000123"}
    answer = trade_socket.answer(call(ENTRY), {"retCode": 0, "data": {"orderId": "o"}, "header": header}, 0)
    assert (answer.headers["X-Bapi-Limit-Status"], answer.headers["X-Bapi-Limit"]) == ("3", "10")
    assert (answer.time_ms, answer.result) == (1_700_000_000_123, {"orderId": "o"})


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b"7", b'{"op":"pong"}', b"\xff"])
def test_frames_that_answer_nothing_have_no_id(raw: bytes) -> None:
    assert trade_socket.read(raw)[0] == ""
