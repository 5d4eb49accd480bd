"""Standard errors and correlations from the information at the optimum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.objective import Evaluation
from exotwin.calibration.problem import Problem
from exotwin.calibration.uncertainty.uncertainty import Curvature
from exotwin.errors import CalibrationError

Floats = NDArray[np.float64]

AT_BOUND = 1e-6
"""Share of a parameter's range within which it stands at its bound."""

NO_INFLUENCE = 1e-10
"""A parameter has no influence if a move across its whole range would raise the objective by less than this."""

TOLERANCE = 1e-9
"""Relative tolerance for directions that the data hold. The information is a square of sensitivities, which are taken
to be right to 3e-5; an eigenvalue below the square of that cannot be told from none."""


def curvature(problem: Problem, point: Floats, evaluation: Evaluation, *, tolerance: float = TOLERANCE) -> Curvature:
    """Standard errors of the parameters at ``point``, from the inverse of the information.

    A parameter at a bound, with the objective falling beyond it, is held there. One whose move across its whole range
    would, by the information, raise the objective by less than `NO_INFLUENCE` has an infinite SE. The information of
    the others is scaled to a unit diagonal, so that nothing depends on the parameters' units, and taken apart into its
    eigenvectors. Where an eigenvalue is below ``tolerance`` times the largest, the data do not hold that direction. A
    parameter takes part in such directions if the square of its component in them is above ``tolerance``; its SE is
    infinite and it has no correlation. All others are as if these directions did not exist, which changes nothing
    for them.

    The information is that which is expected of a model that fits. Where residuals are large and a direction is hardly
    held, the objective itself may be much narrower, or not quadratic at all: profiles then tell more.

    Parameters
    ----------
    point : (p,) the optimum, on the scale of the parameters.
    evaluation : there and nowhere else (n = 1), with slopes.

    Raises
    ------
    CalibrationError : the evaluation has no finite gradient and information.
    """
    gradient, information = _slopes(problem, evaluation)
    held = at_bound(problem.lower, problem.upper, point, gradient)
    free = ~held
    information = information[np.ix_(free, free)]
    span = np.where(np.isfinite(problem.upper - problem.lower), problem.upper - problem.lower, 1.0)[free]

    n = len(held)
    se, correlation = np.full(n, np.nan), np.full((n, n), np.nan)
    free_se, free_correlation = _standard_errors(information, span, tolerance)
    se[free] = free_se
    correlation[np.ix_(free, free)] = free_correlation
    # Rounding may leave an eigenvalue of a positive semidefinite matrix a little below zero.
    eigenvalues = np.maximum(np.linalg.eigvalsh(information), 0.0) if free.any() else np.empty(0)
    return Curvature(se=se, correlation=correlation, eigenvalues=eigenvalues, free=free)


def at_bound(lower: Floats, upper: Floats, point: Floats, gradient: Floats) -> NDArray[np.bool_]:
    """(p,) which parameters stand at a bound with the objective falling beyond it."""
    margin = np.where(np.isfinite(upper - lower), AT_BOUND * (upper - lower), 0.0)
    low = (point <= lower + margin) & (gradient > 0)
    high = (point >= upper - margin) & (gradient < 0)
    return np.asarray(low | high)


def finite_bounds(problem: Problem) -> None:
    """Raises CalibrationError for the first parameter whose range, on its scale, does not end."""
    for name, low, high in zip(problem.names, problem.lower, problem.upper, strict=True):
        if not np.isfinite(high - low):
            raise CalibrationError(
                f'{problem.name}, parameter "{name}"', found=f"bounds {low:g} and {high:g}", expected="finite bounds"
            )


def _held_directions(
    information: Floats, *, tolerance: float = TOLERANCE
) -> tuple[Floats, Floats, Floats, NDArray[np.bool_]]:
    """Eigenvectors of the information scaled to a unit diagonal, and which of them the data hold.

    Returns
    -------
    scale (p,), the roots of the diagonal; eigenvalues (p,), rising; eigenvectors (p, p) in columns; held (p,) bool.
    """
    scale = np.sqrt(np.diagonal(information))
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    return scale, values, vectors, values > tolerance * values[-1]


def _slopes(problem: Problem, evaluation: Evaluation) -> tuple[Floats, Floats]:
    """Gradient (p,) and symmetric information (p, p)."""
    if evaluation.gradient is not None and evaluation.information is not None:
        gradient, information = evaluation.gradient[0], evaluation.information[0]
        if np.isfinite(gradient).all() and np.isfinite(information).all():
            return gradient, (information + information.T) / 2
    raise CalibrationError(
        problem.name, found=f"no finite slopes at the optimum ({evaluation.outcome[0]})", expected="a fit with slopes"
    )


def _standard_errors(information: Floats, span: Floats, tolerance: float) -> tuple[Floats, Floats]:
    """SE (free,) and correlation (free, free) of the free parameters."""
    n = len(information)
    se, correlation = np.full(n, np.inf), np.full((n, n), np.nan)
    (moved,) = np.nonzero(np.diagonal(information) * span**2 / 2 > NO_INFLUENCE)
    if not moved.size:
        return se, correlation
    scale, values, vectors, held = _held_directions(information[np.ix_(moved, moved)], tolerance=tolerance)
    loose = (vectors[:, ~held] ** 2).sum(axis=1) > tolerance
    root = vectors[:, held] / np.sqrt(values[held])
    covariance = (root @ root.T)[np.ix_(~loose, ~loose)]
    deviation = np.sqrt(np.diagonal(covariance))
    known = moved[~loose]
    se[known] = deviation / scale[~loose]
    correlation[np.ix_(known, known)] = np.clip(covariance / np.outer(deviation, deviation), -1.0, 1.0)
    correlation[known, known] = 1.0
    return se, correlation
