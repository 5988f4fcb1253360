"""I6: each row of the session in the journal against the one before: whatever changes in it has a cause, over restarts too."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from scipy.special import stdtr

from turbo_trader.chaos.check import Check
from turbo_trader.chaos.requests_check import Requests
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.world import ZERO, World
from turbo_trader.exchange.messages import Message, PositionMessage
from turbo_trader.journal.encoding import encode
from turbo_trader.market.rows import DAY, SECOND
from turbo_trader.rules.choices import TradeSize
from turbo_trader.trader.commands import Command, Note, Persist
from turbo_trader.trader.control_verbs import ControlVerb
from turbo_trader.trader.events import Control, Event

UNHEARD: Final = 35.0  # s: what happened since the last snapshot may be unknown
BY_LIMIT: Final = frozenset(
    {"session loss", "pauses"}
)  # halts that `session new` lifts; `resume` lifts all others
WATCHDOG: Final = "edge watchdog"
SURELY: Final = 0.999
JUMP: Final = Decimal("0.03")  # of the equity, which a leap of prices moves at the moment a session begins
SLACK: Final = Decimal("0.01")  # of the equity, which moves between two notes of it
TINY: Final = Decimal("0.002")
KNOWN: Final = 70 * SECOND  # by then a scan has looked at the equity
EXACT: Final = Decimal("1e-9")

Fields = Mapping[str, Any]


class SessionRows(Check):
    """The session, as the journal keeps it."""

    def __init__(self, world: World, requests: Requests) -> None:
        super().__init__(world)
        self._requests = requests
        self._row: Fields = {}  # the last one
        self._life = 0
        self._verb = ""  # control command since then
        self._moved = ZERO  # transfers since then
        self._trades: list[Note] = []  # ended since then
        self._booked: Decimal | None = None  # its realised result, as the fills of this life make it
        self._safe = ZERO  # the most since the session began: the wallet, and what stops have locked
        self._flat: list[tuple[int, Decimal]] = []  # the wallet while nothing was held for some time
        self._flat_since: int | None = None
        self._hopeless = False  # the trades leave less hope of an edge than the rules ask for

    def event(self, event: Event) -> None:
        """A new life continues with the row that is on disk; what a person asks for is a cause."""
        if self.world.life != self._life:
            self._life = self.world.life
            self._forget(self.world.simulation.process.journal.kept("session") or {})
        if isinstance(event, Control):
            self._verb = event.verb

    def _forget(self, row: Fields) -> None:
        self._row, self._verb, self._moved, self._trades = row, "", ZERO, []
        self._booked = Decimal(row["realised"]) if row else ZERO

    def message(self, message: Message) -> None:
        """Two positions may end in one step: the process hears of one of them first."""
        if isinstance(message, PositionMessage):
            self._look_at_stops()

    def step(self) -> None:
        """What is safe, and the wallet of a flat account, which the process knows some time later."""
        self._look_at_stops()
        now = self.world.now
        if next(self.world.held(), None) is not None:
            self._flat_since = None
        elif self._flat_since is None:
            self._flat_since = now
        elif now - self._flat_since > 2 * SECOND:  # the peak follows with the look at each second
            self._flat.append((now, self.world.balance))

    def _look_at_stops(self) -> None:
        """The wallet is safe, and what the stops of open positions have locked."""
        locked = [
            position.size * (position.stop_loss - position.entry_price)
            for position in self.world.held()
            if position.stop_loss is not None
        ]
        self._safe = max(self._safe, self.world.balance + sum((max(ZERO, each) for each in locked), ZERO))

    def command(self, command: Command) -> None:
        """A row, or a note of what may change the next one."""
        if isinstance(command, Persist) and command.key == "session":
            self._look(json.loads(encode(command.value)), command.ts)
        elif isinstance(command, Persist) and command.key == "counts":
            self._hopeless = self._no_hope(json.loads(encode(command.value))["evidence"])
        elif isinstance(command, Note):
            self._note(command)

    def _note(self, note: Note) -> None:
        fields = note.fields
        match note.name:
            case "transfer" if fields["coin"] == "USDT":
                self._moved += fields["amount"]
            case "trade":
                self._trades.append(note)
            case "fill":
                self._books(fields["result"] - fields["fee"])
            case "funding":
                self._books(-fields["paid"])
            case _:
                pass

    def _books(self, amount: Decimal) -> None:
        """The row before this note has its amount in."""
        if self._booked is None:
            return
        self._booked += amount
        if Decimal(self._row["realised"]) != self._booked:
            raise Violated(
                Invariant.BOOKS, "the session's realised result is not that of its fills", row=self._row, fills=self._booked
            )  # fmt: skip

    # -- one row and the next

    def _look(self, row: Fields, ts: int) -> None:
        before = self._row
        begun = row["started_ns"] != (before["started_ns"] if before else 0)
        if before:
            self._halts(before, row)
            self._pause(before, row, ts)
            self._streak(before, row)
        if begun:
            self._begins(before, row, ts)
        elif before and _money(row, "start_equity") != _money(before, "start_equity") + self._moved:
            self._broken("the session's start moves without a transfer", before, row)
        elif (
            before
            and not before["paused_until_ns"]
            and _money(row, "peak") < _money(before, "peak") + self._moved - EXACT
        ):
            self._broken("the session's peak falls", before, row)
        self._limit(row)
        if self._hopeless and WATCHDOG not in row["halts"]:
            self._broken("the trades leave no hope of an edge and nothing is halted", before, row)
        if self.world.quiet:
            self._peak(before, row, begun=begun)
        booked = Decimal(row["realised"]) if begun else self._booked
        self._forget(row)
        self._booked = booked

    def _broken(self, what: str, before: Fields, row: Fields) -> None:
        plain = [{name: value for name, value in each.items() if name != "history"} for each in (before, row)]
        raise Violated(Invariant.LIMITS, what, before=plain[0], row=plain[1], verb=self._verb)

    def _halts(self, before: Fields, row: Fields) -> None:
        """A person's halts go by `resume`, those of a limit by `session new`; both come and go at once."""
        was, now, verb = set(before["halts"]), set(row["halts"]), self._verb
        lifted = {ControlVerb.RESUME: was - BY_LIMIT, ControlVerb.SESSION_NEW: was & BY_LIMIT}
        may_go: set[str] = lifted.get(ControlVerb(verb), set()) if verb else set()
        if was - now - may_go:
            self._broken("a halt is lifted by what does not lift it", before, row)
        if may_go & now:
            self._broken("a halt stays that was lifted", before, row)
        wanted = {ControlVerb.HALT: "halt", ControlVerb.FLATTEN: "flatten"}
        if verb in wanted and wanted[ControlVerb(verb)] not in now:
            self._broken("a person's command halts nothing", before, row)

    def _pause(self, before: Fields, row: Fields, ts: int) -> None:
        until, was = row["paused_until_ns"], before["paused_until_ns"]
        if was and not until and ts < was and self._verb != ControlVerb.SESSION_NEW:
            self._broken("a pause ends before its time", before, row)
        began = row["started_ns"] != before["started_ns"]
        if was and until != was and not began and _money(row, "peak") != _money(row, "equity"):
            self._broken("the peak is not the equity again after a pause", before, row)
        if until and until != was and abs(until - ts - self.world.policy.pause_time * SECOND) > SECOND:
            self._broken("a pause of another length", before, row)

    def _streak(self, before: Fields, row: Fields) -> None:
        """A loss counts one more, a win ends the streak; that of a crumb ends nothing."""
        counts = {int(before["losses"])}
        for trade in self._trades:
            if trade.fields["net"] <= 0:
                counts = {count + 1 for count in counts}
            else:
                entry = self._requests.entries.get(trade.fields["id"])
                crumb = entry is None or trade.fields["qty"] < entry.order.qty
                counts = {0} | (counts if crumb else set())
        if row["losses"] not in counts:
            self._broken("the losing streak is not that of the trades", before, row)

    def _begins(self, before: Fields, row: Fields, ts: int) -> None:
        """With the first row, by a person, or with a new day where nothing holds the old one."""
        held = before and (before["halts"] or before["flattening"] or before["paused_until_ns"] > ts)
        midnight = before and row["day"] > before["day"] and not held
        if before and before["day"] >= 0 and not midnight and self._verb != ControlVerb.SESSION_NEW:
            self._broken("a session begins without a reason", before, row)
        low, high = self.world.money.equities(UNHEARD)
        low, high = min(low, self.world.balance), max(high, self.world.balance)
        start = _money(row, "start_equity")
        if row["day"] != ts // DAY or not low * (1 - JUMP) <= start <= high * (1 + JUMP):
            self._broken(
                "a session begins at another equity than the account had",
                before,
                {**row, "low": low, "high": high},
            )

    def _peak(self, before: Fields, row: Fields, *, begun: bool) -> None:
        """Where all is known at once: the peak is what was safe, and no profit that was only on paper."""
        peak, known = _money(row, "peak"), self.world.now - KNOWN
        if begun or before["paused_until_ns"] != row["paused_until_ns"] or self._moved:
            self._safe, self._flat = peak, []
            return
        self.step()  # its stop may have moved just now
        if peak > self._safe * (1 + SLACK):  # a close fills beyond its stop
            self._broken("the session's peak is beyond what was safe", before, {**row, "safe": self._safe})
        least = max((wallet for ts, wallet in self._flat if ts < known), default=ZERO)
        if peak < least * (1 - TINY):
            self._broken("the session's peak is below what was safe", before, {**row, "safe": least})

    def _no_hope(self, evidence: Fields) -> bool:
        """P(mean net return > 0 | trades) is below its bound: a t test of the mean, for certain where it is clearly so."""
        policy, trades = self.world.policy, int(evidence["trades"])
        if policy.size is TradeSize.EARNED or trades < max(policy.watchdog_trades, 3):
            return False
        error = math.sqrt(evidence["squares"] / (trades - 1) / trades)
        chance = float(stdtr(trades - 1, evidence["mean"] / error)) if error > 0 else 0.5
        return chance < float(policy.watchdog_probability) * SURELY

    def _limit(self, row: Fields) -> None:
        """By its own figures the session's loss is reached: then it is halted."""
        start, equity = _money(row, "start_equity"), _money(row, "equity")
        lost = equity <= start * (1 - self.world.policy.session_loss)
        begun = row["day"] >= 0  # a fill of others may be booked before the account is read
        if begun and lost and not self._moved and not BY_LIMIT & row["halts"].keys():
            self._broken("the session's loss is reached and nothing is halted", {}, row)


def _money(row: Fields, name: str) -> Decimal:
    return Decimal(row[name])
