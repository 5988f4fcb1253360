"""The journal of a process in simulated time: what it has written, and how much of that is on disk when process or machine end."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from turbo_trader.journal.encoding import encode
from turbo_trader.market.rows import SECOND
from turbo_trader.trader.commands import Persist, WireCommand
from turbo_trader.trader.events import CommandResult, Outcome
from turbo_trader.trader.persisted import BOOTS, INTENTS
from turbo_trader.trader.recovery import YOUNG

SYNC: Final = SECOND  # the disk has what it was handed within that time


class JournalInMemory:
    """What a process has written, and what of it is on disk; nothing where the process never dies, as nobody reads it then."""

    def __init__(self, *, restarts: bool = True) -> None:
        self._restarts = restarts
        self.boots: list[str] = []  # of all starts, and of guards that wrote
        self._boot = ""
        self._state: dict[str, bytes] = {}
        self._intents: dict[
            str, tuple[int, str, WireCommand]
        ] = {}  # id -> time, boot, command: what a start may ask for
        self._named: set[str] = set()  # ids of all there were
        self._settled: set[str] = set()
        self._unwritten: list[Callable[[], None]] = []
        self._unsynced: list[
            tuple[int, Callable[[], None]]
        ] = []  # handed to the disk, which may lose it with its power
        self.failed = ""  # why nothing can be written at present

    def begin(self, boot: str) -> None:
        """A start."""
        self._boot = boot
        self.boots.append(boot)

    def persist(self, command: Persist) -> None:
        """State that must survive, as it is now."""
        if not self._restarts:
            return
        key, value = command.key, encode(command.value)
        self._unwritten.append(lambda: self._state.__setitem__(key, value))

    def intent(self, now: int, command: WireCommand) -> None:
        """A request that is about to leave."""
        if not self._restarts:
            return
        entry = (now, self._boot, command)

        def write() -> None:
            self._intents[command.id] = entry
            self._named.add(command.id)

        self._unwritten.append(write)

    def beside(self, now: int, boot: str, command: WireCommand) -> bool:
        """A request that is about to leave a guard; False where nothing can be written."""
        if self.failed:
            return False
        if boot not in self.boots:
            self.boots.append(boot)
        self._intents[command.id] = (now, boot, command)
        self._named.add(command.id)
        return True

    def on_disk(self, now: int) -> dict[str, dict[str, Any]]:
        """What is kept across restarts, as another process reads it some seconds after it was written."""
        self._sync(now - SYNC)
        return {key: json.loads(value) for key, value in self._state.items()}

    def outcome(self, result: CommandResult) -> None:
        """The outcome of a request."""
        if result.outcome is not Outcome.UNKNOWN:
            self._settled.add(result.id)

    def has(self, name: str) -> bool:
        """Is the intent of this id on disk, in whichever life it was written?"""
        return name in self._named

    @property
    def waits(self) -> bool:
        """Is there anything that was not even handed to the disk?"""
        return bool(self._unwritten)

    def kept(self, key: str) -> Any:
        """The row of state under this key that is on disk; None where there is none."""
        value = self._state.get(key)
        return None if value is None else json.loads(value)

    def flush(self, now: int) -> None:
        """Hand everything to the disk, where it can be; it has it within SYNC."""
        if not self.failed:
            self._unsynced += [(now, each) for each in self._unwritten]
            self._unwritten.clear()

    def commit(self, now: int) -> None:
        """Bring everything to disk, where it can be."""
        self.flush(now)
        if not self.failed:
            self._sync(now + 1)

    def _sync(self, until: int) -> None:
        """The disk has what it was handed before `until`."""
        while self._unsynced and self._unsynced[0][0] < until:
            self._unsynced.pop(0)[1]()

    def lose_power(self, now: int) -> None:
        """What the disk was handed in the last moments is torn off."""
        self._sync(now - SYNC)
        self._unsynced.clear()

    def mend(self, now: int) -> None:
        """It can be written again: what waits is."""
        self.failed = ""
        self.commit(now)

    def restored(self, now: int) -> dict[str, Any]:
        """What a start reads, after a death lost the rest."""
        self._unwritten.clear()
        self._sync(now + 1)
        young = {
            name: entry
            for name, entry in self._intents.items()
            if name not in self._settled and entry[0] >= now - YOUNG
        }
        self._intents = young
        unresolved = [
            {
                "id": name,
                "ts": ts,
                "kind": type(command).__name__,
                "symbol": command.symbol,
                "command": json.loads(encode(command)),
            }
            for name, (ts, _, command) in young.items()
        ]
        return {**self.on_disk(now), BOOTS: {"nonces": list(self.boots)}, INTENTS: {"unresolved": unresolved}}


class BesideInMemory:
    """The guard's hand in the journal of a process (`runtime.guard_looks.JournalBeside`)."""

    def __init__(self, journal: JournalInMemory, boot: str, now: Callable[[], int]) -> None:
        self._journal, self._boot, self._now = journal, boot, now

    def state(self) -> tuple[dict[str, dict[str, Any]], list[str]]:
        """What is kept across restarts, by key; every row can be read."""
        return self._journal.on_disk(self._now()), []

    def boots(self) -> list[str]:
        """Nonces of every start the journal knows."""
        return list(self._journal.boots)

    def expected(self) -> bool:
        """Has there been a journal?"""
        return True

    def intent(self, command: WireCommand) -> bool:
        """On disk when it returns True."""
        return self._journal.beside(self._now(), self._boot, command)

    def outcome(self, result: CommandResult) -> bool:
        """Its outcome."""
        if not self._journal.failed:
            self._journal.outcome(result)
        return not self._journal.failed
