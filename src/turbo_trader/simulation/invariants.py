"""The invariants of a chaos run: seen from both machines, a violation is raised at once.

Grace is counted in connected time: while the process lives, does not stand still, receives the private stream and reaches the
venue. Otherwise it cannot know, and could do nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from turbo_trader.exchange.messages import Message
from turbo_trader.market.events import MINUTE, SECOND
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.adapter import to_event
from turbo_trader.simulation.fault_schedule import FaultSchedule
from turbo_trader.simulation.process import Machine
from turbo_trader.simulation.simulation import Simulation
from turbo_trader.trader.commands import Command, Note, Persist, PlaceOrder, Resolved, Scanned, WireCommand
from turbo_trader.trader.events import Backfill, Clock, Event, Fill, MarketRows, PositionReport, Report
from turbo_trader.trader.ids import boot_of

#: A lost message is made good by the next whole picture (30 s), and the stop's change may go unanswered (7 s) a few times.
UNPROTECTED: Final = 90 * SECOND
#: Two agreeing pictures, each of which may fail for a while; a close may go unanswered (7 s) many times.
DISAGREEING: Final = 4 * MINUTE
LOOK: Final = 5 * SECOND
MILLISECOND: Final = 1_000_000
KEPT: Final = 80  # events and commands told with a violation
SPINNING: Final = 2_000  # events within a simulated millisecond
FLOOD: Final = 100  # requests in a simulated second
SLACK: Final = Decimal("0.02")  # of the session's start: marks move between a loss and the look at it

ZERO: Final = Decimal(0)


class Violated(Exception):
    """An invariant does not hold; `fields` say where and when."""

    def __init__(self, name: str, **fields: Any) -> None:
        super().__init__(f"{name}: {fields}")
        self.name = name
        self.fields = fields


@dataclass(slots=True)
class Held:
    """A position as the venue has it."""

    size: Decimal = ZERO
    opener: str = ""  # link id of the order that opened it
    opened: int = 0
    stop: Decimal | None = None
    tightest: Decimal | None = None  # stop it ever had

    @property
    def loosened(self) -> bool:
        """Is its stop looser than it was?"""
        if not self.size or self.stop is None or self.tightest is None:
            return False
        return (self.tightest - self.stop) * self.size > 0


class Invariants:
    """A sink and onlooker of one simulation: `simulation` and `schedule` are set before it runs."""

    def __init__(self, policy: Policy) -> None:
        self.last: deque[tuple[int, Event | Command | Report]] = deque(maxlen=KEPT)
        self.counts: Counter[str] = Counter()  # notes of the Trader by name, requests
        self.simulation: Simulation
        self.schedule: FaultSchedule
        self._policy = policy
        self._longest = max(
            int(policy.hold_factor * hold) * SECOND
            for hold in (policy.turbo_max_hold, policy.growing_max_hold, policy.institutional_max_hold)
        )
        self._sent: set[str] = set()
        self._opened: set[str] = set()
        self._told: dict[str, Decimal] = {}  # trades told -> result less fees
        self._held: dict[str, Held] = {}
        self._odd: dict[str, int] = {}  # what must not last -> heard time it has lasted
        self._life = 0
        self._due = 0
        self._moment, self._events = 0, 0
        self._asked: deque[int] = deque([0] * FLOOD, maxlen=FLOOD)  # when the last requests were made
        self._session_start = ZERO  # equity by the Trader's word, transfers it has recognised included

    # -- the Trader's side

    def event(self, event: Event) -> None:
        """The Trader was told."""
        now = self.simulation.now
        self._events = self._events + 1 if now - self._moment < MILLISECOND else 0
        self._moment = self._moment if self._events else now
        if self._events > SPINNING:
            raise Violated("spinning", event=event)
        if not isinstance(event, Clock | MarketRows | Backfill):
            self.last.append((now, event))

    def command(self, command: Command) -> None:
        """The Trader has asked for something, and it was done."""
        if isinstance(command, Persist) and command.key == "session":
            self._session_start = command.value.start_equity
        if isinstance(command, Scanned | Resolved | Persist):
            return
        self.last.append((self.simulation.now, command))
        if isinstance(command, Note):
            self.counts[command.name] += 1
            if command.name == "trade":
                self._on_trade(command)
        elif isinstance(command, WireCommand):
            self._on_request(command)

    def _on_request(self, command: WireCommand) -> None:
        now = self.simulation.now
        if now - self._asked[0] < SECOND:
            raise Violated("flood of requests", last=command)
        self._asked.append(now)
        if isinstance(command, PlaceOrder):
            if command.id in self._sent:
                raise Violated("sent twice", id=command.id, symbol=command.symbol)
            self._sent.add(command.id)
            if not command.reduce_only:
                self._on_entry(command)

    def _on_trade(self, note: Note) -> None:
        if note.fields["id"] in self._told:
            raise Violated("trade told twice", **note.fields)
        self._told[note.fields["id"]] = note.fields["result"] - note.fields["fees"]

    def _on_entry(self, order: PlaceOrder) -> None:
        """Nothing opens while something refuses, beyond the tier's positions, or below the session's limit."""
        trader = self.simulation.trader
        assert trader is not None
        view = trader.view()
        if view.refusal:
            raise Violated("entry refused", id=order.id, why=view.refusal)
        if order.stop_loss is None:
            raise Violated("entry without a stop", id=order.id)
        others = sum(1 for symbol, held in self._held.items() if held.size and symbol != order.symbol)
        if (
            others
            >= self._policy.capital_tier(view.equity / (1 - self._policy.tier_hysteresis)).max_positions
        ):
            raise Violated("too many positions", id=order.id, others=others, equity=view.equity)
        simulation, start = self.simulation, self._session_start
        word = simulation.exchange.wallet_message(simulation.uid, simulation.now)
        unknown = self.schedule.transferred - trader.summary()["transfers"]  # to the Trader, so far
        equity = word.balance + word.unrealised - unknown
        if equity < start * (1 - self._policy.session_loss - SLACK):
            raise Violated("entry below the session's limit", id=order.id, start=start, equity=equity)

    # -- the venue's side

    def message(self, message: Message) -> None:
        """The venue has sent a message, whether or not it is received."""
        report = to_event(message)
        if isinstance(report, Fill) and report.kind == "Trade":
            self._on_fill(report)
        elif isinstance(report, PositionReport):
            held = self._held.setdefault(report.symbol, Held())
            if not report.size:
                self._held[report.symbol] = Held()
                return
            held.size, held.stop = report.size, report.stop_loss
            if held.stop is not None and not held.loosened:
                held.tightest = held.stop

    def _on_fill(self, fill: Fill) -> None:
        opening = fill.qty - fill.closed_qty
        if opening <= 0:
            return
        held = self._held.setdefault(fill.symbol, Held())
        if held.size and held.opener != fill.link_id:
            raise Violated("two opens", symbol=fill.symbol, first=held.opener, second=fill.link_id)
        held.opened = held.opened or fill.ts
        held.opener = fill.link_id
        held.size += fill.side * opening
        self._opened.add(fill.link_id)

    # -- both

    def step(self) -> None:
        """Compare, every few simulated seconds."""
        simulation = self.simulation
        if simulation.now < self._due:
            return
        self._due = simulation.now + LOOK
        if simulation.process.lives != self._life:
            self._life = simulation.process.lives
            self._odd.clear()
        trader = simulation.trader
        if trader is None or simulation.private.up_since is None or simulation.network.down:
            return
        odd = {**self._exposed(), **self._disagreements(trader)}
        self._odd = {name: self._odd.get(name, 0) + LOOK for name in odd}
        for name, lasted in self._odd.items():
            if lasted > (UNPROTECTED if name.startswith("stop") else DISAGREEING):
                raise Violated("must not last", what=name, found=odd[name], heard_s=lasted / SECOND)

    def _exposed(self) -> dict[str, Any]:
        """Positions without their stop, or past their time."""
        odd: dict[str, Any] = {}
        for symbol, held in self._held.items():
            if held.size and held.stop is None:
                odd[f"stop of {symbol} missing"] = held
            if held.loosened:
                odd[f"stop of {symbol} looser than it was"] = held
            if held.size and self.simulation.now - held.opened > self._longest:
                odd[f"{symbol} past its time"] = held
        return odd

    def _disagreements(self, trader: Machine) -> dict[str, Any]:
        """What the Trader takes for true and is not, and what is never finished."""
        view, simulation = trader.view(), self.simulation
        sizes = {each.symbol: each.direction * each.qty for each in view.positions}
        odd: dict[str, Any] = {f"{symbol} frozen": why for symbol, why in view.frozen.items()}
        for symbol, held in self._held.items():
            if sizes.get(symbol, ZERO) != held.size:
                odd[f"size of {symbol}"] = f"venue {held.size}, trader {sizes.get(symbol, ZERO)}"
        for order in simulation.exchange.open_orders(simulation.uid):
            if boot_of(order.link_id):
                odd[f"order {order.link_id}"] = f"open on {order.symbol}"
        if view.refusal == "flattening":
            odd["flattening"] = [each.symbol for each in view.positions]
        return odd

    def finish(self) -> None:
        """At the end, with everything quiet: alive, flat, nothing open, every trade told, the books exact."""
        simulation, trader = self.simulation, self.simulation.trader
        if trader is None:
            raise Violated("not alive at the end")
        held = {symbol: each.size for symbol, each in self._held.items() if each.size}
        orders = [order.link_id for order in simulation.exchange.open_orders(simulation.uid)]
        summary, view = trader.summary(), trader.view()
        if held or orders or summary["open_positions"] or view.frozen or view.refusal == "flattening":
            raise Violated(
                "not flat at the end", held=held, orders=orders, trader=view.positions, frozen=view.frozen,
                refusal=view.refusal,
            )  # fmt: skip
        if self._opened != set(self._told):
            raise Violated(
                "trades not told",
                never=self._opened - set(self._told),
                unknown=set(self._told) - self._opened,
            )
        wallet = simulation.exchange.wallet(simulation.uid)
        if summary["wallet"] != wallet or summary["transfers"] != self.schedule.transferred:
            raise Violated(
                "books", wallet=wallet, ledger=summary["wallet"], transfers=summary["transfers"],
                transferred=self.schedule.transferred,
            )  # fmt: skip
        earned = summary["realised"] - summary["fees"]  # funding heard of late is in the books alone
        if sum(self._told.values(), ZERO) != earned:
            raise Violated("trades and books", trades=sum(self._told.values(), ZERO), books=earned)
