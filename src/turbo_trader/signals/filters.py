"""What the signals remember per symbol: the Kalman state, and figures that change only with a one-minute close."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from turbo_trader.signals.consensus import HORIZONS, TAILS
from turbo_trader.signals.kalman import NODES, PLACES
from turbo_trader.signals.noise import Noise
from turbo_trader.signals.ou import FITS

FILTER: Final = np.dtype(
    (
        np.record,
        [
            # Kalman: noise variances per second (see Noise), then the states after the last sample taken, one per node
            ("noise_set", "u1"),
            ("velocity_valid", "u1"),
            ("belief", "f8"),  # probability that there is a velocity at all
            ("jerk2", "f8", (NODES,)),
            ("walk2", "f8"),
            ("measurement2", "f8"),
            ("started", "u1"),
            ("steps", "<i8"),  # samples taken since the start
            ("taken", "<i8"),  # samples taken, as the state's `samples`
            ("second", "<i8"),  # of the last sample taken
            ("y", "f8"),  # the last sample taken
            ("x", "f8", (NODES, 3)),  # level, velocity per s, acceleration per s^2
            ("P", "f8", (NODES, 3, 3)),
            (
                "scale",
                "f8",
            ),  # mean square of the standardised innovations of late; 1 while the noise is as it was fitted
            # Kalman filter of the one-minute closes (signals.acceleration): the fit, then the state after the newest close
            (
                "accel_anchor",
                "<i8",
            ),  # closes, as the state's `minutes`, up to which the noise was fitted; 0: never
            ("accel_valid", "u1"),  # a jerk above zero is the likeliest
            ("accel_jerk2", "f8"),  # variance per minute
            ("accel_noise2", "f8"),  # of an observation
            ("accel_taken", "<i8"),  # closes taken, as the state's `minutes`
            ("accel_steps", "<i8"),
            ("accel_scale", "f8"),  # as `scale` above
            ("accel_x", "f8", (3,)),  # level, velocity per minute, acceleration per minute^2
            ("accel_P", "f8", (3, 3)),
            # Ornstein-Uhlenbeck fits at the last one-minute close; `ou_minutes` counts as the state's `minutes`
            ("ou_minutes", "<i8"),
            ("ou_fitted", "u1", (FITS,)),
            ("ou_n", "<i8", (FITS,)),
            ("ou_phi", "f8", (FITS,)),  # per spacing, bias-corrected
            ("ou_centre", "f8", (FITS,)),
            ("ou_sd", "f8", (FITS,)),  # stationary
            ("ou_phi_variance", "f8", (FITS,)),
            ("ou_centre_variance", "f8", (FITS,)),  # of the centre for a given phi
            ("ou_centre_slope", "f8", (FITS,)),  # d centre / d phi
            ("ou_statistic", "f8", (FITS,)),
            # slopes over the consensus horizons; integer sums, so that they are exact
            ("slope_minutes", "<i8"),
            ("slope_base", "<i8"),  # quanta of ln(mid) taken off
            ("slope_origin", "<i8"),  # minute taken off
            ("slope_oldest", "<i8", (HORIZONS,)),
            ("slope_sums", "<i8", (HORIZONS, 6)),  # n, t, tt, y, ty, yy
            ("slope", "f8", (HORIZONS,)),  # per minute
            ("slope_t", "f8", (HORIZONS,)),
            ("slope_valid", "u1", (HORIZONS,)),
            # largest one-minute ranges, descending, and the minute count of each
            ("tail_minutes", "<i8"),
            ("tail_range", "f8", (TAILS,)),
            ("tail_count", "<i8", (TAILS,)),
        ],
    )
)

Filters: TypeAlias = NDArray[np.void]


def new_filters(n: int) -> Filters:
    """Filters of `n` symbols, all unset: without noise there is no Kalman forecast, everything else works."""
    return np.zeros(n, FILTER)


def set_noise(filters: Filters, s: int, noise: Noise) -> None:
    """Give symbol `s` new noise parameters; its Kalman state is built again from the one-second ring at the next scan."""
    record = filters[s]
    record["noise_set"] = 1
    record["velocity_valid"] = noise.velocity_valid
    record["belief"] = noise.belief
    record["jerk2"] = noise.jerk**2 * np.exp(noise.log_jerk_sd * np.array(PLACES))
    record["walk2"] = noise.walk * noise.walk
    record["measurement2"] = noise.measurement * noise.measurement
    record["started"] = 0
