"""The close of one position: why, the order in flight, and earlier ones that may still land."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

ZERO: Final = Decimal(0)


@dataclass(kw_only=True, slots=True)
class CloseOrder:
    """Only this module writes its fields; `closing` says what has happened. Times ns UTC."""

    reason: str = ""  # "": nothing is to be closed
    id: str = ""  # the order in flight
    ts: int = 0  # when it was sent, or last answered
    last: str = ""  # the last one sent
    booked: Decimal = ZERO  # of it
    filled: Decimal = ZERO  # of it, as its final report says
    may_land: dict[str, int] = field(
        default_factory=dict
    )  # orders -> when their answer was given up; 0: not yet

    def begin(self, reason: str) -> None:
        """Everything is to be closed."""
        self.reason = reason

    def send(self, link_id: str, now: int) -> None:
        """An order leaves."""
        self.id = self.last = link_id
        self.ts, self.booked, self.filled = now, ZERO, ZERO
        self.may_land[link_id] = 0

    def answer(self, now: int) -> None:
        """It was answered without effect: tried again after a while."""
        self.ts = now

    def book(self, link_id: str, qty: Decimal) -> None:
        """A fill of this order was booked."""
        if link_id == self.last:
            self.booked += qty

    def ended(self, filled: Decimal) -> None:
        """The order in flight is over, with so much of it filled."""
        self.filled = filled
        self.release()

    @property
    def goes_on(self) -> bool:
        """Has an order closed a part, and is that all known? The next one may leave at once."""
        return bool(self.reason) and not self.id and 0 < self.filled <= self.booked

    def release(self) -> None:
        """The order in flight is over or overdue: another may leave."""
        self.id = ""

    def landed(self, link_id: str) -> None:
        """This order can do nothing any more."""
        self.may_land.pop(link_id, None)

    def given_up(self, link_id: str, now: int) -> None:
        """No answer came to this order: it may still land."""
        self.may_land[link_id] = now

    def outlive(self, oldest: int) -> None:
        """Orders given up until `oldest` are refused by the venue for their age."""
        self.may_land = {link_id: at for link_id, at in self.may_land.items() if not at or at > oldest}

    def flat(self) -> None:
        """The position is gone."""
        self.id = self.reason = ""
