"""A fit: local searches from many starts, the best of them, and how well it holds the parameters."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exotwin import __version__
from exotwin.calibration import search, uncertainty
from exotwin.calibration.objective import MAX_STEPS, RTOL, Evaluation, objective
from exotwin.calibration.problem import Problem
from exotwin.calibration.search import Found, Start
from exotwin.calibration.uncertainty import Curvature, Profile, Samples
from exotwin.errors import InputError, nearest
from exotwin.progress import Progress, Silent

Floats = NDArray[np.float64]

_ROUNDS, _BETTER = 3, 1e-3
"""How often profiles may lead to a better optimum, from which they are followed anew, and by how much it is better."""


@dataclass(frozen=True)
class Fit:
    """What `fit` finds.

    starts : in the order of their numbers. evaluation : at the best point alone (n = 1), with slopes; without if no
    start has a value. curvature : None in that case. profiles : of the parameters asked for. samples : None if not
    asked for. settings : all that decides the numbers beside the problem (optimiser, starts, seed, tolerances,
    versions). seconds : by stage, on the clock. remarks : what a careful reader should be told.
    """

    problem: Problem
    starts: tuple[Start, ...]
    evaluation: Evaluation
    curvature: Curvature | None
    profiles: tuple[Profile, ...]
    samples: Samples | None
    settings: Mapping[str, str | int | float]
    seconds: Mapping[str, float]
    remarks: tuple[str, ...] = ()

    @cached_property
    def best(self) -> Start:
        """The start with the smallest value, the first of equals."""
        return min(self.starts, key=lambda start: (start.found.value, start.number))

    @cached_property
    def values(self) -> tuple[float, ...]:
        """Values of the parameters at the best point, in the order of ``problem.names``."""
        return tuple(self.problem.unscaled(self.best.found.point).tolist())

    def summary(self) -> str:
        """Best value, starts that reached it, each parameter with its 95 % limits and what the data say of it."""
        best, outcomes = self.best.found, Counter(start.found.outcome.partition(":")[0] for start in self.starts)
        ends = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
        if not np.isfinite(best.value):
            return "\n".join([f"{self.problem.name}: no start has a value", f"  starts: {ends}", *self._remarks])
        reached = sum(start.found.value < best.value + 0.1 for start in self.starts)
        lines = [
            f"{self.problem.name}: minus log posterior {best.value:.6g}, log-likelihood "
            f"{float(self.evaluation.log_likelihood[0]):.6g}, {len(self.problem.measurements)} measurements",
            f"  starts: {ends}; {reached} of {len(self.starts)} within 0.1 of the best",
        ]
        known = {profile.parameter: profile for profile in self.profiles}
        wide = max(len(name) for name in self.problem.names)
        for k, (name, value) in enumerate(zip(self.problem.names, self.values, strict=True)):
            words = "not profiled"
            if name in known:
                limits = [self._value(k, end) for end in (known[name].low, known[name].high)]
                words = f"{known[name].verdict}{_limits(*limits)}"
            if self.curvature is not None and not self.curvature.free[k]:
                words += ", best at its bound"
            lines.append(f"  {name:<{wide}}  {value:<10.4g}  {words}")
        return "\n".join([*lines, *self._remarks])

    @property
    def _remarks(self) -> list[str]:
        return [f"  {remark}" for remark in self.remarks]

    def _value(self, k: int, at: float) -> float:
        """A place on the scale of a parameter as its value, infinite ends as they are."""
        point = np.array(self.best.found.point)
        point[k] = at
        return float(self.problem.unscaled(point)[k]) if np.isfinite(at) else at

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.summary())}</pre>"


def fit(
    problem: Problem,
    *,
    starts: int = 100,
    seed: int = 1,
    profiles: Sequence[str] | None = None,
    draws: int = 0,
    rtol: float = RTOL,
    max_steps: int = MAX_STEPS,
    n_threads: int | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Estimate the parameters of a problem.

    Parameters
    ----------
    starts : local searches, from the points of a Latin hypercube between the bounds or over the priors of starts.
    seed : of the starts and of the sampler.
    profiles : parameters whose profile likelihood is wanted; None: of all.
    draws : at least so many from the posterior; 0: none.
    rtol, max_steps : of each simulation. n_threads : default: all processors; results do not depend on it.
    folder : where what is finished is kept, so that a fit that was interrupted goes on from there to the same numbers.
    progress : told how far each stage has come.

    Raises
    ------
    InputError : a name in ``profiles`` that is no estimated parameter; nothing to estimate; a folder that holds another
        fit. CalibrationError : a parameter without finite bounds. ModelError, NotBuiltYet : what the engine does not
        run.
    """
    wanted = _places(problem, profiles)
    uncertainty.finite_bounds(problem)  # what comes after the search needs them, and the search is long
    progress = progress or Silent()
    seconds: dict[str, float] = {}
    with _timed(seconds, "compile"):
        aim = objective(problem, rtol=rtol, max_steps=max_steps, n_threads=n_threads)
    simulated: dict[str, str | int | float] = {"rtol": rtol, "max_steps": max_steps, "exotwin": __version__}
    settings: dict[str, str | int | float] = {
        "optimiser": f"fides {version('fides')}, expected information with a secant correction as Hessian",
        "derivatives": "integrated with the states" if aim.exact else "central differences",
        "starts": starts,
        "seed": seed,
        **simulated,
    }
    remarks = list(problem.remarks)
    if not aim.exact:
        remarks.append(f"derivatives are differences of simulations: {aim.reason}")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with _timed(seconds, "starts"):
        found = search.multistart(
            aim,
            search.starts(problem, starts, seed),
            store=_file(folder, "starts.jsonl"),
            settings=simulated,
            progress=progress,
            best=lambda value: progress.note(f"best {value:.6g}"),
        )
    best = _best(found)
    if not np.isfinite(best.value):
        told = aim.evaluate(best.point[None])
        remarks.append(f"no start has a value; where the first begins: {told.outcome[0]}")
        return Fit(problem, found, told, None, (), None, settings, seconds, tuple(remarks))
    for number in range(_ROUNDS):
        evaluation = aim.evaluate(best.point[None], slopes=True)
        with _timed(seconds, "profiles"):
            bent, of_errors = uncertainty.observed_curvature(aim, best.point, evaluation)
            followed, of_profiles = uncertainty.profiles(
                aim,
                best.point,
                best.value,
                wanted,
                store=_file(folder, f"profiles-{number}.jsonl"),
                settings=simulated,
                progress=progress,
            )
        lowest = _lowest(followed)
        if number + 1 == _ROUNDS or lowest is None or not lowest[0] < best.value - _BETTER:
            break
        # a profile has come upon a better valley: one more start begins there
        (more,) = search.multistart(aim, lowest[1][None], progress=progress)
        remarks.append(f"start {len(found)} begins where a profile fell below the best of the others")
        found = (*found, replace(more, number=len(found)))
        if not more.found.value < best.value:
            break
        best = more.found
    samples = None
    if draws:
        with _timed(seconds, "samples"):
            samples = uncertainty.sample(aim, best.point, bent, draws=draws, seed=seed, progress=progress)
    remarks += [remark for remark in (of_errors, *of_profiles) if remark]
    return Fit(problem, found, evaluation, bent, followed, samples, settings, seconds, tuple(remarks))


def _limits(low: float, high: float) -> str:
    if np.isfinite(low) and np.isfinite(high):
        return f", 95 % limits {low:.4g} to {high:.4g}"
    return f", above {low:.4g}" if np.isfinite(low) else f", below {high:.4g}" if np.isfinite(high) else ""


def _best(starts: Sequence[Start]) -> Found:
    return min(starts, key=lambda start: (start.found.value, start.number)).found


def _lowest(profiles: Sequence[Profile]) -> tuple[float, Floats] | None:
    """The smallest value on all profiles, and where."""
    best = min(profiles, key=lambda profile: float(profile.value.min()), default=None)
    if best is None:
        return None
    at = int(best.value.argmin())
    return float(best.value[at]), best.points[at]


def _file(folder: Path | None, name: str) -> Path | None:
    return None if folder is None else folder / name


def _places(problem: Problem, names: Sequence[str] | None) -> list[int]:
    if not problem.names:
        raise InputError(problem.name, found="no estimated parameter", expected="at least one with estimate = 1")
    for name in names or ():
        if name not in problem.names:
            raise InputError(
                f'profiles, "{name}"',
                found="no estimated parameter of that name",
                expected="one of the parameter table with estimate = 1",
                nearest=nearest(name, problem.names),
            )
    return [problem.names.index(name) for name in (problem.names if names is None else names)]


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    seconds[stage] = seconds.get(stage, 0.0) + time.perf_counter() - began
