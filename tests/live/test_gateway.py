import asyncio
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from tests.sent_orders import entry

from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.endpoints import Keys, loopback
from turbo_trader.bybit.venue_errors import BANNED, NOT_SENT, classify, classify_http
from turbo_trader.live.gateway import Gateway
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.trader.commands import SetStops
from turbo_trader.trader.events import Outcome


class Lane:
    """Answers from a list; the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.seen: list[Call] = []

    async def call(self, call: Call, patience: float = 0.0) -> Answer:
        self.seen.append(call)
        if call.method == "get_server_time":
            return answer(0, {"timeNano": str(time.time_ns())}, {"X-Sim-Speed": "30"})
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def writes(self) -> list[Call]:
        return [call for call in self.seen if call.method != "get_server_time"]

    async def close(self) -> None:
        pass


def answer(code: int, result: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> Answer:
    return Answer(
        verdict=classify(code),
        code=code,
        message="",
        sent=0,
        result=result or {},
        time_ms=0,
        headers=headers or {},
    )


def made(*answers: Answer) -> tuple[Gateway, Lane, list[str]]:
    reported: list[str] = []
    gateway = Gateway(
        loopback(1), Keys("kkkk", "ssss"), VenueClock(), lambda name, level, fields: reported.append(name)
    )
    lane = Lane(*answers)
    gateway._lanes = dict.fromkeys(gateway._lanes, lane)  # type: ignore[arg-type]
    return gateway, lane, reported


ENTRY = entry("e", qty=Decimal(1), price=Decimal(1), stop_loss=Decimal("0.9"), recv_window_ms=1000)
STOPS = SetStops("s", "BTCUSDT", Decimal(1), None)


@pytest.mark.parametrize("code", [10000, 10002, 10006, 10016, 110072, 110079, -1, -2])
async def test_s10_an_entry_is_sent_once_whatever_comes_back(code: int) -> None:
    gateway, lane, _ = made(answer(code))
    await gateway.send(ENTRY)
    assert len(lane.writes()) == 1


async def test_s29_a_stop_outside_time_window_is_signed_again_after_measuring_the_clock() -> None:
    gateway, lane, reported = made(answer(10002), answer(0))
    result = await gateway.send(STOPS)
    assert (result.outcome, len(lane.writes()), reported) == (Outcome.CONFIRMED, 2, ["clock-resynced"])
    assert gateway.clock.speed == 30


async def test_an_entry_keeps_its_own_receive_window() -> None:
    gateway, lane, _ = made(answer(0))
    await gateway.send(ENTRY)
    assert lane.writes()[0].recv_window_ms == 1_000


@pytest.mark.parametrize(
    ("code", "later"),
    [
        (0, False),
        (10001, False),
        (10006, True),
        (10019, True),
        (110079, True),
        (110092, False),
        (-1, False),
        (-2, True),
    ],
)
async def test_s17_an_answer_says_whether_it_refuses_for_now_only(code: int, later: bool) -> None:
    gateway, _, _ = made(answer(code))
    assert (await gateway.send(STOPS)).later is later


async def test_s28_after_http_403_nothing_more_is_sent() -> None:
    refused = Answer(classify_http(403), 403, "access too frequent", 0)
    gateway, lane, reported = made(refused)
    await gateway.send(STOPS)
    result = await gateway.send(STOPS)
    assert (result.code, result.outcome, result.later) == (BANNED, Outcome.REJECTED, True)
    assert (len(lane.writes()), reported) == (1, ["address-refused"])
    asked = len(lane.seen)
    assert not await gateway.sync_clock()
    assert len(lane.seen) == asked


async def test_an_entry_that_could_not_leave_in_time_does_not_leave_but_an_exit_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("turbo_trader.runtime.venue_requests.ENTRY_PATIENCE_S", 0.1)
    gateway, lane, _ = made(answer(0))
    gateway.requests.budget.hold("create", time.monotonic(), {"X-Bapi-Limit-Reset-Timestamp": "300"}, 0)
    late = await gateway.send(ENTRY)
    assert (late.code, late.outcome, lane.writes()) == (NOT_SENT, Outcome.REJECTED, [])
    assert (await gateway.send(replace(ENTRY, reduce_only=True))).outcome is Outcome.CONFIRMED


async def test_s30_a_key_refused_again_after_it_worked_stops_entries_again() -> None:
    gateway, _, _ = made(answer(33004), answer(33004), answer(0), answer(33004))
    said: list[str] = []
    gateway.on_fatal = said.append
    for _ in range(4):
        await gateway.send(STOPS)
    assert len(said) == 2


async def test_s30_a_fatal_answer_is_named() -> None:
    gateway, _, reported = made(answer(33004))
    await gateway.send(STOPS)
    assert gateway.requests.fatal == "the key has expired (33004)"
    assert reported == ["account-refused"]


async def test_s30_a_fatal_answer_to_an_order_stops_entries_each_time_one_to_a_read_once() -> None:
    gateway, _, _ = made(answer(10005))
    said: list[str] = []
    gateway.on_fatal = said.append
    for _ in range(2):
        await gateway.read(Call("get_positions", "positions", {}))
    assert said == ["the key lacks this permission (10005)"]
    await gateway.send(ENTRY)
    assert len(said) == 2


async def test_an_answer_says_whether_symbol_takes_entries_and_whether_our_terms_are_stale() -> None:
    gateway, _, _ = made(answer(30228))
    assert (await gateway.send(ENTRY)).barred
    gateway, _, _ = made(answer(110003))
    assert not (await gateway.send(ENTRY)).barred
    async with asyncio.timeout(1):
        await gateway.until_stale(3_600.0)
    before = time.monotonic()
    await gateway.until_stale(0.05)  # heard, and over with it
    assert time.monotonic() - before >= 0.05


async def test_reads_are_asked_again_when_the_trouble_may_pass() -> None:
    gateway, lane, _ = made(answer(10016), answer(-1), answer(0))
    read = Call("get_positions", "positions", {})
    assert (await gateway.read(read)).ok
    assert len(lane.writes()) == 3
    gateway, lane, _ = made(answer(10001))
    await gateway.read(read)
    assert len(lane.writes()) == 1
