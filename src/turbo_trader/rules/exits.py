"""The exits of one position as a pure zone machine: prices and times in, actions out. It sends nothing and
knows no venue.

Progress f = direction x (price - entry) / TP distance, where price is the side one could close at. Stops
only tighten.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from turbo_trader.market.grid import on_grid
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.choices import Unconfirmed

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy


class ExitReason(StrEnum):
    """Why a position is closed, or was. An execution of a kind not known here keeps the venue's own name."""

    TARGET = "target"  # by its bracket
    TIME = "time"
    MARK = "mark"
    STOP = "stop"  # by the venue, or asked for at the end of a run
    BACKSTOP = "backstop"
    UNPROTECTED = "unprotected"  # for safety
    STOP_REFUSED = "stop-refused"
    STOP_LATE = "stop-late"
    LIQUIDATION_NEAR = "liquidation-near"
    DELISTING = "delisting"
    SESSION_LOSS = "session-loss"  # by a limit or a person
    FLATTEN = "flatten"
    GUARD = "guard"
    OUTSIDE = "outside"  # by nobody known here
    LIQUIDATION = "liquidation"  # by the venue's own executions
    ADL = "adl"
    DELIVERY = "delivery"
    SETTLEMENT = "settlement"
    BLOCK_TRADE = "block trade"
    MOVED_POSITION = "moved position"
    SPREAD_TRADE = "spread trade"
    CORPORATE_ACTION = "corporate action"


@dataclass(frozen=True, slots=True)
class MoveStop:
    """Tighten the venue's stop loss to `price`."""

    price: Decimal
    reason: str  # zone-1, zone-2, extension


@dataclass(frozen=True, slots=True)
class MoveBackstop:
    """Move the venue's take profit out to `price`; `backstop_confirmed` answers it, and only then the
    target moves."""

    price: Decimal


@dataclass(frozen=True, slots=True)
class ClosePosition:
    """Close everything, reduce-only, now."""

    reason: ExitReason  # TARGET, TIME, MARK


Action: TypeAlias = MoveStop | MoveBackstop | ClosePosition


@dataclass(frozen=True, slots=True)
class ExitRules:
    """The policy's numbers of section 6 that a bracket keeps for life (a position keeps the rules it was
    opened under)."""

    zone_one: Decimal
    zone_two: Decimal
    break_even_min: Decimal
    lock_share: Decimal
    extension: Decimal
    backstop_extra: Decimal
    max_extensions: int
    close_unconfirmed: bool
    mark_beyond: Decimal
    mark_beyond_for_ns: int
    hold_factor: Decimal
    break_even_extra: Decimal = Decimal(0)
    break_even_cost: bool = True


def exit_rules(policy: Policy) -> ExitRules:
    """The exit rules of a policy."""
    return ExitRules(
        zone_one=policy.zone_one,
        zone_two=policy.zone_two,
        break_even_min=policy.break_even_min,
        break_even_extra=policy.break_even_extra,
        break_even_cost=policy.break_even_cost,
        lock_share=policy.lock_share,
        extension=policy.extension,
        backstop_extra=policy.backstop_extra,
        max_extensions=policy.max_extensions,
        close_unconfirmed=policy.tp_without_confirmation is Unconfirmed.CLOSE,
        mark_beyond=policy.mark_beyond,
        mark_beyond_for_ns=int(policy.mark_beyond_for * SECOND),
        hold_factor=policy.hold_factor,
    )


@dataclass(kw_only=True, slots=True)
class Bracket:
    """Stop, target, backstop, zone and clock of one open position. Prices in USDT on the tick, distances
    as fractions of entry.

    `on_price`, `on_mark`, `on_time` return what is to be done; each action is returned once. Reaching the
    stop is the venue's business. `opened_ns` is the time of the first fill.
    """

    direction: int  # +1 long, -1 short
    entry: Decimal  # average fill
    tick: Decimal
    take_profit: Decimal  # distance, fraction
    stop_loss: Decimal  # distance, fraction
    cost: Decimal  # round trip, fraction
    opened_ns: int
    hold_ns: int
    rules: ExitRules
    stop: Decimal = Decimal(0)
    target: Decimal = Decimal(0)
    backstop: Decimal = Decimal(0)
    zone: int = 0  # 0, 1: break-even reached, 2: lock reached
    extensions: int = 0
    pending_backstop: Decimal | None = None
    held: bool = False  # at the target without confirmation, kept open behind the lock
    closing: str = ""  # reason, once a close is asked
    mark_since_ns: int | None = None  # since when the mark is beyond the stop

    def __post_init__(self) -> None:
        if self.stop == 0:
            self.stop = initial_stop(self.direction, self.entry, self.stop_loss, self.tick)
            self.target = self._target(0)
            self.backstop = self._beyond(self.target)

    # what the shell watches

    @property
    def deadline_ns(self) -> int:
        """T after the first fill before zone 1, hold_factor x T after it."""
        return self.opened_ns + (
            int(self.hold_ns * self.rules.hold_factor) if self.zone >= 1 else self.hold_ns
        )

    @property
    def next_time_ns(self) -> int:
        """When `on_time` or `on_mark` must be called next at the latest."""
        if self.mark_since_ns is None:
            return self.deadline_ns
        return min(self.deadline_ns, self.mark_since_ns + self.rules.mark_beyond_for_ns)

    @property
    def next_level(self) -> Decimal | None:
        """The price in our favour at which something happens next; None: nothing more does (or an action is
        under way)."""
        if self.closing or self.held or self.pending_backstop is not None:
            return None
        return (
            self._outward(self._at(self.take_profit * self.rules.zone_one)) if self.zone == 0 else self.target
        )

    @property
    def break_even(self) -> Decimal:
        """The price beyond entry that pays the break-even minimum, the cost where that is asked for, and the extra; on the tick
        beyond it."""
        rules = self.rules
        pays = max(rules.break_even_min, self.cost) if rules.break_even_cost else rules.break_even_min
        return self._outward(self._at(pays + rules.break_even_extra))

    def progress(self, price: Decimal) -> Decimal:
        """f: 0 at entry, 1 at the original target."""
        return self.direction * (price - self.entry) / (self.entry * self.take_profit)

    # events

    def on_price(self, price: Decimal, confirmed: bool | None = None) -> list[Action]:
        """The closable price moved. `confirmed`: OFI and ACCEL still confirm the direction; None: not
        known, which counts as no.

        Only looked at when the price is at the target (`at_target`).
        """
        if self.closing:
            return []
        actions: list[Action] = []
        if self.zone == 0 and self.progress(price) >= self.rules.zone_one:
            self.zone = 1
            actions += self._tighten(self.break_even, price, "zone-1")
        if self.at_target(price):
            actions += self._reach_target(price, confirmed is True)
        return actions

    def at_target(self, price: Decimal) -> bool:
        """Whether `on_price` would need a confirmation at this price."""
        waiting = self.held or self.pending_backstop is not None or bool(self.closing)
        return not waiting and self.direction * (price - self.target) >= 0

    def backstop_confirmed(self, price: Decimal) -> None:
        """The venue's take profit stands at `price`: when that is what was asked, the target moves out."""
        if self.pending_backstop is None or price != self.pending_backstop:
            return
        self.backstop, self.pending_backstop = price, None
        self.target = self._target(self.extensions + 1)
        self.extensions += 1

    def backstop_refused(self) -> list[Action]:
        """The backstop could not be moved: without it the target does not move, so close (or hold)."""
        if self.pending_backstop is None:
            return []
        self.pending_backstop = None
        return self._unconfirmed()

    def on_mark(self, now_ns: int, mark: Decimal) -> list[Action]:
        """The mark price: beyond the stop by `mark_beyond` for `mark_beyond_for`, close."""
        if self.closing:
            return []
        if self.direction * (self.stop - mark) < self.rules.mark_beyond * self.stop:
            self.mark_since_ns = None
            return []
        if self.mark_since_ns is None:
            self.mark_since_ns = now_ns
        if now_ns - self.mark_since_ns >= self.rules.mark_beyond_for_ns:
            return self._close(ExitReason.MARK)
        return []

    def on_time(self, now_ns: int) -> list[Action]:
        """Time passed: close at the deadline."""
        if not self.closing and now_ns >= self.deadline_ns:
            return self._close(ExitReason.TIME)
        return []

    def found(self, stop: Decimal) -> bool:
        """The venue's stop: where it is tighter than this one it stands from now on, and True is returned."""
        if self.direction * (stop - self.stop) <= 0:
            return False
        self.stop, self.mark_since_ns = stop, None
        return True

    # steps

    def _reach_target(self, price: Decimal, confirmed: bool) -> list[Action]:
        self.zone = 2
        reached = self.direction * (price - self.entry) * self.rules.lock_share
        lock = self._outward(self.entry + self.direction * reached)
        actions = self._tighten(lock, price, "zone-2" if self.extensions == 0 else "extension")
        if confirmed and self.extensions < self.rules.max_extensions:
            self.pending_backstop = self._beyond(self._target(self.extensions + 1))
            return [*actions, MoveBackstop(self.pending_backstop)]
        if confirmed:
            return [*actions, *self._close(ExitReason.TARGET)]
        return [*actions, *self._unconfirmed()]

    def _unconfirmed(self) -> list[Action]:
        if self.rules.close_unconfirmed:
            return self._close(ExitReason.TARGET)
        self.held = True
        return []

    def _close(self, reason: ExitReason) -> list[Action]:
        self.closing = reason
        return [ClosePosition(reason)]

    def _tighten(self, wanted: Decimal, price: Decimal, reason: str) -> list[Action]:
        """A stop at `wanted`, or one tick short of the price where that is nearer; nothing where it would
        not tighten."""
        last = price - self.direction * self.tick
        stop = min(wanted, last) if self.direction > 0 else max(wanted, last)
        if self.direction * (stop - self.stop) <= 0:
            return []
        self.stop = stop
        self.mark_since_ns = None
        return [MoveStop(stop, reason)]

    def _target(self, extensions: int) -> Decimal:
        return self._inward(
            self._at(self.take_profit * (self.rules.zone_two + extensions * self.rules.extension))
        )

    def _beyond(self, target: Decimal) -> Decimal:
        return self._outward(
            target + self.direction * self.entry * self.take_profit * self.rules.backstop_extra
        )

    def _at(self, distance: Decimal) -> Decimal:
        return self.entry * (1 + self.direction * distance)

    def _outward(self, price: Decimal) -> Decimal:
        """On the tick, away from the entry on the profit side."""
        return on_grid(price, self.tick, self.direction > 0)

    def _inward(self, price: Decimal) -> Decimal:
        return on_grid(price, self.tick, self.direction < 0)


def initial_stop(direction: int, entry: Decimal, distance: Decimal, tick: Decimal) -> Decimal:
    """The first stop: on the tick towards the entry (never more loss than planned), at least one tick away
    from it."""
    stop = on_grid(entry * (1 - direction * distance), tick, direction > 0)
    if direction * (entry - stop) >= tick:
        return stop
    return on_grid(entry - direction * tick, tick, direction < 0)


def entry_exits(
    direction: int, price: Decimal, row_tp: Decimal, row_sl: Decimal, instrument: Instrument, policy: Policy
) -> tuple[Decimal, Decimal]:
    """(stop, backstop) to attach to an entry expected to fill at `price`."""
    plan = Bracket(
        direction=direction,
        entry=price,
        tick=instrument.tick,
        take_profit=row_tp,
        stop_loss=row_sl,
        cost=Decimal(0),
        opened_ns=0,
        hold_ns=0,
        rules=exit_rules(policy),
    )
    return plan.stop, plan.backstop
