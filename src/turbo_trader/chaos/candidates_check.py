"""I13: where nothing goes wrong, a scan that the rules let pass becomes an entry, unless the account has a reason of its own."""

from __future__ import annotations

from typing import Final

from turbo_trader.chaos.check import Check
from turbo_trader.chaos.gates_check import GATES, TIERS, Gates
from turbo_trader.chaos.scan_rows import Row
from turbo_trader.chaos.session_check import SessionLimits
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.wire_requests import Order, Sent
from turbo_trader.chaos.world import World
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.choices import EntryStyle, TradeSize
from turbo_trader.trader.commands import Command, Note, Scanned

LIMITS: Final = len(GATES)  # the places of the account's gates
SIZE: Final = LIMITS + 1
SLOTS: Final = "positions are open"  # what the gate says where no slot is left
OVER: Final = 12 * SECOND  # after its end something may still hold a symbol: a close may yet land
KNOWN: Final = 5 * SECOND  # since when it was heard of, whatever the process made of it first
BEGUN: Final = 15 * SECOND  # an entry may wait for its leverage, which may be refused


class Candidates(Check):
    """Each scan as the journal has it."""

    def __init__(self, world: World, session: SessionLimits) -> None:
        super().__init__(world)
        self._gates = Gates(world)
        self._session = session
        self._busy: dict[str, int] = {}  # symbol -> when something was last under way there
        self._left_out: list[str] = []  # of the scan: symbols for which no slot was left
        self._passed: dict[str, int] = {}  # symbol -> when a scan passed that no entry has followed yet

    def command(self, command: Command) -> None:
        """A scan, or the end of an entry."""
        if isinstance(command, Scanned):
            self._gates.look(self.world.scanned)
            self._first_blocker()
            full = self.world.policy.size is TradeSize.FULL  # shadows hold slots, too
            if self.world.quiet and full and not self._gates.skipped:
                self._account()
            self._best_first()
        elif isinstance(command, Note) and command.name == "gate" and SLOTS in str(command.fields["why"]):
            self._left_out.append(str(command.fields["symbol"]))
        if isinstance(command, Note) and command.name in ("entry-ended", "gate"):
            self._passed.pop(str(command.fields["symbol"]), None)

    def sent(self, sent: Sent) -> None:
        """What is under way on a symbol."""
        if isinstance(sent, Order):
            self._busy[sent.symbol] = self.world.now
            if not sent.reduce_only:
                self._passed.pop(sent.symbol, None)

    def step(self) -> None:
        """Scans that passed without an entry that followed."""
        now = self.world.now
        self._note_held()
        for symbol, since in self._passed.items():
            if now - since > BEGUN:
                raise Violated(Invariant.LIVES, "a scan passes and no entry follows", symbol=symbol, at=since)

    def _note_held(self) -> None:
        for position in self.world.held():
            self._busy[position.symbol] = self.world.now

    def _best_first(self) -> None:
        """Of several candidates with equal weights, those with the highest EV get the slots."""
        world, left_out, self._left_out = self.world, self._left_out, []
        policy, (_, equity) = world.policy, world.money.equities(35.0)
        if equity >= policy.portfolio_from or policy.entry_style is EntryStyle.MAKER:
            return
        rows = {self._gates.symbol(row): row for row in world.scanned}
        taken = [row["used_ev"] for row in world.scanned if int(row["blocker"]) < 0]
        for symbol in left_out if taken else ():
            if rows[symbol]["used_ev"] > min(taken):
                raise Violated(
                    Invariant.LIMITS, "a candidate gets no slot where a worse one does", symbol=symbol, row=rows[symbol]
                )  # fmt: skip

    def _first_blocker(self) -> None:
        """What a position keeps out is refused for that, and its size is not asked."""
        for row in self.world.scanned:
            symbol = self._gates.symbol(row)
            heard = self.world.heard.get(symbol)
            known = heard is not None and heard.size and self.world.now - heard.since > KNOWN
            if int(row["blocker"]) == SIZE and known and self.world.size(symbol):
                raise Violated(
                    Invariant.LIMITS, "a scan is refused for its size beside a position", symbol=symbol, row=row
                )  # fmt: skip

    def _account(self) -> None:
        """What the account refuses, and why it may."""
        now = self.world.now
        self._note_held()
        taken = {symbol for symbol, at in self._busy.items() if now - at < OVER} | self._passed.keys()
        for row in self.world.scanned:
            symbol, blocker = self._gates.symbol(row), int(row["blocker"])
            if blocker < 0:
                self._passed[symbol] = now
            elif blocker == LIMITS and not self._may_refuse(row, symbol, taken):
                raise Violated(
                    Invariant.LIVES, "the account refuses a candidate without a reason", symbol=symbol, row=row
                )  # fmt: skip

    def _may_refuse(self, row: Row, symbol: str, taken: set[str]) -> bool:
        """Something is open on the symbol, the slots are taken, the side cools down, the session is halted or paused."""
        world, name = self.world, TIERS[int(row["capital_tier"])]
        entering = {self._gates.symbol(other) for other in world.scanned if int(other["blocker"]) < 0}
        slots = getattr(world.policy, f"{name}_max_positions")
        if symbol in taken or len(taken | entering) >= slots or symbol in world.ending:
            return True
        return self._session.may_refuse() or self._session.cools(symbol, int(row["direction"]), name)
