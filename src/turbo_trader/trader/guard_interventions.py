"""The guard's interventions in an account whose daemon is gone. Pure: from one read of the venue and what the journal kept.

It cancels resting entries of ours, gives a position the stop the journal knows where the venue's is missing or looser, and closes
what is past its time and what has been without a daemon for too long. It opens nothing, loosens nothing, and leaves alone what a
readable journal does not know to be ours.

What the journal cannot tell (`blind`: all of it; else the symbols of `unreadable` rows) goes by the venue's report. A position
without a stop gets the widest one the rules allow, whoever opened it. It is ours where its fills carry our ids: then it is closed
past the longest time the rules allow, or after too long without a daemon.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from turbo_trader.market.order_terms import ExecKind, OrderType, Side, TimeInForce
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.exits import Bracket, initial_stop
from turbo_trader.trader.commands import CancelOrder, PlaceOrder, Purpose, SetStops
from turbo_trader.trader.events import Fill, OrderReport, PositionReport
from turbo_trader.trader.ids import Ids, boot_of
from turbo_trader.trader.pending_entry import PendingEntry
from turbo_trader.trader.state_keys import Key, parted

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

Kept = Mapping[str, Mapping[str, Any]]  # what the journal keeps across restarts, by key
Action = CancelOrder | SetStops | PlaceOrder


@dataclass(kw_only=True, frozen=True, slots=True)
class GuardRules:
    """Lengths in ns of wall time (the guard's own, not the rules of trading)."""

    look_ns: int = 3 * SECOND  # between two looks
    agree_ns: int = 2 * SECOND  # between the two reads that must agree before anything is written
    close_ns: int  # positions are closed after so long without a daemon; 0 = never
    stop_distance: Decimal  # of a stop the journal does not tell, fraction of the entry price
    hold_ns: int  # longest time of a position whose limit the journal does not tell


def guard_rules(policy: Policy) -> GuardRules:
    """The policy's numbers: the widest stop and the longest time that any trade may have."""
    longest = max(policy.turbo_max_hold, policy.growing_max_hold, policy.institutional_max_hold)
    return GuardRules(
        close_ns=policy.guard_close_after * SECOND,
        stop_distance=max(policy.sl_max, policy.b_sl_max),
        hold_ns=int(longest * policy.hold_factor * SECOND),
    )


class Remedy(StrEnum):
    """What the guard can do, in the order in which it does it."""

    CANCEL = "cancel"
    PROTECT = "protect"  # with a stop
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Intervention:
    """One thing to be done: what for which symbol or order; two reads agree when they ask the same."""

    what: Remedy
    symbol: str
    link_id: str = ""  # of the order to cancel
    stop: Decimal | None = None  # of the protection
    size: Decimal = Decimal(0)  # of the position, signed
    why: str = ""
    ours: bool = True  # False: of unknown origin, never closed
    standing: bool = False  # a stop stands on the venue meanwhile


def interventions(
    positions: Sequence[PositionReport],
    orders: Sequence[OrderReport],
    kept: Kept,
    boots: Collection[str],
    now: int,
    *,
    gone_ns: int,
    rules: GuardRules,
    left: bool = False,
    blind: bool = False,
    unreadable: Collection[str] = (),
    opened: Mapping[str, int] | None = None,
    ticks: Mapping[str, Decimal] | None = None,
) -> list[Intervention]:
    """What is to be done without a daemon for `gone_ns`: cancels first, then protection, then closes.

    `boots`: nonces of the starts whose orders are ours. `now`: venue time, ns. `left`: the daemon was asked to leave positions to
    their stops: they are not closed for its absence. `opened`: when fills of ours opened a position, by symbol; `ticks`: of
    symbols without a known stop.
    """
    found = [
        Intervention(Remedy.CANCEL, order.symbol, link_id=order.link_id, why="no daemon waits for it")
        for order in orders
        if (boot_of(order.link_id) in boots or (blind and boot_of(order.link_id)))
        and not order.reduce_only
        and not order.stop_type
    ]
    for position in positions:
        if not position.size:
            continue
        known = _known(position, kept)
        if known is None and (
            blind or {Key.POSITION.of(position.symbol), Key.ENTRY.of(position.symbol)} & set(unreadable)
        ):
            known = _by_the_venue(position, rules, opened or {}, ticks or {})
        close_ns = 0 if left else rules.close_ns
        intervention = _of_position(position, known, now, gone_ns, close_ns)
        if intervention is not None:
            found.append(intervention)
    order = list(Remedy)
    return sorted(found, key=lambda intervention: order.index(intervention.what))


def unprotected(positions: Sequence[PositionReport]) -> list[str]:
    """Symbols with a position that has no stop on the venue (one in Full mode covers all of it)."""
    return [position.symbol for position in positions if position.size and position.stop_loss is None]


def damaged(kept: Kept) -> list[str]:
    """Keys of positions and entries whose values make no sense."""
    found = []
    for key, value in kept.items():
        kind, _ = parted(key)
        try:
            if kind is Key.POSITION and value:
                bracket = _bracket(value)
                if not (bracket.entry > 0 and bracket.stop > 0 and abs(bracket.stop / bracket.entry - 1) < 1):
                    found.append(key)
            elif kind is Key.ENTRY and value and not msgspec.convert(dict(value), PendingEntry).stop > 0:
                found.append(key)
        except (ValueError, LookupError, TypeError, ArithmeticError):
            found.append(key)
    return found


def opened_by_us(positions: Sequence[PositionReport], fills: Sequence[Fill]) -> dict[str, int]:
    """When the positions that carry ids of ours in their opening fills were opened, ns, by symbol."""
    found: dict[str, int] = {}
    for position in positions:
        left = position.size
        mine = [fill for fill in fills if fill.symbol == position.symbol and fill.kind != ExecKind.FUNDING]
        for fill in sorted(mine, key=lambda each: (each.ts, each.seq), reverse=True):
            if left * position.size <= 0:
                break
            if fill.side * position.size > 0 and boot_of(fill.link_id):
                found[position.symbol] = fill.ts
            left -= fill.side * fill.qty
    return found


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a position: its stop (None: keep what stands), its time limit (None: none), is it ours?"""

    stop: Decimal | None
    deadline: int | None
    ours: bool = True
    derived: bool = False  # the stop is the rules' widest: it replaces none


def _of_position(
    position: PositionReport, known: _Known | None, now: int, gone_ns: int, close_ns: int
) -> Intervention | None:
    if known is None:
        return None
    direction = 1 if position.size > 0 else -1
    if known.ours and known.deadline is not None and now >= known.deadline:
        return Intervention(Remedy.CLOSE, position.symbol, size=position.size, why="past its time")
    if known.ours and close_ns and gone_ns >= close_ns:
        return Intervention(Remedy.CLOSE, position.symbol, size=position.size, why="no daemon")
    missing = position.stop_loss is None
    looser = position.stop_loss is not None and known.stop is not None and not known.derived
    if known.stop is not None and (missing or (looser and direction * (known.stop - position.stop_loss) > 0)):  # type: ignore[operator]
        why = "no stop, and none known" if known.derived else "stop missing or looser than kept"
        return Intervention(
            Remedy.PROTECT, position.symbol, stop=known.stop, size=position.size, why=why, ours=known.ours, standing=not missing
        )  # fmt: skip
    return None


def _known(position: PositionReport, kept: Kept) -> _Known | None:
    """Of a position of ours: from its bracket, or from the entry that was on its way; None = the journal does not know it."""
    value = kept.get(Key.POSITION.of(position.symbol))
    if value:
        bracket = _bracket(value)
        if bracket.direction * position.size > 0:
            return _Known(bracket.stop, bracket.deadline_ns)
    sent = kept.get(Key.ENTRY.of(position.symbol))
    if sent:
        entry = msgspec.convert(dict(sent), PendingEntry)
        if entry.direction * position.size > 0:
            return _Known(entry.stop, entry.sent_ts + entry.hold_ns)
    return None


def _bracket(value: Mapping[str, Any]) -> Bracket:
    return msgspec.convert(dict(value["bracket"]), Bracket)


def _by_the_venue(
    position: PositionReport, rules: GuardRules, opened: Mapping[str, int], ticks: Mapping[str, Decimal]
) -> _Known:
    """Where the journal cannot tell: the widest stop of the rules from the entry; a stranger's also behind the mark."""
    at = opened.get(position.symbol)
    direction = 1 if position.size > 0 else -1
    prices = [price for price in (position.entry_price, position.mark_price) if price]
    tick = ticks.get(position.symbol)
    deadline = None if at is None else at + rules.hold_ns
    if not prices or tick is None:
        return _Known(None, deadline, at is not None, derived=True)
    base = prices[0] if at is not None else min(prices, key=lambda price: direction * price)
    return _Known(
        initial_stop(direction, base, rules.stop_distance, tick), deadline, at is not None, derived=True
    )


def command(intervention: Intervention, ids: Ids, most: Decimal | None = None) -> Action:
    """The intervention as a command of the wire. `most`: largest market order, base coin; the rest is closed at the next look."""
    if intervention.what is Remedy.CANCEL:
        return CancelOrder(ids.next("cancel"), intervention.symbol, link_id=intervention.link_id)
    if intervention.what is Remedy.PROTECT:
        return SetStops(ids.next("stop"), intervention.symbol, intervention.stop, None)
    qty = abs(intervention.size) if most is None else min(abs(intervention.size), most)
    return PlaceOrder(
        id=ids.next("guard"),
        symbol=intervention.symbol,
        side=Side.closing(intervention.size),
        qty=qty,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        reduce_only=True,
        purpose=Purpose.CLOSE,
    )
