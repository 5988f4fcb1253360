"""How far a drift is believed to be there at all, and what that makes of its forecast: Bayesian model averaging.

Two models are held against each other, taken as equally likely beforehand: one with the drift, and one in which the price is a
random walk. Posterior probability by Schwarz's criterion (Kass & Raftery, "Bayes factors", JASA 90, 1995, section 4.1.3) where the
information about what the drift has more grows like the observations; against a unit root it grows like their square, and the
criterion with the information itself is that of Phillips & Ploberger ("Posterior odds testing for a unit root with data-based model
selection", Econometric Theory 10, 1994). A forecast averaged over both, and its variance within and between them: Hoeting, Madigan,
Raftery & Volinsky, "Bayesian model averaging", Statistical Science 14 (1999), section 1.
"""

from __future__ import annotations

import math

from turbo_trader.market.compiled import kernel

_TINY = 1e-6


@kernel
def belief(likelihood_ratio: float, information: float) -> float:
    """Posterior probability of the model with the drift: odds exp(likelihood_ratio / 2) / sqrt(information).

    `likelihood_ratio`: twice the log likelihood it gains; `information` >= 1: determinant of the information about the parameters
    it has more, in units of one observation's: n for each where it grows like the observations.
    """
    exponent = 0.5 * (math.log(information) - likelihood_ratio)
    if exponent > 700.0:
        return 0.0
    return 1.0 / (1.0 + math.exp(exponent))


@kernel
def averaged(mean: float, error: float, probability: float) -> tuple[float, float]:
    """(mean, standard error) over the model with the drift, of `probability`, and the one where the mean is 0 for certain."""
    between = (1.0 - probability) * mean * mean
    return probability * mean, math.sqrt(probability * (error * error + between))


@kernel
def two_points(mean: float, error: float) -> tuple[float, float]:
    """(probability, size) of a drift that is there, of that size, or not there at all, with this mean and standard error.

    `mean` and `error` >= 0; (0, 0) where the mean cannot be distinguished from 0. What depends on the drift as on a straight
    line is the same over the two as at the mean; a probability, which ends at 1, is not.
    """
    if not mean > _TINY * error:
        return 0.0, 0.0
    noise = error / mean
    probability = 1.0 / (1.0 + noise * noise)
    return probability, mean / probability
