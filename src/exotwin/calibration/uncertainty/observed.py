"""Standard errors from how the objective itself bends at the optimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.objective import Evaluation, Objective
from exotwin.calibration.problem import Problem
from exotwin.calibration.uncertainty.curvature import curvature
from exotwin.calibration.uncertainty.uncertainty import Curvature

Floats = NDArray[np.float64]

STEP = 0.01
"""Step of the differences of gradients, in standard errors that a parameter would have if it were the only one."""
SHORTEST, LONGEST = 1e-6, 1e-3
"""Bounds of that step, as shares of a parameter's range."""
TOLERANCE = 1e-5
"""As in `curvature`; coarser, as differences of gradients are. Between 1e-6 and 1e-5 the standard errors of published
problems stay the same to three figures."""
BENT_DOWN = 1e-3
"""An eigenvalue (of the matrix scaled to unit diagonal) that is below zero by more is no rounding: no minimum."""


def observed_curvature(objective: Objective, point: Floats, evaluation: Evaluation) -> tuple[Curvature, str]:
    """`curvature` with the Hessian of the objective itself instead of the expected information, and a remark.

    The expected information leaves out how residuals bend the objective. Where a direction is hardly held that is much:
    for Boehm 2014 it makes a standard error of 0.70 of one that is 0.084 and that the profile shows. The Hessian takes
    2 p gradients, of one call. Where it is not to be had (gradients fail, the point is no minimum, or Laplace noise or
    priors make of the objective straight pieces with kinks, at which optima lie), the expected information is taken,
    and the remark says so; otherwise it is "".
    """
    expected = curvature(objective.problem, point, evaluation)
    if _has_kinks(objective.problem):
        return expected, "standard errors are those of the expected information: Laplace distributions have kinks"
    hessian = _hessian(objective, point, evaluation)
    if hessian is None:
        return expected, "standard errors are those of the expected information: gradients beside the optimum fail"
    inner = hessian[np.ix_(expected.free, expected.free)]
    scale = np.sqrt(np.abs(np.diagonal(inner)))
    scale[scale == 0] = 1.0
    if len(inner) and np.linalg.eigvalsh(inner / np.outer(scale, scale))[0] < -BENT_DOWN:
        return expected, "standard errors are those of the expected information: the best point is no minimum"
    # a negative diagonal that is rounding holds nothing
    lowest = np.diagonal(hessian) <= 0
    hessian[lowest], hessian[:, lowest] = 0.0, 0.0
    return curvature(objective.problem, point, replace(evaluation, information=hessian[None]), tolerance=TOLERANCE), ""


def _has_kinks(problem: Problem) -> bool:
    measured = [problem.observables[i].distribution for i in set(problem.measurements.observable.tolist())]
    priors = [p.prior.kind.lower() for p in problem.parameters if p.prior is not None]
    return "laplace" in measured or any(kind.endswith("laplace") for kind in priors)


def _hessian(objective: Objective, point: Floats, evaluation: Evaluation) -> Floats | None:
    """(p, p) by differences of gradients to both sides, or to one at a bound; None where one of them fails."""
    problem, count = objective.problem, len(point)
    assert evaluation.information is not None
    span = np.where(np.isfinite(problem.upper - problem.lower), problem.upper - problem.lower, 1.0)
    with np.errstate(divide="ignore"):
        alone = 1 / np.sqrt(np.maximum(np.diagonal(evaluation.information[0]), 0.0))
    step = np.clip(STEP * alone, SHORTEST * span, LONGEST * span)
    up, down = np.minimum(point + step, problem.upper), np.maximum(point - step, problem.lower)
    points = np.concatenate([np.where(np.eye(count, dtype=bool), moved, point) for moved in (up, down)])
    gradient = objective.evaluate(points, slopes=True).gradient
    if gradient is None or not np.isfinite(gradient).all():
        return None
    found = (gradient[:count] - gradient[count:]) / (up - down)[:, None]
    return np.asarray((found + found.T) / 2)
