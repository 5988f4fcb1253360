"""The life cycle of stop changes of one position. Only this module writes its fields; `amending` says what has happened.

One change is in flight at a time, the stop before the backstop. The newest of each is kept until the venue has taken it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from turbo_trader.trader.transitions import after


class AmendmentState(StrEnum):
    """What is on its way."""

    IDLE = "idle"  # nothing is wanted, nothing is in flight
    PENDING = "pending"  # another stop or backstop is wanted; nothing is in flight
    IN_FLIGHT = "in flight"  # a change was sent and is not answered


class AmendmentEvent(StrEnum):
    """What can happen to a stop change."""

    WANT = "want"  # another stop or backstop is wanted
    DROP = "drop"  # the venue shows a better stop than the one wanted: nothing is wanted any more
    SEND = "send"  # a change leaves
    SETTLE = "settle"  # it was answered, and nothing more is wanted
    REPEAT = "repeat"  # it was answered, and something is still wanted
    FLAT = "flat"  # the position is gone


_S, _E = AmendmentState, AmendmentEvent

AMENDMENT_TRANSITIONS: Final[Mapping[tuple[AmendmentState, AmendmentEvent], AmendmentState]] = {
    (_S.IDLE, _E.WANT): _S.PENDING,
    (_S.IDLE, _E.FLAT): _S.IDLE,
    (_S.PENDING, _E.WANT): _S.PENDING,
    (_S.PENDING, _E.DROP): _S.IDLE,
    (_S.PENDING, _E.SEND): _S.IN_FLIGHT,
    (_S.PENDING, _E.FLAT): _S.IDLE,
    (_S.IN_FLIGHT, _E.WANT): _S.IN_FLIGHT,
    (_S.IN_FLIGHT, _E.DROP): _S.IN_FLIGHT,
    (_S.IN_FLIGHT, _E.SETTLE): _S.IDLE,
    (_S.IN_FLIGHT, _E.REPEAT): _S.PENDING,
    (_S.IN_FLIGHT, _E.FLAT): _S.IDLE,
}


@dataclass(kw_only=True, slots=True)
class StopAmendment:
    """What a position's stops should be, and the change in flight. Prices USDT, times ns UTC."""

    state: AmendmentState = AmendmentState.IDLE
    stop: Decimal | None = None  # wanted and not confirmed
    backstop: Decimal | None = None
    id: str = ""  # of the change in flight
    sent: tuple[Decimal | None, Decimal | None] = (None, None)  # stop and backstop of the last change sent
    sent_ts: int = 0
    looked_ts: int = 0  # when it was sent, or its position last read
    refusals: int = 0  # of stops, since the last that the venue took

    @property
    def wanted(self) -> bool:
        """Is anything wanted that is not confirmed?"""
        return self.stop is not None or self.backstop is not None

    @property
    def in_flight(self) -> bool:
        """Is a change on its way?"""
        return self.state is AmendmentState.IN_FLIGHT

    def want_stop(self, stop: Decimal) -> None:
        """The stop should be here."""
        self.stop = stop
        self._advance(AmendmentEvent.WANT)

    def want_backstop(self, backstop: Decimal) -> None:
        """The backstop should be here."""
        self.backstop = backstop
        self._advance(AmendmentEvent.WANT)

    def drop_stop(self) -> None:
        """The venue shows a better stop than the one wanted."""
        self.stop = None
        if not self.wanted:
            self._advance(AmendmentEvent.DROP)

    def send(self, command_id: str, now: int) -> tuple[Decimal | None, Decimal | None]:
        """The next change leaves; returns its stop and backstop, one of them None."""
        self.sent = (self.stop, None) if self.stop is not None else (None, self.backstop)
        self.id, self.sent_ts, self.looked_ts = command_id, now, now
        self._advance(AmendmentEvent.SEND)
        return self.sent

    def looked(self, now: int) -> None:
        """The position is read now, or stands as it is known: a change that is wanted is sent again after the next look."""
        self.looked_ts = now

    def confirm(self) -> None:
        """The venue has taken the change."""
        stop, backstop = self.sent
        if stop is not None:
            self.stop = None if self.stop == stop else self.stop
            self.refusals = 0
        if backstop is not None:
            self.backstop = None if self.backstop == backstop else self.backstop
        self._settle()

    def repeat(self) -> None:
        """The answer does not tell, or the venue asks for patience: what is wanted stays wanted."""
        self._settle()

    def refuse(self, *, again: bool) -> None:
        """The venue refuses the change; `again`: it stays wanted and is sent once more."""
        stop, backstop = self.sent
        if stop is not None:
            self.refusals += 1
            self.stop = self.stop if again else None
        if backstop is not None:
            self.backstop = None
        self._settle()

    def flat(self) -> None:
        """The position is gone: nothing is wanted for it any more."""
        self.stop = self.backstop = None
        self.id = ""
        self.refusals = 0
        self._advance(AmendmentEvent.FLAT)

    def _settle(self) -> None:
        self.id = ""
        self._advance(AmendmentEvent.REPEAT if self.wanted else AmendmentEvent.SETTLE)

    def _advance(self, event: AmendmentEvent) -> None:
        self.state = after(AMENDMENT_TRANSITIONS, self.state, event)
