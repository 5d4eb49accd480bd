"""Draws from the posterior, by an ensemble of walkers.

emcee is used rather than the samplers of pypesto, since it takes a function of many points at once: each half of
the walkers is one call of the objective, where Metropolis chains ask for one point after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.objective import Objective
from exotwin.calibration.problem import Problem
from exotwin.calibration.uncertainty.curvature import finite_bounds
from exotwin.calibration.uncertainty.uncertainty import Curvature, Samples
from exotwin.errors import CalibrationError
from exotwin.progress import Progress, Silent

if TYPE_CHECKING:
    from emcee import EnsembleSampler

Floats = NDArray[np.float64]

BALL = 0.5
"""Size of the ball where walkers start, in standard errors."""
LOOSE = 0.01
"""Size of that ball for parameters without a standard error, as a share of their range."""
WIDEST = 0.1
"""Largest standard error that is believed for the ball, as a share of the range."""
BURN_IN = 5
"""Autocorrelation times to leave out."""
ENOUGH = 50
"""Autocorrelation times that a chain needs for its autocorrelation time to be known (Sokal's rule, as emcee has it)."""
CHUNK = 50
"""Steps between looks at the autocorrelation time during burn-in."""
TRIES = 20
"""Draws for a walker's start, the ball halved each time, before the work is given up."""


def sample(
    objective: Objective,
    best_point: Floats,
    curvature: Curvature,
    *,
    draws: int,
    walkers: int | None = None,
    seed: int,
    progress: Progress | None = None,
) -> Samples:
    """At least ``draws`` draws from the posterior exp(−objective) within the bounds, evenly on the parameters' scales.

    Walkers start in a ball around the optimum and move by differential evolution (`emcee.moves.DEMove`; one move in ten
    by the whole difference of two walkers, which can lead from one mode to another): the autocorrelation time of normal
    posteriors is a third of that of stretch moves. The first steps are left out: five autocorrelation times, or as many
    steps as are kept if that is less. Draws are in the order of steps, and within a step in that of walkers. Their
    autocorrelation time is in steps of all walkers, so that draws divided by it is the number of independent draws; it
    is NaN for chains shorter than fifty of it. Points outside the bounds are refused without a simulation.

    Parameters
    ----------
    best_point : (p,) on the scale of the parameters.
    walkers : even, at least 2 p; default the larger of 64 and 4 p.

    Raises
    ------
    CalibrationError : too few walkers, no value of the objective around the optimum, or a parameter without a finite
        bound.
    """
    from emcee import EnsembleSampler, State
    from emcee.moves import DEMove

    problem = objective.problem
    n = len(best_point)
    walkers = max(64, 4 * n) if walkers is None else walkers
    if walkers < max(2 * n, 4) or walkers % 2:
        raise CalibrationError(
            f"{problem.name}, samples", found=f"{walkers} walkers", expected=f"an even number, at least {max(2 * n, 4)}"
        )
    finite_bounds(problem)
    kept = -(-draws // walkers)
    target = _Target(objective)
    random = np.random.RandomState(seed)  # emcee knows the old generator alone
    start, log_posterior = _start(target, problem, best_point, curvature, walkers, random)
    progress = progress or Silent()
    progress.start("samples", kept)

    # DESnookerMove of emcee 3.1.6 is left alone: the variance of a normal posterior comes out wrong by a third.
    moves = [(DEMove(), 0.9), (DEMove(gamma0=1.0), 0.1)]
    sampler = EnsembleSampler(walkers, n, target, vectorize=True, moves=moves)
    state = State(start, log_prob=log_posterior, random_state=random.get_state())
    burnt = 0
    while burnt < kept:
        steps = min(CHUNK, kept - burnt)
        state = sampler.run_mcmc(state, steps)
        burnt += steps
        if burnt >= BURN_IN * np.max(_autocorrelation(sampler)):
            break
    short_of_burn_in = burnt < BURN_IN * np.max(_autocorrelation(sampler))
    sampler.reset()
    target.asked = target.failed = 0
    for _ in sampler.sample(state, iterations=kept):
        progress.advance()

    times = _autocorrelation(sampler)
    remarks = []
    if short_of_burn_in:
        remarks.append(f"{burnt} steps are left out at the beginning, less than {BURN_IN} autocorrelation times")
    enough = kept >= ENOUGH * times
    if not enough.all():
        worst = int(np.argmax(times))
        remarks.append(
            f"the chain is {kept / times[worst]:.0f} autocorrelation times of {problem.names[worst]} long, and shorter "
            f"than {ENOUGH} for {np.sum(~enough)} of {n} parameters: take more draws"
        )
    still = int(np.sum(sampler.backend.accepted == 0))
    if still:
        remarks.append(f"{still} of {walkers} walkers never moved")
    if target.failed:
        remarks.append(f"{target.failed} of {target.asked} simulated proposals have no value and were refused")
    return Samples(
        points=sampler.get_chain(flat=True),
        value=-sampler.get_log_prob(flat=True),
        acceptance=float(np.mean(sampler.acceptance_fraction)),
        autocorrelation=np.where(enough, times, np.nan),
        remarks=tuple(remarks),
    )


class _Target:
    """Log posterior of many points; counts what was simulated."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self.asked = self.failed = 0

    def __call__(self, points: Floats) -> Floats:
        """(n, p) → (n,), −inf outside the bounds and where the objective has no value."""
        problem = self._objective.problem
        inside = np.all((points >= problem.lower) & (points <= problem.upper), axis=1)
        found = np.full(len(points), -np.inf)
        if inside.any():
            found[inside] = -self._objective.evaluate(points[inside]).value
            self.asked += int(inside.sum())
            self.failed += int(np.isinf(found[inside]).sum())
        return found


def _start(
    target: _Target, problem: Problem, best: Floats, curvature: Curvature, walkers: int, random: np.random.RandomState
) -> tuple[Floats, Floats]:
    """Walkers (walker, p) in a ball around the optimum, all with a value, and their log posterior."""
    span = problem.upper - problem.lower
    known = np.isfinite(curvature.se)
    size = np.where(known, BALL * np.minimum(curvature.se, WIDEST * span), LOOSE * span)
    correlation = np.eye(len(best))
    correlation[np.ix_(known, known)] = curvature.correlation[np.ix_(known, known)]
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    points, found = np.tile(best, (walkers, 1)), np.full(walkers, -np.inf)
    for k in range(TRIES):
        (missing,) = np.nonzero(np.isinf(found))
        if not missing.size:
            return points, found
        move = random.standard_normal((missing.size, len(best))) @ root.T * size * 0.5**k
        # What would leave the bounds is mirrored at them, so that a parameter that stands there starts inside.
        mirrored = problem.lower + span - np.abs(span - np.abs(best + move - problem.lower))
        points[missing] = np.clip(mirrored, problem.lower, problem.upper)
        found[missing] = target(points[missing])
    raise CalibrationError(
        f"{problem.name}, samples", found="no value of the objective around the optimum", expected="values there"
    )


def _autocorrelation(sampler: EnsembleSampler) -> Floats:
    """(p,) steps, however short the chain."""
    with np.errstate(invalid="ignore"):
        times = np.asarray(sampler.get_autocorr_time(tol=0))
    # A walker that never moved has none: no chain is long enough for that.
    return np.where(np.isnan(times), np.inf, times)
