"""A pending entry and its life cycle. Only this module writes its fields; `entries` says what has happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from turbo_trader.trader.transitions import after

ZERO: Final = Decimal(0)


class EntryState(StrEnum):
    """How far an entry has come."""

    DECIDED = "decided"  # its leverage is being set; no order has left
    SENT = "sent"  # the order has left; nothing is known of it yet
    LATE = "late"  # nothing was heard in time: it is looked up, and its request may still be on its way
    ACCEPTED = "accepted"  # the venue has the order
    UNKNOWN = "unknown"  # its request is over and its outcome is not known: it is looked up
    ENDED = "ended"  # filled, refused or given up


class EntryEvent(StrEnum):
    """What can happen to an entry."""

    SEND = "send"  # its leverage is set: the order leaves
    ANSWER = "answer"  # the request was answered, or the order is seen while it is being withdrawn
    UNCLEAR = "unclear"  # the answer does not tell the outcome, or a restart has lost it
    OPEN = "open"  # the venue reports the order as open
    DOUBT = "doubt"  # silence, fills that are missing, or a withdrawal that did not work
    END = "end"  # its outcome is known, or it is given up


_S, _E = EntryState, EntryEvent

ENTRY_TRANSITIONS: Final[Mapping[tuple[EntryState, EntryEvent], EntryState]] = {
    (_S.DECIDED, _E.SEND): _S.SENT,
    (_S.DECIDED, _E.END): _S.ENDED,
    (_S.SENT, _E.ANSWER): _S.ACCEPTED,
    (_S.SENT, _E.UNCLEAR): _S.UNKNOWN,
    (_S.SENT, _E.OPEN): _S.ACCEPTED,
    (_S.SENT, _E.DOUBT): _S.LATE,
    (_S.SENT, _E.END): _S.ENDED,
    (_S.LATE, _E.ANSWER): _S.UNKNOWN,
    (_S.LATE, _E.UNCLEAR): _S.UNKNOWN,
    (_S.LATE, _E.OPEN): _S.ACCEPTED,
    (_S.LATE, _E.DOUBT): _S.LATE,
    (_S.LATE, _E.END): _S.ENDED,
    (_S.ACCEPTED, _E.ANSWER): _S.ACCEPTED,
    (_S.ACCEPTED, _E.UNCLEAR): _S.UNKNOWN,
    (_S.ACCEPTED, _E.OPEN): _S.ACCEPTED,
    (_S.ACCEPTED, _E.DOUBT): _S.UNKNOWN,
    (_S.ACCEPTED, _E.END): _S.ENDED,
    (_S.UNKNOWN, _E.ANSWER): _S.UNKNOWN,
    (_S.UNKNOWN, _E.UNCLEAR): _S.UNKNOWN,
    (_S.UNKNOWN, _E.OPEN): _S.ACCEPTED,
    (_S.UNKNOWN, _E.DOUBT): _S.UNKNOWN,
    (_S.UNKNOWN, _E.END): _S.ENDED,
}


@dataclass(kw_only=True, slots=True)
class PendingEntry:
    """An entry under way. Prices USDT, `qty` base coin, distances and `cost` fractions, times ns UTC."""

    id: str
    direction: int
    qty: Decimal
    limit: Decimal
    stop: Decimal
    backstop: Decimal
    leverage: Decimal
    margin: Decimal
    trade_tier: int
    take_profit: Decimal
    stop_loss: Decimal
    cost: Decimal
    range_tail: Decimal
    hold_ns: int
    decided_ts: int
    state: EntryState = EntryState.DECIDED
    sent_ts: int = 0  # 0: no order has left
    unknown_since: int = 0  # since when its outcome is looked for; 0 but in LATE and UNKNOWN
    filled: Decimal = ZERO  # by the fills booked so far
    leverage_id: str = ""  # the leverage change it waits for
    resting: bool  # post-only: it may stay in the book
    withdrawn: str = ""  # why it is being cancelled
    cancel_id: str = ""  # the last cancel sent
    cancel_ts: int = 0
    floor: Decimal = ZERO  # a position below this notional (USDT) is a crumb
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def left(self) -> bool:
        """Has its order left?"""
        return bool(self.sent_ts)

    @property
    def request_over(self) -> bool:
        """Can its request do nothing any more that was not heard of?"""
        return self.state in (EntryState.ACCEPTED, EntryState.UNKNOWN)

    @property
    def looked_up(self) -> bool:
        """Is its outcome being looked for?"""
        return self.state in (EntryState.LATE, EntryState.UNKNOWN)

    def advance(self, event: EntryEvent, now: int) -> None:
        """Take one event at `now` (ns). ValueError where the table has no such transition."""
        self.state = after(ENTRY_TRANSITIONS, self.state, event)
        if event is EntryEvent.SEND:
            self.sent_ts = now
        if not self.looked_up:
            self.unknown_since = 0
        elif event is EntryEvent.UNCLEAR or not self.unknown_since:
            self.unknown_since = now  # the request may have left this late: its window begins here

    def await_leverage(self, command_id: str) -> None:
        """It waits for this leverage change."""
        self.leverage_id = command_id

    def add_fill(self, qty: Decimal) -> None:
        """A fill of it was booked."""
        self.filled += qty

    def found_filled(self, qty: Decimal) -> None:
        """A look-up found so much filled: all of it is booked by now, some perhaps before a restart."""
        self.filled = max(self.filled, qty)

    def withdraw(self, why: str, cancel_id: str, now: int) -> None:
        """A cancel of its order leaves; the first reason stays."""
        self.withdrawn = self.withdrawn or why
        self.cancel_id, self.cancel_ts = cancel_id, now
