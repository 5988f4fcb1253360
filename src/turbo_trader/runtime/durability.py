"""The order in which one step of the Trader becomes durable and leaves.

A step is everything one event made the Trader command. What must be known after a death is on disk before an order leaves. A
stop change alone leaves first: it carries no id that must be known and only tightens, so that a death between the two loses
nothing (`trader.commands.stops_alone`).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, TypeAlias, get_args

from turbo_trader.bybit.venue_errors import NO_JOURNAL
from turbo_trader.trader.commands import (
    Command,
    Persist,
    PlaceOrder,
    WireCommand,
    WriteCommand,
    stops_alone,
)
from turbo_trader.trader.events import CommandResult, Outcome


class Act(Enum):
    """What a shell does with one command, or with all that was recorded so far."""

    RECORD = auto()  # write the command to the journal, or carry it out inside the process
    COMMIT = auto()  # wait until what was recorded is on disk
    FLUSH = auto()  # hand what was recorded to the disk, without waiting for it
    SEND = auto()  # let the request leave


_WIRE: Final = get_args(WireCommand)  # a tuple is looked through faster than a union
Step: TypeAlias = tuple[Act, Command | None]  # COMMIT and FLUSH carry no command


def steps(commands: Sequence[Command]) -> list[Step]:
    """The acts of one step, in order. A process may die between any two of them."""
    record: list[Step] = [(Act.RECORD, command) for command in commands]
    wire = [command for command in commands if isinstance(command, _WIRE)]
    if not wire:
        return [*record, (Act.COMMIT, None)] if any(isinstance(c, Persist) for c in commands) else record
    writes = [command for command in wire if isinstance(command, WriteCommand)]
    send: list[Step] = [(Act.SEND, command) for command in wire]
    if stops_alone(writes):
        return [*send, *record, (Act.FLUSH, None)]
    durable = writes or any(isinstance(command, Persist) for command in commands)
    return [*record, *([(Act.COMMIT, None)] if durable else []), *send]


def refused_without_journal(command: WireCommand, failure: str, now: int) -> CommandResult | None:
    """The answer to an entry while the journal cannot be written (`failure`; "" while it can); None: the command may leave."""
    if not failure or not isinstance(command, PlaceOrder) or command.reduce_only:
        return None
    return CommandResult(ts=now, id=command.id, outcome=Outcome.REJECTED, code=NO_JOURNAL, message=failure)
