"""Where searches start: points of a Latin hypercube through the priors for starts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.objective.priors import from_unit
from exotwin.calibration.problem import Problem

Floats = NDArray[np.float64]


def starts(problem: Problem, n: int, seed: int) -> Floats:
    """(n, p) points on the scale of the parameters, each coordinate once in each of n slices of equal probability.

    The prior for starts is evenly spread between the limits where the table names none. Nominal values are no start.
    Other ``n`` give other points throughout.
    """
    from scipy.stats.qmc import LatinHypercube  # slow to import

    return from_unit(problem.parameters, LatinHypercube(len(problem.parameters), rng=seed).random(n))
