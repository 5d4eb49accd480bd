"""What an objective is at some points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.problem import Problem

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Evaluation:
    """The objective at n points with p parameters, for m measurements.

    value : (n,) minus log posterior, infinite where a simulation failed or the likelihood is no number.
    log_likelihood : (n,) without priors, minus infinite there. outcome : "ok", or what failed and where.
    gradient : (n, p) of ``value`` on the scale of the parameters, NaN where that is infinite.
    information : (n, p, p) expected Fisher information (with the curvature of priors), the approximate Hessian of
        ``value``; positive semidefinite. gradient and information are None if they were not asked for.
    simulation, noise : (n, m) observables, and SD or scale of their noise on the scale of the transformation.
    """

    value: Floats
    log_likelihood: Floats
    outcome: tuple[str, ...]
    simulation: Floats
    noise: Floats
    gradient: Floats | None = None
    information: Floats | None = None


class Objective(Protocol):
    """What searches, profiles and samplers need to know of a problem."""

    @property
    def problem(self) -> Problem:
        """What is fitted."""

    def evaluate(self, points: Floats | Sequence[Sequence[float]], *, slopes: bool = False) -> Evaluation:
        """The objective at ``points``, (n, p) on the scale of the parameters; with gradient and information if
        ``slopes``. What is found for a point does not depend on the others.
        """
