"""Objectives with known answers: sums of squares of functions of a few parameters, all with their slopes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from exotwin.calibration.objective import Evaluation
from exotwin.calibration.problem import Measurements, Parameter, Problem

Residuals = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def problem(lower: Sequence[float], upper: Sequence[float]) -> Problem:
    """A problem with nothing but parameters p0, p1, … on a linear scale."""
    parameters = tuple(
        Parameter(f"p{i}", "lin", *ends, np.nan) for i, ends in enumerate(zip(lower, upper, strict=True))
    )
    empty = np.empty(0, dtype=np.int64)
    nothing = Measurements(empty, empty, np.empty(0), np.empty(0), (), (), None)
    return Problem("toy", "", parameters, {}, (), {}, (), nothing, "")


class LeastSquares:
    """Half the sum of squares of ``residuals(point)``, which gives them (m,) and their Jacobian (m, p).

    fails : where there is no value. batches : how many points each call had.
    """

    def __init__(
        self, residuals: Residuals, lower, upper, fails: Callable[[np.ndarray], bool] = lambda _: False
    ) -> None:
        self.problem = problem(lower, upper)
        self._residuals, self._fails = residuals, fails
        self.batches: list[int] = []

    def evaluate(self, points, *, slopes: bool = False) -> Evaluation:
        points = np.asarray(points, float)
        n, p = points.shape
        self.batches.append(n)
        value, gradient, information = np.full(n, np.inf), np.full((n, p), np.nan), np.full((n, p, p), np.nan)
        for i, point in enumerate(points):
            assert np.all((point >= self.problem.lower) & (point <= self.problem.upper))
            if not self._fails(point):
                r, jacobian = self._residuals(point)
                value[i], gradient[i], information[i] = r @ r / 2, jacobian.T @ r, jacobian.T @ jacobian
        outcome = tuple("ok" if np.isfinite(v) else "failed" for v in value)
        nothing = np.empty((n, 0))
        return Evaluation(
            value, -value, outcome, nothing, nothing, gradient if slopes else None, information if slopes else None
        )


class Normal(LeastSquares):
    """The same for a normal distribution, all points at once: samplers ask for many."""

    def __init__(self, root: np.ndarray, centre: np.ndarray, lower, upper) -> None:
        super().__init__(lambda x: (root @ (x - centre), root), lower, upper)
        self._root, self._centre = root, centre

    def evaluate(self, points, *, slopes: bool = False) -> Evaluation:
        if slopes:
            return super().evaluate(points, slopes=True)
        points = np.asarray(points, float)
        assert np.all((points >= self.problem.lower) & (points <= self.problem.upper))
        self.batches.append(len(points))
        value = (((points - self._centre) @ self._root.T) ** 2).sum(axis=1) / 2
        nothing = np.empty((len(points), 0))
        return Evaluation(value, -value, ("ok",) * len(points), nothing, nothing)


def gaussian(covariance: np.ndarray, centre: np.ndarray, lower, upper) -> LeastSquares:
    """Minus the log density of a normal distribution, up to a constant."""
    return Normal(np.linalg.inv(np.linalg.cholesky(covariance)), centre, lower, upper)


def optimum(objective: LeastSquares, start: Sequence[float]) -> tuple[np.ndarray, float]:
    """The optimum near ``start`` by an optimiser of scipy."""
    from scipy.optimize import least_squares

    found = least_squares(
        lambda x: objective._residuals(x)[0],
        start,
        jac=lambda x: objective._residuals(x)[1],
        bounds=(objective.problem.lower, objective.problem.upper),
        xtol=1e-15,
        ftol=1e-15,
        gtol=1e-15,
    )
    return found.x, float(found.cost)
