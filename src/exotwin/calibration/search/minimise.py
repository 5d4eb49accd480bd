"""One local search: fides' interior trust region, with the Fisher information as a Hessian that learns."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.search.found import Evaluate, Found

Floats = NDArray[np.float64]
Answer = tuple[float, Floats, Floats]

CREEPING, CREEPING_OVER = 1e-4, 50
"""A search that lowered the objective by less over so many evaluations creeps along a valley, and is ended: the number
means nothing for a likelihood, and on published problems such searches went on for thousands of steps."""


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
    """The best of all points that a search from ``start`` evaluates on its way to a local minimum.

    ``outcome`` is as `Found` has it, or "creeping" for a search that was ended because it hardly came on any more.

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
    from fides.constants import ExitFlag, Options  # slow to import, with all that it needs

    from exotwin.calibration.search.region import Region, Secant

    optimizer = Region(
        trail,
        ub=upper,
        lb=lower,
        verbose=logging.CRITICAL,
        options={Options.MAXITER: max_iterations, Options.FATOL: tolerance, Options.FRTOL: 0.0},
        hessian_update=Secant(),
    )
    try:
        optimizer.minimize(begin, start_id="search", hess0="hess")
    except _CreepingError:
        return "creeping"
    return {
        ExitFlag.FTOL: "converged",
        ExitFlag.GTOL: "converged",
        ExitFlag.MAXITER: "iteration limit",
        ExitFlag.DELTA_TOO_SMALL: "failed: no step from there lowers the objective",
    }[optimizer.exitflag]


class _CreepingError(Exception):
    """Ends a search from inside its objective, as fides cannot be asked to stop."""


class _Trail:
    """The objective over the free parameters; remembers the best point, counts, and treats half a value as none."""

    def __init__(self, evaluate: Evaluate, begin: Floats, free: NDArray[np.int64]) -> None:
        self._evaluate, self._free, self._begin = evaluate, free, begin
        self._last: tuple[Floats, Answer] | None = None
        self._evaluations = self._failed = 0
        self._course: list[float] = []
        self.best = (begin, np.inf, np.full(len(begin), np.nan))

    def __call__(self, point: Floats) -> Answer:
        if self._last is None or not np.array_equal(point, self._last[0]):  # the start is asked for twice
            self._last = point.copy(), self._asked(point)
        return self._last[1]

    def _asked(self, point: Floats) -> Answer:
        nothing = np.inf, np.full(len(self._free), np.nan), np.full((len(self._free),) * 2, np.nan)
        if not np.isfinite(point).all():  # singular information leads the library there; it shortens its step then
            return nothing
        full = self._begin.copy()
        full[self._free] = point
        value, gradient, information = self._evaluate(full)
        self._evaluations += 1
        whole = bool(np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(information).all())
        self._failed += not whole
        if whole and value < self.best[1]:
            self.best = (full, value, gradient)
        self._course.append(self.best[1])
        if len(self._course) > CREEPING_OVER and self._course[-CREEPING_OVER - 1] - self.best[1] < CREEPING:
            raise _CreepingError
        if not whole:
            return nothing
        return value, gradient[self._free], information[np.ix_(self._free, self._free)]

    def found(self, outcome: str) -> Found:
        """The best of all, with what was counted."""
        point, value, gradient = self.best
        return Found(point, value, gradient, self._evaluations, self._failed, outcome)
