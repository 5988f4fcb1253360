"""I4: what stop and target must be at each price and time, recomputed from the rules, section 6."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from turbo_trader.bybit.rest import Request
from turbo_trader.chaos.check import Check
from turbo_trader.chaos.prints_seen import PrintsSeen
from turbo_trader.chaos.protection_check import AT_MOST, PATIENCE, REFUSED, UNANSWERED
from turbo_trader.chaos.requests_check import Requests
from turbo_trader.chaos.scan_rows import Row
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.wire_requests import Order, Sent, StopChange
from turbo_trader.chaos.world import World
from turbo_trader.exchange.messages import ExecutionMessage, Message, PositionMessage
from turbo_trader.exchange.protocol.rest_face import HttpReply
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.choices import EntryStyle, Unconfirmed
from turbo_trader.rules.policy import Policy

NEAR: Final = Decimal("0.002")  # prices between two prints that only the book showed
EXACTLY: Final = Decimal("0.0001")  # ... where all that it showed was seen
MARGIN: Final = Decimal("1.1")  # a mark so far beyond is beyond it for sure
TICKS: Final = 3  # what rounding entry, limit and levels may make


@dataclass(slots=True)
class Plan:
    """What an entry has laid down for its position. Distances are fractions of the entry price."""

    order: Order
    take_profit: Decimal
    cost: Decimal  # at most
    hold_ns: int
    opened: int
    best: Decimal | None = None  # closable price in its favour that the process has surely seen
    extreme: Decimal | None = None  # ... that anybody has seen
    looked: int = 0  # up to when `extreme` looks
    reached: int = -1  # the last target that was reached: 0 the first, 1 after an extension, ...
    due_since: int | None = None  # able time since when a stop should have been tightened
    target_since: int | None = None  # ... since when the target should have been answered
    past_zone_one: bool = False  # its stop was beyond the entry; a person may have removed it since
    late_since: int | None = None  # ... since when time is up
    mark_since: int | None = None  # ... since when the mark is beyond the stop
    refused: int = 0  # when the venue refused a stop change last
    excused: int = 0  # until then an attempt is under way

    def forget(self) -> None:
        """The process died: what it had seen and not acted on is gone."""
        self.best, self.reached = None, -1
        self.due_since = self.target_since = self.late_since = self.mark_since = None


class Brackets(Check):
    """Each position of ours at the venue."""

    def __init__(self, world: World, requests: Requests) -> None:
        super().__init__(world)
        self._requests = requests
        self._prints = PrintsSeen(world)
        self._plans: dict[str, Plan] = {}
        self._rows: dict[
            str, Row
        ] = {}  # by link id: the scan behind an entry, which may fill in the next life
        self._life = 0

    # -- the beginning and the end

    def message(self, message: Message) -> None:
        """A position opens or ends."""
        if isinstance(message, ExecutionMessage) and message.qty > message.closed_qty:
            entry = self._requests.entries.get(message.link_id)
            if entry is not None and message.symbol not in self._plans:
                self._plans[message.symbol] = self._plan(entry.order, message.ts)
                self._prints.skip(message.symbol)
        elif isinstance(message, PositionMessage) and not message.size:
            self._plans.pop(message.symbol, None)
        elif isinstance(message, PositionMessage) and (plan := self._plans.get(message.symbol)):
            plan.past_zone_one |= _locks(plan, message)

    def _plan(self, order: Order, ts: int) -> Plan:
        policy = self.world.policy
        assert order.price is not None
        assert order.take_profit is not None
        row = self._rows[order.link_id]
        distance = abs(order.take_profit / order.price - 1) / (policy.zone_two + policy.backstop_extra)
        hold = int(float(row["hold_s"]) * SECOND)
        return Plan(order, distance, Decimal(repr(float(row["cost"]))), hold, ts)

    # -- what it asks for

    def sent(self, sent: Sent) -> None:
        """An entry, a change of a stop or target, or a close leaves."""
        if isinstance(sent, Order) and not sent.reduce_only:
            self._rows[sent.link_id] = passed_row(self.world, sent)
        plan = self._plans.get(sent.symbol) if isinstance(sent, StopChange | Order) else None
        if plan is None:
            return
        if isinstance(sent, StopChange):
            self._look_at(plan, sent)
        elif isinstance(sent, Order) and sent.reduce_only and self.world.quiet and not self.world.flattening:
            self._has_a_reason(plan, sent)
        plan.excused = self.world.able_ns + UNANSWERED

    def read(self, request: Request) -> None:
        """An attempt without an answer is read before it is made again: that belongs to it."""
        for symbol, plan in self._plans.items():
            since = [
                at
                for at in (plan.due_since, plan.target_since, plan.late_since, plan.mark_since)
                if at is not None
            ]
            if since and plan.excused > min(since) and f"symbol={symbol}" in request.target:
                plan.excused = max(plan.excused, self.world.able_ns + UNANSWERED)

    def answered(self, sent: Sent, reply: HttpReply) -> None:
        """What was carried out needs no excuse, what was refused a short one."""
        plan = self._plans.get(sent.symbol) if isinstance(sent, StopChange | Order) else None
        if plan is not None and isinstance(sent, StopChange):
            if json.loads(reply.body)["retCode"]:
                plan.refused = self.world.now
                plan.excused = min(plan.excused, self.world.able_ns + REFUSED)
            elif sent.take_profit is None:  # a target has moved once the process knows that
                plan.excused = min(plan.excused, self.world.able_ns + SECOND)

    def _has_a_reason(self, plan: Plan, order: Order) -> None:
        """A close before its time: the market is at the stop or target, or the stop is gone or refused."""
        world, d = self.world, plan.order.side
        position = world.positions[order.symbol]
        allowed = allowed_ns(self.world.policy, plan)
        if not position.size or position.stop_loss is None or world.now >= plan.opened + allowed - SECOND:
            return
        if plan.refused and world.now - plan.refused < REFUSED:
            return
        touch, mark = world.touch(order.symbol), world.mark(order.symbol)
        slack = self._slack(position)
        beyond = world.policy.mark_beyond * position.stop_loss
        at_stop = touch is not None and d * (touch[0 if d > 0 else 1] - position.stop_loss) <= slack
        at_stop |= mark is not None and d * (position.stop_loss - mark) >= beyond - slack
        at_target = self._may_close_at_target(plan, position)
        if touch is not None and not at_stop and not at_target and not contract_ends(self.world, plan):
            raise Violated(
                Invariant.BRACKET, "a position is closed before its time, without a reason", order=order,
                open_s=(world.now - plan.opened) / SECOND, allowed_s=allowed / SECOND, stop=position.stop_loss,
            )  # fmt: skip

    def _may_close_at_target(self, plan: Plan, position: PositionMessage) -> bool:
        """Where a target is not extended, or has been as often as it may be, reaching it closes the trade."""
        policy, extensions = self.world.policy, self._extensions(plan, position)
        if policy.tp_without_confirmation is not Unconfirmed.CLOSE and extensions < policy.max_extensions:
            return False
        gone = self._favourable(plan, position) - self._target(plan, position, extensions)
        return plan.reached >= extensions or plan.order.side * gone >= 0

    def _look_at(self, plan: Plan, change: StopChange) -> None:
        position = self.world.positions[change.symbol]
        if not position.size:
            return
        d = plan.order.side
        best = self._favourable(plan, position)
        assert plan.order.stop is not None
        if change.stop is not None and d * (change.stop - plan.order.stop) > self._slack(position):
            self._not_too_tight(plan, position, change.stop, best)
        if change.take_profit is not None and position.take_profit is not None:
            self._extends(plan, position, change.take_profit, best)

    def _favourable(self, plan: Plan, position: PositionMessage) -> Decimal:
        """The best closable price there may have been, and a tick: targets are on the tick before them."""
        self._see_all(plan)
        best = position.entry_price if plan.extreme is None else plan.extreme
        near = EXACTLY if self.world.quiet else NEAR
        return best + plan.order.side * (best * near + position.tick)

    def _not_too_tight(self, plan: Plan, position: PositionMessage, stop: Decimal, best: Decimal) -> None:
        policy, d, entry = self.world.policy, plan.order.side, position.entry_price
        progress = d * (best - entry) / (entry * plan.take_profit)
        gain = d * (stop - entry) / entry
        most = max(policy.break_even_min, plan.cost) + policy.break_even_extra + self._slack(position) / entry
        if progress >= policy.zone_two:
            most = max(most, policy.lock_share * d * (best - entry) / entry + self._slack(position) / entry)
        if progress < policy.zone_one or gain > most:
            raise Violated(
                Invariant.BRACKET, "a stop is tightened before its price, or too far", symbol=position.symbol, stop=stop,
                entry=entry, best=best, progress=round(progress, 3), gain=gain, most=most,
            )  # fmt: skip

    def _extends(self, plan: Plan, position: PositionMessage, take_profit: Decimal, best: Decimal) -> None:
        policy, d, entry = self.world.policy, plan.order.side, position.entry_price
        if take_profit == position.take_profit:
            return  # sent again after an answer that never came
        # the one that came with the entry goes by its limit, which a fill after a jump may have been far better than
        first = position.take_profit == plan.order.take_profit
        count = 1 if first else self._extensions(plan, position) + 1
        early = d * (best - self._target(plan, position, count - 1)) < 0
        usual = self._target(plan, position, count) + d * entry * plan.take_profit * policy.backstop_extra
        slack = self._slack(position) + abs(entry - (plan.order.price or entry)) * Decimal("0.05")
        if count > policy.max_extensions or early or abs(take_profit - usual) > slack:
            raise Violated(
                Invariant.BRACKET, "a target moves before its price, too often, or by another distance", symbol=position.symbol,
                was=position.take_profit, asked=take_profit, usual=usual, extensions=count, best=best,
            )  # fmt: skip

    # -- what it must do

    def step(self) -> None:
        """Prices and times that ask for something."""
        if self.world.life != self._life:
            self._life = self.world.life
            for plan in self._plans.values():
                plan.forget()
        for symbol, plan in self._plans.items():
            position = self.world.positions.get(symbol)
            if position is None or not position.size:
                continue
            self._see(plan, position)
            self._tightened(plan, position)
            self._answered_target(plan, position)
            self._ended(plan, position)
            self._beyond_by_the_mark(plan, position)

    def _see_all(self, plan: Plan) -> None:
        symbol, d = plan.order.symbol, plan.order.side
        span = max(plan.looked, plan.opened), self.world.now
        seen, shown = self._prints.between(symbol, d, *span), self._prints.closable(symbol, d, *span)
        plan.looked = self.world.now
        touch = self.world.touch(symbol)
        prices = [price for price in (seen, shown, plan.extreme) if price is not None]
        if touch is not None:
            prices.append(touch[0] if d > 0 else touch[1])
        plan.extreme = d * max(d * price for price in prices) if prices else None

    def _see(self, plan: Plan, position: PositionMessage) -> None:
        seen, d = self._prints.best(position.symbol, plan.order.side), plan.order.side
        self._see_all(plan)
        if seen is None:
            return
        if plan.best is None or d * (seen - plan.best) > 0:
            plan.best = seen
        at = self._extensions(plan, position)
        target = self._target(plan, position, at)
        known = at == 0 or self.world.able_ns > plan.excused
        if at > plan.reached and known and d * (seen - target) >= self._slack(position):
            plan.reached = at

    def _tightened(self, plan: Plan, position: PositionMessage) -> None:
        least = self._least_stop(plan, position)
        d = plan.order.side
        stop = position.stop_loss
        if stop is None and (heard := self.world.heard.get(position.symbol)) is not None:
            stop = heard.stop  # who took it away is I1's: the process may not have heard of it
        missing = least is not None and (stop is None or d * (least - stop) > 0)
        if not missing:
            plan.due_since = None
            return
        plan.due_since = self.world.able_ns if plan.due_since is None else plan.due_since
        if self._overdue(plan, plan.due_since):
            raise Violated(
                Invariant.BRACKET, "a stop is not tightened where the price asks for it", symbol=position.symbol,
                stop=position.stop_loss, least=least, entry=position.entry_price, best=plan.best, reached=plan.reached,
            )  # fmt: skip

    def _least_stop(self, plan: Plan, position: PositionMessage) -> Decimal | None:
        """The loosest stop the rules allow at the prices seen; None: the first one."""
        policy, d, entry = self.world.policy, plan.order.side, position.entry_price
        if plan.best is None:
            return None
        slack = self._slack(position)
        if d * (plan.best - entry * (1 + d * plan.take_profit * policy.zone_one)) < slack:
            return None
        fees = (
            2 * policy.taker_fee
            if policy.entry_style is EntryStyle.TAKER
            else policy.taker_fee + policy.maker_fee
        )
        pays = max(policy.break_even_min, fees) if policy.break_even_cost else policy.break_even_min
        gain = pays + policy.break_even_extra
        if plan.reached >= 0:
            reached = policy.zone_two + plan.reached * policy.extension
            gain = max(gain, policy.lock_share * plan.take_profit * reached)
        return entry * (1 + d * gain) - d * slack

    def _answered_target(self, plan: Plan, position: PositionMessage) -> None:
        """At the target the trade is closed, or its target moves, where TP_WITHOUT_CONFIRMATION=close."""
        if self.world.policy.tp_without_confirmation is not Unconfirmed.CLOSE or plan.reached < 0:
            return
        if self._extensions(plan, position) > plan.reached:
            plan.target_since = None
            return
        plan.target_since = self.world.able_ns if plan.target_since is None else plan.target_since
        if self._overdue(plan, plan.target_since):
            raise Violated(
                Invariant.BRACKET, "a target is reached and nothing is done", symbol=position.symbol,
                entry=position.entry_price, best=plan.best, take_profit=position.take_profit,
            )  # fmt: skip

    def _ended(self, plan: Plan, position: PositionMessage) -> None:
        allowed = allowed_ns(self.world.policy, plan)
        if self.world.now < plan.opened + allowed and not contract_ends(self.world, plan):
            plan.late_since = None
            return
        plan.late_since = self.world.able_ns if plan.late_since is None else plan.late_since
        if self._overdue(plan, plan.late_since):
            raise Violated(
                Invariant.BRACKET, "a position is open past its time", symbol=position.symbol,
                open_s=(self.world.now - plan.opened) / SECOND, allowed_s=allowed / SECOND,
            )  # fmt: skip

    def _beyond_by_the_mark(self, plan: Plan, position: PositionMessage) -> None:
        """The mark beyond the stop for a second asks for a close, where the last price has not fired it."""
        policy, mark, stop = self.world.policy, self.world.mark(position.symbol), position.stop_loss
        seen = self._prints.up_to_date(position.symbol)
        far = (
            stop is not None
            and plan.order.side * (stop - (mark or stop)) > policy.mark_beyond * stop * MARGIN
        )
        if not far or not seen or self.world.flattening:
            plan.mark_since = None
            return
        plan.mark_since = self.world.able_ns if plan.mark_since is None else plan.mark_since
        if self._overdue(plan, plan.mark_since + int(policy.mark_beyond_for * SECOND)):
            raise Violated(
                Invariant.BRACKET, "the mark is beyond the stop and nothing is closed", symbol=position.symbol, mark=mark,
                stop=stop, for_s=(self.world.able_ns - plan.mark_since) / SECOND,
            )  # fmt: skip

    # -- figures

    def _overdue(self, plan: Plan, since: int) -> bool:
        world = self.world
        knows = (heard := world.heard.get(plan.order.symbol)) is not None and heard.size != 0
        late = world.able_ns > min(max(since + PATIENCE, plan.excused), since + AT_MOST)
        return world.hears and knows and late

    def _slack(self, position: PositionMessage) -> Decimal:
        return TICKS * self.world.instrument(position.symbol).tick

    def _target(self, plan: Plan, position: PositionMessage, extensions: int) -> Decimal:
        policy = self.world.policy
        distance = plan.take_profit * (policy.zone_two + extensions * policy.extension)
        return position.entry_price * (1 + plan.order.side * distance)

    def _extensions(self, plan: Plan, position: PositionMessage) -> int:
        """How often the target has moved, as the venue's take profit shows."""
        policy = self.world.policy
        if position.take_profit is None or position.take_profit == plan.order.take_profit:
            return 0  # the one that came with the entry goes by its limit, which a fill after a jump may have been far better than
        distance = abs(position.take_profit / position.entry_price - 1) / plan.take_profit
        return max(0, round(float((distance - policy.zone_two - policy.backstop_extra) / policy.extension)))


def allowed_ns(policy: Policy, plan: Plan) -> int:
    """For how long it may be open: T, after zone 1 HOLD_FACTOR times as long."""
    return int(plan.hold_ns * (policy.hold_factor if plan.past_zone_one else Decimal(1)))


def _locks(plan: Plan, position: PositionMessage) -> bool:
    """Does the stop lock a gain?"""
    stop = position.stop_loss
    return stop is not None and plan.order.side * (stop - position.entry_price) > 0


def contract_ends(world: World, plan: Plan) -> bool:
    """A position is closed before its contract ends, as long as entries end before maintenance."""
    ends = world.ending.get(plan.order.symbol)
    return ends is not None and world.now >= ends[0] - world.policy.maintenance_lead * SECOND


def passed_row(world: World, order: Order) -> Row:
    """The scan in the journal that allowed an entry. Violated where there is none: its leverage may have taken 10 s."""
    for row in reversed(world.scans.get(order.symbol, ())):
        if world.now - int(row["ts"]) > 21 * SECOND:
            break
        if int(row["blocker"]) < 0 and int(row["direction"]) == order.side:
            return row
    raise Violated(Invariant.LIMITS, "an entry without a scan that allows it", order=order)
