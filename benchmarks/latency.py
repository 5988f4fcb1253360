"""`scripts/bench latency`: from a public frame off the socket to the stop change on the wire, under a given rate of frames.

The daemon's own shell, Trader, journal and REST lanes, against a hand-made venue in another process on this machine. One position
is held; again and again a book frame moves its best bid past the first zone. When the stop has moved, the bracket is wound back, so
that the next such frame moves it again: the rest is what runs live.
"""

from __future__ import annotations

import gc
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
import uvloop

from benchmarks.latency_venue import ENTRY, PROBE, QTY, run
from turbo_trader.bybit.direct_connection import DirectConnection
from turbo_trader.bybit.endpoints import Endpoints, Keys
from turbo_trader.bybit.transport import Connection
from turbo_trader.live.daemon_settings import DaemonSettings
from turbo_trader.live.router import Machine
from turbo_trader.live.shell import Shell
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import MINUTE
from turbo_trader.rules.exits import Bracket, exit_rules
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.commands import Command
from turbo_trader.trader.events import Event, MarketRows
from turbo_trader.trader.machine import Trader
from turbo_trader.trader.state_keys import Key
from turbo_trader.trader.trade import Trade

PER_SECOND = 5_000
SECONDS = 30.0
_FIRST_S = 4.0  # a run that is not counted: code is compiled
WARM = 20  # first changes left out: connections open
HELD = "BTCUSDT"
Times: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


class Rewound(Trader):
    """The Trader; its one bracket is put back to the start when a stop change is through and the price is low again."""

    def handle(self, event: Event) -> list[Command]:
        """As the Trader's."""
        commands = super().handle(event)
        state = self._state.by_symbol[HELD]
        bracket = state.bracket
        if (
            not isinstance(event, MarketRows)
            or bracket is None
            or not bracket.zone
            or state.amendment.in_flight
        ):
            return commands
        price = self._state.closable(state)
        if price is not None and bracket.progress(price) < bracket.rules.zone_one:
            bracket.zone, bracket.stop = 0, Decimal("58800")
            self._monitor.watch(state)
        return commands


def holding(policy: Policy, start: int) -> dict[str, dict[str, Any]]:
    """What a daemon with this position would have kept."""
    bracket = Bracket(
        direction=1,
        entry=Decimal(ENTRY),
        tick=universe()[0].tick,
        take_profit=Decimal("0.02"),
        stop_loss=Decimal("0.02"),
        cost=Decimal("0.0015"),
        opened_ns=start,
        hold_ns=600 * MINUTE,
        rules=exit_rules(policy),
    )
    qty = Decimal(QTY)
    trade = Trade(
        entry_id="earlier-entry",
        direction=1,
        trade_tier=1,
        opened_ts=start,
        qty=qty,
        opened_value=qty * ENTRY,
    )
    return {
        Key.POSITION.of(HELD): {
            "bracket": msgspec.to_builtins(bracket),
            "trade": msgspec.to_builtins(trade),
            "held": QTY,
        },
    }


@dataclass
class Stamps:
    """Times inside the daemon, ns of the monotonic clock."""

    received: list[int] = field(default_factory=list)  # the frame that moves the stop, off the socket
    leaving: list[int] = field(default_factory=list)  # the stop change, handed to its socket


def stamped(stamps: Stamps) -> Callable[[], None]:
    """Take times where bytes come in and go out; returns what ends that."""
    data_received, write = DirectConnection.data_received, Connection.write

    def received(self: DirectConnection, data: bytes) -> None:
        if PROBE in data:
            stamps.received.append(time.monotonic_ns())
        data_received(self, data)

    def sent(self: Connection, data: bytes) -> None:
        if b"/v5/position/trading-stop" in data[:64]:
            stamps.leaving.append(time.monotonic_ns())
        write(self, data)

    DirectConnection.data_received = received  # type: ignore[method-assign]
    Connection.write = sent  # type: ignore[method-assign]

    def restore() -> None:
        DirectConnection.data_received = data_received  # type: ignore[method-assign]
        Connection.write = write  # type: ignore[method-assign]

    return restore


@dataclass(frozen=True, slots=True)
class Measured:
    """Stop changes in order, ns of the monotonic clock, the first few left out."""

    sent: Times  # the frame was handed to the venue's socket
    received: Times  # it came off the daemon's
    leaving: Times  # the stop change was handed to the daemon's socket
    arrived: Times  # it came off the venue's
    frames: int  # public frames in all
    lost: int  # stop changes that did not come


def measure(per_second: int, seconds: float, folder: Path) -> Measured:
    """Run venue and daemon."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    venue = context.Process(target=run, args=(theirs, per_second), daemon=True)
    venue.start()
    theirs.close()  # so that a venue that fails sees an end of file
    stamps = Stamps()
    restore = stamped(stamps)
    gc.freeze()  # as `run` does
    try:
        rest, streams = ours.recv()
        uvloop.run(_daemon(rest, streams, seconds, folder))
        ours.send("end")
        reported: tuple[list[int], list[int], int, int] = ours.recv()
    finally:
        gc.unfreeze()
        restore()
        venue.join(5)
        venue.kill()
    sent, arrived, frames, lost = reported
    count = min(map(len, (sent, arrived, stamps.received, stamps.leaving)))
    out, off, on, come = (
        np.array(each[WARM:count]) for each in (sent, stamps.received, stamps.leaving, arrived)
    )
    return Measured(out, off, on, come, frames, lost)


def settings_for(rest: int, url: str, folder: Path, seconds: float) -> DaemonSettings:
    """Of a daemon of 15 symbols on the hand-made venue. `url`: of its streams."""
    return DaemonSettings(
        endpoints=Endpoints("mainnet", f"http://127.0.0.1:{rest}", f"{url}/public/linear", f"{url}/private"),
        keys=Keys("key-of-the-bench", "secret-of-the-bench"), symbols=tuple(i.symbol for i in universe()),
        journal=folder, duration_s=seconds, handle_signals=False,
    )  # fmt: skip


async def _daemon(rest: int, streams: int, seconds: float, folder: Path) -> None:
    settings = settings_for(rest, f"ws://127.0.0.1:{streams}/v5", folder, seconds)

    def build(instruments: Any, policy: Policy, boot: str, start: int, _: Any) -> Machine:
        return Rewound(instruments, policy, boot=boot, start_ts=start, restored=holding(policy, start))

    await Shell(settings, Policy(), None, build).run()


def figures(name: str, nanoseconds: Times) -> None:
    """One row: median, 99th percentile and largest, in ms."""
    values = nanoseconds / 1e6
    p50, p99 = np.percentile(values, (50, 99))
    print(f"{name:<52} p50 {p50:7.3f} ms   p99 {p99:7.3f} ms   most {values.max():7.3f} ms")


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        measure(PER_SECOND, _FIRST_S, Path(folder) / "first")
        found = measure(PER_SECOND, SECONDS, Path(folder) / "counted")
    figures("frame off the socket to stop change on the wire", found.leaving - found.received)
    figures("from the venue's socket to the venue's socket", found.arrived - found.sent)
    rate = found.frames / SECONDS
    print(f"{len(found.sent):,} stop changes under {rate:,.0f} frames/s of 15 symbols; {found.lost} lost")


if __name__ == "__main__":
    main()
