"""`scripts/bench orders`: an order's way to the venue and back by REST and by the trade socket, in turns.

The daemon's own gateway against the simulated venue in another process on this machine. Nothing else runs on the event loop: the
figures are those of the two ways alone, without a network between.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing.connection import Connection as Pipe
from typing import Any, Final

import numpy as np
from websockets.asyncio.client import ClientConnection

from benchmarks.latency import Times, figures
from turbo_trader.bybit.endpoints import Endpoints, Keys, loopback
from turbo_trader.bybit.transport import Connection
from turbo_trader.exchange_server import sockets
from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.server import serve
from turbo_trader.live.gateway import Gateway
from turbo_trader.live.order_entry import TradeSocket
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.order_terms import OrderType, Side, TimeInForce
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import SECOND
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.commands import CancelOrder, PlaceOrder, Purpose
from turbo_trader.trader.events import Outcome

COUNT = 500  # orders by each way
KEYS: Final = Keys("key-of-the-bench", "secret-of-the-bench")
_WARM = 20  # first orders left out: connections open
_START = 1_767_603_600 * SECOND
_SHARE = 1_000.0  # of the venue's limits: its own are off, as more than 10 orders a second are asked for
_ORDER: Final = (b"/v5/order/create", b'"op":"order.create"')


@dataclass(frozen=True, slots=True)
class Ways:
    """Per way (rest, websocket) of each order: ns from the command to its first byte handed to a socket, and to its outcome."""

    wire: dict[str, Times]
    outcome: dict[str, Times]


@dataclass(slots=True)
class Leaving:
    """When the order under way was handed to a socket, ns of the monotonic clock."""

    at: list[int] = field(default_factory=list)


@contextlib.contextmanager
def noted(leaving: Leaving) -> Iterator[None]:
    """Take the time where orders leave, by either way."""
    write, send = Connection.write, ClientConnection.send

    def by_rest(self: Connection, data: bytes) -> None:
        if _ORDER[0] in data[:64]:
            leaving.at.append(time.monotonic_ns())
        write(self, data)

    async def by_websocket(self: ClientConnection, message: Any, **more: Any) -> None:
        if _ORDER[1] in str(message).encode():
            leaving.at.append(time.monotonic_ns())
        await send(self, message, **more)

    Connection.write = by_rest  # type: ignore[method-assign]
    ClientConnection.send = by_websocket  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        Connection.write = write  # type: ignore[method-assign]
        ClientConnection.send = send  # type: ignore[method-assign]


def measure(count: int) -> Ways:
    """Run the venue and send `count` orders by each way; RuntimeError where one of them is not confirmed."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    venue = context.Process(target=run_venue, args=(theirs,), daemon=True)
    venue.start()
    theirs.close()  # so that a venue that fails sees an end of file
    leaving = Leaving()
    try:
        where = loopback(int(ours.recv()))
        with noted(leaving):
            return asyncio.run(_orders(where, count, leaving))
    finally:
        ours.close()
        venue.join(5)
        venue.kill()


async def _orders(where: Endpoints, count: int, leaving: Leaving) -> Ways:
    clock = VenueClock()
    trade = TradeSocket(where.trade, KEYS, clock, _unheard, 5.0)
    gateways = {
        "rest": Gateway(where, KEYS, clock, _unheard, share=_SHARE),
        "websocket": Gateway(where, KEYS, clock, _unheard, share=_SHARE, socket=trade),
    }
    await gateways["rest"].sync_clock()
    running = asyncio.create_task(trade.run())
    while not trade.up:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.01)
    taken: dict[str, list[tuple[int, int]]] = {way: [] for way in gateways}
    try:
        for n in range(count + _WARM):
            for way, gateway in gateways.items():
                taken[way].append(await _order(gateway, f"{way}-{n}", leaving))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        for gateway in gateways.values():
            await gateway.close()
    found = {way: np.array(each[_WARM:], dtype=np.int64) for way, each in taken.items()}
    return Ways(
        {way: each[:, 0] for way, each in found.items()}, {way: each[:, 1] for way, each in found.items()}
    )


async def _order(gateway: Gateway, name: str, leaving: Leaving) -> tuple[int, int]:
    """One resting order, and its cancel, which is not counted."""
    order = PlaceOrder(
        id=name,
        symbol=universe()[0].symbol,
        side=Side.BUY,
        qty=Decimal("0.001"),
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        reduce_only=False,
        purpose=Purpose.ENTRY,
        price=Decimal(50_000),
    )
    leaving.at.clear()
    began = time.monotonic_ns()
    result = await gateway.send(order)
    ended = time.monotonic_ns()
    if result.outcome is not Outcome.CONFIRMED or len(leaving.at) != 1:
        raise RuntimeError(f"order {name}: {result.outcome} ({result.code}), left {len(leaving.at)} times")
    await gateway.send(CancelOrder(f"{name}-c", order.symbol, name))
    return leaving.at[0] - began, ended - began


def _unheard(name: str, level: str, fields: dict[str, Any]) -> None:
    del name, level, fields


def run_venue(pipe: Pipe) -> None:
    """The venue's process: sends its port, ends when the pipe does."""
    sockets.ANSWER_S = 0.0  # it answers on streams as late as a distant venue: not what is measured
    asyncio.run(_venue(pipe))


async def _venue(pipe: Pipe) -> None:
    market = SyntheticMarket(universe()[:1], 1, _START, 0.0)
    config = VenueConfig(KEYS.key, KEYS.secret, Decimal(10_000), limits=False)
    async with serve(Venue(market, config)) as port:
        pipe.send(port)
        with contextlib.suppress(EOFError):
            await asyncio.get_running_loop().run_in_executor(None, pipe.recv)


def main() -> None:
    """Print the figures."""
    found = measure(COUNT)
    for way in found.wire:
        figures(f"{way}: command to wire", found.wire[way])
        figures(f"{way}: command to outcome", found.outcome[way])
    print(f"{COUNT} orders by each way, in turns")


if __name__ == "__main__":
    main()
