"""What goes wrong in simulated time, drawn from a seed: requests, private messages, outages, deaths, other people's hands.

A text such as `heavy`, `light`, `crash=4,lost=0.1` or `heavy,crash=0` says how often: a probability for each request, message or
sending step, a mean number in each simulated hour for outages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Final

import numpy as np

from turbo_trader.exchange.protocol.faults_on_demand import rate_figure
from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import SECOND

_SLOW: Final = (
    0.4 * SECOND
)  # scale of the heavy tail: half of the slow ones take longer than 0.3 s, one in twenty 3.6 s
_TAIL: Final = 1.3  # its exponent: the mean is finite, the variance is not
_SLOWEST: Final = 60 * SECOND
_JITTER: Final = 0.01 * SECOND  # mean of what every request and answer takes longer


@dataclass(frozen=True, slots=True)
class FaultRates:
    """How often what goes wrong. 0 everywhere: nothing does."""

    # of each request
    lost: float = 0.0  # it never reaches the venue; no answer
    reply_lost: float = 0.0  # processed, but the answer is lost
    slow: float = 0.0  # the request takes long, by a heavy tail; the venue refuses it when it is too old
    slow_reply: float = 0.0  # so does the answer
    gateway: float = 0.0  # an HTTP 502: in half of the cases the request is processed all the same
    busy: float = 0.0  # 10016, likewise
    limited: float = 0.0  # 10006: not processed
    window: float = 0.0  # 10002: not processed
    odd_answer: float = (
        0.0  # of a list, one row cannot be read or is dated in the future, or the body ends early
    )
    # of each private message
    duplicate: float = 0.0  # twice, the second one a little later
    reorder: float = 0.0  # overtaken by what comes in the next second
    late: float = 0.0  # by a heavy tail
    future: float = 0.0  # dated seconds to a day ahead
    odd_row: float = 0.0  # a figure in it is none, or the message ends early
    # of each step in which the Trader sends something
    crash_at_send: float = (
        0.0  # the process dies before the intent is on disk, before, between or after the sends
    )
    # mean number in an hour
    crash: float = 0.0  # the process dies at any time, and is started again
    freeze: float = 0.0  # the process stands still for a while and goes on
    private_cut: float = 0.0  # the private stream is lost, which is noticed at once or after some seconds
    public_cut: float = 0.0  # the same of the market data
    lag: float = 0.0  # one symbol's market data come late
    venue_down: float = 0.0  # nothing reaches the venue and nothing comes from it
    stop_removed: float = 0.0  # somebody takes a position's stop away
    closed_outside: float = 0.0  # somebody closes a position, or half of it
    transfer: float = 0.0  # somebody deposits or withdraws
    foreign_order: float = 0.0  # somebody places an order of his own, far away from the market
    disk_full: float = 0.0  # the journal cannot be written for a while
    power_cut: float = (
        0.0  # the machine loses its power: what the journal wrote in the last second is torn off
    )
    banned: float = 0.0  # the venue answers this address with HTTP 403 for a while
    limited_address: float = 0.0  # ... with 10006 to everything
    key_refused: float = 0.0  # ... with 10003, until the owner has mended it and says `resume`
    maintenance: float = 0.0  # announced minutes before, then nothing is answered and the streams end
    delisting: float = 0.0  # a contract's end is announced, and comes minutes later
    deleveraged: float = 0.0  # the venue closes a position, or half of it (ADL)
    clock_jump: float = 0.0  # the machine's clocks jump by seconds, and back some minutes later
    gap: float = 0.0  # a symbol's price jumps by some percent, with nothing in between
    flash_crash: float = 0.0  # ... by much more, and back two minutes later
    liquidation: float = (
        0.0  # the mark price runs away through a position's liquidation price, the last price does not
    )
    thin_book: float = (
        0.0  # a symbol's book loses nearly all of its depth for some minutes: orders fill in parts
    )
    person: float = 0.0  # the owner flattens or halts, and some minutes later goes on in a new session


REQUESTS: Final = (
    "lost", "reply_lost", "slow", "slow_reply", "gateway", "busy", "limited", "window", "odd_answer",
)  # fmt: skip
MESSAGES: Final = ("duplicate", "reorder", "late", "future", "odd_row")
OUTAGES: Final = (
    "crash", "freeze", "private_cut", "public_cut", "lag", "venue_down", "stop_removed", "closed_outside", "transfer", "person",
    "foreign_order", "disk_full", "power_cut", "banned", "limited_address", "key_refused", "maintenance", "delisting",
    "deleveraged", "clock_jump",
)  # fmt: skip
MARKET: Final = ("gap", "flash_crash", "liquidation", "thin_book")
PER_HOUR: Final = (*OUTAGES, *MARKET)
_ANSWERS: Final[Mapping[str, str]] = {
    "gateway": "http_502", "busy": "ret_10016", "limited": "ret_10006", "window": "ret_10002",
}  # fmt: skip
_EVEN: Final = ("gateway", "busy")  # processed in half of the cases

PROFILES: Final[Mapping[str, FaultRates]] = {
    "none": FaultRates(),
    "light": FaultRates(
        lost=0.005, reply_lost=0.005, slow=0.01, slow_reply=0.01, gateway=0.002, busy=0.002, limited=0.002, window=0.002,
        duplicate=0.01, reorder=0.01, late=0.005, crash_at_send=0.002, crash=0.2, freeze=0.2, private_cut=1.0,
        public_cut=1.0, lag=1.0, venue_down=0.1, stop_removed=0.2, closed_outside=0.2, transfer=0.1, person=0.2,
        foreign_order=0.2, disk_full=0.2, gap=0.5, odd_answer=0.002, future=0.005, odd_row=0.005, power_cut=0.1, banned=0.02,
        limited_address=0.1, key_refused=0.05, maintenance=0.05, delisting=0.05, deleveraged=0.1, clock_jump=0.1,
        flash_crash=0.1, liquidation=0.1, thin_book=0.2,
    ),
    "heavy": FaultRates(
        lost=0.04, reply_lost=0.04, slow=0.05, slow_reply=0.05, gateway=0.02, busy=0.02, limited=0.02, window=0.02,
        duplicate=0.1, reorder=0.1, late=0.05, crash_at_send=0.03, crash=2.0, freeze=2.0, private_cut=8.0,
        public_cut=4.0, lag=4.0, venue_down=1.0, stop_removed=2.0, closed_outside=1.0, transfer=0.5, person=1.0,
        foreign_order=1.0, disk_full=1.0, gap=2.0, odd_answer=0.02, future=0.02, odd_row=0.02, power_cut=0.5, banned=0.1,
        limited_address=0.5, key_refused=0.3, maintenance=0.3, delisting=0.3, deleveraged=0.5, clock_jump=0.5,
        flash_crash=0.5, liquidation=0.5, thin_book=1.0,
    ),
}  # fmt: skip


def parse_faults(text: str) -> FaultRates:
    """The rates a text means; InputError names what is wrong."""
    rates = FaultRates()
    known = {field.name for field in fields(FaultRates)}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, figure = part.partition("=")
        if not equals and name in PROFILES:
            rates = PROFILES[name]
            continue
        if name not in known or not equals:
            names = ", ".join([*PROFILES, *(f"{field.name}=RATE" for field in fields(FaultRates))])
            raise InputError(f"faults {part!r}: unknown; known are {names}")
        rates = replace(rates, **{name: rate_figure(part, figure, 1e3 if name in PER_HOUR else 1.0)})
    for kinds in (REQUESTS, MESSAGES):
        if sum(getattr(rates, kind) for kind in kinds) > 1:
            raise InputError(f"faults {text!r}: {', '.join(kinds)} add up to more than 1")
    return rates


@dataclass(frozen=True, slots=True)
class RequestFault:
    """What becomes of one request. `answer`: a fault of protocol/faults_on_demand.py that is answered, whatever the venue did.

    `odd`: the answer is tampered with (simulation/tampering.py).
    """

    arrives: bool = True
    answered: bool = True
    answer: str = ""
    out_ns: int = 0  # beyond the usual latency
    back_ns: int = 0
    odd: bool = False


@dataclass(frozen=True, slots=True)
class MessageFault:
    """What becomes of one private message. `delays_ns`: by how much it comes later, once for each time it comes.

    `tampering`: `future` or `odd_row` (simulation/tampering.py).
    """

    delays_ns: tuple[int, ...] = (0,)
    tampering: str = ""


NO_FAULT: Final = RequestFault()
NO_MESSAGE_FAULT: Final = MessageFault()
_VANISHED: Final = RequestFault(arrives=False, answered=False)


class Faults:
    """Draws from a seed; the same calls in the same order give the same faults. `counts`: how many of each kind came."""

    def __init__(self, rates: FaultRates, seed: int) -> None:
        self.rates = rates
        self.counts: Counter[str] = Counter()
        self._draws = np.random.Generator(np.random.Philox(key=[seed & 0xFFFF_FFFF_FFFF_FFFF, 0xFA17]))

    def calm(self) -> None:
        """From now on nothing goes wrong."""
        self.rates = PROFILES["none"]

    def request(self) -> RequestFault:
        """What becomes of the next request."""
        name = self._pick(REQUESTS)
        out, back = self._jitter(), self._jitter()
        match name:
            case None:
                return RequestFault(out_ns=out, back_ns=back)
            case "lost":
                return _VANISHED
            case "reply_lost":
                return RequestFault(answered=False, out_ns=out)
            case "slow":
                return RequestFault(out_ns=out + self.tail(), back_ns=back)
            case "slow_reply":
                return RequestFault(out_ns=out, back_ns=back + self.tail())
            case "odd_answer":
                return RequestFault(out_ns=out, back_ns=back, odd=True)
            case _:
                processed = name in _EVEN and self.chance(0.5)
                return RequestFault(arrives=processed, answer=_ANSWERS[name], out_ns=out, back_ns=back)

    def message(self) -> MessageFault:
        """What becomes of the next private message."""
        match self._pick(MESSAGES):
            case None:
                return NO_MESSAGE_FAULT
            case "duplicate":
                return MessageFault((0, self.between(0.0, 2.0)))
            case "reorder":
                return MessageFault((self.between(0.0, 1.0),))
            case "late":
                return MessageFault((self.tail(),))
            case name:
                return MessageFault(tampering=name)

    def ahead(self) -> int:
        """How far in the future something is dated, ns: from what may pass as a clock's error to a day."""
        return int(10 ** self._draws.uniform(0.0, 4.94) * SECOND)

    def crash_in_step(self, acts: int) -> int | None:
        """None: the process lives through this step. Else it dies after so many of the step's acts (0: before all of them)."""
        if not self.rates.crash_at_send or not self.chance(self.rates.crash_at_send):
            return None
        self.counts["crash_at_send"] += 1
        return int(self._draws.integers(0, acts + 1))

    def until_next(self, outage: str) -> int | None:
        """Time to the next outage of a kind, ns; None where none comes."""
        rate = getattr(self.rates, outage)
        return int(self._draws.exponential(3600 * SECOND / rate)) + 1 if rate else None

    def count(self, name: str) -> None:
        """Count an outage that begins."""
        self.counts[name] += 1

    def between(self, low: float, high: float) -> int:
        """A time between two numbers of seconds, ns."""
        return int(self._draws.uniform(low, high) * SECOND)

    def chance(self, probability: float) -> bool:
        """Does something of this probability happen?"""
        return bool(self._draws.random() < probability)

    def choose(self, count: int) -> int:
        """One of `count` things."""
        return int(self._draws.integers(count))

    def tail(self) -> int:
        """A delay with a heavy tail, ns."""
        return int(min(_SLOW * (self._draws.random() ** (-1 / _TAIL) - 1), _SLOWEST))

    @property
    def harmless(self) -> bool:
        """Does the process hear and do everything in time? Only the market and people may be odd."""
        return self.to_dict().keys() <= {*MARKET, "transfer", "foreign_order", "person"} - {"thin_book"}

    def to_dict(self) -> dict[str, float]:
        """The rates that are not 0."""
        return {name: rate for name, rate in asdict(self.rates).items() if rate}

    def _jitter(self) -> int:
        return int(self._draws.exponential(_JITTER))

    def _pick(self, names: tuple[str, ...]) -> str | None:
        at = self._draws.random()
        for name in names:
            at -= getattr(self.rates, name)
            if at < 0:
                self.counts[name] += 1
                return name
        return None
