"""The simulation shell around a process that dies and is started again, or stands still: what the journal has is all that is left.

A step of the Trader becomes durable as in live/router: everything it persisted, then its requests leave one after the other. Death
comes before, between or after. A start is that of live/shell: fee rates, the streams, the last minutes; the Trader reads the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final, Protocol

import numpy as np

from turbo_trader.exchange.messages import LogEntry
from turbo_trader.exchange.requests import CreateOrder, SetTradingStop
from turbo_trader.journal.encoding import encode
from turbo_trader.market.events import SECOND, Rows
from turbo_trader.market.state import States
from turbo_trader.simulation.lossy import Lossy
from turbo_trader.simulation.shell import Machine
from turbo_trader.trader.commands import (
    Command,
    Persist,
    WireCommand,
    WriteCommand,
    stops_alone,
)
from turbo_trader.trader.events import Backfill, ClockOffset, Control, Event, FeeRates, Woken
from turbo_trader.trader.recovery import BOOTS
from turbo_trader.trader.view import View

LEASE: Final = 5 * SECOND  # a process that stood still for longer has lost its right to write, and is told so
NEVER: Final = 2**63 - 1


class Living(Machine, Protocol):
    """A Trader, as far as this shell and its judge look into it."""

    def view(self) -> View:
        """What a person is shown."""

    def summary(self) -> dict[str, Any]:
        """The figures of the whole run."""


Make = Callable[[str, int, dict[str, Any] | None], Living]


class Bars(Protocol):
    """Where a start reads the last minutes."""

    def before(self, s: int, now: int) -> Rows:
        """Closed one-minute bars (BAR) of a symbol, oldest first."""


class Absent:
    """No Trader: dead, or standing still. Its market states are left as they are."""

    def __init__(self, trader: Machine) -> None:
        self.symbols: tuple[str, ...] = trader.symbols
        self.states: States = trader.states

    def handle(self, event: Event) -> Sequence[Command]:
        """Nobody is there."""
        raise AssertionError(f"told while away: {type(event).__name__}")

    def next_time(self) -> int:
        """Nobody waits."""
        return NEVER


class Mortal(Lossy):
    """A Lossy simulation whose Trader dies, is started again from what it persisted, and is tampered with from outside.

    `make(boot, now, restored)` makes a Trader. The first one is started by `begin`.
    """

    def __init__(self, *args: Any, make: Make, bars: Bars, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lives = 0
        self.alive = False
        self.transferred = Decimal(0)  # deposits less withdrawals, USDT
        self.living: Living | None = None  # the Trader; None while it is dead or stands still
        self._make = make
        self._bars = bars
        self._kept: dict[str, bytes] = {}
        self._thaw = 0  # the process stands still until then

    # -- life

    def begin(self) -> None:
        """The process starts; while the venue cannot be reached it does so in vain, and again."""
        if self.venue_down:
            self._post(self.now + 5 * SECOND, self.begin)
            return
        self.lives += 1
        self.alive = True
        restored = {key: json.loads(value) for key, value in self._kept.items()}
        restored[BOOTS] = {"nonces": [f"c{life:x}" for life in range(1, self.lives)]}
        self.trader = self.living = self._make(f"c{self.lives:x}", self.now, restored)
        for s, symbol in enumerate(self.trader.symbols):
            self._cut[s] = min(self._cut[s], self.now - self._feed[s])
            self._seen[s] = int(np.searchsorted(self._rows[s]["ts"], self._cut[s]))
            self.deliver(FeeRates(self.now, symbol, *self.exchange.fee_rates(self.uid, symbol)))
        self.deliver(ClockOffset(self.now, 0))
        between = self.faults.between
        self._later(self.now + between(0.1, 2.0), partial(self.connect_private, self._connection))
        self._later(self.now + between(0.1, 2.0), partial(self.connect_public, self._feeds))
        for s in range(len(self._rows)):
            self._later(self.now + between(0.1, 3.0), partial(self._backfill, s))

    def die(self) -> None:
        """The process is killed: what was under way inside it is gone, what had left is not."""
        if not self.alive:
            return
        self.alive = False
        self._connection += 1
        self._feeds += 1
        self.private_since = None
        self._leave()
        self._thaw = 0
        self._post(self.now + self.faults.between(0.5, 30.0), self.begin)

    def freeze(self, length: int) -> None:
        """The process stands still for `length` ns; what came meanwhile comes then."""
        trader = self.living
        if trader is None:
            return
        watches = trader.states["watch_side"].copy()
        self._leave()
        self._thaw = self.now + length
        self._post(self._thaw, partial(self._wake, self.lives, trader, watches, length))

    def _leave(self) -> None:
        self.living = None
        self.trader = Absent(self.trader)
        self.trader.states["watch_side"] = 0
        self._hits.clear()

    def _wake(self, life: int, trader: Living, watches: Any, length: int) -> None:
        if not self.alive or life != self.lives:
            return
        self.trader = self.living = trader
        trader.states["watch_side"] = watches
        if length > LEASE:
            self.deliver(Woken(self.now, self.lives))

    def _backfill(self, s: int) -> None:
        bars = self._bars.before(s, self.now)
        if len(bars):
            self.deliver(Backfill(self.now, s, bars))

    # -- what happens beside the process

    def at(self, time: int, action: Callable[[], None]) -> None:
        """Something that does not depend on the process happens at `time`."""
        self._post(time, action)

    def from_outside(self, request: CreateOrder | SetTradingStop) -> None:
        """Somebody else uses the account now; his answer is his alone."""
        self._catch_up(request.symbol)
        self.exchange.handle(self.now, self.uid, request)
        self._drain()

    def transfer(self, amount: Decimal) -> None:
        """Somebody deposits (or, below 0, withdraws) USDT now."""
        account, zero = self.exchange.accounts[self.uid], Decimal(0)
        kind, balance = "TRANSFER_IN" if amount > 0 else "TRANSFER_OUT", account.balance + amount
        number = self.exchange.new_id()
        account.book(
            LogEntry(
                self.now, number, "", kind, 0, zero, zero, amount, zero, zero, amount, balance, "", "", zero
            )
        )
        self.transferred += amount
        self.exchange.say(self.uid, self.exchange.wallet_message(self.uid, self.now))
        self._drain()

    def ask(self, verb: str) -> None:
        """The owner says a word at the console, where somebody listens."""
        if self.living is not None:
            self.deliver(Control(self.now, verb, "owner"))

    # -- what happens on the process's side

    def _later(self, time: int, action: Callable[[], None]) -> None:
        self._post(time, partial(self._if_alive, self.lives, action))

    def _if_alive(self, life: int, action: Callable[[], None]) -> None:
        if not self.alive or life != self.lives:
            return
        if self.living is None:
            self._post(self._thaw, partial(self._if_alive, life, action))
        else:
            action()

    def deliver(self, event: Event) -> None:
        """Hand an event to the Trader; make the step durable, then send, unless death comes between."""
        if self.living is None:
            return
        self.sink.event(event)
        commands = self.living.handle(event)
        wire = [command for command in commands if isinstance(command, WireCommand)]
        writes = [command for command in wire if isinstance(command, WriteCommand)]
        end = self.faults.crash_at_send(len(wire)) if writes else None
        if end == -1:
            self.die()
        elif stops_alone(writes):
            self._dispatch(wire[:end])
            if end is not None:
                self.die()  # what this step would have kept is lost
            else:
                self._keep(commands)
        else:
            self._keep(commands)
            self._dispatch(wire[:end])
            if end is not None:
                self.die()

    def _keep(self, commands: Sequence[Command]) -> None:
        for command in commands:
            if isinstance(command, Persist):
                self._kept[command.key] = encode(command.value)
            if not isinstance(command, WireCommand):
                self.sink.command(command)
                self._carry_out(command)

    def _dispatch(self, wire: Sequence[WireCommand]) -> None:
        for command in wire:
            self.sink.command(command)
            self._send(command)
