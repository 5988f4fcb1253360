"""Lists are read row by row; whatever a decoder raises is an unreadable frame."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.bybit import decode, trade_socket
from turbo_trader.bybit.answers import Answer, read_answer
from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.reads import Reader
from turbo_trader.bybit.schemas import OddRow, Unreadable, decimal, nanoseconds
from turbo_trader.bybit.venue_errors import NO_ANSWER, classify
from turbo_trader.trader.commands import Read
from turbo_trader.trader.events import Fill, OrderReport, Outcome, PositionReport, Source

NOW = 1_770_000_000_000_000_000
GOOD: dict[str, dict[str, Any]] = {
    "order": {"symbol": "BTCUSDT", "orderId": "o", "orderLinkId": "l", "side": "Buy", "qty": "1", "orderStatus": "New"},
    "execution": {"symbol": "BTCUSDT", "execId": "e", "side": "Buy", "execQty": "1", "execPrice": "2", "execFee": "0"},
    "position": {"symbol": "BTCUSDT", "side": "Buy", "size": "1", "entryPrice": "2", "positionStatus": "Normal"},
    "wallet": {"accountType": "UNIFIED", "coin": [{"coin": "USDT", "walletBalance": "1"}]},
}  # fmt: skip
JUNK: list[Any] = [
    None,
    "",
    "abc",
    "NaN",
    "Infinity",
    "1e30000000",
    10**400,
    True,
    [],
    {},
    {"x": 1},
    1.5,
    "1_0",
    "٣",
]
BYTES = [
    b"\xff",
    b"",
    b"[" * 50_000,
    b"1e400",
    b'{"topic":"order","data":' + b"[" * 50_000,
    b'{"topic":"order","data":{}}',
]


def message(topic: str, rows: list[Any]) -> bytes:
    return json.dumps({"data": rows, "creationTime": NOW // 10**6, "topic": topic}).encode()


@pytest.mark.parametrize("topic", GOOD)
@pytest.mark.parametrize("junk", JUNK)
def test_odd_field_costs_no_neighbour(topic: str, junk: Any) -> None:
    for name in GOOD[topic]:
        odd: list[OddRow] = []
        rows = [GOOD[topic], {**GOOD[topic], name: junk}, GOOD[topic]]
        found = decode.private(decode.frame(message(topic, rows)), NOW, odd.append)
        good = decode.private(decode.frame(message(topic, [GOOD[topic]])), NOW)
        assert [each for each in found if each == good[0]].__len__() >= 2
        assert len(found) + len(odd) >= 2


@pytest.mark.parametrize("row", [None, 1, "x", [], [GOOD["order"]]])
@pytest.mark.parametrize("topic", GOOD)
def test_row_that_is_no_object_is_skipped_and_counted(topic: str, row: Any) -> None:
    odd: list[OddRow] = []
    found = decode.private(decode.frame(message(topic, [row, GOOD[topic]])), NOW, odd.append)
    assert (len(found), len(odd)) == (1, 1)


def test_size_of_absurd_exponent_is_no_flat_position() -> None:
    odd: list[OddRow] = []
    rows = [{**GOOD["position"], "size": "1e30000000"}, {**GOOD["position"], "side": None}]
    assert decode.private(decode.frame(message("position", rows)), NOW, odd.append) == []
    assert [each.symbol for each in odd] == ["BTCUSDT", "BTCUSDT"]


@pytest.mark.parametrize("raw", BYTES)
def test_bytes_that_cannot_be_read_are_an_unreadable_frame(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        decode.private(decode.frame(raw), NOW)


@given(st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_random_bytes_raise_nothing_else(raw: bytes) -> None:
    with contextlib.suppress(Unreadable):
        decode.private(decode.frame(raw), NOW)
    trade_socket.answer(Call("place_order", "create", {}), trade_socket.read(raw)[1], NOW)
    read_answer(Call("get_positions", "positions", {}), 200, {}, raw, NOW, str)


@pytest.mark.parametrize(
    "raw", [*BYTES, b'{"retCode":1e400}', b'{"retCode":0,"time":"\xc2\xb2"}', b"[]", b'{"retCode":null}']
)
def test_rest_bodies_and_trade_frames_that_cannot_be_read_are_unanswered(raw: bytes) -> None:
    found = read_answer(Call("get_positions", "positions", {}), 200, {}, raw, NOW, str)
    assert found.code in (NO_ANSWER, 0)
    assert found.rows == []
    trade_socket.answer(Call("place_order", "create", {}), trade_socket.read(raw)[1], NOW)


def read(lists: dict[str, Any], command: Read) -> Any:
    """The result of a read of these lists by method, and the rows that could not be read."""
    odd: list[OddRow] = []

    def ask(call: Call) -> Generator[Any, Any, Answer]:
        yield
        return Answer(classify(0), 0, "", NOW, {"list": lists.get(call.method, [])}, NOW // 10**6)

    job = Reader(ask, lambda: NOW, odd.append).read(command)
    while True:
        try:
            next(job)
        except StopIteration as end:
            return end.value, odd


ALL = Read("r", ("positions", "orders", "fills", "wallet"))


def test_odd_rows_of_a_read_are_left_out_and_their_symbols_unread() -> None:
    lists = {
        "get_positions": [{**GOOD["position"], "symbol": "FOOUSDT", "size": "x"}, GOOD["position"]],
        "get_open_orders": [{**GOOD["order"], "orderLinkId": None}, 5],
        "get_executions": [GOOD["execution"], {**GOOD["execution"], "isMaker": ""}],
        "get_wallet_balance": [
            {"coin": [None, {"coin": "MNT", "walletBalance": {}}, *GOOD["wallet"]["coin"]]}
        ],
    }
    result, odd = read(lists, ALL)
    assert result.outcome is Outcome.CONFIRMED
    assert (len(result.positions), len(result.orders), len(result.fills)) == (1, 1, 1)
    assert result.wallet is not None
    assert result.unread == ("", "FOOUSDT")
    assert len(odd) == 2


@pytest.mark.parametrize("value", [5, "x", {"a": 1}, True])
def test_list_that_is_none_makes_the_read_unknown(value: Any) -> None:
    result, _ = read({"get_positions": value}, ALL)
    assert (result.outcome, result.positions) == (Outcome.UNKNOWN, ())


def test_odd_row_of_a_read_of_one_symbol_makes_it_unknown() -> None:
    result, _ = read(
        {"get_executions": [{**GOOD["execution"], "execQty": "x"}]}, Read("r", ("fills",), "BTCUSDT")
    )
    assert result.outcome is Outcome.UNKNOWN


NO_QUANTITY: list[Any] = [*(each for each in JUNK if each not in (1.5, None, "")), "-1", -1, "-1e-9"]


@pytest.mark.parametrize(
    ("topic", "field", "values"),
    [
        ("execution", "execQty", [*NO_QUANTITY, None, "", "0"]),
        ("execution", "execPrice", [*NO_QUANTITY, None, "", "0"]),
        ("execution", "closedSize", NO_QUANTITY),
        ("execution", "execId", [None, "", True, [], {}]),
        ("execution", "symbol", [None, "", 5, True, [], {}]),
        ("position", "size", [*NO_QUANTITY, None, ""]),
        ("position", "stopLoss", NO_QUANTITY),
        ("position", "positionIdx", ["3", -1, "-1", 7]),
        ("position", "symbol", [None, "", 5]),
        ("wallet", "coin", [None, "x", [{"coin": "USDT"}], [{"coin": "USDT", "walletBalance": ""}]]),
    ],
)
def test_what_money_hangs_on_is_read_or_its_row_is_odd(topic: str, field: str, values: list[Any]) -> None:
    for value in values:
        odd: list[OddRow] = []
        rows = [{**GOOD[topic], field: value}, GOOD[topic]]
        found = decode.private(decode.frame(message(topic, rows)), NOW, odd.append)
        good = decode.private(decode.frame(message(topic, [GOOD[topic]])), NOW)
        assert (found, len(odd)) == (good, 1), value


def test_a_row_without_a_field_that_money_hangs_on_is_odd() -> None:
    needed = {
        "execution": ("execId", "execQty", "execPrice", "side", "symbol"),
        "position": ("size", "symbol"),
    }
    for topic, names in needed.items():
        for name in names:
            odd: list[OddRow] = []
            row = {key: value for key, value in GOOD[topic].items() if key != name}
            assert decode.private(decode.frame(message(topic, [row])), NOW, odd.append) == []
            assert len(odd) == 1, name


def test_flat_positions_as_the_venue_writes_them_are_flat() -> None:
    for size in ("", "0", "0.000"):
        row = {"symbol": "BTCUSDT", "side": "", "size": size, "avgPrice": "0", "positionValue": ""}
        (report,) = decode.private(decode.frame(message("position", [row])), NOW)
        assert isinstance(report, PositionReport)
        assert report.size == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("qty", "-1"),
        ("qty", -1),
        ("qty", None),
        ("qty", ""),
        ("cumExecQty", "-1"),
        ("side", None),
        ("side", ""),
        ("side", 1),
    ],
)
def test_an_order_without_side_or_quantity_concludes_nothing(field: str, value: Any) -> None:
    for rows in ([{**GOOD["order"], field: value}],):
        (report,) = decode.private(decode.frame(message("order", rows)), NOW)
        assert isinstance(report, OrderReport)
        assert report.status == ""
        found, odd = decode.reports(rows, "order", NOW, Source.REST)
        assert (found, len(odd)) == ([], 1)


@pytest.mark.parametrize(
    "result", [{}, {"list": {}}, {"list": ""}, {"list": 0}, {"list": False}, {"rows": []}]
)
def test_an_answer_without_a_list_is_no_empty_account(result: dict[str, Any]) -> None:
    def ask(call: Call) -> Generator[Any, Any, Answer]:
        yield
        return Answer(classify(0), 0, "", NOW, result, NOW // 10**6)

    job = Reader(ask, lambda: NOW).read(ALL)
    next(job)
    with pytest.raises(StopIteration) as end:
        next(job)
    assert end.value.value.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("code", ["0", '"0"', "0.0", "0.4", "false", "null", "[]", '"\u0660"', "1e-9"])
def test_a_code_that_is_no_whole_number_accepts_nothing(code: str) -> None:
    body = f'{{"retCode":{code},"result":{{}}}}'.encode()
    accepted = code == "0"
    call = Call("place_order", "create", {})
    assert read_answer(call, 200, {}, body, NOW, str).ok == accepted
    assert trade_socket.answer(call, trade_socket.read(body)[1], NOW).ok == accepted


@pytest.mark.parametrize(
    ("text", "read"),
    [("1" + "0" * 30, True), ("1" + "0" * 31, False), ("0." + "1" * 78, True), ("0." + "1" * 79, False)],
)
def test_a_number_has_eighty_characters_and_thirty_powers_of_ten_at_most(text: str, read: bool) -> None:
    assert (decimal(text) is not None) == read


@pytest.mark.parametrize("text", ["9223372036854", "9223372036855", "1" + "0" * 20])
def test_a_time_beyond_what_nanoseconds_can_say_is_the_last_millisecond_of_them(text: str) -> None:
    assert nanoseconds(text) == 9_223_372_036_854_000_000 < 2**63


def test_an_execution_that_does_not_say_so_is_no_makers() -> None:
    (fill,) = decode.private(decode.frame(message("execution", [GOOD["execution"]])), NOW)
    assert isinstance(fill, Fill)
    assert not fill.is_maker
