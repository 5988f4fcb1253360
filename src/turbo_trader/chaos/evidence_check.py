"""I7 under SIZE=earned: scouts are the smallest orders and stop with their budget, more comes with real fills alone and doubles a
day at most; the journal counts each trade once.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

from turbo_trader.chaos.bracket_check import passed_row
from turbo_trader.chaos.check import Check
from turbo_trader.chaos.gates_check import A_TIER
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.wire_requests import Order, Sent
from turbo_trader.chaos.world import ZERO, World
from turbo_trader.journal.encoding import encode
from turbo_trader.market.rows import DAY
from turbo_trader.rules.choices import TradeSize
from turbo_trader.trader.commands import Command, Note, Persist
from turbo_trader.trader.events import Event

UNHEARD: Final = 35.0  # s until a lost message is made good
SURELY: Final = Decimal("1.1")
TICK: Final = Decimal("1.002")


class EvidenceSizes(Check):
    """Every entry of an account whose size is earned."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._active = world.policy.size is TradeSize.EARNED
        self._tiers: dict[str, str] = {}  # entry -> its signal tier
        self._scouts: set[str] = set()
        self._fills = {"A": 0, "B": 0}  # trades that ended
        self._nets: list[Decimal] = []
        self._lost: dict[int, Decimal] = {}  # by scouts, by the day on which they ended
        self._day = -1  # of the first entry
        self._kept: Any = None
        self._budget: tuple[str, Any] = ("", None)  # what scouts have lost, in the journal
        self._cost: Decimal | None = None  # ... by the trades of this life, and those on disk before
        self._today = ZERO  # ... since its day began
        self._largest = ZERO  # notional of an entry so far
        self._stages: dict[str, str] = {}  # entry -> the stage it was made at, as it was noted
        self._life = 0

    def sent(self, sent: Sent) -> None:
        """An entry: how large may it be?"""
        if not self._active or not isinstance(sent, Order) or sent.reduce_only:
            return
        assert sent.price is not None
        today = self.world.now // DAY
        self._day = today if self._day < 0 else self._day
        tier = "A" if int(passed_row(self.world, sent)["tier"]) == A_TIER else "B"
        self._tiers[sent.link_id] = tier
        self._largest = max(self._largest, sent.qty * sent.price)
        if sent.qty > self._smallest(sent):
            self._earned(sent, tier, today)
            return
        self._scouts.add(sent.link_id)
        _, equity = self.world.money.equities(UNHEARD)
        lost, policy = -self._lost.get(today, ZERO), self.world.policy
        if (
            lost > policy.scout_day_budget * equity * SURELY
            or -sum(self._lost.values()) > policy.scout_budget * equity * 2
        ):
            raise Violated(
                Invariant.SIZE, "a scout beyond what scouts may lose", order=sent, lost=lost, equity=equity
            )

    def _smallest(self, order: Order) -> Decimal:
        """The least quantity, at the worse of limit and mark; one step more where the mark moves."""
        instrument, mark = self.world.instrument(order.symbol), self.world.mark(order.symbol)
        assert order.price is not None
        worse = min(order.price, mark or order.price)
        steps = (
            max(instrument.min_notional, self.world.policy.min_entry_notional) / worse // instrument.step + 2
        )
        return max(instrument.min_qty, steps * instrument.step)

    def _earned(self, order: Order, tier: str, today: int) -> None:
        policy = self.world.policy
        assert order.price is not None
        most = policy.min_entry_notional * policy.earned_growth ** (1 + today - self._day) * TICK
        if self._fills[tier] < policy.earned_fills or order.qty * order.price > most:
            raise Violated(
                Invariant.SIZE, "an entry larger than evidence may have earned", order=order, tier=tier,
                fills=self._fills[tier], most=most,
            )  # fmt: skip

    def event(self, event: Event) -> None:  # noqa: ARG002 - of every check
        """A new life goes on with the budget on disk."""
        if self._active and self.world.life != self._life:
            self._life = self.world.life
            self._take(self._budget[0], self.world.simulation.process.journal.kept(self._budget[0]))

    def _take(self, key: str, row: Any) -> None:
        """From here on the row is compared with the trades."""
        self._budget = key, row
        self._cost, self._today = (Decimal(row["net"]), Decimal(row["day_net"])) if row else (None, ZERO)

    def _booked(self, note: Note) -> None:
        """What scouts make is in their budget before it is noted."""
        _, row = self._budget
        if row is None or self._cost is None or self._stages.get(str(note.fields["id"])) != "scout":
            return
        self._cost, self._today = self._cost + note.fields["net"], self._today + note.fields["net"]
        if (Decimal(row["net"]), Decimal(row["day_net"])) != (self._cost, self._today):
            raise Violated(
                Invariant.BOOKS, "the scouts' budget is not that of their trades", row=row, net=self._cost, today=self._today
            )  # fmt: skip

    def _affordable(self, note: Note) -> None:
        """What a scout loses at its stop fits into what is left of the budgets, as the journal has them."""
        row, policy = self._budget[1], self.world.policy
        if note.fields["stage"] != "scout" or row is None:
            return
        risk = note.fields["qty"] * abs(note.fields["limit"] - note.fields["stop"])
        for name, base, share in (
            ("day_net", "day_equity", policy.scout_day_budget),
            ("net", "base", policy.scout_budget),
        ):
            net, whole = Decimal(row[name]), Decimal(row[base])
            if whole > 0 and net - risk < -share * whole:
                raise Violated(
                    Invariant.SIZE, "a scout beyond what is left of its budget", row=row, risk=risk, note=note.fields
                )  # fmt: skip

    def _rows(self, command: Persist) -> None:
        if command.key.startswith("stages:"):
            self._kept = json.loads(encode(command.value))
            self._caps(self._kept["tiers"])
        elif command.key.startswith("budget:"):
            row = json.loads(encode(command.value))
            if self._budget[1] is None or self._cost is None:
                self._take(command.key, row)
            elif row["day"] != self._budget[1]["day"]:
                self._today = ZERO
            self._budget = command.key, row

    def _caps(self, tiers: Any) -> None:
        """The largest trade of a day is at most GROWTH times that of the day before; of the first so many times the least."""
        policy = self.world.policy
        most = policy.earned_growth * max(policy.min_entry_notional, self._largest)
        for name, tier in tiers.items():
            if Decimal(tier["cap"]) > most * TICK:
                raise Violated(
                    Invariant.SIZE, "evidence allows more than it may", tier=name, cap=tier["cap"], most=most
                )

    def command(self, command: Command) -> None:
        """Trades as they are reported, and what the journal makes of them."""
        if not self._active:
            return
        if isinstance(command, Note) and command.name == "entry":
            self._stages[str(command.fields["id"])] = str(command.fields["stage"])
            self._affordable(command)
        if isinstance(command, Note) and command.name == "trade":
            self._booked(command)
        if isinstance(command, Note) and command.name == "trade":
            name, net = str(command.fields["id"]), Decimal(command.fields["net"])
            self._nets.append(net)
            self._fills[self._tiers.get(name, "A")] += 1
            if name in self._scouts:
                day = self.world.now // DAY
                self._lost[day] = self._lost.get(day, ZERO) + net
        elif isinstance(command, Persist):
            self._rows(command)

    def finish(self) -> None:
        """Each trade counts once, with what it made."""
        if self._nets and (self._kept["trades"], Decimal(self._kept["net"])) != (
            len(self._nets),
            sum(self._nets),
        ):
            raise Violated(
                Invariant.BOOKS, "the evidence is not that of the trades", trades=len(self._nets), net=sum(self._nets),
                journal=(self._kept["trades"], self._kept["net"]),
            )  # fmt: skip
