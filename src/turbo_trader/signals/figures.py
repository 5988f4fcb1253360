"""The figures of one scan of one symbol: what `signals.measure` fills in and every later step reads.

Returns, spreads, rates are fractions; times ns unless the name says `_s`; scores in [-1, 1], + = long. A figure that could not
be had is 0 with its `*_valid` flag 0: never NaN.
"""

from __future__ import annotations

from typing import Any, Final

from turbo_trader.numbers.number import Belief
from turbo_trader.signals.listed import LISTED, SIGNAL_FIGURES

#: The signals' names, and the bits of the user's five: their places.
SIGNALS: Final = tuple(signal.name for signal in LISTED)
OFI, VWAP, ACCEL, FUNDING, OU_DRIFT = (
    SIGNALS.index(name) for name in ("OFI", "VWAP", "ACCEL", "FUNDING", "OU_DRIFT")
)

#: The beliefs in a forecast, in the order of the figures kept for each, and their places.
BELIEFS: Final = tuple(Belief)
ASKED, WEIGHED, MEASURED = range(3)

FIGURES: Final[list[Any]] = [
    ("ts", "<i8"),
    ("symbol", "<i4"),
    ("direction", "i1"),  # sign of the forecast: +1, -1; 0 = no valid forecast
    ("warm", "u1"),  # sigma, one-second grid and bars have filled
    ("fresh", "u1"),  # the data the entry needs is younger than its limit
    ("valid", "<u4"),  # bit per signal
    ("confirms", "<u4"),  # bit per signal: confirms `direction`
    ("kalman_valid", "u1"),
    ("ou_valid", "u1"),
    # prices, USDT
    ("bid", "f8"),
    ("ask", "f8"),
    ("mid", "f8"),
    ("last_price", "f8"),
    ("mark", "f8"),
    ("spread", "f8"),  # (ask - bid) / mid
    ("mark_gap", "f8"),  # |mark / last - 1|; 0 without a mark
    ("age", "<i8"),  # of the newest price data, ns
    ("jump_age", "<i8"),  # since the last move beyond 6 sigma, ns (huge = never)
    ("big_move_age", "<i8"),  # since the last one-minute move beyond the fraction, ns
    ("range_tail", "f8"),  # 99.9 % quantile of one-minute ranges
    # per belief, in the order of BELIEFS; 0 where that one has no forecast. The rules fill in what is measured
    ("forecasts", "f8", (3,)),  # r(h)
    ("errors", "f8", (3,)),  # standard error of its mean
    ("snrs", "f8", (3,)),
    ("confidences", "f8", (3,)),
    # forecast of the belief in force; under `measured` the one that its maps are applied to
    ("sigma", "f8"),  # now, per sqrt(second)
    ("hold_sigma", "f8"),  # expected over the hold, per sqrt(second)
    ("forecast", "f8"),  # r(h)
    ("se", "f8"),  # of its mean
    ("snr", "f8"),
    ("confidence", "f8"),
    ("horizon_s", "f8"),
    ("kalman_forecast", "f8"),
    ("kalman_se", "f8"),
    ("kalman_belief", "f8"),  # probability that there is a velocity
    (
        "kalman_scale",
        "f8",
    ),  # mean square of the standardised innovations of late: 1 where they are as large as fitted
    ("velocity", "f8"),  # per second
    ("velocity_z", "f8"),
    ("acceleration", "f8"),  # per second^2
    ("acceleration_z", "f8"),
    ("ou_forecast", "f8"),
    ("ou_se", "f8"),
    ("ou_belief", "f8"),  # probability that the price reverts
    ("ou_z", "f8"),
    ("ou_half_life_s", "f8"),
    ("ou_statistic", "f8"),  # Dickey-Fuller t
    *SIGNAL_FIGURES,
    ("consensus", "f8"),  # share of valid horizons whose slope has sign `direction`
    ("consensus_horizons", "<i4"),
]
