"""I1 to I4, I8 and I12 of the guard's process: what it sends, what it must do while no daemon writes, and never both at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from turbo_trader.bybit.rest import Request
from turbo_trader.chaos.check import Check
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.wire_requests import Cancel, Order, StopChange, read_request
from turbo_trader.exchange.protocol.rest_face import HttpReply
from turbo_trader.journal.lease import DAEMON
from turbo_trader.market.order_terms import OrderType
from turbo_trader.market.rows import SECOND
from turbo_trader.trader.ids import boot_of

LAPSE: Final = 10 * SECOND  # from a daemon's last renewal until nothing that it signed is accepted any more
#: From then on: two looks 3 s apart, two reads 2 s apart, the request. Of the guard's able time.
PATIENCE: Final = 14 * SECOND
#: ... more for each request that a fault met meanwhile.
DISTURBED: Final = 10 * SECOND
WAKING: Final = SECOND // 2  # a daemon that wakes looks at its lease after a quarter of a second at most
REFUSED: Final = 120 * SECOND
TOO_OLD: Final = 10002  # refused for its age: it was not carried out


class BesideTheDaemon(Check):
    """Both writers, and each position of ours while the daemon is away."""

    _attached = False
    _able_ns = 0  # for how long the guard looked and could reach the venue
    _last = 0
    _able = False

    def attach(self) -> None:
        """Look at the guard's requests from now on."""
        guard = self.world.simulation.guard
        self._flying: dict[str, int] = {}  # signature of a write -> when it left
        self._wrote = {"daemon": 0, "guard": 0}  # when each sent its last write
        self._needs: dict[tuple[str, str], tuple[int, int]] = {}  # since when: able time, faults so far
        self._refused: dict[str, int] = {}  # symbol -> when a stop of the guard's was refused last
        self._banned_until = 0
        if guard is not None:
            self._attached = True
            guard.network.on_carry = self._guard_sends
            guard.network.on_receive = self._guard_receives
            guard.door.answered = self._guard_answered
            guard.on_emit = self._said

    # -- never both

    def wrote(self, request: Request) -> None:
        """A write of the daemon leaves: not once a guard has taken the lease."""
        if not self._attached:
            return
        if self.world.simulation.process.lease.epochs.current().owner != DAEMON:
            raise Violated(
                Invariant.FOREIGN,
                "the daemon writes under a lease it has lost",
                request=read_request(request),
            )
        self._leaves("daemon", request)

    def handled(self, request: Request, reply: HttpReply) -> None:
        """The venue has carried out or refused a write of the daemon."""
        if self._attached:
            self._arrives("daemon", request, reply)

    def _leaves(self, who: str, request: Request) -> None:
        self._wrote[who] = self.world.now
        self._flying[request.headers["X-BAPI-SIGN"]] = self.world.now

    def _arrives(self, who: str, request: Request, reply: HttpReply) -> None:
        """What was signed before the other's last write must not be accepted after it."""
        left = self._flying.pop(request.headers["X-BAPI-SIGN"], self.world.now)
        other = "guard" if who == "daemon" else "daemon"
        if self._wrote[other] >= left and json.loads(reply.body)["retCode"] != TOO_OLD:
            raise Violated(
                Invariant.FOREIGN, "daemon and guard write at the same time", request=read_request(request), of=who,
                left=left, other=self._wrote[other],
            )  # fmt: skip

    # -- what the guard sends

    def _guard_sends(self, request: Request) -> None:
        self.world.tick()
        sent = read_request(request)
        if sent is None:
            return
        self._leaves("guard", request)
        guard, epochs = self.world.simulation.guard, self.world.simulation.process.lease.epochs
        away = self.world.now - (guard.looking_since or 0) if guard is not None else LAPSE
        if away < LAPSE - SECOND and epochs.owner(epochs.highest() - 1) == DAEMON:
            raise Violated(
                Invariant.FOREIGN,
                "the guard writes while what a daemon signed may be accepted",
                request=sent,
            )
        since = self.world.simulation.process.lease.renews_since
        if since is not None and self.world.now - since > WAKING:
            raise Violated(Invariant.FOREIGN, "the guard writes while a daemon holds the lease", request=sent)
        if getattr(sent, "symbol", "") in self.world.strangers:
            raise Violated(Invariant.FOREIGN, "the guard touches what is not ours", request=sent)
        match sent:
            case Order():
                self._closes(sent)
            case StopChange():
                self._protects(sent)
            case Cancel():
                self._cancels(sent)
            case _:
                raise Violated(Invariant.FOREIGN, "the guard asks for what it must not", request=sent)
        self._needs = {need: since for need, since in self._needs.items() if need[1] != sent.symbol}

    def _closes(self, order: Order) -> None:
        journal, size = self.world.simulation.process.journal, self.world.size(order.symbol)
        if not order.reduce_only or order.kind != OrderType.MARKET or size * order.side > 0:
            raise Violated(
                Invariant.EXITS_REDUCE, "the guard sends more than a close", order=order, size=size
            )
        if not journal.failed and not journal.has(order.link_id):
            raise Violated(Invariant.INTENTS, "a guard's order leaves before the journal has it", order=order)
        known = self._known(order.symbol)
        late = known is not None and self.world.now >= known[1] - 2 * SECOND
        refused = self.world.now - self._refused.get(order.symbol, -REFUSED) < REFUSED
        if size and not late and not refused and not self._too_long():
            raise Violated(Invariant.BRACKET, "the guard closes without a reason", order=order, known=known)

    def _protects(self, change: StopChange) -> None:
        position, known = self.world.positions.get(change.symbol), self._known(change.symbol)
        if change.stop is None or change.take_profit is not None or position is None or not position.size:
            return
        if position.stop_loss is not None and position.size * (change.stop - position.stop_loss) < 0:
            raise Violated(
                Invariant.BRACKET, "the guard loosens a stop", change=change, standing=position.stop_loss
            )
        if known is not None and change.stop != known[0]:
            raise Violated(
                Invariant.BRACKET,
                "the guard's stop is not the journal's",
                change=change,
                journal=known[0],
            )

    def _cancels(self, cancel: Cancel) -> None:
        journal = self.world.simulation.process.journal
        if boot_of(cancel.link_id) not in journal.boots:
            raise Violated(Invariant.FOREIGN, "the guard cancels an order of others", request=cancel)

    def _guard_receives(self, method: str, reply: HttpReply) -> None:  # noqa: ARG002 - the network's hook
        if reply.status == 403:
            self._banned_until = self.world.now + 600 * SECOND

    def _guard_answered(self, request: Request, reply: HttpReply) -> None:
        sent = read_request(request)
        if sent is None:
            return
        self._arrives("guard", request, reply)
        if isinstance(sent, StopChange) and json.loads(reply.body)["retCode"]:
            self._refused[sent.symbol] = self.world.now

    def _said(self, name: str, fields: Mapping[str, Any]) -> None:
        if name == "guard-acted":
            self.world.guarded[str(fields["what"])] += 1

    # -- what it must do

    def step(self) -> None:
        """Once a second: what is needed while the daemon is away must be tried in time."""
        world = self.world
        guard = world.simulation.guard
        if guard is None or guard.looking_since is None:
            self._needs.clear()
            self._able = False
            return
        if self._able:
            self._able_ns += world.now - self._last
        network, skew = guard.network, world.simulation.process.skew
        reaches = not network.down and not network.refused and world.now >= self._banned_until
        self._able, self._last = reaches and not skew, world.now
        if world.now < self._alone_since(guard.looking_since) + LAPSE:
            self._needs.clear()
            return
        if not self._able:
            return
        asked = set(self._asked())
        disturbed = world.disturbed()
        self._needs = {need: self._needs.get(need, (self._able_ns, disturbed)) for need in asked}
        for (what, symbol), (since, before) in self._needs.items():
            if self._able_ns - since > PATIENCE + DISTURBED * (disturbed - before):
                raise Violated(
                    Invariant.PROTECTED, f"the guard does not {what} in time", symbol=symbol,
                    position=world.positions.get(symbol), for_s=(self._able_ns - since) / SECOND,
                )  # fmt: skip

    def _asked(self) -> Iterator[tuple[str, str]]:
        """What the account needs now: of which symbol."""
        world = self.world
        for position in list(world.held()):
            symbol, known = position.symbol, self._known(position.symbol)
            if symbol in world.strangers or known is None:
                continue
            if world.now >= known[1] or self._too_long():
                yield "close", symbol
            elif position.stop_loss is None:
                yield "protect", symbol
        boots = world.simulation.process.journal.boots
        for order in world.simulation.exchange.open_orders(world.simulation.uid):
            if not order.reduce_only and not order.stop_type and boot_of(order.link_id) in boots:
                yield "cancel", order.symbol

    def _too_long(self) -> bool:
        """Has there been no daemon for too long?"""
        guard, most = self.world.simulation.guard, self.world.policy.guard_close_after
        if guard is None or guard.looking_since is None or not most:
            return False
        return self.world.now - self._alone_since(guard.looking_since) >= LAPSE + most * SECOND

    def _alone_since(self, looking_since: int) -> int:
        """The process may have been back for a moment between two looks: its lease tells."""
        return max(looking_since, self.world.simulation.process.lease.beaten)

    def _known(self, symbol: str) -> tuple[Decimal, int] | None:
        """Stop and time limit of a position as the journal has them; None where it knows of none."""
        kept, size = self._kept(), self.world.size(symbol)
        for key in (f"position:{symbol}", f"entry:{symbol}"):
            row = kept.get(key)
            held = row.get("bracket", row) if row else None
            if held and held["direction"] * size > 0:
                longer = self.world.policy.hold_factor if held.get("zone") else Decimal(1)
                since = held["opened_ns"] if "opened_ns" in held else held["sent_ts"]
                return Decimal(held["stop"]), since + int(held["hold_ns"] * longer)
        return None

    def _kept(self) -> Mapping[str, Mapping[str, Any]]:
        """The journal as the guard may read it."""
        return self.world.simulation.process.journal.on_disk(self.world.now)
