"""An event loop in simulated time: the order of events does not depend on the machine."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from turbo_trader.exchange_server.simulated_loop import Pace, SimulatedLoop
from turbo_trader.live.async_contexts import wall_timeout

START = 1_767_603_600_000_000_000
ADDRESS = ("127.0.0.1", 9)


def run(
    work: Callable[[SimulatedLoop], Coroutine[Any, Any, Any]], seed: int = 1, speed: float = float("inf")
) -> Any:
    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(START, seed, speed)) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, SimulatedLoop)
        return runner.run(work(loop))


def test_an_hour_of_sleep_passes_at_once() -> None:
    async def work(loop: SimulatedLoop) -> int:
        await asyncio.sleep(3_600)
        return loop.time_ns()

    began = time.monotonic()
    assert run(work) == START + 3_600 * 10**9
    assert time.monotonic() - began < 5


def test_time_stands_still_while_something_works() -> None:
    async def work(loop: SimulatedLoop) -> int:
        time.sleep(0.05)  # noqa: ASYNC251 - a busy moment
        await asyncio.to_thread(time.sleep, 0.05)
        return loop.time_ns()

    assert run(work) == START


def test_timers_of_one_moment_fire_in_the_order_they_were_set() -> None:
    async def work(loop: SimulatedLoop) -> list[int]:
        fired: list[int] = []
        for n in range(50):
            loop.call_at(float(1 + n % 2), fired.append, n)
        await asyncio.sleep(3)
        return fired

    assert run(work) == [*range(0, 50, 2), *range(1, 50, 2)]


def test_work_for_a_thread_that_fails_raises_where_it_is_awaited() -> None:
    async def work(loop: SimulatedLoop) -> None:
        await loop.run_in_executor(None, int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        run(work)


def test_time_runs_no_faster_than_its_speed() -> None:
    async def work(loop: SimulatedLoop) -> float:
        await asyncio.sleep(4)
        return loop.pace.reached(loop.time())

    began = time.monotonic()
    reached = run(work, speed=20.0)
    assert time.monotonic() - began >= 0.19
    assert reached <= 20.5


def test_lost_wall_time_is_not_made_up_for_at_a_higher_speed() -> None:
    wall = [100.0]
    pace = Pace(10.0, lambda: wall[0])
    wall[0] += 60.0  # a machine that stood still
    pace.moved(1.0, 1.0)
    assert pace.ahead(10.0) == pytest.approx(0.75)


def test_a_call_from_another_thread_reaches_a_loop_that_waits() -> None:
    async def work(loop: SimulatedLoop) -> float:
        called = asyncio.Event()
        threading.Timer(0.05, loop.call_soon_threadsafe, [called.set]).start()
        await called.wait()
        return loop.time()

    assert run(work) == 0.0


def test_a_wall_timeout_counts_wall_seconds() -> None:
    async def patient() -> str:
        async with wall_timeout(30):
            await asyncio.sleep(600)  # simulated
        return "done"

    async def work(loop: SimulatedLoop) -> str:
        del loop
        with pytest.raises(TimeoutError):
            async with wall_timeout(0.05):
                await asyncio.Event().wait()
        return await patient()

    assert run(work) == "done"


class Notes(asyncio.Protocol):
    """Notes what happens at one end, and when."""

    def __init__(self, loop: SimulatedLoop, notes: list[tuple[float, str]], *, echoes: bool = False) -> None:
        self._loop, self._notes, self._echoes = loop, notes, echoes

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._notes.append((self._loop.time(), data.decode()))
        if self._echoes:
            self._transport.write(data)

    def eof_received(self) -> None:
        self._notes.append((self._loop.time(), "end"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._notes.append((self._loop.time(), "lost"))


async def talk(loop: SimulatedLoop) -> list[tuple[float, str]]:
    notes: list[tuple[float, str]] = []
    loop.network.listen(ADDRESS, lambda: Notes(loop, [], echoes=True))
    await loop.network.travel(ADDRESS)
    transport, _ = loop.network.connect(ADDRESS, lambda: Notes(loop, notes))
    for n in range(20):
        transport.write(str(n).encode())
    await asyncio.sleep(1)
    transport.close()
    await asyncio.sleep(1)
    return notes


def test_bytes_arrive_in_order_after_latencies_of_the_seed() -> None:
    first, again, other = run(talk), run(talk), run(talk, seed=2)
    assert [text for _, text in first] == [*map(str, range(20)), "lost"]
    assert first == again
    assert first != other
    assert first[0][0] > 0.05  # connecting, and there and back once


def test_whoever_closes_ends_the_other_side() -> None:
    async def work(loop: SimulatedLoop) -> list[str]:
        notes: list[tuple[float, str]] = []
        loop.network.listen(ADDRESS, lambda: Notes(loop, notes))
        transport, _ = loop.network.connect(ADDRESS, lambda: Notes(loop, []))
        transport.write(b"last")
        transport.abort()
        transport.write(b"too late")
        await asyncio.sleep(1)
        return [text for _, text in notes]

    assert run(work) == ["last", "end", "lost"]


def test_a_paused_end_hears_everything_later_together() -> None:
    async def work(loop: SimulatedLoop) -> list[str]:
        notes: list[tuple[float, str]] = []
        served: list[Notes] = []

        def serve() -> Notes:
            served.append(Notes(loop, notes))
            return served[0]

        loop.network.listen(ADDRESS, serve)
        transport, _ = loop.network.connect(ADDRESS, lambda: Notes(loop, []))
        served[0]._transport.pause_reading()
        for text in ("a", "b", "c"):
            transport.write(text.encode())
        transport.close()
        await asyncio.sleep(1)
        assert not notes
        served[0]._transport.resume_reading()
        await asyncio.sleep(1)
        return [text for _, text in notes]

    assert run(work) == ["abc", "end", "lost"]


def test_nobody_serves_after_close() -> None:
    async def work(loop: SimulatedLoop) -> None:
        loop.network.listen(ADDRESS, lambda: Notes(loop, []))
        loop.network.close(ADDRESS)
        await loop.network.travel(ADDRESS)

    with pytest.raises(ConnectionRefusedError):
        run(work)
