"""What the router asks of the journal before commands leave."""

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from turbo_trader.bybit.endpoints import Keys
from turbo_trader.journal.schema import FILE
from turbo_trader.journal.store import Journal
from turbo_trader.live import router as router_module
from turbo_trader.live.router import Router
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.order_terms import OrderType, Side, TimeInForce
from turbo_trader.market.rows import ROW, SECOND, Rows
from turbo_trader.trader.commands import CancelOrder, FitNoise, Note, Persist, PlaceOrder, Purpose, SetStops
from turbo_trader.trader.events import Clock, MarketRows, NoiseFitted

D = Decimal
NOW = 1_767_600_000 * SECOND
STOPS = SetStops("s1", "BTCUSDT", D(59000), D(60000))
ORDER = PlaceOrder(
    id="x1",
    symbol="BTCUSDT",
    side=Side.SELL,
    qty=D("0.001"),
    order_type=OrderType.MARKET,
    time_in_force=TimeInForce.IOC,
    reduce_only=True,
    purpose=Purpose.CLOSE,
)
CANCEL = CancelOrder("c1", "BTCUSDT", "e1")
NOTE = Note(1, "zone")
STATE = Persist(1, "position:BTCUSDT", {"zone": 1})


class Once:
    """A Trader that has some commands."""

    def __init__(self, commands: Sequence[Any]) -> None:
        self.commands = commands

    def handle(self, event: Any) -> Sequence[Any]:
        return self.commands

    def take_rows(self, ts: int, s: int, rows: Any) -> bool:
        return False

    def idle_until(self, symbols: Sequence[int]) -> int:
        return 0

    def next_time(self) -> int:
        return 0


class Watched(Journal):
    """A journal that writes down how it was asked to commit."""

    def __init__(self, folder: Path, seen: list[Any]) -> None:
        super().__init__(folder, ("BTCUSDT",))
        self.seen = seen

    def commit(self) -> None:
        super().commit()
        self.seen.append("on disk")

    def flush(self) -> None:
        super().flush()
        self.seen.append("flushed")


@pytest.mark.parametrize(
    ("commands", "order"),
    [
        ((STOPS,), ("left", "flushed")),
        ((STATE, STOPS, NOTE), ("left", "flushed")),
        ((STOPS, ORDER), ("on disk", "left", "left")),
        ((CANCEL, NOTE), ("on disk", "left")),
        ((STATE, NOTE), ("on disk",)),
    ],
)
async def test_everything_but_a_stop_change_alone_is_on_disk_before_it_leaves(
    tmp_path: Path, commands: Sequence[Any], order: Sequence[str]
) -> None:
    seen: list[Any] = []
    journal = Watched(tmp_path, seen)
    router = Router(journal, VenueClock(), Keys("", ""), None)
    router._send = lambda command: seen.append("left")  # type: ignore[method-assign]
    router.trader = Once(commands)  # type: ignore[assignment]
    router.deliver(Clock(1))
    assert seen == [*order]
    with sqlite3.connect(tmp_path / FILE) as another:
        written = [row[0] for row in another.execute("SELECT id FROM intents")]
        reported = another.execute("SELECT count(*) FROM notes").fetchone()[0]
    assert reported == (NOTE in commands)
    assert written == [command.id for command in commands if command not in (STATE, NOTE)]
    journal.close(1, "test")


async def test_people_are_shown_after_what_had_to_leave_has_left(tmp_path: Path) -> None:
    seen: list[Any] = []

    class Shown:
        def note(self, note: Note) -> None:
            seen.append(note)

    router = Router(Journal(tmp_path, ("BTCUSDT",)), VenueClock(), Keys("", ""), Shown())  # type: ignore[arg-type]
    router._send = seen.append  # type: ignore[method-assign,assignment]
    router.trader = Once((NOTE, STOPS))  # type: ignore[assignment]
    router.deliver(Clock(1))
    assert seen == [STOPS, NOTE]


async def test_noise_is_fitted_off_the_event_loop_and_given_to_the_trader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    heard: list[Any] = []

    def fit(seconds: Any, y: Any) -> None:
        threads.append(threading.get_ident())

    class Asking(Once):
        def handle(self, event: Any) -> Sequence[Any]:
            heard.append(event)
            return self.commands if isinstance(event, Clock) else ()

    monkeypatch.setattr(router_module, "fit_noise", fit)
    router = Router(Journal(tmp_path, ("BTCUSDT",)), VenueClock(), Keys("", ""), None)
    router.trader = Asking((FitNoise(1, 0, np.arange(3), np.zeros(3)),))  # type: ignore[assignment]
    router.deliver(Clock(1))
    await asyncio.gather(*router.requests)
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()
    assert isinstance(heard[-1], NoiseFitted)
    assert (heard[-1].symbol, heard[-1].noise) == (0, None)


class Watching(Once):
    """A Trader with a watch of symbol 1."""

    def __init__(self) -> None:
        super().__init__(())
        self.states = np.zeros(2, [("watch_side", "i1")])
        self.states["watch_side"][1] = -1
        self.seen: list[Any] = []

    def handle(self, event: Any) -> Sequence[Any]:
        self.seen.append(event)
        return ()

    def take_rows(self, ts: int, s: int, rows: Any) -> bool:
        self.seen.append((ts, s, len(rows)))
        return False


@pytest.mark.parametrize(
    ("symbol", "recorded", "an_event"), [(0, False, False), (1, False, True), (0, True, True)]
)
def test_rows_become_an_event_only_where_a_watch_is_set_or_steps_are_recorded(
    tmp_path: Path, symbol: int, recorded: bool, an_event: bool
) -> None:
    class Recorded:
        def step(self, event: Any, commands: Any) -> None:
            trader.seen.append("recorded")

    router = Router(Journal(tmp_path, ("BTCUSDT",)), VenueClock(lambda: 0, lambda: NOW), Keys("", ""), None)
    trader = Watching()
    router.trader = trader  # type: ignore[assignment]
    router.recorder = Recorded() if recorded else None  # type: ignore[assignment]
    rows = np.zeros(3, ROW)
    router.take_rows(symbol, cast("Rows", rows))
    event = [MarketRows(NOW, symbol, cast("Rows", rows))] + recorded * ["recorded"]
    assert trader.seen == (event if an_event else [(NOW, symbol, 3)])
    assert router.events == 1


def test_a_trader_that_fails_on_rows_ends_the_daemon(tmp_path: Path) -> None:
    class Failing(Watching):
        def take_rows(self, ts: int, s: int, rows: Any) -> bool:
            raise LookupError("ours")

    router = Router(Journal(tmp_path, ("BTCUSDT",)), VenueClock(), Keys("", ""), None)
    router.trader = Failing()  # type: ignore[assignment]
    router.take_rows(0, cast("Rows", np.zeros(1, ROW)))
    assert router.failed
    router.trader = Watching()  # type: ignore[assignment]
    router.take_rows(0, cast("Rows", np.zeros(1, ROW)))
    assert router.trader.seen == []  # type: ignore[attr-defined]


class Flat(Once):
    """A Trader of which symbol 1 is held, and something is due at `due`."""

    due = 0

    def idle_until(self, symbols: Sequence[int]) -> int:
        return 0 if 1 in symbols else self.due


@pytest.mark.parametrize(
    ("symbols", "due_s", "speed", "rests"),
    [
        ((0, 2), 1.0, 1.0, True),
        ((0, 1), 1.0, 1.0, False),  # one is held
        ((0, 2), 1.5 * router_module.REST_S, 1.0, False),  # a scan must not find frames unread
        ((0, 2), -1.0, 1.0, False),
        ((0, 2), 1000.0, 60.0, False),
    ],
)
def test_frames_wait_only_while_they_lead_to_nothing_and_nothing_is_soon_due(
    tmp_path: Path, symbols: Sequence[int], due_s: float, speed: float, rests: bool
) -> None:
    clock = VenueClock(lambda: 0, lambda: NOW)
    clock.measured(NOW, 0, 0, speed)
    router = Router(Journal(tmp_path, ("BTCUSDT",)), clock, Keys("", ""), None)
    trader = Flat(())
    trader.due = NOW + int(due_s * SECOND)
    router.trader = trader  # type: ignore[assignment]
    assert router.rest_s(symbols) == (router_module.REST_S if rests else 0.0)


@pytest.mark.parametrize(("event", "read"), [(Clock(1), True), (MarketRows(1, 0, np.zeros(1, ROW)), False)])
def test_after_any_event_but_rows_no_frame_waits_any_longer(tmp_path: Path, event: Any, read: bool) -> None:
    seen: list[bool] = []
    router = Router(Journal(tmp_path, ("BTCUSDT",)), VenueClock(), Keys("", ""), None)
    router.trader = Once(())  # type: ignore[assignment]
    router.read_on = lambda: seen.append(True)
    router.deliver(event)
    assert bool(seen) == read
