"""How well a fit holds its parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """Profile likelihood of one parameter: the objective minimised over all others.

    grid : (k,) values of the parameter on its scale, rising, the optimum among them. value : (k,) objective, infinite
    where no search succeeded. points : (k, p) where these minima lie. low, high : 95 % limits on the scale (where the
    objective exceeds its minimum by half the 0.95 quantile of χ² with one degree of freedom); −inf or inf where the
    profile stays below that up to the bound. verdict : "identifiable"; "only an upper limit", "only a lower limit";
    "not identifiable"; "failed".
    """

    parameter: str
    grid: Floats
    value: Floats
    points: Floats
    low: float
    high: float
    verdict: str


@dataclass(frozen=True)
class Curvature:
    """From the Hessian or the information at the optimum, parameters that stand at a bound held there.

    se : (p,) on the scale of the parameters; NaN at a bound, inf along directions that the data do not hold.
    correlation : (p, p), NaN where there is none. eigenvalues : (free,) of the information, rising. free : (p,) bool.
    """

    se: Floats
    correlation: Floats
    eigenvalues: Floats
    free: NDArray[np.bool_]


@dataclass(frozen=True)
class Samples:
    """Draws from the posterior. points : (draw, p) on the scale of the parameters. value : (draw,) objective.

    acceptance : mean share of accepted proposals. autocorrelation : (p,) draws, NaN if the chain is too short to tell.
    remarks : what a careful reader should be told.
    """

    points: Floats
    value: Floats
    acceptance: float
    autocorrelation: Floats
    remarks: tuple[str, ...] = ()
