"""I1: a position has its stop on the venue. Seconds count from when the process was sent a report without one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from turbo_trader.bybit.rest import Request
from turbo_trader.chaos.check import Check
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.wire_requests import Order, Sent, StopChange
from turbo_trader.chaos.world import World
from turbo_trader.exchange.messages import Message, PositionMessage
from turbo_trader.exchange.protocol.rest_face import HttpReply
from turbo_trader.market.rows import SECOND

#: A snapshot comes each 30 s; whoever has heard nothing cannot act.
UNHEARD: Final = 90 * SECOND
#: From hearing it to the request, and for an answer to come back.
PATIENCE: Final = 5 * SECOND
#: A request that gets no answer is given up after 5 s and made again 2 s later.
UNANSWERED: Final = 9 * SECOND
REFUSED: Final = 4 * SECOND
#: Whatever was attempted meanwhile.
AT_MOST: Final = 90 * SECOND


@dataclass(slots=True)
class Watch:
    """A position whose stop is missing or looser than it was. Times: `able` and `heard` clocks of the world."""

    since_heard: int  # it began
    reported: int | None = None  # when the process was sent that
    excused: int = 0  # until then an attempt is under way


class Protection(Check):
    """Every position at the venue, each half second."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._watches: dict[str, Watch] = {}
        self.tightest: dict[str, Decimal] = {}  # stop a position ever had
        self._life = 0

    def sent(self, sent: Sent) -> None:
        """An attempt to put a stop back, or to close."""
        if isinstance(sent, Order) and not sent.reduce_only and sent.stop is None:
            raise Violated(Invariant.PROTECTED, "an entry without a stop", order=sent)
        if isinstance(sent, StopChange):
            self._never_looser(sent)
        watch = self._watches.get(sent.symbol) if isinstance(sent, StopChange | Order) else None
        if watch is not None:
            watch.excused = self.world.able_ns + UNANSWERED

    def _never_looser(self, change: StopChange) -> None:
        """What the process was last sent is what it must not loosen."""
        heard = self.world.heard.get(change.symbol)
        if change.stop is None or heard is None or heard.stop is None or not heard.size:
            return
        if heard.size * (heard.stop - change.stop) > 0 and self.world.size(change.symbol) == heard.size:
            raise Violated(Invariant.BRACKET, "a stop is loosened", change=change, known=heard.stop)

    def read(self, request: Request) -> None:
        """An attempt without an answer is read before it is made again: that belongs to it."""
        for symbol, watch in self._watches.items():
            if watch.excused and f"symbol={symbol}" in request.target:
                watch.excused = max(watch.excused, self.world.able_ns + UNANSWERED)

    def answered(self, sent: Sent, reply: HttpReply) -> None:
        """A refusal is looked at and answered otherwise."""
        watch = self._watches.get(sent.symbol) if isinstance(sent, StopChange | Order) else None
        if watch is not None and json.loads(reply.body)["retCode"]:
            watch.excused = min(watch.excused, self.world.able_ns + REFUSED)

    def message(self, message: Message) -> None:
        """The tightest stop so far."""
        if not isinstance(message, PositionMessage):
            return
        if not message.size:
            self.tightest.pop(message.symbol, None)
            self._watches.pop(message.symbol, None)
        elif message.stop_loss is not None:
            known = self.tightest.get(message.symbol)
            if known is None or message.size * (message.stop_loss - known) > 0:
                self.tightest[message.symbol] = message.stop_loss
        elif (
            not self.world.simulation.process.alive
        ):  # a guard puts the journal's stop before the next life begins
            self.tightest.pop(message.symbol, None)

    def step(self) -> None:
        """Positions whose stop is missing or loosened."""
        world = self.world
        if world.life != self._life:
            self._life = world.life
            self._forget_removed()
        exposed = {p.symbol: p for p in world.held() if self._exposed(p)}
        for symbol in list(self._watches):
            if symbol not in exposed:
                del self._watches[symbol]
        for symbol, position in exposed.items():
            watch = self._watches.setdefault(symbol, Watch(world.heard_ns))
            heard = world.heard.get(symbol)
            knows = heard is not None and heard.size != 0 and heard.stop == position.stop_loss
            if not knows:
                watch.reported = None
            elif watch.reported is None:
                watch.reported = world.able_ns
            self._overdue(position, watch)

    def _forget_removed(self) -> None:
        """A stop may leave before its step is on disk: removed before the next life has seen it, nobody knows of it."""
        for position in self.world.held():
            if position.stop_loss is None:
                self.tightest.pop(position.symbol, None)

    def _exposed(self, position: PositionMessage) -> bool:
        if position.stop_loss is None:
            return True
        return position.size * (self.tightest[position.symbol] - position.stop_loss) > 0

    def _overdue(self, position: PositionMessage, watch: Watch) -> None:
        world = self.world
        late = watch.reported is not None and world.able_ns > max(watch.reported + PATIENCE, watch.excused)
        unheard = world.heard_ns - watch.since_heard > UNHEARD
        if world.able and (late or unheard):
            raise Violated(
                Invariant.PROTECTED, "no stop on the venue, or a looser one than it had", symbol=position.symbol,
                size=position.size, stop=position.stop_loss, tightest=self.tightest.get(position.symbol),
                for_s=(world.heard_ns - watch.since_heard) / SECOND, known=watch.reported is not None,
            )  # fmt: skip
