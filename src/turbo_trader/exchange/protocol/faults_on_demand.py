"""Faults between a client and the venue, on demand: drawn from a seed, once per request and per stream frame.

A plan is a text such as `drop=0.05,delay=0.05,error=0.05` or `drop_after@order/create=1`: a fault, where wanted the route it is
kept to (the path after /v5/, or its beginning; operations of the trade socket count as order/create and so on), its probability.
`delay_s` and `reorder_s` are not faults but the longest waits, in wall seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from turbo_trader.exchange.protocol.codes import AMBIGUOUS
from turbo_trader.exchange.protocol.fault_terms import FRAME, REQUEST, Fault
from turbo_trader.market.errors import InputError
from turbo_trader.market.names import nearest

SHORT: Final = {
    "drop": (Fault.DROP_BEFORE, Fault.DROP_AFTER),
    "error": (Fault.HTTP_502, Fault.HTTP_429, Fault.HTTP_403, "ret_10002", "ret_10006", "ret_10016"),
}
_EVEN: Final = frozenset({Fault.HALF_OPEN, Fault.HTTP_502, *(f"ret_{code}" for code in AMBIGUOUS)})
_AFTER: Final = frozenset({Fault.DELAY, Fault.SLOW, Fault.DROP_AFTER, Fault.EXTRA})
_WAITS: Final = {"delay_s": 2.0, "reorder_s": 0.2}
_LONGEST_WAIT = 3_600.0


def explained() -> dict[str, str]:
    """Every term a plan may use, with its meaning."""
    short = {name: f"{' or '.join(names)}, evenly" for name, names in SHORT.items()}
    waits = {name: f"longest wait, wall seconds (default {value:g})" for name, value in _WAITS.items()}
    return {**short, **REQUEST, **FRAME, **waits}


@dataclass(frozen=True, slots=True)
class Rate:
    """Probability of one fault on routes that begin with `route` ("" = all)."""

    name: str
    route: str
    probability: float


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Which faults, how often. The default has none."""

    rates: tuple[Rate, ...] = ()
    delay_s: float = _WAITS["delay_s"]
    reorder_s: float = _WAITS["reorder_s"]

    @staticmethod
    def parse(text: str) -> FaultPlan:
        """A plan from its text; InputError names the part that cannot be read."""
        rates: list[Rate] = []
        waits = dict(_WAITS)
        for part in filter(None, (piece.strip() for piece in text.split(","))):
            left, equals, right = part.partition("=")
            name, _, route = left.partition("@")
            if not equals:
                raise InputError(f"faults {part!r}: write NAME=NUMBER, such as drop=0.05")
            if name in waits and not route:
                waits[name] = rate_figure(part, right, _LONGEST_WAIT)
                continue
            names = SHORT.get(name, (name,))
            if names[0] not in REQUEST and names[0] not in FRAME:
                known = [each for each in (*SHORT, *REQUEST) if not each.startswith("ret_")]
                known += ["ret_CODE", *FRAME, *_WAITS]
                raise InputError(f"faults {part!r}: unknown{nearest(name, known)} (--faults help lists them)")
            share = rate_figure(part, right, 1.0) / len(names)
            rates += [Rate(each, route.removeprefix("/v5/").strip("/"), share) for each in names]
        plan = FaultPlan(tuple(rates), **waits)
        for stage in (REQUEST, FRAME):
            if sum(rate.probability for rate in rates if rate.name in stage and not rate.route) > 1 + 1e-9:
                raise InputError(
                    f"faults {text!r}: the probabilities of one request or frame add up to more than 1"
                )
        return plan

    def __str__(self) -> str:
        """The text that `parse` reads, short names spelled out."""
        rates = [
            f"{rate.name}{'@' if rate.route else ''}{rate.route}={rate.probability:g}" for rate in self.rates
        ]
        return ",".join([*rates, f"delay_s={self.delay_s:g}", f"reorder_s={self.reorder_s:g}"])


@dataclass(frozen=True, slots=True)
class RequestFault:
    """What to do with one request: whether it is processed, and how long to wait (wall seconds)."""

    name: str
    processed: bool
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class FrameFault:
    """What to do with one stream frame; `wait_s` for `reorder` and `late`."""

    name: str
    wait_s: float = 0.0


class Faults:
    """Draws faults of a plan from a seed; the same calls in the same order give the same faults. `counts`: how many of each came.

    `times` > 0 ends the plan after that many faults of requests and frames together.
    """

    def __init__(self, plan: FaultPlan | None = None, seed: int = 0, times: int = 0) -> None:
        self.plan = plan or FaultPlan()
        self.counts: Counter[str] = Counter()
        self._left = times or -1
        self._requests, self._frames = (
            np.random.Generator(np.random.Philox(key=[seed, stage])) for stage in (0, 1)
        )
        self._request_rates = [rate for rate in self.plan.rates if rate.name in REQUEST]
        self._frame_rates = [rate for rate in self.plan.rates if rate.name in FRAME]

    def may(self, name: str) -> bool:
        """Can this fault come?"""
        return any(rate.name == name for rate in self.plan.rates)

    def request(self, route: str) -> RequestFault | None:
        """The fault of a request to `route` (path after /v5/), or None."""
        found = self._draw(self._request_rates, route, self._requests)
        if found is None:
            return None
        processed = found in _AFTER or (found in _EVEN and self._requests.random() < 0.5)
        wait = self._requests.random() * self.plan.delay_s if found in (Fault.DELAY, Fault.SLOW) else 0.0
        return RequestFault(found, processed, wait)

    def frame(self, topic: str, *, delta: bool = False) -> FrameFault | None:
        """The fault of a frame of `topic`, or None. `delta`: it is a difference of a book. Public topics have a symbol behind a dot
        and are not repeated, reordered or delayed."""
        if not self._frame_rates:
            return None
        fitting = [rate for rate in self._frame_rates if _fits(rate.name, topic, delta)]
        found = self._draw(fitting, topic, self._frames)
        if found is None:
            return None
        held: Mapping[str, float] = {Fault.REORDER: self.plan.reorder_s, Fault.LATE: self.plan.delay_s}
        longest = held.get(found, 0.0)
        return FrameFault(found, self._frames.random() * longest if longest else 0.0)

    def _draw(self, rates: list[Rate], route: str, draws: np.random.Generator) -> str | None:
        if not rates or not self._left:
            return None
        at = draws.random()
        for rate in rates:
            if not route.startswith(rate.route):
                continue
            at -= rate.probability
            if at < 0:
                self.counts[rate.name] += 1
                self._left -= 1
                return rate.name
        return None


def widened(raw: bytes) -> bytes:
    """JSON whose objects carry a field nobody knows."""
    return raw.replace(b'{"', b'{"unheardOf":{},"')


def _fits(name: str, topic: str, delta: bool) -> bool:
    private = topic.partition(".")[0] in ("order", "execution", "position", "wallet")
    if name == Fault.GAP:
        return delta
    if name == Fault.LATE:
        return topic.startswith("execution")
    return private if name in (Fault.DUPLICATE, Fault.REORDER) else True


def rate_figure(part: str, text: str, most: float) -> float:
    """A rate from 0 to `most`; `part`: where it stands. InputError where it is none."""
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"faults {part!r}: {text!r} is not a number") from None
    if not 0 <= value <= most:
        raise InputError(f"faults {part!r}: must be from 0 to {most:g}")
    return value
