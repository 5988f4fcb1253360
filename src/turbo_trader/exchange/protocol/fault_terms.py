"""All that can be made to go wrong, each by one name. `exchange` and `run` on paper take REQUEST and FRAME; `chaos` takes some of
these, and what only simulated time can do to the process, the venue, the market and the account.
"""

from __future__ import annotations

from typing import Final

from turbo_trader.exchange.protocol.codes import AMBIGUOUS, ON_DEMAND

EXTRA: Final = "objects carry a field nobody knows"
REQUEST: Final = {
    "delay": "the request waits up to delay_s before it is processed",
    "slow": "it is processed at once, the answer waits up to delay_s",
    "drop_before": "the connection is closed, nothing is processed",
    "drop_after": "it is processed, the connection is closed without an answer",
    "stale": "a read is answered as it was the last time",
    "extra": EXTRA,
    "half_open": "no answer and no close; processed or not, at even odds",
    "http_502": "502 from the gateway; processed or not, at even odds",
    "http_429": "429, not processed",
    "http_403": "403, not processed",
    **{
        f"ret_{code}": f"{meaning} ({'processed or not, at even odds' if code in AMBIGUOUS else 'not processed'})"
        for code, meaning in ON_DEMAND.items()
    },
}
FRAME: Final = {
    "duplicate": "a private message comes twice",
    "reorder": "a private message is held back up to reorder_s while later ones pass",
    "late": "an execution message is held back up to delay_s",
    "gap": "a book delta is lost, so that `u` jumps",
    "disconnect": "the socket is cut instead of a frame",
    "extra": EXTRA,
    "silent": "from this frame on the socket stays open and says nothing",
}
#: Of each request, message or step of the process, in simulated time only.
SIMULATED: Final = {
    "odd_answer": "of a list, one row cannot be read or is dated in the future, or the body ends early",
    "future": "a private message is dated seconds to a day ahead",
    "odd_row": "a figure in a private message is none, or the message ends early",
    "crash_at_send": "the process dies before the intent is on disk, before, between or after the sends",
}
#: By their mean number in a simulated hour.
OUTAGE: Final = {
    "crash": "the process dies at any time, and is started again",
    "freeze": "the process stands still for a while and goes on",
    "private_cut": "the private stream is lost, which is noticed at once or after some seconds",
    "public_cut": "the same of the market data",
    "lag": "one symbol's market data come late",
    "venue_down": "nothing reaches the venue and nothing comes from it",
    "stop_removed": "somebody takes a position's stop away",
    "closed_outside": "somebody closes a position, or half of it",
    "transfer": "somebody deposits or withdraws",
    "person": "the owner flattens or halts, and some minutes later goes on in a new session",
    "foreign_order": "somebody places an order of his own, far away from the market",
    "foreign_position": "somebody holds a small position of his own for some minutes",
    "hedge_mode": "somebody does so after switching its symbol to hedge mode",
    "disk_full": "the journal cannot be written for a while",
    "power_cut": "the machine loses its power: what the journal wrote in the last second is torn off",
    "banned": "the venue answers this address with HTTP 403 for a while",
    "limited_address": "the venue answers everything with 10018 for a while",
    "key_refused": "the venue answers everything with 10003, until the owner has mended the key and says `resume`",
    "maintenance": "announced minutes before, then nothing is answered and the streams end",
    "delisting": "a contract's end is announced, and comes minutes later",
    "deleveraged": "the venue closes a position, or half of it (ADL)",
    "clock_jump": "the machine's clocks jump by seconds, and back some minutes later",
    "price_gap": "a symbol's price jumps by some percent, with nothing in between",
    "flash_crash": "a symbol's price jumps by much more, and back two minutes later",
    "liquidation": "the mark price runs away through a position's liquidation price, the last price does not",
    "thin_book": "a symbol's book loses nearly all of its depth for some minutes: orders fill in parts",
}
MEANINGS: Final = {**REQUEST, **FRAME, **SIMULATED, **OUTAGE}
