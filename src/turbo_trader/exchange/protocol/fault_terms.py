"""Every fault that can be injected, by name. `exchange` and `run` on paper take REQUEST and FRAME. `chaos` takes some of these, and
faults of the process, the venue, the market and the account that only simulated time allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from turbo_trader.exchange.protocol.codes import AMBIGUOUS, ON_DEMAND


class Fault(StrEnum):
    """A fault by its name in options, settings and records. Errors of the venue have names of their own: `ret_` and the code."""

    # of each request
    DELAY = "delay"
    SLOW = "slow"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    STALE = "stale"
    EXTRA = "extra"
    HALF_OPEN = "half_open"
    HTTP_502 = "http_502"
    HTTP_429 = "http_429"
    HTTP_403 = "http_403"
    # of each frame of a stream
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    LATE = "late"
    GAP = "gap"
    DISCONNECT = "disconnect"
    SILENT = "silent"
    # of each answer, message or step of the process, in simulated time only
    ODD_ANSWER = "odd_answer"
    FUTURE = "future"
    ODD_ROW = "odd_row"
    CRASH_AT_SEND = "crash_at_send"
    # outages, in simulated time only
    CRASH = "crash"
    FREEZE = "freeze"
    PRIVATE_CUT = "private_cut"
    PUBLIC_CUT = "public_cut"
    LAG = "lag"
    VENUE_DOWN = "venue_down"
    STOP_REMOVED = "stop_removed"
    CLOSED_OUTSIDE = "closed_outside"
    TRANSFER = "transfer"
    PERSON = "person"
    FOREIGN_ORDER = "foreign_order"
    FOREIGN_POSITION = "foreign_position"
    HEDGE_MODE = "hedge_mode"
    AWAY = "away"
    GUARD_CRASH = "guard_crash"
    DISK_FULL = "disk_full"
    POWER_CUT = "power_cut"
    BANNED = "banned"
    LIMITED_ADDRESS = "limited_address"
    KEY_REFUSED = "key_refused"
    MAINTENANCE = "maintenance"
    DELISTING = "delisting"
    TERMS_CHANGED = "terms_changed"
    DELEVERAGED = "deleveraged"
    CLOCK_JUMP = "clock_jump"
    PRICE_GAP = "price_gap"
    FLASH_CRASH = "flash_crash"
    LIQUIDATION = "liquidation"
    MARK_APART = "mark_apart"
    THIN_BOOK = "thin_book"
    WIDE_BOOK = "wide_book"


EXTRA: Final = "objects carry a field nobody knows"
REQUEST: Final[Mapping[str, str]] = {
    Fault.DELAY: "the request waits up to delay_s before it is processed",
    Fault.SLOW: "it is processed at once, the answer waits up to delay_s",
    Fault.DROP_BEFORE: "the connection is closed, nothing is processed",
    Fault.DROP_AFTER: "it is processed, the connection is closed without an answer",
    Fault.STALE: "a read is answered as it was the last time",
    Fault.EXTRA: EXTRA,
    Fault.HALF_OPEN: "no answer and no close; processed or not, at even odds",
    Fault.HTTP_502: "502 from the gateway; processed or not, at even odds",
    Fault.HTTP_429: "429, not processed",
    Fault.HTTP_403: "403, not processed",
    **{
        f"ret_{code}": f"{meaning} ({'processed or not, at even odds' if code in AMBIGUOUS else 'not processed'})"
        for code, meaning in ON_DEMAND.items()
    },
}
FRAME: Final[Mapping[str, str]] = {
    Fault.DUPLICATE: "a private message comes twice",
    Fault.REORDER: "a private message is held back up to reorder_s while later ones pass",
    Fault.LATE: "an execution message is held back up to delay_s",
    Fault.GAP: "a book delta is lost, so that `u` jumps",
    Fault.DISCONNECT: "the socket is cut instead of a frame",
    Fault.EXTRA: EXTRA,
    Fault.SILENT: "from this frame on the socket stays open and says nothing",
}
#: Of each request, message or step of the process, in simulated time only.
SIMULATED: Final[Mapping[str, str]] = {
    Fault.ODD_ANSWER: "of a list, one row cannot be read or is dated in the future, or the body ends early",
    Fault.FUTURE: "a private message is dated seconds to a day ahead",
    Fault.ODD_ROW: "a figure in a private message is none, or the message ends early",
    Fault.CRASH_AT_SEND: "the process dies before the intent is on disk, before, between or after the sends",
}
#: By their mean number in a simulated hour.
OUTAGE: Final[Mapping[str, str]] = {
    Fault.CRASH: "the process dies at any time, and is started again",
    Fault.FREEZE: "the process stands still for a while and goes on",
    Fault.AWAY: "the process is dead or stands still for minutes, beside its guard",
    Fault.GUARD_CRASH: "the guard dies at any time, or with its next write; a process that runs starts another",
    Fault.PRIVATE_CUT: "the private stream is lost, which is noticed at once or after some seconds",
    Fault.PUBLIC_CUT: "the same of the market data",
    Fault.LAG: "one symbol's market data come late",
    Fault.VENUE_DOWN: "nothing reaches the venue and nothing comes from it",
    Fault.STOP_REMOVED: "somebody takes a position's stop away",
    Fault.CLOSED_OUTSIDE: "somebody closes a position, or half of it",
    Fault.TRANSFER: "somebody deposits or withdraws",
    Fault.PERSON: "the owner flattens or halts, and some minutes later goes on in a new session",
    Fault.FOREIGN_ORDER: "somebody places an order of their own, far from the market",
    Fault.FOREIGN_POSITION: "somebody holds a small position of their own for some minutes",
    Fault.HEDGE_MODE: "the same, after switching its symbol to hedge mode",
    Fault.DISK_FULL: "the journal cannot be written for a while",
    Fault.POWER_CUT: "the machine loses its power: what the journal wrote in the last second is torn off",
    Fault.BANNED: "the venue answers this address with HTTP 403 for a while",
    Fault.LIMITED_ADDRESS: "the venue answers everything with 10018 for a while",
    Fault.KEY_REFUSED: "the venue answers everything with 10003, until the owner has mended the key and says `resume`",
    Fault.MAINTENANCE: "announced minutes before, then nothing is answered and the streams end",
    Fault.DELISTING: "a contract's end is announced, and comes minutes later",
    Fault.TERMS_CHANGED: "a contract's least quantity or value is raised, or its largest order cut, for some minutes",
    Fault.DELEVERAGED: "the venue closes a position, or half of it (ADL)",
    Fault.CLOCK_JUMP: "the machine's clocks jump by seconds, and back some minutes later",
    Fault.PRICE_GAP: "a symbol's price jumps by some percent, with nothing in between",
    Fault.FLASH_CRASH: "a symbol's price jumps by much more, and back two minutes later",
    Fault.LIQUIDATION: "the mark price runs away through a position's liquidation price, the last price does not",
    Fault.MARK_APART: "the mark price stays between a position's stop and its liquidation for a while, the last price does not",
    Fault.THIN_BOOK: "a symbol's book loses nearly all of its depth for some minutes: orders fill in parts",
    Fault.WIDE_BOOK: "a symbol's bid and ask stand nine hundredths of a percent apart for some minutes",
}
MEANINGS: Final[Mapping[str, str]] = {**REQUEST, **FRAME, **SIMULATED, **OUTAGE}
