"""I2, I3, I8, I10, I12: each request alone, and against those before it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from turbo_trader.bybit.rest import Request
from turbo_trader.chaos.check import Check
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.wire_requests import Cancel, Order, Sent, Unexpected
from turbo_trader.chaos.world import ZERO, World
from turbo_trader.exchange.messages import ExecutionMessage, Message, OrderMessage
from turbo_trader.exchange.protocol.rest_face import HttpReply
from turbo_trader.market.order_terms import ExecKind, OrderType, TimeInForce
from turbo_trader.market.rows import MINUTE, SECOND
from turbo_trader.trader.commands import Command, Note
from turbo_trader.trader.control_verbs import ControlVerb
from turbo_trader.trader.events import CommandResult, Control, Event

FLOOD: Final = 100  # requests in a simulated second
LINGERING: Final = 4 * MINUTE  # of heard time an order of ours may stay open that should not
WITHDRAWS: Final = 8 * SECOND  # from the end of its patience to the cancel of a resting entry
UNCERTAIN: Final = frozenset(
    {10000, 10014, 10016, 20006, 429, 500000, 110072}
)  # codes that leave the outcome open
BY_VENUE: Final = frozenset({"CancelBySettle", "CancelAllBeforeAdl", "CancelAllBeforeLiq"})
BEYOND_BALANCE: Final = (
    "EC_Others"  # why the venue itself ends an order that the balance does not carry any more
)
UNDONE: Final = frozenset({-5, -4, -3, -2})  # no lease, banned, no journal, never left: no code of the venue
FINAL: Final = frozenset({"Filled", "Cancelled", "Rejected"})


@dataclass(slots=True)
class Entry:
    """An entry that left."""

    order: Order
    ts: int
    filled: Decimal = ZERO
    over: bool = False  # final at the venue, or refused by it


class Requests(Check):
    """Ids, intents, exits, what others own, how many."""

    def __init__(self, world: World, recorded: Callable[[str], bool]) -> None:
        """`recorded`: is this id in the journal, on disk?"""
        super().__init__(world)
        self._recorded = recorded
        self.sent_ids: set[str] = set()
        self.entries: dict[str, Entry] = {}  # by id
        self._last: dict[str, Entry] = {}  # by symbol
        self._openers: dict[str, str] = {}  # symbol -> id of the order that opened what is held
        self._sizes: dict[str, Decimal] = {}
        self._asked: deque[int] = deque([-SECOND] * FLOOD, maxlen=FLOOD)
        self._lingering: dict[str, int] = {}  # id of an open order -> heard time when it was first seen
        self._resting: dict[
            str, int
        ] = {}  # entries that may rest -> able time since when they do, or their life began
        self._life = 0
        self.opened: dict[str, int] = {}  # ids of orders that opened something -> when

    # -- sent

    def read(self, request: Request) -> None:
        """Count it."""
        self._count(request.target)

    def sent(self, sent: Sent) -> None:
        """Look at what it asks for."""
        self._count(repr(sent))
        if isinstance(sent, Unexpected):
            raise Violated(Invariant.FOREIGN, "a request the rules do not know", request=sent)
        if isinstance(sent, Cancel):
            self._resting.pop(sent.link_id, None)
        ours = isinstance(sent, Cancel) and (sent.link_id in self.sent_ids or self._recorded(sent.link_id))
        if (
            isinstance(sent, Cancel) and not ours
        ):  # one that a death kept from leaving is asked for all the same
            raise Violated(Invariant.FOREIGN, "an order of others is cancelled", request=sent)
        self._left_alone(sent)
        if not isinstance(sent, Order):
            return
        if (
            sent.link_id in self.sent_ids and not sent.reduce_only
        ):  # a close outside the time window is signed again
            raise Violated(Invariant.ONE_ENTRY, "an entry is sent twice", order=sent)
        self.sent_ids.add(sent.link_id)
        failed = self.world.simulation.process.journal.failed
        if failed and not sent.reduce_only:
            raise Violated(
                Invariant.INTENTS, "an entry leaves while the journal cannot be written", order=sent
            )
        if not self._recorded(sent.link_id):
            raise Violated(Invariant.INTENTS, "an order leaves before the journal has it", order=sent)
        if sent.reduce_only:
            self._exit(sent)
        else:
            self._entry(sent)

    def _left_alone(self, sent: Sent) -> None:
        """Where the process knows that others hold something, it orders and changes nothing; a flatten closes all."""
        met = self.world.met.get(getattr(sent, "symbol", ""))
        closes = self.world.flattening and isinstance(sent, Order) and sent.reduce_only
        if met is not None and self.world.now - met > SECOND and not isinstance(sent, Cancel) and not closes:
            raise Violated(Invariant.FOREIGN, "a position of others is touched", request=sent)

    def _count(self, what: str) -> None:
        now = self.world.now
        if self.world.banned():
            raise Violated(Invariant.BOUNDED, "a request while the venue bans this address", last=what)
        if now - self._asked[0] < SECOND:
            raise Violated(Invariant.BOUNDED, f"{FLOOD} requests within a second", last=what)
        self._asked.append(now)

    def asked(self, request: Request) -> None:
        """Of a route that was refused as asked too often, nothing is asked for a second."""
        if self.world.held_back(request.target.partition("?")[0]):
            raise Violated(
                Invariant.BOUNDED, "a request before its route's limit is over", target=request.target
            )

    def _exit(self, order: Order) -> None:
        if (
            order.kind != OrderType.MARKET
            or order.time_in_force != TimeInForce.IOC
            or order.price is not None
        ):
            raise Violated(Invariant.EXITS_REDUCE, "an exit that is no market order", order=order)
        heard, size = self.world.heard.get(order.symbol), self.world.size(order.symbol)
        if heard is not None and heard.size == size and size * order.side > 0:
            raise Violated(
                Invariant.EXITS_REDUCE, "an exit on the side of the position", order=order, size=size
            )

    def _entry(self, order: Order) -> None:
        world = self.world
        heard, size = world.heard.get(order.symbol), world.size(order.symbol)
        if size and heard is not None and heard.size:
            raise Violated(Invariant.ONE_ENTRY, "an entry beside a position", order=order, size=size)
        before = self._last.get(order.symbol)
        if before is not None and not self._may_be_over(before):
            raise Violated(
                Invariant.ONE_ENTRY, "an entry while one is under way", order=order, before=before.order
            )
        self._last[order.symbol] = self.entries[order.link_id] = Entry(order, world.now)
        if order.time_in_force == TimeInForce.POST_ONLY:
            self._resting[order.link_id] = world.able_ns

    def _may_be_over(self, entry: Entry) -> bool:
        """Is it over, or has its window passed, so that a look-up without a trace of it proves that it never came?"""
        policy = self.world.policy
        waits = policy.entry_recv_window * SECOND // 1000 + policy.lookup_extra * SECOND
        return entry.over or self.world.now - entry.ts >= waits

    def command(self, command: Command) -> None:
        """An entry that is given up, as the journal says, was refused or has had its time."""
        if not isinstance(command, Note) or command.name not in ("entry-ended", "entry-withdrawn"):
            return
        entry = self.entries.get(str(command.fields["id"]))
        if command.name == "entry-withdrawn":
            self._patient(command, entry)
        elif entry is not None and not self._may_be_over(entry):
            raise Violated(
                Invariant.ONE_ENTRY, "an entry is given up while it may yet fill", order=entry.order,
                after_s=(self.world.now - entry.ts) / SECOND, why=command.fields["why"],
            )  # fmt: skip

    def _patient(self, note: Note, entry: Entry | None) -> None:
        """What is said not to be filled in time had its time."""
        patience = self.world.policy.maker_patience * SECOND - SECOND
        early = entry is not None and self.world.now - entry.ts < patience - abs(self._clock_error())
        if early and note.fields["why"] == "not filled in time":
            raise Violated(Invariant.LIVES, "a resting entry is withdrawn before its time", note=note.fields)

    def _clock_error(self) -> int:
        return self.world.simulation.process.clock_error

    # -- the venue

    def event(self, event: Event) -> None:
        """An answer that says the entry was not taken, whoever gave it; whoever halts has resting entries taken back at once."""
        if isinstance(event, Control) and event.verb in (ControlVerb.HALT, ControlVerb.FLATTEN):
            at_once = self.world.able_ns - self.world.policy.maker_patience * SECOND
            self._resting = {name: min(since, at_once) for name, since in self._resting.items()}
        if isinstance(event, CommandResult) and event.id in self.entries:
            refused = event.code in UNDONE or (event.code > 0 and event.code not in UNCERTAIN)
            self.entries[event.id].over = self.entries[event.id].over or refused

    def answered(self, sent: Sent, reply: HttpReply) -> None:
        """A refused entry is over."""
        if isinstance(sent, Order) and sent.link_id in self.entries and json.loads(reply.body)["retCode"]:
            self.entries[sent.link_id].over = True

    def message(self, message: Message) -> None:
        """Follow orders and fills."""
        if isinstance(message, OrderMessage):
            if message.link_id in self.entries and message.status in FINAL:
                self.entries[message.link_id].over = True
        elif isinstance(message, ExecutionMessage) and message.kind != ExecKind.FUNDING:
            self._fill(message)

    def _fill(self, fill: ExecutionMessage) -> None:
        opening = fill.qty - fill.closed_qty
        size = self._sizes.get(fill.symbol, ZERO)
        self._sizes[fill.symbol] = size + fill.side * fill.qty
        if opening <= 0:
            return
        entry = self.entries.get(fill.link_id)
        if entry is None:
            if fill.link_id in self.sent_ids:
                raise Violated(Invariant.EXITS_REDUCE, "an exit opens a position", fill=fill)
            return
        if size and self._openers.get(fill.symbol) != fill.link_id:
            first = self._openers.get(fill.symbol)
            raise Violated(
                Invariant.ONE_ENTRY, "two orders open one position", first=first, second=fill.link_id
            )
        entry.filled += opening
        if entry.filled > entry.order.qty:
            raise Violated(
                Invariant.ONE_ENTRY, "filled beyond the intent", filled=entry.filled, order=entry.order
            )
        self._openers[fill.symbol] = fill.link_id
        self.opened.setdefault(fill.link_id, fill.ts)

    # -- time

    def step(self) -> None:
        """Orders of ours that stay open: entries of one moment are gone at once, resting ones after their patience."""
        if not self.world.hears:
            return
        simulation, world = self.world.simulation, self.world
        open_ids = {
            order.link_id for order in simulation.exchange.open_orders(simulation.uid)
        } & self.sent_ids
        self._withdrawn_in_time(open_ids)
        self._lingering = {name: self._lingering.get(name, world.heard_ns) for name in open_ids}
        for name, since in self._lingering.items():
            patience = world.policy.maker_patience * SECOND if name in self.entries else 0
            if world.heard_ns - since > LINGERING + patience:
                raise Violated(Invariant.INTENTS, "an order of ours stays open", id=name)

    def _withdrawn_in_time(self, open_ids: set[str]) -> None:
        """A resting entry that is not filled is taken back after its patience; a new life looks at it first."""
        world = self.world
        if world.life != self._life:
            self._life = world.life
            self._resting = dict.fromkeys(self._resting, world.able_ns)
        late = world.policy.maker_patience * SECOND + WITHDRAWS
        for name, since in list(self._resting.items()):
            if self.entries[name].over:
                del self._resting[name]
            elif name in open_ids and world.read_ns and world.able_ns - since > late:
                raise Violated(Invariant.ON_TIME, "a resting entry is not withdrawn in time", id=name)

    def finish(self) -> None:
        """Nothing of ours is open, and all that others placed is, but for what the venue itself took away."""
        simulation = self.world.simulation
        there = {order.link_id for order in simulation.exchange.open_orders(simulation.uid)}
        orders = simulation.exchange.accounts[simulation.uid].orders.values()  # messages may be lost
        taken = {
            order.link_id
            for order in orders
            if order.cancel_type in BY_VENUE or order.reject_reason == BEYOND_BALANCE
        }
        gone = self.world.foreign.keys() - there - taken
        if gone:
            raise Violated(Invariant.FOREIGN, "orders of others are gone", ids=sorted(gone))
        left = {order.link_id for order in simulation.exchange.open_orders(simulation.uid)} & self.sent_ids
        if left:
            raise Violated(Invariant.INTENTS, "orders of ours are open at the end", ids=sorted(left))
