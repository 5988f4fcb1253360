"""Every refusal and failure of the venue: what is then known of the command, and what to do next.

Source: Bybit V5 reference, chapters 1.3, 4 and 5. One row per code; what is not in the table is judged by `classify`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from turbo_trader.trader.events import Outcome


class Action(StrEnum):
    """What follows from an answer."""

    NONE = "none"
    RECONCILE = "reconcile"  # the Trader reads the venue's state before anything else
    RETRY = "retry"  # certainly not accepted: what was asked is sent again, an entry only by the next scan
    WAIT = "wait"  # rate limit: not before the reset time
    RESYNC = "resync"  # measure the clock, sign again
    BAN = "ban"  # no HTTP at all for ten minutes
    REFRESH = "refresh"  # what we know of the symbols is stale: instruments are read again at once
    STOP_ENTRIES = "stop_entries"  # nothing new on this symbol until its instrument is read again
    HALT = "halt"  # the key or account cannot trade: no entries until a person says `resume`


class Kind(StrEnum):
    """The reference's classes of answers."""

    REFUSED = "R"
    BENIGN = "B"
    AMBIGUOUS = "A"
    TEMPORARY = "T"
    FATAL = "F"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of the command, and what follows."""

    kind: Kind
    outcome: Outcome
    action: Action
    meaning: str


NO_ANSWER: Final = -1  # the request may have been processed: nothing came back
NOT_SENT: Final = -2  # certainly not processed: it never left
NO_JOURNAL: Final = -3  # entries are refused here while nothing can be written
BANNED: Final = -4  # no HTTP is sent during a ban
FENCED: Final = -5  # it never left: the right to write is not ours (now)

_OUTCOMES: Final = {
    Kind.REFUSED: Outcome.REJECTED,
    Kind.BENIGN: Outcome.CONFIRMED,
    Kind.AMBIGUOUS: Outcome.UNKNOWN,
    Kind.TEMPORARY: Outcome.REJECTED,
    Kind.FATAL: Outcome.REJECTED,
}

_ROWS: Final[tuple[tuple[Kind, Action, str, tuple[int, ...]], ...]] = (
    (Kind.AMBIGUOUS, Action.RECONCILE, "the venue timed out or was restarting", (10000, 10016)),
    (Kind.AMBIGUOUS, Action.RECONCILE, "a duplicate of a request already seen", (10014, 20006)),
    (Kind.AMBIGUOUS, Action.RECONCILE, "the trading service is overloaded", (429, 500000)),
    (Kind.REFUSED, Action.REFRESH, "parameter error: our state or rules are stale", (10001,)),
    (Kind.TEMPORARY, Action.RESYNC, "outside the venue's time window", (10002,)),
    (Kind.FATAL, Action.HALT, "the key is invalid or belongs to another environment", (10003,)),
    (Kind.FATAL, Action.HALT, "wrong signature", (10004,)),
    (Kind.FATAL, Action.HALT, "the key lacks this permission", (10005,)),
    (Kind.FATAL, Action.HALT, "authentication failed", (10007,)),
    (Kind.FATAL, Action.HALT, "banned by the venue", (10008, 10027)),
    (Kind.FATAL, Action.HALT, "refused for region or compliance", (10009, 10024, 110132)),
    (Kind.FATAL, Action.HALT, "this address is not bound to the key", (10010,)),
    (Kind.FATAL, Action.HALT, "needs a unified trading account", (10028,)),
    (Kind.FATAL, Action.STOP_ENTRIES, "the symbol is not on the key's list", (10029,)),
    (Kind.FATAL, Action.HALT, "the key has expired", (33004,)),
    (Kind.FATAL, Action.HALT, "no such route", (10017,)),
    (Kind.FATAL, Action.HALT, "trading terms not signed, or cooling-off", (110123, 110124, 110125)),
    (Kind.TEMPORARY, Action.WAIT, "too many requests", (10006, 10018, 10403, 10429, 20003)),
    (Kind.TEMPORARY, Action.RETRY, "the trade socket restarts", (10019,)),
    (Kind.REFUSED, Action.NONE, "unknown operation or category", (10404,)),
    (Kind.REFUSED, Action.REFRESH, "price outside the band", (30208, 30209, 110003, 110120, 110121)),
    (Kind.REFUSED, Action.STOP_ENTRIES, "no new positions: delisting", (30228,)),
    (Kind.BENIGN, Action.RECONCILE, "the order is gone or not yet visible", (110001,)),
    (
        Kind.REFUSED,
        Action.RECONCILE,
        "not enough margin",
        (110004, 110006, 110007, 110012, 110014, 110044, 110045, 110051, 110052, 110053),
    ),
    (Kind.TEMPORARY, Action.RECONCILE, "position in liquidation or deleveraging", (110005,)),
    (Kind.BENIGN, Action.RECONCILE, "already completed or cancelled", (110008, 110010)),
    (Kind.REFUSED, Action.RECONCILE, "too many orders of this kind", (110009, 110020, 110061)),
    (Kind.REFUSED, Action.NONE, "it would be liquidated at once", (110011, 110039, 110040, 110046)),
    (Kind.REFUSED, Action.REFRESH, "leverage or size above the tier", (110013, 110086, 110090)),
    (Kind.REFUSED, Action.RECONCILE, "nothing to reduce", (110017,)),
    (Kind.REFUSED, Action.NONE, "illegal order or ids", (110018, 110019, 110032)),
    (Kind.REFUSED, Action.STOP_ENTRIES, "open-interest limit", (110021,)),
    (
        Kind.REFUSED,
        Action.STOP_ENTRIES,
        "the symbol takes reductions only or is not live",
        (110022, 110023, 110042, 110074),
    ),
    (Kind.REFUSED, Action.RECONCILE, "position or orders exist: mode not switched", (110024, 110028)),
    (Kind.BENIGN, Action.NONE, "already so", (110025, 110026, 110027, 110043)),
    (Kind.REFUSED, Action.RECONCILE, "stops refused", (110057, 110058, 110059, 110060)),
    (Kind.TEMPORARY, Action.RETRY, "trading is not possible just now", (110063, 110066)),
    (Kind.REFUSED, Action.RECONCILE, "amended below what has filled", (110064,)),
    (Kind.AMBIGUOUS, Action.RECONCILE, "this id was accepted before", (110072,)),
    (Kind.TEMPORARY, Action.RETRY, "the order is being processed", (110079,)),
    (Kind.TEMPORARY, Action.REFRESH, "the risk table changed", (110085,)),
    (Kind.REFUSED, Action.RECONCILE, "the price is already through the trigger", (110092, 110093)),
    (Kind.REFUSED, Action.NONE, "below the minimum order value", (110094,)),
    (Kind.TEMPORARY, Action.RETRY, "the book is too thin for a market order", (110118,)),
    (Kind.REFUSED, Action.NONE, "wrong history filter", (181017,)),
    (Kind.BENIGN, Action.RECONCILE, "not modified", (34040,)),
    (Kind.REFUSED, Action.NONE, "margin mode not changed", (3400045,)),
    (Kind.AMBIGUOUS, Action.RECONCILE, "no answer: it may have been processed", (NO_ANSWER,)),
    (Kind.TEMPORARY, Action.RETRY, "it never left", (NOT_SENT,)),
    (Kind.REFUSED, Action.NONE, "no entries without a journal", (NO_JOURNAL,)),
    (Kind.TEMPORARY, Action.BAN, "no requests during a ban of this address", (BANNED,)),
    (Kind.TEMPORARY, Action.NONE, "not sent: the lease to write is not held", (FENCED,)),
)

CODES: Final[dict[int, Verdict]] = {
    code: Verdict(kind, _OUTCOMES[kind], action, meaning)
    for kind, action, meaning, codes in _ROWS
    for code in codes
}

_OK: Final = Verdict(Kind.BENIGN, Outcome.CONFIRMED, Action.NONE, "accepted")
_UNLISTED: Final = Verdict(Kind.AMBIGUOUS, Outcome.UNKNOWN, Action.RECONCILE, "a code we do not know")
_GONE: Final = Verdict(
    Kind.REFUSED, Outcome.REJECTED, Action.RECONCILE, "the order is gone or not yet visible"
)
_FORBIDDEN: Final = Verdict(
    Kind.TEMPORARY, Outcome.REJECTED, Action.BAN, "address limit exceeded, or an address of a refused region"
)
_UNAUTHORISED: Final = Verdict(
    Kind.FATAL, Outcome.REJECTED, Action.HALT, "authentication is missing or wrong"
)
_NOT_FOUND: Final = Verdict(Kind.FATAL, Outcome.REJECTED, Action.HALT, "no such path or category")


def classify(code: int, *, cancel: bool = False) -> Verdict:
    """The verdict on a retCode (or one of ours below 0). An unlisted code is unknown, not failed.

    110001, 110008 and 110010 are benign for a cancel only; for anything else the order asked about is not there: refused.
    """
    if code == 0:
        return _OK
    if code in (110001, 110008, 110010) and not cancel:
        return _GONE
    return CODES.get(code, _UNLISTED)


def classify_http(status: int) -> Verdict:
    """The verdict on an HTTP status other than 200, or on 200 with something that is not JSON."""
    if status == 403:
        return _FORBIDDEN
    if status == 401:
        return _UNAUTHORISED
    if status == 404:
        return _NOT_FOUND
    return CODES[NO_ANSWER]
