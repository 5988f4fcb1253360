"""The signals of the scan. A new one is a module beside these and its lines here."""

from __future__ import annotations

from typing import Any, Final

from turbo_trader.market.compiled import kernel
from turbo_trader.signals import acceleration, flow, funding, ou, vwap
from turbo_trader.signals.signal import Field, Part, Signal, parameter_fields

#: Every signal, in the order of the bits of `valid` and `confirms` and of `score`, `toward` and `thresholds`.
LISTED: Final[tuple[Signal, ...]] = (flow.OFI, vwap.VWAP, acceleration.ACCEL, funding.FUNDING, ou.OU_DRIFT)


@kernel
def score_figures(states: Any, s: int, now: int, params: Any, out: Any, j: int) -> None:
    """The scores of out[j], whether they are valid and whether they confirm the row's direction; in the order of LISTED."""
    out[j].valid = out[j].confirms = 0
    _put(out, j, 0, flow.flow_score(states, s, now, params, out, j))
    _put(out, j, 1, vwap.vwap_score(states, s, now, params, out, j))
    _put(out, j, 2, acceleration.accel_score(states, s, now, params, out, j))
    _put(out, j, 3, funding.funding_score(states, s, now, params, out, j))
    _put(out, j, 4, ou.drift_score(states, s, now, params, out, j))


class SignalNumbers(
    flow.FlowNumbers, vwap.VwapNumbers, acceleration.AccelNumbers, funding.FundingNumbers, ou.DriftNumbers
):
    """The numbers of all signals."""


# -- what follows from the above

_MOST: Final = 32  # bits of `valid` and `confirms`
_COUNT: Final = len(LISTED)
_AT_LEAST: Final = tuple(signal.at_least for signal in LISTED)
BASE: Final = sum(1 << k for k, signal in enumerate(LISTED) if signal.part is Part.BASE)  # bits
OTHERS: Final = sum(1 << k for k, signal in enumerate(LISTED) if signal.part is Part.OTHER)
#: Their part of the scan row.
SIGNAL_FIGURES: Final[list[Any]] = [
    *(field for signal in LISTED for field in signal.fields),
    ("score", "f8", (_COUNT,)),  # in [-1, 1], + = long
    ("toward", "f8", (_COUNT,)),  # what is compared: the figure in the direction of the forecast
    ("thresholds", "f8", (_COUNT,)),  # with what
]
#: Their part of `signals.parameters`.
SIGNAL_NUMBERS: Final[list[Field]] = parameter_fields(signal.numbers for signal in LISTED)
if _COUNT > _MOST:
    raise ValueError(f"{_COUNT} signals: a scan row has room for {_MOST}")


@kernel
def _put(out: Any, j: int, k: int, said: tuple[bool, float, float, float]) -> None:
    """Signal `k` of LISTED: one without data has score 0, and its threshold still."""
    row = out[j]
    valid, score, toward, threshold = said
    row.score[k] = row.toward[k] = 0.0
    row.thresholds[k] = threshold
    if valid:
        row.score[k], row.toward[k] = score, toward
        row.valid = row.valid | (1 << k)
        if toward > threshold or (_AT_LEAST[k] and toward >= threshold):
            row.confirms = row.confirms | (1 << k)
