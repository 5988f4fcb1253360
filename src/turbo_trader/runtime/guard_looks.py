"""The guard's looks at an account, without I/O: the guard's process and the simulation both run them.

While a daemon holds the lease a look only looks. Once the lease has run out, and two reads agree, it takes the next epoch, does
what `trader.guard_interventions` asks, each intent in the journal first, and gives the lease back, so that a daemon that
starts need not wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final, Protocol

from turbo_trader.bybit.command_calls import Call
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.lease import Lease, LeaseWatch
from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.reference import parse_instrument
from turbo_trader.runtime.venue_requests import Job, Requests, Sleep
from turbo_trader.trader.commands import Read, WriteCommand
from turbo_trader.trader.events import CommandResult, Outcome, ReadResult
from turbo_trader.trader.guard_interventions import (
    Action,
    GuardRules,
    Intervention,
    Kept,
    Remedy,
    command,
    damaged,
    interventions,
    opened_by_us,
    unprotected,
)
from turbo_trader.trader.ids import Ids

CLOCK_NS: Final = 60_000_000_000  # between two measurements of the venue's clock
_DAY_NS: Final = 86_400_000_000_000  # fills are looked at so far back where the journal cannot be read
_THROUGH: Final = frozenset({110092, 110093})  # the price has passed the stop
_UNREADABLE: Final = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError)

Emit = Callable[[str, str, dict[str, Any]], None]  # name, level, fields


class JournalBeside(Protocol):
    """A journal that is not the guard's own (`journal.intents`). What is written tells whether it was, and never raises."""

    def state(self) -> tuple[dict[str, dict[str, Any]], list[str]]:
        """What is kept across restarts, by key; keys of rows that cannot be read. InputError, JournalError: nothing can be."""

    def boots(self) -> list[str]:
        """Nonces of every start the journal knows."""

    def expected(self) -> bool:
        """Has there been a journal?"""

    def intent(self, command: WriteCommand) -> bool:
        """A command that is about to be sent."""

    def outcome(self, result: CommandResult) -> bool:
        """Its outcome."""


class GuardLooks:
    """Looks, and acts when nobody else does. `emit` hears what it saw and did."""

    def __init__(
        self,
        *,
        requests: Requests,
        lease: Lease,
        watch: LeaseWatch,
        journal: JournalBeside,
        ids: Ids,
        rules: GuardRules,
        emit: Emit,
    ) -> None:
        self._requests = requests
        self._lease, self._watch = lease, watch
        self._journal = journal
        self._ids = ids
        self._rules = rules
        self._emit = emit
        self._synced: int | None = None  # when the venue's clock was measured last, by our steady one
        self._alarmed: set[str] = set()
        self._alone = False
        self._instruments: dict[str, Instrument] = {}
        self._kept: Kept = {}  # what the journal last reported, for when it cannot
        self._boots: list[str] = []
        self._unreadable: list[str] = []  # keys of rows that make no sense
        self._blind = ""  # why the journal cannot be read; "" while it can
        self._refused: dict[str, int] = {}  # stops the venue refused, by symbol
        self._said: dict[str, str] = {}  # the last of what is said on change alone

    def say(self, name: str, why: str, level: str = "warning", **fields: Any) -> None:
        """Say it once, and again when it changes ("": nothing to say any more)."""
        if self._said.get(name, "") != why:
            self._said[name] = why
            if why:
                self._emit(name, level, {"why": why, **fields})

    def round(self) -> Job[bool]:
        """The clock where that is due, then a look; without a clock none is taken."""
        steady = self._requests.clock.steady()
        if self._synced is None or steady - self._synced >= CLOCK_NS:
            found = yield from self._requests.sync_clock()
            self._synced = steady if found else self._synced
        return self._synced is not None and (yield from self.look())

    def look(self) -> Job[bool]:
        """One look; True when no daemon lives and nothing is left to guard."""
        gone = self._watch.gone_ns()
        self._recall()
        if bool(gone) != self._alone:
            self._alone = bool(gone)
            if gone:
                self._emit("daemon-gone", "warning", {"ended": self._watch.ended})
            else:
                self._emit("daemon-back", "info", {})
        snapshot = yield from self._read()
        if snapshot is None:
            return False
        naked = set(unprotected(snapshot.positions))
        for symbol in sorted(naked & self._alarmed):  # twice in a row: not merely on its way
            self._emit("guard-unprotected", "error", {"symbol": symbol, "daemon": not gone})
        self._alarmed = naked
        if not gone:
            return False
        first = yield from self._interventions(snapshot, gone)
        if not first:
            return not snapshot.unread and not any(position.size for position in snapshot.positions)
        yield Sleep(self._rules.agree_ns / 1e9)
        again, gone = (yield from self._read()), self._watch.gone_ns()
        if again is not None and gone:
            found = yield from self._interventions(again, gone)
            yield from self._act([intervention for intervention in found if intervention in first])
        return False

    def _read(self) -> Job[ReadResult | None]:
        result = yield from self._requests.execute_read(Read(self._ids.next("read"), ("positions", "orders")))
        if result.outcome is Outcome.CONFIRMED:
            return result
        self._emit("guard-read-failed", "warning", {"code": result.code, "why": result.message})
        return None

    def _recall(self) -> None:
        """Read the journal; what cannot be read is said, and what was read before stands."""
        journal, before = self._journal, self._kept
        try:
            kept, unreadable = journal.state()
            known = journal.boots()
            expected = bool(self._boots) or journal.expected()
            self._blind = "" if known or not expected else f"journal {journal}: gone or emptied"
        except (InputError, JournalError) as error:
            self._blind = str(error)
        if not self._blind:
            unreadable += damaged(kept)
            self._unreadable = unreadable
            self._boots = known
            self._kept = {
                key: before.get(key, {}) if key in unreadable else value for key, value in kept.items()
            }
        rows = (
            f"journal {journal}: rows that make no sense: {', '.join(self._unreadable)}"
            if self._unreadable
            else ""
        )
        meaning = "what was read before stands; else positions and orders as the venue shows them"
        self.say("guard-journal-unreadable", self._blind or rows, "error", meaning=meaning)

    def _interventions(self, snapshot: ReadResult, gone: int) -> Job[list[Intervention]]:
        opened: dict[str, int] = {}
        ticks: dict[str, Decimal] = {}
        now = self._requests.clock.now()
        if self._blind or self._unreadable:
            held = [position for position in snapshot.positions if position.size]
            done = yield from self._requests.execute_read(
                Read(self._ids.next("read"), ("fills",), since=now - _DAY_NS)
            )
            opened = opened_by_us(held, done.fills) if done.outcome is Outcome.CONFIRMED else {}
            for symbol in unprotected(held):
                if (instrument := (yield from self._instrument(symbol))) is not None:
                    ticks[symbol] = instrument.tick
        return interventions(
            snapshot.positions,
            snapshot.orders,
            self._kept,
            self._boots,
            now,
            gone_ns=gone,
            rules=self._rules,
            left=self._watch.left,
            blind=bool(self._blind),
            unreadable=self._unreadable,
            opened=opened,
            ticks=ticks,
        )

    def _act(self, agreed: list[Intervention]) -> Job[None]:
        """Under an epoch of our own; a daemon that takes the next one ends our right to write at once."""
        if not agreed or not self._take():
            return
        try:
            left = list(agreed)
            while left and self._lease.renew():
                intervention = left.pop(0)
                closes = intervention.what is Remedy.CLOSE
                most = (yield from self._largest(intervention.symbol)) if closes else None
                action = command(intervention, self._ids, most)
                result = yield from self._send(action)
                if result.outcome is Outcome.REJECTED:  # its terms may be others by now
                    self._instruments.pop(intervention.symbol, None)
                if intervention.what is Remedy.PROTECT and self._must_close(intervention, result):
                    left.append(replace(intervention, what=Remedy.CLOSE, why="its stop was refused"))
                self._emit(
                    "guard-acted", "warning",
                    {"what": intervention.what, "symbol": intervention.symbol, "why": intervention.why, "stop": intervention.stop,
                     "id": action.id, "order": intervention.link_id, "outcome": result.outcome.value, "code": result.code,
                     "message": result.message},
                )  # fmt: skip
        finally:
            self._lease.release()

    def _take(self) -> bool:
        """The lease, written where that is possible; the daemon never writes without a written one, so that memory is enough."""
        try:
            return self._lease.take()
        except OSError as error:
            meaning = "held in memory: no other guard is seen; a daemon that starts ends it"
            self.say("guard-lease-in-memory", str(error.strerror), "error", meaning=meaning)
            self._lease.take_in_memory()
            return True

    def _must_close(self, intervention: Intervention, result: CommandResult) -> bool:
        """Was the stop refused for good? While one stands it is looked at and tried once more; what may not be ours is left."""
        if result.outcome is not Outcome.REJECTED or result.later or result.barred_key:
            self._refused.pop(intervention.symbol, None)
            return False
        refused = self._refused[intervention.symbol] = self._refused.get(intervention.symbol, 0) + 1
        return intervention.ours and (not intervention.standing or refused > 1 or result.code in _THROUGH)

    def _send(self, action: Action) -> Job[CommandResult]:
        """The intent first, as the daemon does; but a journal that cannot be written keeps no position from its protection."""
        if not self._journal.intent(action):
            self._emit("guard-unjournaled", "error", {"id": action.id, "symbol": action.symbol})
        result = yield from self._requests.send(action)
        self._journal.outcome(result)
        return result

    def _largest(self, symbol: str) -> Job[Decimal | None]:
        """The largest market order of a symbol; None where it cannot be read: then the whole position is tried."""
        instrument = yield from self._instrument(symbol)
        return None if instrument is None else instrument.max_market_qty

    def _instrument(self, symbol: str) -> Job[Instrument | None]:
        if symbol not in self._instruments:
            where = {"category": "linear", "symbol": symbol}
            answer = yield from self._requests.read(Call("get_instruments_info", "market", where))
            for row in answer.rows:
                try:
                    self._instruments[str(row["symbol"])] = parse_instrument(row)
                except _UNREADABLE as error:
                    self.say("row-unreadable", f"instruments: {symbol}: {error}"[:200], "error")
        return self._instruments.get(symbol)
