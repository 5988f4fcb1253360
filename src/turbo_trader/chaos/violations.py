"""The invariants a run must hold, by name."""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Invariant(StrEnum):
    """What must hold; the text of each is one line of docs/reliability.md."""

    PROTECTED = "I1"
    ONE_ENTRY = "I2"
    EXITS_REDUCE = "I3"
    BRACKET = "I4"
    BOOKS = "I5"
    LIMITS = "I6"
    SIZE = "I7"
    INTENTS = "I8"
    ON_TIME = "I9"
    BOUNDED = "I10"
    SAME_TRACE = "I11"
    FOREIGN = "I12"
    LIVES = "I13"

    @property
    def meaning(self) -> str:
        """What it asks for, in one line."""
        return MEANINGS[self]


MEANINGS = {
    Invariant.PROTECTED: "no position without a stop on the venue while the venue can be reached, beyond some seconds",
    Invariant.ONE_ENTRY: "at most one entry for each intent, never filled beyond it, never beside a position of its symbol",
    Invariant.EXITS_REDUCE: "exits are reduce-only market orders against the position",
    Invariant.BRACKET: "stops only tighten, and do where the price asks for it; targets extend by the rule; time ends a trade",
    Invariant.BOOKS: "the journal's positions, trades and wallet are the venue's, the wallet to the last digit of each coin",
    Invariant.LIMITS: "no entry while halted, paused, beyond the session's limits, cooling down, stale or unreconciled",
    Invariant.SIZE: "no order outside the instrument's grid, the account and section 7; distances are those of the signal tier",
    Invariant.INTENTS: "an order is in the journal before it leaves, and none of ours stays without an owner",
    Invariant.ON_TIME: "scans come on time, a flatten is flat within its time",
    Invariant.BOUNDED: "requests and events are bounded",
    Invariant.SAME_TRACE: "the same seed gives the same trace",
    Invariant.FOREIGN: "orders and positions of others are left alone",
    Invariant.LIVES: "on a healthy market with an edge it trades at the expected rate",
}


class Violated(Exception):
    """An invariant does not hold; `fields` say where and when."""

    def __init__(self, invariant: Invariant, what: str, **fields: Any) -> None:
        super().__init__(f"{invariant}: {what}: {fields}")
        self.invariant = invariant
        self.what = what
        self.fields = fields
