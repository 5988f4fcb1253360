"""Order entry over the trade socket of the simulated venue, with faults on the way: nothing twice, and afterwards all is known."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from turbo_trader.bybit import streams
from turbo_trader.bybit.endpoints import Keys, loopback
from turbo_trader.bybit.venue_errors import NO_ANSWER
from turbo_trader.exchange.protocol.faults_on_demand import FaultPlan, Faults
from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.exchange_server.server_thread import ServedVenue, serve_in_thread
from turbo_trader.live.gateway import Gateway
from turbo_trader.live.order_entry import TradeSocket
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.order_terms import OrderType, Side, TimeInForce
from turbo_trader.trader.commands import CancelOrder, PlaceOrder, Purpose, Read
from turbo_trader.trader.events import CommandResult, Outcome

SYMBOL = "BTCUSDT"
ANSWER_S = 0.6


@pytest.fixture
def venue(make_venue: Callable[..., Venue]) -> Iterator[ServedVenue]:
    with serve_in_thread(make_venue(limits=False)) as found:
        yield found


@pytest.fixture(autouse=True)
def back_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "BACKOFF_S", (0.02,))


def inject(venue: ServedVenue, text: str, times: int = 0, seed: int = 1) -> None:
    venue.call(lambda v: setattr(v, "faults", Faults(FaultPlan.parse(text), seed, times)))


def stored(venue: ServedVenue) -> Counter[str]:
    """The orders the venue ever took, by their own ids."""
    return venue.call(lambda v: Counter(order.link_id for order in v.exchange.accounts["1"].orders.values()))


def cut(venue: ServedVenue) -> None:
    def all_lines(v: Venue) -> None:
        for line in list(v.lines):
            line.cut()

    venue.call(all_lines)


def resting(name: str) -> PlaceOrder:
    return PlaceOrder(
        id=name,
        symbol=SYMBOL,
        side=Side.BUY,
        qty=Decimal("0.001"),
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        reduce_only=False,
        purpose=Purpose.ENTRY,
        price=Decimal(50_000),
        recv_window_ms=5_000,
    )


class Rig:
    """A gateway, its socket, and what left by REST."""

    def __init__(self, port: int, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        where, keys, clock = loopback(port), Keys("key", "secret"), VenueClock()
        self.reported: list[dict[str, Any]] = []
        self.socket = TradeSocket(
            where.trade, keys, clock, lambda name, level, fields: self.reported.append(fields), ANSWER_S
        )
        self.gateway = Gateway(
            where, keys, clock, lambda name, level, fields: None, share=100.0, socket=self.socket
        )
        self.by_rest: list[str] = []
        self.by_socket: list[str] = []
        self._watch_frames()
        for lane in ("orders", "exits"):
            self._watch(self.gateway._lanes[lane])

    def _watch(self, lane: Any) -> None:
        carry = lane.call

        async def noted(call: Any, *patience: float) -> Any:
            if call.writes:
                self.by_rest.append(call.params.get("orderLinkId", ""))
            return await carry(call, *patience)

        lane.call = noted

    def _watch_frames(self) -> None:
        send = ClientConnection.send

        async def noted(socket: ClientConnection, message: Any) -> None:
            frame = json.loads(message)
            if frame["op"].startswith("order."):
                self.by_socket.append(frame["args"][0]["orderLinkId"])
            await send(socket, message)

        self._patch.setattr(ClientConnection, "send", noted)

    async def known(self, name: str) -> bool:
        """Look an order up by its own id, as the Trader does."""
        found = await self.gateway.execute_read(Read(f"look-{name}", ("order",), SYMBOL, name))
        assert found.outcome is Outcome.CONFIRMED
        return any(order.link_id == name for order in found.orders)


@asynccontextmanager
async def rig(venue: ServedVenue) -> AsyncIterator[Rig]:
    patch = pytest.MonkeyPatch()
    made = Rig(venue.port, patch)
    assert await made.gateway.sync_clock()
    (job,) = made.gateway.jobs()
    running = asyncio.create_task(job)
    await up(made)
    yield made
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await made.gateway.close()
    patch.undo()


async def up(rig: Rig) -> None:
    async with asyncio.timeout(10):
        while not rig.socket.up:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_an_order_is_placed_and_cancelled_without_rest(venue: ServedVenue) -> None:
    async with rig(venue) as ours:
        placed = await ours.gateway.send(resting("e1"))
        cancelled = await ours.gateway.send(CancelOrder("c1", SYMBOL, "e1"))
        again = await ours.gateway.send(CancelOrder("c2", SYMBOL, "e1"))
        assert await ours.known("e1")
    assert [result.outcome for result in (placed, cancelled, again)] == [Outcome.CONFIRMED] * 3
    assert again.code == 110001  # gone already: benign for a cancel, as by REST
    assert (ours.by_rest, stored(venue)) == ([], {"e1": 1})


@pytest.mark.long
@pytest.mark.parametrize(
    ("fault", "processed"), [("drop_before", False), ("drop_after", True), ("half_open", None), ("ret_10016", None)]
)  # fmt: skip
async def test_s10_whatever_is_lost_on_way_is_unknown_never_sent_twice_and_found_by_its_id(
    venue: ServedVenue, fault: str, processed: bool | None
) -> None:
    async with rig(venue) as ours:
        results: list[CommandResult] = []
        for n in range(4):
            inject(venue, f"{fault}@order/create=1", times=1, seed=n)
            results.append(await ours.gateway.send(resting(f"e{n}")))
            inject(venue, "")
            await up(ours)
        found = {f"e{n}": await ours.known(f"e{n}") for n in range(4)}
    assert {result.outcome for result in results} == {Outcome.UNKNOWN}
    assert {result.code for result in results} == {10016 if fault == "ret_10016" else NO_ANSWER}
    assert ours.by_rest == []
    assert {name for name, is_known in found.items() if is_known} == set(stored(venue))
    assert set(stored(venue).values()) <= {1}
    expected = {True: {4}, False: {0}, None: set(range(1, 4))}[processed]
    assert len(stored(venue)) in expected


@pytest.mark.long
async def test_s10_cut_again_and_again_each_order_is_there_once_or_known_not_to_be(
    venue: ServedVenue,
) -> None:
    async with rig(venue) as ours:
        inject(venue, "delay@order/create=0.5,drop_after@order/create=0.1,delay_s=0.05")
        results: list[CommandResult] = []
        for burst in range(4):
            orders = [asyncio.create_task(ours.gateway.send(resting(f"b{burst}-{n}"))) for n in range(12)]
            await asyncio.sleep(0.02)
            await asyncio.to_thread(cut, venue)
            late = asyncio.create_task(
                ours.gateway.send(resting(f"b{burst}-late"))
            )  # the connection is just gone, or not yet known to be
            results += await asyncio.gather(*orders, late)
            await up(ours)
        inject(venue, "")
        await asyncio.sleep(0.1)
        unknown = [result.id for result in results if result.outcome is Outcome.UNKNOWN]
        found = {name for name in unknown if await ours.known(name)}
    placed = stored(venue)
    assert set(placed.values()) == {1}, "sent twice"
    assert {result.id for result in results if result.outcome is Outcome.CONFIRMED} <= set(placed)
    assert found == set(unknown) & set(placed)
    assert unknown
    left = Counter(ours.by_socket + ours.by_rest)
    assert set(left.values()) == {1}, "handed to the socket, and sent again"
    assert set(left) == {result.id for result in results}
    assert ours.by_rest, "nothing fell back"
    assert len(ours.by_socket) > len(results) // 3
    assert not [result for result in results if result.outcome is Outcome.REJECTED]


async def test_a_venue_without_a_trade_socket_is_reported_and_traded_with_by_rest(
    make_venue: Callable[..., Venue], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serve_in_thread(make_venue(demo=True)) as demo:
        ours = Rig(demo.port, monkeypatch)
        assert await ours.gateway.sync_clock()
        (job,) = ours.gateway.jobs()
        running = asyncio.create_task(job)
        async with asyncio.timeout(5):
            while not ours.reported:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        result = await ours.gateway.send(resting("e1"))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await ours.gateway.close()
        assert (result.outcome, ours.by_rest) == (Outcome.CONFIRMED, ["e1"])
        assert [reported["way"] for reported in ours.reported] == ["rest"]
        assert stored(demo) == {"e1": 1}
