"""What the files and the page of a fit say alike: counts of starts, limits of parameters, residuals."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from exotwin.report.fit.clock import time_axis

if TYPE_CHECKING:
    from exotwin.calibration.fit import Fit
    from exotwin.calibration.objective import Evaluation
    from exotwin.calibration.problem import Observable, Problem
    from exotwin.calibration.search import Start
    from exotwin.calibration.uncertainty import Profile

Floats = NDArray[np.float64]

NEAR = 0.1
"""Starts whose objective ends this close above the best have found the same optimum."""

THRESHOLD = 1.920729410347062
"""Half the 0.95 quantile of χ² with one degree of freedom: what a profile may rise within its 95 % limits."""

NORMAL_95 = 1.959963984540054
"""Standard errors from the middle to either 95 % limit, where the objective is a parabola."""

NOT_PROFILED = "not profiled"


def kind(start: Start) -> str:
    """``converged``, ``creeping`` (ended as it hardly came on any more), ``iteration limit`` or ``failed``."""
    return "failed" if start.found.outcome.startswith("failed") else start.found.outcome


@dataclass(frozen=True)
class Starts:
    """How the starts ended. ``reasons``: the outcomes of those that failed, with their counts, most frequent first."""

    n: int
    converged: int
    creeping: int
    limited: int
    failed: int
    near: int
    reasons: tuple[tuple[str, int], ...]


def starts(fit: Fit) -> Starts:
    """Counts over all starts; near the best are those with a value, whatever their outcome."""
    kinds = Counter(kind(s) for s in fit.starts)
    best = fit.best.found.value
    near = sum(s.found.value <= best + NEAR for s in fit.starts) if math.isfinite(best) else 0
    reasons = Counter(s.found.outcome for s in fit.starts if kind(s) == "failed")
    return Starts(
        len(fit.starts), kinds["converged"], kinds["creeping"], kinds["iteration limit"], kinds["failed"], near,
        tuple(reasons.most_common()),
    )  # fmt: skip


def remarks(fit: Fit) -> tuple[str, ...]:
    """Those on the problem and on the fit, each once: a fit repeats what its problem was told."""
    return tuple(dict.fromkeys((*fit.problem.remarks, *fit.remarks)))


@dataclass(frozen=True)
class Estimate:
    """One estimated parameter at the best point. All but ``scaled`` and ``se_scaled`` are values themselves.

    profile, curvature : 95 % limits; infinite where there is none, NaN where they were not computed.
    at_bound : "lower", "upper" or "".
    """

    name: str
    label: str
    scale: str
    value: float
    scaled: float
    se_scaled: float
    se: float
    profile: tuple[float, float]
    curvature: tuple[float, float]
    lower: float
    upper: float
    at_bound: str
    verdict: str


def estimates(fit: Fit) -> tuple[Estimate, ...]:
    """All parameters in the problem's order."""
    problem, point = fit.problem, fit.best.found.point
    values = problem.unscaled(point)
    n = len(problem.parameters)
    se = np.full(n, np.nan) if fit.curvature is None else fit.curvature.se
    held = np.zeros(n, bool) if fit.curvature is None else ~fit.curvature.free
    with np.errstate(over="ignore", under="ignore"):
        curvature = [problem.unscaled(point + sign * NORMAL_95 * se) for sign in (-1, 1)]
    logarithmic = np.array([p.scale != "lin" for p in problem.parameters])
    curvature[0][np.isinf(se) | (logarithmic & (curvature[0] == 0))] = -np.inf  # 0 would be a limit
    profiled = {p.parameter: p for p in fit.profiles}
    found = []
    for i, p in enumerate(problem.parameters):
        at_bound = _at_bound(problem, point, i, held=bool(held[i]))
        profile = profiled.get(p.name)
        found.append(
            Estimate(
                p.name,
                p.label,
                p.scale,
                float(values[i]),
                float(point[i]),
                float(se[i]),
                float(se[i] * slope(p.scale, float(values[i]))),
                (math.nan, math.nan) if profile is None else limits(problem, i, profile),
                (float(curvature[0][i]), float(curvature[1][i])),
                p.lower,
                p.upper,
                at_bound,
                NOT_PROFILED if profile is None else profile.verdict,
            )
        )
    return tuple(found)


def slope(scale: str, value: float) -> float:
    """Derivative of a parameter by itself on its scale, for the delta method."""
    return {"lin": 1.0, "log": value, "log10": value * math.log(10)}[scale]


def limits(problem: Problem, i: int, profile: Profile) -> tuple[float, float]:
    """The profile's limits as values; infinite where there is none, on a logarithmic scale below too."""
    scale = problem.parameters[i].scale
    low, high = (at if math.isinf(at) else unscaled(scale, at) for at in (float(profile.low), float(profile.high)))
    return low, high


def unscaled(scale: str, at: float) -> float:
    """One value from its scale."""
    with np.errstate(over="ignore"):
        return at if scale == "lin" else float(np.exp(at) if scale == "log" else np.power(10.0, at))


def _at_bound(problem: Problem, point: Floats, i: int, *, held: bool) -> str:
    low, high, at = float(problem.lower[i]), float(problem.upper[i]), float(point[i])
    near = 1e-6 * (high - low)
    if at <= low + near or (held and at - low <= high - at):
        return "lower"
    return "upper" if at >= high - near or held else ""


@dataclass(frozen=True)
class Comparison:
    """Measurements and the simulation at one point, row by row in the order of the measurement table.

    measured, simulated : (row,) values themselves. low, high : simulated −/+ one SD of the noise, that lies on the
    scale of the observable's transformation. residual : (row,) measured less simulated on that scale, in units of the
    noise parameter (SD for normal noise, scale for Laplace noise), NaN where either has no value there.
    """

    problem: Problem
    measured: Floats
    simulated: Floats
    noise: Floats

    @cached_property
    def time(self) -> str:
        """What axes of time are called."""
        return time_axis(self.problem.sbml)

    @cached_property
    def sd(self) -> Floats:
        """(row,) SD of the noise on the scale of the transformation; that of Laplace noise is √2 of its scale."""
        factor = np.array([math.sqrt(2) if o.distribution == "laplace" else 1.0 for o in self.problem.observables])
        return np.asarray(self.noise * factor[self.problem.measurements.observable], float)

    @cached_property
    def residual(self) -> Floats:
        """(row,) normalised."""
        found = np.full(len(self.measured), np.nan)
        for o, rows in self._rows():
            with np.errstate(all="ignore"):
                difference = transformed(self.measured[rows], o) - transformed(self.simulated[rows], o)
                found[rows] = difference / self.noise[rows]
        found[~np.isfinite(found)] = np.nan
        return found

    @cached_property
    def band(self) -> tuple[Floats, Floats]:
        """(row,) twice: one SD of the noise below and above what is simulated."""
        low, high = np.full(len(self.measured), np.nan), np.full(len(self.measured), np.nan)
        for o, rows in self._rows():
            with np.errstate(all="ignore"):
                middle = transformed(self.simulated[rows], o)
                low[rows] = untransformed(middle - self.sd[rows], o)
                high[rows] = untransformed(middle + self.sd[rows], o)
        return low, high

    def rms(self, rows: NDArray[np.int64] | None = None) -> float:
        """Root of the mean square of the residuals in units of the SD, of all or some rows; NaN without any."""
        with np.errstate(all="ignore"):
            squares = (self.residual * self.noise / self.sd) ** 2
        chosen = squares if rows is None else squares[rows]
        chosen = chosen[np.isfinite(chosen)]
        return math.sqrt(float(chosen.mean())) if len(chosen) else math.nan

    def _rows(self) -> list[tuple[Observable, NDArray[np.bool_]]]:
        at = self.problem.measurements.observable
        return [(o, at == k) for k, o in enumerate(self.problem.observables)]


def comparison(problem: Problem, evaluation: Evaluation) -> Comparison:
    """At the first point of an evaluation."""
    return Comparison(problem, problem.measurements.value, evaluation.simulation[0], evaluation.noise[0])


def transformed(values: Floats, observable: Observable) -> Floats:
    """Values on the scale of the observable's transformation."""
    how = {"lin": np.positive, "log10": np.log10, "log": np.log}[observable.transformation]
    return np.asarray(how(values), float)


def untransformed(values: Floats, observable: Observable) -> Floats:
    """Back from there."""
    if observable.transformation == "lin":
        return values
    return np.asarray(np.exp(values) if observable.transformation == "log" else np.power(10.0, values), float)


def named(observables: tuple[Observable, ...]) -> tuple[str, ...]:
    """What observables are called: their labels where these tell them apart, else their names."""
    labels = [o.label or o.name for o in observables]
    counted = Counter(labels)
    return tuple(label if counted[label] == 1 else o.name for label, o in zip(labels, observables, strict=True))


def shortened(name: str, most: int) -> str:
    """At most this many characters, left out from the middle: names of one kind differ at their ends."""
    if len(name) <= most:
        return name
    head = (most - 1) * 3 // 5
    return f"{name[:head]}…{name[len(name) - (most - 1 - head) :]}"
