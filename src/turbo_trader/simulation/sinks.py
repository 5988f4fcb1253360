"""Where everything a Trader did goes: a sink, and several as one."""

from __future__ import annotations

from typing import Protocol

from turbo_trader.trader.commands import Command
from turbo_trader.trader.events import Event


class Sink(Protocol):
    """Where everything the Trader did goes, in order."""

    def event(self, event: Event) -> None:
        """An event as the Trader got it (market rows excepted)."""

    def command(self, command: Command) -> None:
        """A command as it was recorded or left."""


class Sinks:
    """Everything goes to each of them, in their order."""

    def __init__(self, *sinks: Sink | None) -> None:
        self._sinks = tuple(sink for sink in sinks if sink is not None)

    def event(self, event: Event) -> None:
        """An event as the Trader got it."""
        for sink in self._sinks:
            sink.event(event)

    def command(self, command: Command) -> None:
        """A command as it was recorded or left."""
        for sink in self._sinks:
            sink.command(command)
