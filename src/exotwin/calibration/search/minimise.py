"""One local search: fides' interior trust region with the Fisher information as Hessian."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.search.found import Evaluate, Found

Floats = NDArray[np.float64]


def minimise(
    evaluate: Evaluate,
    start: Floats,
    lower: Floats,
    upper: Floats,
    *,
    held: Mapping[int, float] | None = None,
    max_iterations: int = 1000,
    tolerance: float = 1e-8,
) -> Found:
    """The local minimum that a search from ``start`` reaches; the best point of all that were evaluated.

    Parameters
    ----------
    start, lower, upper : (p,) on the scale of the parameters; a start outside the bounds is moved onto them.
    held : place of a parameter -> value at which it stays; the others are searched over.
    tolerance : of the objective: a step that the model of the objective foresaw well and that changed it by less ends
        the search.
    """
    fixed = dict(held or {})
    begin = np.clip(np.asarray(start, float), lower, upper)
    begin[list(fixed)] = list(fixed.values())
    free = np.array([i for i in range(len(begin)) if i not in fixed and lower[i] < upper[i]], int)
    trail = _Trail(evaluate, begin, free)
    if not np.isfinite(trail(begin[free])[0]):
        return trail.found("failed: no value at the start")
    if not len(free):
        return trail.found("converged")
    # np.errstate: singular information makes the library divide by zero on ways that it then leaves.
    with np.errstate(all="ignore"):
        try:
            outcome = _search(trail, begin[free], lower[free], upper[free], max_iterations, tolerance)
        except Exception as error:  # of the library: this search ends here, the others go on
            outcome = f"failed: {type(error).__name__}: {error}"
    return trail.found(outcome)


def _search(trail: _Trail, begin: Floats, lower: Floats, upper: Floats, max_iterations: int, tolerance: float) -> str:
    """How the library's search ended."""
    from fides import Optimizer
    from fides.constants import ExitFlag, Options, SubSpaceDim

    optimizer = Optimizer(
        trail,
        ub=upper,
        lb=lower,
        verbose=logging.CRITICAL,
        options={
            Options.MAXITER: max_iterations,
            Options.FATOL: tolerance,
            Options.FRTOL: 0.0,
            Options.SUBSPACE_DIM: SubSpaceDim.FULL,
        },
    )
    optimizer.minimize(begin, start_id="search")
    return {
        ExitFlag.FTOL: "converged",
        ExitFlag.GTOL: "converged",
        ExitFlag.XTOL: "converged",
        ExitFlag.MAXITER: "iteration limit",
    }.get(optimizer.exitflag, f"failed: {optimizer.exitflag.name}")


class _Trail:
    """The objective over the free parameters; remembers the best point, counts, and treats half a value as none."""

    def __init__(self, evaluate: Evaluate, begin: Floats, free: NDArray[np.int64]) -> None:
        self._evaluate, self._free, self._begin = evaluate, free, begin
        self._evaluations = self._failed = 0
        self.best = (begin, np.inf, np.full(len(begin), np.nan))

    def __call__(self, point: Floats) -> tuple[float, Floats, Floats]:
        nothing = np.inf, np.full(len(self._free), np.nan), np.full((len(self._free),) * 2, np.nan)
        if not np.isfinite(point).all():  # singular information leads the library there; it shortens its step then
            return nothing
        full = self._begin.copy()
        full[self._free] = point
        value, gradient, information = self._evaluate(full)
        self._evaluations += 1
        if not (np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(information).all()):
            self._failed += 1
            return nothing
        if value < self.best[1]:
            self.best = (full, value, gradient)
        return value, gradient[self._free], information[np.ix_(self._free, self._free)]

    def found(self, outcome: str) -> Found:
        """The best of all, with what was counted."""
        point, value, gradient = self.best
        return Found(point, value, gradient, self._evaluations, self._failed, outcome)
