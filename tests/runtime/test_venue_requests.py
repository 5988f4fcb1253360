"""The jobs of a request in simulated time: no loop, no socket, the world is a script."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from tests.sent_orders import entry

from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.venue_errors import BANNED, NO_ANSWER, NOT_SENT, classify, classify_http
from turbo_trader.runtime.clock import SPEED_HEADER, MeasuredClock
from turbo_trader.runtime.venue_requests import (
    ENTRY_PATIENCE_S,
    READ_PAUSES_S,
    Job,
    Lane,
    Requests,
    Sleep,
    Transmit,
    nano,
)
from turbo_trader.trader.commands import SetStops
from turbo_trader.trader.events import Outcome

T = TypeVar("T")
READ = Call("get_positions", "positions", {})
ENTRY = entry("e", qty=Decimal(1), price=Decimal(1), recv_window_ms=1000, stop_loss=None)
STOPS = SetStops("s", "BTCUSDT", Decimal(1), None)


class World:
    """A clock that moves when a job sleeps, and a venue that answers as it is asked."""

    def __init__(
        self,
        venue: Callable[[Transmit], int],
        *,
        socket: bool = False,
        simulated: bool = False,
        skew_s: float = 0,
        bans: bool = False,
    ) -> None:
        """`skew_s`: by so much each reading of the venue's clock differs from the one before. `bans`: it is answered by a ban."""
        self.bans = bans
        self.now = 10**18
        self.seen: list[Transmit] = []
        self.slept: list[float] = []
        self.events: list[str] = []
        self.fields: dict[str, Any] = {}  # of the last one
        self.refusals: list[str] = []
        self._venue = venue
        clock = MeasuredClock(lambda: self.now, lambda: self.now)
        self.skew_ns, self._skewed = round(skew_s * 1e9), 0
        self.requests = Requests(
            clock, self, socket_up=(lambda: True) if socket else None, simulated=simulated
        )

    def emit(self, name: str, level: str, fields: dict[str, Any]) -> None:
        self.events.append(name)
        self.fields = fields

    def on_fatal(self, why: str) -> None:
        self.refusals.append(why)

    def on_stale(self) -> None:
        self.events.append("stale")

    def run(self, job: Job[T], answer: Answer | None = None) -> T:
        """To its end. `answer`: to what a job that has begun has sent."""
        while True:
            try:
                effect = job.send(answer)
            except StopIteration as end:
                result: T = end.value
                return result
            if isinstance(effect, Sleep):
                self.slept.append(effect.seconds)
                self.now += round(effect.seconds * 1e9)
                answer = None
            else:
                self.seen.append(effect)
                clock = effect.call.method == "get_server_time"
                code = 0 if clock else self._venue(effect)
                self._skewed += self.skew_ns
                reading = {"timeNano": str(self.now + self._skewed)}
                verdict = classify_http(403) if clock and self.bans else classify(code)
                answer = Answer(verdict, code, "", self.now, reading, headers={SPEED_HEADER: "30"})

    @property
    def calls(self) -> list[str]:
        return [effect.call.method for effect in self.seen if effect.call.method != "get_server_time"]


def test_a_read_pauses_longer_between_its_tries_and_then_gives_up() -> None:
    world = World(lambda _: NO_ANSWER)
    assert not world.run(world.requests.read(READ)).ok
    assert len(world.calls) == len(READ_PAUSES_S) + 1
    assert world.slept == list(READ_PAUSES_S)


def test_an_entry_waits_for_the_budget_no_longer_than_its_patience() -> None:
    world = World(lambda _: 0)
    world.requests.budget.hold("create", world.now / 1e9, {"X-Bapi-Limit-Reset-Timestamp": "4000"}, 0)
    result = world.run(world.requests.send(ENTRY))
    assert (result.code, world.seen) == (NOT_SENT, [])
    assert sum(world.slept) <= ENTRY_PATIENCE_S


def test_an_exit_waits_for_the_budget_until_it_may_leave() -> None:
    world = World(lambda _: 0)
    world.requests.budget.hold("trading-stop", world.now / 1e9, {"X-Bapi-Limit-Reset-Timestamp": "4000"}, 0)
    assert world.run(world.requests.send(STOPS)).outcome is Outcome.CONFIRMED
    assert 3.9 < sum(world.slept) < 4.2


def test_what_did_not_leave_by_the_socket_goes_by_rest_and_nothing_else_does() -> None:
    world = World(lambda effect: NOT_SENT if effect.lane is Lane.SOCKET else 0, socket=True)
    assert world.run(world.requests.send(ENTRY)).outcome is Outcome.CONFIRMED
    assert [effect.lane for effect in world.seen] == [Lane.SOCKET, Lane.ORDERS]
    world = World(lambda _: NO_ANSWER, socket=True)
    assert world.run(world.requests.send(ENTRY)).outcome is Outcome.UNKNOWN
    assert [effect.lane for effect in world.seen] == [Lane.SOCKET]


def test_a_second_clock_measurement_waits_for_the_first() -> None:
    world = World(lambda _: 0)
    first, second = world.requests.sync_clock(), world.requests.sync_clock()
    assert isinstance(next(first), Transmit)
    assert isinstance(next(second), Sleep)
    assert world.run(first, Answer(classify(0), 0, "", world.now, {"timeNano": str(world.now)})) is True
    assert isinstance(next(second), Transmit)


@pytest.mark.parametrize(("simulated", "speed"), [(True, 30.0), (False, 1.0)])
def test_only_a_venue_on_this_machine_may_say_that_its_time_runs_faster(
    simulated: bool, speed: float
) -> None:
    world = World(lambda _: 0, simulated=simulated)
    assert world.run(world.requests.sync_clock())
    assert world.requests.clock.speed == speed


@pytest.mark.parametrize(("skew_s", "believed"), [(0.5, True), (86_400.0, False), (-86_400.0, False)])
def test_two_readings_of_the_clock_that_disagree_count_for_nothing(skew_s: float, believed: bool) -> None:
    world = World(lambda _: 0, skew_s=skew_s)
    before = world.requests.clock.now()
    assert world.run(world.requests.sync_clock()) is believed
    assert ("clock-doubtful" in world.events) is not believed
    if not believed:
        assert world.requests.clock.now() == before
        assert world.fields["apart_s"] == pytest.approx(skew_s, abs=1.0)


def test_a_ban_that_answers_a_reading_of_the_clock_ends_all_requests() -> None:
    world = World(lambda _: 0, bans=True)
    assert not world.run(world.requests.sync_clock())
    assert world.events == ["address-refused"]
    assert world.run(world.requests.request(Lane.READS, READ)).code == BANNED
    assert not world.run(world.requests.sync_clock())
    assert len(world.seen) == 1


def test_who_waits_for_the_clock_asks_nothing_once_the_address_is_banned() -> None:
    world = World(lambda _: 0, bans=True)
    first, second = world.requests.sync_clock(), world.requests.sync_clock()
    reading = first.send(None)
    assert isinstance(second.send(None), Sleep)
    with pytest.raises(StopIteration):
        first.send(Answer(classify_http(403), 403, "", world.now))
    assert isinstance(reading, Transmit)
    assert not world.run(second)
    assert not world.seen


def test_a_call_that_the_socket_did_not_take_asks_nothing_of_rest_during_a_ban() -> None:
    world = World(lambda _: NOT_SENT, socket=True)
    job = world.requests.send(ENTRY)
    assert isinstance(job.send(None), Transmit)
    world.requests.budget.ban(world.now / 1e9)
    with pytest.raises(StopIteration) as end:
        job.send(Answer(classify(NOT_SENT), NOT_SENT, "", world.now))
    assert end.value.value.code == BANNED


@pytest.mark.parametrize(("method", "fatal"), [("get_positions", True), ("get_fee_rates", False)])
def test_a_refused_key_halts_unless_the_call_is_not_served_everywhere(method: str, fatal: bool) -> None:
    world = World(lambda _: 10005)
    world.run(world.requests.request(Lane.READS, Call(method, "market", {})))
    assert bool(world.requests.fatal) is fatal
    assert bool(world.refusals) is fatal
    assert ("account-refused" in world.events) is fatal


def test_a_refused_reading_of_the_clock_has_no_time_whatever_is_in_it() -> None:
    result = {"timeNano": "1770000000000000000"}
    assert nano(Answer(classify(0), 0, "", 0, result)) == 1_770_000_000_000_000_000
    assert nano(Answer(classify(10016), 10016, "", 0, result)) is None
    assert nano(None) is None
