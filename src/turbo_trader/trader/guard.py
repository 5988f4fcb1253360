"""What the guard does with an account whose daemon is gone: pure, from one picture of the venue and what the journal kept.

It cancels resting entries of ours, gives a position the stop the journal knows where the venue's is missing or looser, and closes
what is past its time, what has been without a daemon for too long, and what nobody knows a stop for. It opens nothing, loosens
nothing, and leaves alone what the journal does not know to be ours.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from turbo_trader.market.events import SECOND
from turbo_trader.rules.exits import Bracket
from turbo_trader.trader.commands import CancelOrder, PlaceOrder, SetStops
from turbo_trader.trader.desk import PendingEntry
from turbo_trader.trader.events import OrderReport, PositionReport
from turbo_trader.trader.ids import Ids, boot_of

Kept = Mapping[str, Mapping[str, Any]]  # what the journal keeps across restarts, by key
Action = CancelOrder | SetStops | PlaceOrder


@dataclass(frozen=True, slots=True)
class GuardRules:
    """Lengths in ns of wall time (the guard's own, not the rules of trading)."""

    look_ns: int = 3 * SECOND  # between two looks
    agree_ns: int = 2 * SECOND  # between the two reads that must agree before anything is written
    close_ns: int = 60 * SECOND  # positions are closed after so long without a daemon


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing to be done: what for which symbol or order; two reads agree when they wish the same."""

    what: str  # cancel, protect, close
    symbol: str
    link_id: str = ""  # of the order to cancel
    stop: Decimal | None = None  # of the protection
    size: Decimal = Decimal(0)  # of the position, signed
    why: str = ""


def wishes(
    positions: Sequence[PositionReport],
    orders: Sequence[OrderReport],
    kept: Kept,
    boots: Collection[str],
    now: int,
    gone_ns: int,
    rules: GuardRules,
) -> list[Wish]:
    """What is to be done without a daemon for `gone_ns`: cancels first, then protection, then closes.

    `boots`: nonces of the starts whose orders are ours. `now`: venue time, ns.
    """
    found = [
        Wish("cancel", order.symbol, link_id=order.link_id, why="no daemon waits for it")
        for order in orders
        if boot_of(order.link_id) in boots and not order.reduce_only and not order.stop_type
    ]
    for position in positions:
        wish = _of_position(position, kept, now, gone_ns, rules) if position.size else None
        if wish is not None:
            found.append(wish)
    order = {"cancel": 0, "protect": 1, "close": 2}
    return sorted(found, key=lambda wish: order[wish.what])


def unprotected(positions: Sequence[PositionReport]) -> list[str]:
    """Symbols with a position that has no stop on the venue (one in Full mode covers all of it)."""
    return [position.symbol for position in positions if position.size and position.stop_loss is None]


def _of_position(
    position: PositionReport, kept: Kept, now: int, gone_ns: int, rules: GuardRules
) -> Wish | None:
    known = _known(position, kept)
    if known is None:
        return None
    stop, deadline = known
    direction = 1 if position.size > 0 else -1
    if deadline is not None and now >= deadline:
        return Wish("close", position.symbol, size=position.size, why="past its time")
    if gone_ns >= rules.close_ns:
        return Wish("close", position.symbol, size=position.size, why="no daemon")
    if position.stop_loss is None or direction * (stop - position.stop_loss) > 0:
        return Wish(
            "protect", position.symbol, stop=stop, size=position.size, why="stop missing or looser than kept"
        )
    return None


def _known(position: PositionReport, kept: Kept) -> tuple[Decimal, int | None] | None:
    """(stop, deadline) of a position of ours: from its bracket, or from the entry that was on its way; None = not ours."""
    value = kept.get(f"position:{position.symbol}")
    if value:
        bracket = msgspec.convert(dict(value["bracket"]), Bracket)
        if bracket.direction * position.size > 0:
            return bracket.stop, bracket.deadline_ns
    sent = kept.get(f"entry:{position.symbol}")
    if sent:
        entry = msgspec.convert(dict(sent), PendingEntry)
        if entry.direction * position.size > 0:
            return entry.stop, entry.sent_ts + entry.hold_ns
    return None


def command(wish: Wish, ids: Ids, most: Decimal | None = None) -> Action:
    """The wish as a command of the wire. `most`: largest market order, base coin; what is left over is closed at the next look."""
    if wish.what == "cancel":
        return CancelOrder(ids.next("cancel"), wish.symbol, link_id=wish.link_id)
    if wish.what == "protect":
        return SetStops(ids.next("stop"), wish.symbol, wish.stop, None)
    side = -1 if wish.size > 0 else 1
    qty = abs(wish.size) if most is None else min(abs(wish.size), most)
    return PlaceOrder(
        ids.next("guard"), wish.symbol, side, qty, "Market", "IOC", reduce_only=True, purpose="close"
    )  # fmt: skip
