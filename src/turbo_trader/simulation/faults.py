"""Faults in simulated time, drawn from a seed: requests, private messages, outages, crashes, interference by others.

A text such as `heavy`, `light`, `crash=4,lost=0.1` or `heavy,crash=0` says how often: a probability for each request, message or
sending step, a mean number in each simulated hour for outages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Final

import numpy as np

from turbo_trader.exchange.protocol.fault_terms import MEANINGS, Fault
from turbo_trader.exchange.protocol.faults_on_demand import rate_figure
from turbo_trader.market.errors import InputError
from turbo_trader.market.names import nearest
from turbo_trader.market.rows import SECOND

_SLOW: Final = (
    0.4 * SECOND
)  # scale of the heavy tail: half of the slow ones take longer than 0.3 s, one in twenty 3.6 s
_TAIL: Final = 1.3  # its exponent: the mean is finite, the variance is not
_SLOWEST: Final = 60 * SECOND
_JITTER: Final = 0.01 * SECOND  # mean of what every request and answer takes longer


@dataclass(frozen=True, slots=True)
class FaultRates:
    """How often each fault occurs; exchange/protocol/fault_terms.py has their meanings. All 0: none does."""

    # of each request
    drop_before: float = 0.0
    drop_after: float = 0.0
    delay: float = 0.0
    slow: float = 0.0
    http_502: float = 0.0
    ret_10016: float = 0.0
    ret_10006: float = 0.0
    ret_10002: float = 0.0
    odd_answer: float = 0.0
    # of each private message
    duplicate: float = 0.0
    reorder: float = 0.0
    late: float = 0.0
    future: float = 0.0
    odd_row: float = 0.0
    # of each step in which the Trader sends something
    crash_at_send: float = 0.0
    # mean number in an hour
    crash: float = 0.0
    freeze: float = 0.0
    away: float = 0.0
    guard_crash: float = 0.0
    private_cut: float = 0.0
    public_cut: float = 0.0
    lag: float = 0.0
    venue_down: float = 0.0
    stop_removed: float = 0.0
    closed_outside: float = 0.0
    transfer: float = 0.0
    foreign_order: float = 0.0
    foreign_position: float = 0.0
    hedge_mode: float = 0.0
    disk_full: float = 0.0
    power_cut: float = 0.0
    banned: float = 0.0
    limited_address: float = 0.0
    key_refused: float = 0.0
    maintenance: float = 0.0
    delisting: float = 0.0
    terms_changed: float = 0.0
    deleveraged: float = 0.0
    clock_jump: float = 0.0
    price_gap: float = 0.0
    flash_crash: float = 0.0
    liquidation: float = 0.0
    mark_apart: float = 0.0
    thin_book: float = 0.0
    wide_book: float = 0.0
    person: float = 0.0


REQUESTS: Final = (
    Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.DELAY, Fault.SLOW, Fault.HTTP_502, "ret_10016", "ret_10006", "ret_10002",
    Fault.ODD_ANSWER,
)  # fmt: skip
MESSAGES: Final = (Fault.DUPLICATE, Fault.REORDER, Fault.LATE, Fault.FUTURE, Fault.ODD_ROW)
OUTAGES: Final = (
    Fault.CRASH, Fault.FREEZE, Fault.PRIVATE_CUT, Fault.PUBLIC_CUT, Fault.LAG, Fault.VENUE_DOWN, Fault.STOP_REMOVED,
    Fault.CLOSED_OUTSIDE, Fault.TRANSFER, Fault.PERSON, Fault.FOREIGN_ORDER, Fault.DISK_FULL, Fault.POWER_CUT, Fault.BANNED,
    Fault.LIMITED_ADDRESS, Fault.KEY_REFUSED, Fault.MAINTENANCE, Fault.DELISTING, Fault.DELEVERAGED, Fault.CLOCK_JUMP,
    Fault.FOREIGN_POSITION, Fault.HEDGE_MODE, Fault.AWAY, Fault.GUARD_CRASH,
    Fault.TERMS_CHANGED,
)  # fmt: skip
#: After these the process is away: a guard lives beside it.
DEADLY: Final = (Fault.CRASH, Fault.FREEZE, Fault.AWAY, Fault.POWER_CUT, Fault.CRASH_AT_SEND)
MARKET: Final = (
    Fault.PRICE_GAP,
    Fault.FLASH_CRASH,
    Fault.LIQUIDATION,
    Fault.MARK_APART,
    Fault.THIN_BOOK,
    Fault.WIDE_BOOK,
)
PER_HOUR: Final = (*OUTAGES, *MARKET)
_HARMLESS: Final = {*MARKET, Fault.TRANSFER, Fault.FOREIGN_ORDER, Fault.PERSON} - {Fault.THIN_BOOK}
_EVEN: Final = (Fault.HTTP_502, "ret_10016")  # of these, processed in half of the cases
#: Former names, still read.
FORMER: Final[Mapping[str, str]] = {
    "lost": Fault.DROP_BEFORE,
    "reply_lost": Fault.DROP_AFTER,
    "slow_reply": Fault.SLOW,
    "gateway": Fault.HTTP_502,
    "busy": "ret_10016",
    "limited": "ret_10006",
    "window": "ret_10002",
    "gap": Fault.PRICE_GAP,
}

PROFILES: Final[Mapping[str, FaultRates]] = {
    "none": FaultRates(),
    "light": FaultRates(
        drop_before=0.005, drop_after=0.005, delay=0.01, slow=0.01, http_502=0.002, ret_10016=0.002, ret_10006=0.002,
        ret_10002=0.002,
        duplicate=0.01, reorder=0.01, late=0.005, crash_at_send=0.002, crash=0.2, freeze=0.2, private_cut=1.0,
        public_cut=1.0, lag=1.0, venue_down=0.1, stop_removed=0.2, closed_outside=0.2, transfer=0.1, person=0.2,
        foreign_order=0.2, disk_full=0.2, price_gap=0.5, odd_answer=0.002, future=0.005, odd_row=0.005, power_cut=0.1, banned=0.02,
        limited_address=0.1, key_refused=0.05, maintenance=0.05, delisting=0.05, deleveraged=0.1, clock_jump=0.1,
        flash_crash=0.1, liquidation=0.1, mark_apart=0.2, thin_book=0.2, foreign_position=0.05, hedge_mode=0.05,
        away=0.1, guard_crash=0.2, terms_changed=0.2, wide_book=0.5,
    ),
    "heavy": FaultRates(
        drop_before=0.04, drop_after=0.04, delay=0.05, slow=0.05, http_502=0.02, ret_10016=0.02, ret_10006=0.02, ret_10002=0.02,
        duplicate=0.1, reorder=0.1, late=0.05, crash_at_send=0.03, crash=2.0, freeze=2.0, private_cut=8.0,
        public_cut=4.0, lag=4.0, venue_down=1.0, stop_removed=2.0, closed_outside=1.0, transfer=0.5, person=1.0,
        foreign_order=1.0, disk_full=1.0, price_gap=2.0, odd_answer=0.02, future=0.02, odd_row=0.02, power_cut=0.5, banned=0.1,
        limited_address=0.5, key_refused=0.3, maintenance=0.3, delisting=0.3, deleveraged=0.5, clock_jump=0.5,
        flash_crash=0.5, liquidation=0.5, mark_apart=1.0, thin_book=1.0, foreign_position=0.3, hedge_mode=0.3,
        away=0.5, guard_crash=2.0, terms_changed=1.0, wide_book=1.0,
    ),
}  # fmt: skip


def explained() -> dict[str, str]:
    """Every rate there is, with its meaning."""
    return {field.name: MEANINGS[field.name] for field in fields(FaultRates)}


def parse_faults(text: str) -> FaultRates:
    """The rates a text means; InputError names what is wrong."""
    rates = FaultRates()
    known = {field.name for field in fields(FaultRates)}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, figure = part.partition("=")
        name = FORMER.get(name, name)
        if not equals and name in PROFILES:
            rates = PROFILES[name]
            continue
        if name not in known or not equals:
            wrong = f"write {name}=RATE" if name in known else f"unknown{nearest(name, [*PROFILES, *known])}"
            raise InputError(f"faults {part!r}: {wrong} (--faults help lists them)")
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
            case Fault.DROP_BEFORE:
                return _VANISHED
            case Fault.DROP_AFTER:
                return RequestFault(answered=False, out_ns=out)
            case Fault.DELAY:
                return RequestFault(out_ns=out + self.tail(), back_ns=back)
            case Fault.SLOW:
                return RequestFault(out_ns=out, back_ns=back + self.tail())
            case Fault.ODD_ANSWER:
                return RequestFault(out_ns=out, back_ns=back, odd=True)
            case _:
                processed = name in _EVEN and self.chance(0.5)
                return RequestFault(arrives=processed, answer=name, out_ns=out, back_ns=back)

    def message(self) -> MessageFault:
        """What becomes of the next private message."""
        match self._pick(MESSAGES):
            case None:
                return NO_MESSAGE_FAULT
            case Fault.DUPLICATE:
                return MessageFault((0, self.between(0.0, 2.0)))
            case Fault.REORDER:
                return MessageFault((self.between(0.0, 1.0),))
            case Fault.LATE:
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
        self.counts[Fault.CRASH_AT_SEND] += 1
        return int(self._draws.integers(0, acts + 1))

    def until_next(self, outage: str) -> int | None:
        """Time to the next outage of a kind, ns; None where none comes."""
        rate = getattr(self.rates, outage)
        return int(self._draws.exponential(3600 * SECOND / rate)) + 1 if rate else None

    @property
    def disturbed(self) -> int:
        """How many requests a fault has met."""
        return sum(self.counts[name] for name in REQUESTS)

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
        return self.to_dict().keys() <= _HARMLESS

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
