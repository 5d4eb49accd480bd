"""Profile likelihoods: how far each parameter can go when all others may follow.

Both sides of all profiles are searches of their own and run side by side (`search.together`), so that their points
share the lanes of one run of the engine. That is why `pypesto.profile` is not used: it asks for values one at a time to
find the length of each step, which here would be a round of the engine for everybody; it deals with what fails by new
starting points from the global random state; and it reads limits off between the points without searching for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.journal import Header
from exotwin.calibration.objective import Objective
from exotwin.calibration.search import Evaluate, minimise, together
from exotwin.calibration.uncertainty.curvature import finite_bounds
from exotwin.calibration.uncertainty.kept import KeptSides
from exotwin.calibration.uncertainty.uncertainty import Profile
from exotwin.calibration.uncertainty.walk import BETTER, Side, walk
from exotwin.errors import CalibrationError
from exotwin.progress import Progress, Silent

Floats = NDArray[np.float64]


def profiles(
    objective: Objective,
    best_point: Floats,
    best_value: float,
    which: Sequence[int],
    *,
    level: float = 0.95,
    at_once: int = 128,
    store: Path | None = None,
    settings: Header | None = None,
    progress: Progress | None = None,
) -> tuple[tuple[Profile, ...], tuple[str, ...]]:
    """Profiles of the parameters at the places ``which``, in that order, and remarks.

    A limit is where the profile first exceeds ``best_value`` by half the ``level`` quantile of χ² with one degree of
    freedom (1.92 for 0.95); it is right to one hundredth of its distance from the optimum. It is infinite if the
    parameter reaches its bound before, NaN if optimisations failed before; the verdict is then "failed". A profile may
    come upon a better optimum than ``best_point``: a remark says so, the point is in the profile, and all limits hold
    against ``best_value``.

    Parameters
    ----------
    best_point : (p,) the optimum on the scale of the parameters; best_value : the objective there.
    at_once : sides that are followed at the same time.
    store : file to which each side of a profile is appended as it is found; those that it holds are not searched again.
    settings : what else decides the numbers (tolerances of the objective, versions), for the store to compare.

    Raises
    ------
    CalibrationError : the objective has no value at ``best_point``, or a parameter has no finite bound.
    """
    from scipy.stats import chi2

    problem = objective.problem
    threshold = float(chi2.ppf(level, 1)) / 2
    if not np.isfinite(best_value):
        raise CalibrationError(problem.name, found="no value of the objective at the optimum", expected="a fit")
    finite_bounds(problem)
    progress = progress or Silent()
    kept = None
    if store is not None:
        optimum = sha256(np.ascontiguousarray(best_point).tobytes()).hexdigest()
        kept = KeptSides(store, {"problem": problem.digest, "optimum": optimum, "level": level, **(settings or {})})
    sides = {(side.parameter, side.direction): side for side in kept.sides} if kept is not None else {}
    asked = [(i, direction) for i in which for direction in (-1, 1)]
    missing = [side for side in dict.fromkeys(asked) if side not in sides]
    progress.start("profiles", len(set(asked)))
    progress.advance(len(set(asked)) - len(missing))

    def search(parameter: int, direction: int) -> Callable[[Evaluate], Side]:
        return lambda evaluate: walk(
            evaluate,
            minimise,
            best_point,
            best_value,
            parameter=parameter,
            direction=direction,
            lower=problem.lower,
            upper=problem.upper,
            threshold=threshold,
        )

    def found(_: int, side: Side) -> None:
        if kept is not None:
            kept.append(side)
        progress.advance()

    for side in together(objective, [search(*m) for m in missing], at_once=at_once, done=found):
        sides[side.parameter, side.direction] = side
    pairs = [(sides[i, -1], sides[i, 1]) for i in which]
    names = problem.names
    joined = tuple(_joined(names[i], *pair) for i, pair in zip(which, pairs, strict=True))
    return joined, _remarks(names, pairs, best_value)


def _joined(name: str, down: Side, up: Side) -> Profile:
    """Both sides as one profile, the optimum from one of them only."""
    return Profile(
        parameter=name,
        grid=np.concatenate([down.grid[:0:-1], up.grid]),
        value=np.concatenate([down.value[:0:-1], up.value]),
        points=np.concatenate([down.points[:0:-1], up.points]),
        low=down.limit,
        high=up.limit,
        verdict=_verdict(down.limit, up.limit),
    )


def _verdict(low: float, high: float) -> str:
    if np.isnan(low) or np.isnan(high):
        return "failed"
    if np.isfinite(low):
        return "identifiable" if np.isfinite(high) else "only a lower limit"
    return "only an upper limit" if np.isfinite(high) else "not identifiable"


def _remarks(names: Sequence[str], pairs: Sequence[tuple[Side, Side]], best_value: float) -> tuple[str, ...]:
    """What a careful reader should be told."""
    sides = list({(s.parameter, s.direction): s for pair in pairs for s in pair}.values())
    remarks = []
    lowest = min(sides, key=lambda s: s.value.min(), default=None)
    if lowest is not None and lowest.value.min() < best_value - BETTER:
        count = sum(s.value.min() < best_value - BETTER for s in sides)
        remarks.append(
            f"the fit is not at the optimum: on {count} sides of profiles the objective falls below its value there, "
            f"{best_value:.6g}; the lowest is {lowest.value.min():.6g}, with {names[lowest.parameter]} = "
            f"{lowest.grid[lowest.value.argmin()]:.6g} on its scale. Fit again with more starts"
        )
    for side in sides:
        if np.isnan(side.limit):
            way = "upwards" if side.direction > 0 else "downwards"
            last = side.grid[np.isfinite(side.value)][-1]
            remarks.append(
                f"{names[side.parameter]}: the profile could not be followed {way} past {last:.6g} on its scale "
                f"({side.failed} of {side.evaluations} evaluations have no value)"
            )
    rough = list(dict.fromkeys(names[s.parameter] for s in sides if s.rough))
    if rough:
        remarks.append(f"the work on profiles of {', '.join(rough)} was cut short: their limits may be rough")
    unfinished = sum(s.unfinished for s in sides)
    if unfinished:
        total = sum(s.searches for s in sides)
        which = ", ".join(dict.fromkeys(names[s.parameter] for s in sides if s.unfinished))
        remarks.append(
            f"{unfinished} of the {total} optimisations along profiles ended at their limit of iterations: limits of "
            f"{which} may be narrower than they are"
        )
    return tuple(remarks)
