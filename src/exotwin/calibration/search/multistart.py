"""Local searches from many points."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.objective import Evaluation, Objective
from exotwin.calibration.problem import Problem
from exotwin.calibration.search.found import Evaluate, Found, Start
from exotwin.calibration.search.minimise import minimise
from exotwin.calibration.search.store import Store
from exotwin.calibration.search.together import together
from exotwin.progress import Progress, Silent

Floats = NDArray[np.float64]

WORTHWHILE = 1e-3
"""A search that says it converged is begun again where it ended, with steps as long as at first, until that lowers the
objective by less: one that shortened its steps at a cliff, or beside points without a value, may end on a slope."""
NEAR = 1e-3
"""Distance from a bound, as a share of the range, from which the second search begins on the bound itself if the
objective falls towards it: the searches are interior, and come near a bound without ever reaching it."""


def multistart(
    objective: Objective,
    points: Floats,
    *,
    max_iterations: int = 1000,
    tolerance: float = 1e-8,
    at_once: int = 128,
    store: Path | None = None,
    settings: Mapping[str, str | int | float] | None = None,
    progress: Progress | None = None,
    best: Callable[[float], None] | None = None,
) -> tuple[Start, ...]:
    """A local minimum from each of ``points``, (n, p) on the scale of the parameters; in their order.

    Parameters
    ----------
    max_iterations, tolerance : see `minimise`; a search that converged is confirmed by another from where it ended.
    at_once : searches that run side by side. Results do not depend on it, because what the objective gives for a point
        does not depend on the others.
    store : file to which each start is appended as it ends; starts that it holds already are not searched again, and
        all are the same, bit for bit, as if there had been no interruption (but for ``seconds``).
    settings : what else decides the numbers (tolerances of the objective, versions), for the store to compare.
    best : told the smallest value so far whenever there is a smaller one.

    Raises
    ------
    InputError : a store of other points, another problem or other settings; says in what it differs.
    """
    points = np.asarray(points, float)
    problem, progress = objective.problem, progress or Silent()
    kept: dict[int, Start] = {}
    keep: Callable[[Start], None] = lambda start: None  # noqa: E731  # nothing to keep without a store
    if store is not None:
        header = {
            "problem": problem.digest,
            "points": sha256(np.ascontiguousarray(points).tobytes()).hexdigest(),
            "starts": len(points),
            "optimiser": f"fides {version('fides')}",
            "max_iterations": max_iterations,
            "tolerance": tolerance,
            **(settings or {}),
        }
        opened = Store(store, header, points)
        kept, keep = opened.kept, opened.append

    def done(_: int, start: Start) -> None:
        keep(start)
        progress.advance()

    progress.start("fitting", len(points))
    progress.advance(len(kept))
    watched = _Watched(objective, best, min((start.found.value for start in kept.values()), default=np.inf))
    search = partial(
        _search, lower=problem.lower, upper=problem.upper, max_iterations=max_iterations, tolerance=tolerance
    )
    due: Sequence[Callable[[Evaluate], Start]] = [
        partial(search, number=i, begin=points[i]) for i in range(len(points)) if i not in kept
    ]
    ended = {start.number: start for start in together(watched, due, at_once=at_once, done=done)} | kept
    return tuple(ended[i] for i in range(len(points)))


def _search(
    evaluate: Evaluate,
    *,
    number: int,
    begin: Floats,
    lower: Floats,
    upper: Floats,
    max_iterations: int,
    tolerance: float,
) -> Start:
    """One search and its confirmation, its first value noted and its time taken."""
    values: list[float] = []
    times: list[float] = []

    def noted(point: Floats) -> tuple[float, Floats, Floats]:
        times.append(time.perf_counter())
        found = evaluate(point)
        times.append(time.perf_counter())
        values.append(found[0])
        return found

    run = partial(minimise, noted, lower=lower, upper=upper, tolerance=tolerance)
    found = run(begin, max_iterations=max_iterations)
    gain = np.inf
    # an iteration is an evaluation; all confirmations together have what is left
    while found.outcome == "converged" and gain >= WORTHWHILE and found.evaluations < max_iterations:
        left = max_iterations - found.evaluations
        again = run(_onto_bounds(found, lower, upper), max_iterations=left)
        gain = found.value - again.value
        found = replace(
            again if gain > 0.0 else found,
            outcome=again.outcome if gain >= WORTHWHILE else found.outcome,
            evaluations=found.evaluations + again.evaluations,
            failed=found.failed + again.failed,
        )
    return Start(number, begin, values[0], found, times[-1] - times[0])


def _onto_bounds(found: Found, lower: Floats, upper: Floats) -> Floats:
    margin = NEAR * (upper - lower)
    point = np.where((found.point < lower + margin) & (found.gradient > 0.0), lower, found.point)
    return np.where((found.point > upper - margin) & (found.gradient < 0.0), upper, point)


class _Watched:
    """The objective; tells the smallest value as it falls."""

    def __init__(self, objective: Objective, tell: Callable[[float], None] | None, least: float) -> None:
        self._objective, self._tell, self._least = objective, tell, least
        if tell is not None and np.isfinite(least):
            tell(least)

    @property
    def problem(self) -> Problem:
        return self._objective.problem

    def evaluate(self, points: Floats | Sequence[Sequence[float]], *, slopes: bool = False) -> Evaluation:
        found = self._objective.evaluate(points, slopes=slopes)
        least = float(np.min(found.value, initial=np.inf))
        if self._tell is not None and least < self._least:
            self._least = least
            self._tell(least)
        return found
