"""The noise parameters of the Kalman model by maximum likelihood, and the test whether there is a velocity at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise of level-velocity-acceleration with white-noise jerk, random-walk level and bounce (`signals.kalman`).

    All intensities are standard deviations of ln(price): `jerk` per s^2.5, `walk` per s^0.5, `measurement` per observation.
    `velocity_valid`: the jerk intensity is above zero at 5 % (likelihood ratio); where it is not, jerk is 0.
    """

    jerk: float
    walk: float
    measurement: float
    velocity_valid: bool
    likelihood_ratio: float  # 2 (log L with jerk - log L without)
    samples: int
    innovation_variance: float  # of the standardised innovations; 1 on a right model
    innovation_correlation: float  # at lag 1; 0 on a right model


def fit_noise(seconds: NDArray[np.int64], y: NDArray[np.float64]) -> Noise | None:
    """Noise by maximum likelihood of the samples `y` = ln(mid) at the ascending whole `seconds`; gaps are real elapsed time.

    None where nothing can be fitted: fewer than 120 samples, a non-finite one, or a price that (almost) never moved.
    """
    raise ValueError
