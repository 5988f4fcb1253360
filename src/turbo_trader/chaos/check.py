"""The events that every check of the oracle receives; each overrides what it needs."""

from __future__ import annotations

from turbo_trader.bybit.rest import Request
from turbo_trader.chaos.wire_requests import Sent
from turbo_trader.chaos.world import World
from turbo_trader.exchange.messages import Message
from turbo_trader.exchange.protocol.rest_face import HttpReply
from turbo_trader.trader.commands import Command
from turbo_trader.trader.events import Event


class Check:
    """One part of the oracle; raises Violated."""

    def __init__(self, world: World) -> None:
        self.world = world

    def sent(self, sent: Sent) -> None:
        """A request that changes something leaves the process."""

    def read(self, request: Request) -> None:
        """A request that only reads leaves the process."""

    def answered(self, sent: Sent, reply: HttpReply) -> None:
        """The venue has carried out or refused a request; the answer may never arrive."""

    def message(self, message: Message) -> None:
        """The venue has said something, whether or not it arrives."""

    def event(self, event: Event) -> None:
        """The process was sent something."""

    def command(self, command: Command) -> None:
        """The process has recorded something, or is about to send it."""

    def step(self) -> None:
        """Time has passed."""

    def calm(self) -> None:
        """From now on nothing goes wrong."""

    def finish(self) -> None:
        """The run is over; everything had time to become quiet."""
