"""I5: rows of the journal that only move on, over restarts too: brackets, counts, stop-outs. A close once begun goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from turbo_trader.chaos.check import Check
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.wire_requests import Order, Sent
from turbo_trader.chaos.world import World
from turbo_trader.journal.encoding import encode
from turbo_trader.market.rows import SECOND
from turbo_trader.trader.commands import Command, Note, Persist
from turbo_trader.trader.control_verbs import ControlVerb
from turbo_trader.trader.events import Control, Event

GOES_ON: Final = 60 * SECOND  # of heard time from a start to a close that was begun before
KINDS: Final = ("position", "stopped-out", "counts")

Fields = Mapping[str, Any]


class Restarts(Check):
    """Each row against the one before; after a death that is the one on disk."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._life = 0
        self._rows: dict[str, Fields] = {}
        self._closing: dict[
            str, int
        ] = {}  # symbols that this life began to close before it started -> heard time
        self._resumed = False  # a person said so: the doubt about an edge begins again
        self._trades = 0  # noted since the counts were kept last
        self._won = 0  # of them

    def event(self, event: Event) -> None:
        """What the step before has kept was brought to disk; a new life takes up what is there."""
        journal = self.world.simulation.process.journal
        if journal.waits and not journal.failed and self.world.life == self._life:
            raise Violated(Invariant.INTENTS, "rows of the journal are not brought to disk")
        if self.world.life != self._life:
            self._life = self.world.life
            kept = {key: journal.kept(key) for key in self._rows}
            self._rows = {key: row for key, row in kept.items() if row}
            self._closing = {
                key.partition(":")[2]: self.world.heard_ns
                for key, row in self._rows.items()
                if row.get("closing")
            }
            self._trades = self._won = 0
        if isinstance(event, Control) and event.verb == ControlVerb.RESUME:
            self._resumed = True

    def command(self, command: Command) -> None:
        """A row, or a trade that the next one counts."""
        if isinstance(command, Note) and command.name == "trade":
            self._trades += 1
            self._won += command.fields["net"] > 0
        if not isinstance(command, Persist) or command.key.partition(":")[0] not in KINDS:
            return
        row: Fields = json.loads(encode(command.value))
        before = self._rows.get(command.key)
        if before and row:
            lost = self._lost(command.key.partition(":")[0], before, row)
            if lost:
                raise Violated(
                    Invariant.BOOKS, f"the journal forgets {', '.join(lost)}", key=command.key, before=before, row=row
                )  # fmt: skip
        self._rows[command.key] = row
        if command.key == "counts":
            self._resumed, self._trades, self._won = False, 0, 0

    def _lost(self, kind: str, before: Fields, row: Fields) -> list[str]:
        """What has gone back from one row to the next."""
        if kind == "stopped-out":
            return [f"the stop-out of side {side}" for side in before["times"].keys() - row["times"].keys()]
        if kind == "counts":
            return self._uncounted(before, row)
        if before["trade"]["entry_id"] != row["trade"]["entry_id"]:
            return []
        was, now = before["bracket"], row["bracket"]
        forward = {name: now[name] >= was[name] for name in ("zone", "extensions")}
        forward["when it was opened"] = now["opened_ns"] <= was["opened_ns"]
        forward["its stop"] = now["direction"] * (Decimal(now["stop"]) - Decimal(was["stop"])) >= 0
        forward["fees"] = abs(Decimal(row["trade"]["fees"])) >= abs(Decimal(before["trade"]["fees"]))
        forward["that it is being closed"] = bool(row["closing"]) or not before["closing"]
        return [name for name, held in forward.items() if not held]

    def _uncounted(self, before: Fields, row: Fields) -> list[str]:
        lost = [name for name, count in before["counts"].items() if row["counts"][name] < count]
        if row["counts"]["trades"] - before["counts"]["trades"] != self._trades:
            lost.append("how many trades there were")
        if row["counts"]["wins"] - before["counts"]["wins"] != self._won:
            lost.append("how many of them were won")
        doubted = before["evidence"]["trades"] + self._trades
        if row["evidence"]["trades"] != doubted and not (
            self._resumed and row["evidence"]["trades"] <= self._trades
        ):
            lost.append("what the trades say of an edge")
        return lost

    def sent(self, sent: Sent) -> None:
        """A close that goes on."""
        if isinstance(sent, Order) and sent.reduce_only:
            self._closing.pop(sent.symbol, None)

    def step(self) -> None:
        """Closes that a life before this one had begun."""
        world = self.world
        for symbol, since in list(self._closing.items()):
            if not world.size(symbol) or symbol in world.strangers:
                del self._closing[symbol]
            elif world.hears and world.heard_ns - since > GOES_ON:
                raise Violated(Invariant.BRACKET, "a close that was begun is not gone on with", symbol=symbol)
