from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import pytest

from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.reads import WEEK_MS, Asking, Reader, ReadFailed, closed_bars, pages, settled_rates
from turbo_trader.bybit.venue_errors import NO_ANSWER, classify
from turbo_trader.trader.commands import Read
from turbo_trader.trader.events import Outcome

T = TypeVar("T")
NOW = 1_770_000_000_000_000_000


def at_once(function: Callable[[Call], Answer]) -> Callable[[Call], Asking[Answer]]:
    """A way to ask that has its answer without waiting for anything."""

    def ask(call: Call) -> Asking[Answer]:
        yield from ()
        return function(call)

    return ask


def finish(job: Asking[T]) -> T:
    """The result of a job that waits for nothing."""
    with pytest.raises(StopIteration) as end:
        next(job)
    result: T = end.value.value
    return result


def ok(result: dict[str, Any]) -> Answer:
    return Answer(classify(0), 0, "", NOW, result, NOW // 1_000_000)


def execution(name: str, ms: int) -> dict[str, Any]:
    return {
        "symbol": "BTCUSDT",
        "execId": name,
        "side": "Buy",
        "execQty": "1",
        "execPrice": "2",
        "execType": "Trade",
        "execTime": str(ms),
    }


def test_every_page_is_read_and_repeated_rows_count_once() -> None:
    asked: list[Call] = []

    @at_once
    def ask(call: Call) -> Answer:
        asked.append(call)
        if call.params["cursor"] is None:
            return ok({"list": [execution("b", 2), execution("a", 1)], "nextPageCursor": "p%3A2"})
        return ok({"list": [execution("b", 2), execution("c", 3)], "nextPageCursor": ""})

    result = finish(Reader(ask, lambda: NOW).read(Read("r", ("fills",), symbol="BTCUSDT")))
    assert [fill.exec_id for fill in result.fills] == ["a", "b", "c"]
    assert asked[1].params["cursor"] == "p%3A2"  # sent back unchanged


def test_a_missing_page_makes_the_whole_read_unknown() -> None:
    @at_once
    def ask(call: Call) -> Answer:
        if call.method == "get_positions":
            return ok({"list": [{"symbol": "BTCUSDT", "side": "Buy", "size": "1"}], "nextPageCursor": ""})
        return Answer(classify(NO_ANSWER), NO_ANSWER, "no answer", NOW)

    result = finish(Reader(ask, lambda: NOW).read(Read("r", ("positions", "orders"))))
    assert (result.outcome, result.positions, result.code) == (Outcome.UNKNOWN, (), NO_ANSWER)


def test_s10_an_order_is_looked_up_on_every_channel() -> None:
    asked: list[str] = []

    @at_once
    def ask(call: Call) -> Answer:
        asked.append(call.method)
        assert call.params["orderLinkId"] == "mine"
        assert call.params.get("limit", 1) <= 100  # the most executions that the venue gives at once
        if call.method == "get_order_history":
            return ok(
                {
                    "list": [
                        {
                            "symbol": "BTCUSDT",
                            "orderLinkId": "mine",
                            "side": "Buy",
                            "qty": "1",
                            "orderStatus": "Cancelled",
                            "cumExecQty": "0.5",
                        }
                    ]
                }
            )
        return ok({"list": []})

    result = finish(Reader(ask, lambda: NOW).read(Read("r", ("order",), symbol="BTCUSDT", link_id="mine")))
    assert asked == ["get_open_orders", "get_order_history", "get_executions"]
    assert result.orders[0].filled == Decimal("0.5")


def test_s24_fills_of_a_long_absence_are_read_in_windows_shorter_than_a_week() -> None:
    windows: list[tuple[int, int]] = []

    @at_once
    def ask(call: Call) -> Answer:
        windows.append((call.params["startTime"], call.params["endTime"]))
        assert call.params["limit"] == 100  # the most that the venue gives at once
        return ok({"list": []})

    finish(Reader(ask, lambda: NOW).read(Read("r", ("fills",), since=NOW - 20 * 86_400 * 10**9)))
    assert len(windows) == 3
    assert all(0 < end - start <= WEEK_MS for start, end in windows)
    assert all(a[1] == b[0] for a, b in pairwise(windows))


def test_endless_cursors_end() -> None:
    @at_once
    def ask(call: Call) -> Answer:
        return ok({"list": [1], "nextPageCursor": "same"})

    items, _ = finish(pages(ask, "get_positions", "positions", {}))
    assert len(items) == 2


def test_bars_are_oldest_first_without_the_unfinished_one() -> None:
    @at_once
    def ask(call: Call) -> Answer:
        times = range(
            call.params["end"] + 60_000, call.params["start"] - 1, -60_000
        )  # one too many: the unfinished candle
        return ok({"list": [[str(t), "1", "2", "0.5", "1.5", "10", "15"] for t in times]})

    bars = finish(closed_bars(ask, "BTCUSDT", 1_500, NOW))
    assert len(bars) == 1_500
    assert (np.diff(bars["ts"]) == 60_000_000_000).all()
    assert bars["ts"][-1] + 60_000_000_000 <= NOW

    @at_once
    def broken(call: Call) -> Answer:
        return Answer(classify(10016), 10016, "", NOW)

    with pytest.raises(ReadFailed):
        finish(closed_bars(broken, "BTCUSDT", 10, NOW))


def bars_of(step_ms: int, time_ms: int = NOW // 1_000_000) -> Callable[[Call], Asking[Answer]]:
    """A venue that has every candle asked for, at this time of its own."""

    @at_once
    def ask(call: Call) -> Answer:
        times = range(call.params["end"], call.params["start"] - 1, -step_ms)
        rows = [[str(t), "1", "2", "0.5", "1.5", "10", "15"] for t in times]
        return Answer(classify(0), 0, "", NOW, {"list": rows}, time_ms)

    return ask


def test_candle_that_the_venue_has_not_closed_yet_is_left_out() -> None:
    behind = NOW // 1_000_000 - 120_000
    assert len(finish(closed_bars(bars_of(60_000), "BTCUSDT", 10, NOW))) == 10
    assert len(finish(closed_bars(bars_of(60_000, behind), "BTCUSDT", 10, NOW))) == 8


def test_bars_of_half_an_hour_are_asked_for_by_the_venues_name() -> None:
    asked: list[str] = []

    def ask(call: Call) -> Asking[Answer]:
        asked.append(call.params["interval"])
        return bars_of(1_800_000)(call)

    bars = finish(closed_bars(ask, "BTCUSDT", 3, NOW, minutes=30))
    assert asked == ["30"]
    assert (np.diff(bars["ts"]) == 1_800_000_000_000).all()
    assert bars["ts"][-1] + 1_800_000_000_000 <= NOW


def test_settled_rates_are_oldest_first_and_odd_rows_are_passed_over() -> None:
    @at_once
    def ask(call: Call) -> Answer:
        rows = [{"fundingRate": "0.0002", "fundingRateTimestamp": "16000"}, {"fundingRate": ""}, 7]
        return ok({"list": [*rows, {"fundingRate": "-0.0001", "fundingRateTimestamp": "8000"}]})

    assert finish(settled_rates(ask, "BTCUSDT")) == [(8_000_000_000, -0.0001), (16_000_000_000, 0.0002)]


def test_candles_that_cannot_be_are_left_out() -> None:
    start = NOW // 10**6 - NOW // 10**6 % 60_000 - 600_000
    good = [str(start), "2", "3", "1", "2.5", "7", "14"]
    at = str(start + 60_000)
    odd: list[list[Any]] = [
        [at, "0", "3", "0", "2", "7", "14"],
        [at, "-2", "3", "-3", "2", "7", "14"],
        [at, "2", "1", "1", "2", "7", "14"],
        [at, "2", "3", "2.5", "2", "7", "14"],
        [at, "2", "3", "1", "2", "-7", "14"],
        [at, "NaN", "3", "1", "2", "7", "14"],
        [at, "2", "3", "1", "2", "7"],
    ]
    for row in odd:
        answer = ok({"list": [row, good]})
        bars = finish(closed_bars(at_once(lambda _, answer=answer: answer), "BTCUSDT", 10, NOW))  # type: ignore[misc]
        assert bars["close"].tolist() == [2.5]


@pytest.mark.parametrize(
    ("at", "rate"), [("1e29", "0.1"), ("-5", "0.1"), ("0", "0.1"), ("1770000000000", "1.5")]
)
def test_settled_rates_that_cannot_be_are_left_out(at: str, rate: str) -> None:
    rows = [{"fundingRateTimestamp": at, "fundingRate": rate}]
    assert finish(settled_rates(at_once(lambda _: ok({"list": rows})), "BTCUSDT")) == []


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (ok({"list": "none"}), Outcome.UNKNOWN),
        (Answer(classify(10016), 10016, "", NOW), Outcome.UNKNOWN),
        (Answer(classify(10001), 10001, "", NOW), Outcome.REJECTED),
    ],
)
def test_a_read_that_failed_is_never_confirmed(answer: Answer, outcome: Outcome) -> None:
    result = finish(Reader(at_once(lambda _: answer), lambda: NOW).read(Read("r", ("positions",))))
    assert (result.outcome, result.positions) == (outcome, ())


def test_what_is_read_is_of_the_time_of_its_first_page() -> None:
    rows: dict[str, dict[str, Any]] = {
        "get_positions": {"symbol": "BTCUSDT", "side": "Buy", "size": "1", "avgPrice": "2", "positionStatus": "Normal"},
        "get_wallet_balance": {"accountType": "UNIFIED", "coin": [{"coin": "USDT", "walletBalance": "1"}]},
    }  # fmt: skip
    answered: list[Call] = []

    def answer(call: Call) -> Answer:
        answered.append(call)
        more = "more" if call.params["cursor"] is None else ""
        time_ms = NOW // 1_000_000 + len(answered)
        return Answer(classify(0), 0, "", NOW, {"list": [rows[call.method]], "nextPageCursor": more}, time_ms)

    result = finish(Reader(at_once(answer), lambda: NOW).read(Read("r", ("positions", "wallet"))))
    assert result.wallet is not None
    assert {report.ts - NOW for report in result.positions} == {1_000_000}
    assert result.wallet.ts - NOW == 3_000_000


def test_fills_since_no_given_time_are_those_that_the_venue_gives_by_itself() -> None:
    asked: list[Call] = []

    def answer(call: Call) -> Answer:
        asked.append(call)
        return ok({"list": []})

    finish(Reader(at_once(answer), lambda: NOW).read(Read("r", ("fills",))))
    assert ["startTime" in call.params for call in asked] == [False]
