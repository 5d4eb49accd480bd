"""The objective of a fit: minus log posterior, its gradient and information, for many parameter vectors at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.objective.evaluation import Evaluation
from exotwin.calibration.objective.layout import Group, Layout
from exotwin.calibration.objective.noise import NoiseModel
from exotwin.calibration.objective.observed import Observed, Slopes, Values
from exotwin.calibration.objective.priors import Priors
from exotwin.calibration.objective.runs import Runs, Sampled
from exotwin.calibration.objective.statistics import statistic
from exotwin.calibration.problem import Problem
from exotwin.errors import CalibrationError, NotBuiltYet

Floats = NDArray[np.float64]

RTOL = 1e-8
"""Relative tolerance of integration in a fit: gradients to some six figures, values to seven and more."""
MAX_STEPS = 10_000
"""Steps of one simulation. A parameter vector that needs more counts as failed; published models take a few hundred."""
_BYTES = 256_000_000  # of what the engine hands over at once


@dataclass(frozen=True)
class _Block:
    """An observable within a group. other : the same where it is compared with another condition."""

    own: Observed
    other: Observed | None


class SimulatedObjective:
    """The objective of a problem, made by `objective`.

    problem : what is fitted. exact : whether derivatives are integrated with the states; if not, ``reason`` says why,
    and they are differences.
    """

    def __init__(self, problem: Problem, *, rtol: float, max_steps: int, n_threads: int | None) -> None:
        from exotwin.engine import load

        plain = load(problem.sbml)
        self._problem, self._model_names = problem, frozenset(plain.names)
        self._layout = Layout(problem, plain.parameters)
        self._runs = Runs(self._layout, rtol=rtol, max_steps=max_steps, n_threads=n_threads)
        self.exact, self.reason = self._runs.exact, self._runs.reason
        self._priors = Priors(problem.parameters)
        chosen = [problem.observables[i] for i in problem.measurements.observable]
        self._noise = NoiseModel.named(
            problem.measurements.value, [o.transformation for o in chosen], [o.distribution for o in chosen]
        )
        self._blocks = [(group, self._blocks_of(group)) for group in self._layout.groups]

    @property
    def problem(self) -> Problem:
        """What is fitted."""
        return self._problem

    @property
    def simulations(self) -> int:
        """Lanes that a parameter vector takes, steady states before a run included."""
        groups = sum(len(group.simulations) for group in self._layout.groups)
        return (groups + len(self._layout.before_names)) * self._runs.individuals

    def evaluate(self, points: Floats | Sequence[Sequence[float]], *, slopes: bool = False) -> Evaluation:
        """The objective at ``points``, (n, p) on the scale of the parameters, whatever n; see `Evaluation`."""
        given = np.asarray(points, float)
        if given.ndim != 2 or given.shape[1] != len(self._problem.names):
            shape, expected = f"numbers of shape {given.shape}", f"(n, {len(self._problem.names)})"
            raise CalibrationError("points", found=shape, expected=expected)
        size = max(1, _BYTES // self._bytes_of_a_point(slopes))
        parts = [self._evaluate(given[i : i + size], slopes) for i in range(0, len(given), size)]
        return parts[0] if len(parts) == 1 else _joined(parts)

    def _bytes_of_a_point(self, slopes: bool) -> int:
        columns = 1 + (len(self._layout.entities) if slopes else 0)
        lanes = [
            len(group.simulations) * len(group.times) * max(1, len(_names(blocks))) for group, blocks in self._blocks
        ]
        return 16 * columns * self._runs.individuals * max(1, *lanes, 1)

    def _blocks_of(self, group: Group) -> list[_Block]:
        table, rows = self._problem.measurements, self._layout.rows
        found: list[_Block] = []
        real = np.flatnonzero(group.row < len(table))
        place = {int(row): i for i, row in enumerate(group.row)}
        for index in np.unique(table.observable[group.row[real]]):
            mine = real[table.observable[group.row[real]] == index]
            measured = group.row[mine]
            own = self._observed(int(index), mine, group)
            other = None
            if own.observable.statistic.startswith("smd"):
                partners = [rows.other[int(row)] for row in measured]
                if any(row not in place for row in partners):
                    where, expected = f'observable "{own.observable.name}"', "one that sets the same names"
                    raise NotBuiltYet(where, found="a comparison with a condition of another kind", expected=expected)
                other = self._observed(int(index), np.array([place[row] for row in partners]), group)
            found.append(_Block(own, other))
        return found

    def _observed(self, index: int, rows: NDArray[np.int64], group: Group) -> Observed:
        """rows : places among those of the group."""
        places = group.row[rows]
        return Observed(
            self._problem,
            index,
            rows,
            measured=self._layout.rows.measurement[places],
            simulations=self._layout.rows.simulation[places],
            model_names=self._model_names,
        )

    def _evaluate(self, points: Floats, slopes: bool) -> Evaluation:
        theta = self._problem.unscaled(points)
        n, m = len(points), len(self._problem.measurements)
        simulation, noise = np.empty((n, m)), np.empty((n, m))
        outcome = np.full(n, "ok", dtype=object)
        moved: list[tuple[NDArray[np.int64], Values, Values]] = []
        with np.errstate(all="ignore"):
            for group, blocks in self._blocks:
                sampled = self._runs.sample(group, theta, _names(blocks), slopes=slopes)
                outcome = np.where(outcome == "ok", np.array(sampled.outcome, dtype=object), outcome)
                for block in blocks:
                    simulated, its_noise = _observe(block, theta, sampled, slopes)
                    measured = block.own.measured
                    simulation[:, measured], noise[:, measured] = simulated.value[:, 0], its_noise.value[:, 0]
                    moved.append((measured, simulated, its_noise))
            densities = self._noise.log_density(simulation, noise)
            prior = self._priors.log_density(points)
            likelihood = np.where(outcome == "ok", densities.sum(axis=1), -np.inf)
            value = -(likelihood + prior)
        outcome = self._told(outcome, densities, simulation, noise, prior)
        value = np.where(np.isfinite(value), value, np.inf)
        words = tuple(str(word) for word in outcome)
        if not slopes:
            return Evaluation(value, likelihood, words, simulation, noise)
        gradient, information = self._slopes(points, theta, simulation, noise, moved)
        bad = ~np.isfinite(value) | ~np.all(np.isfinite(gradient), axis=1) | ~np.isfinite(information).all(axis=(1, 2))
        without = bad & np.isfinite(value)
        words = tuple("no finite derivatives" if lost else word for lost, word in zip(without, words, strict=True))
        gradient[bad], information[bad], value[bad] = np.nan, np.nan, np.inf
        return Evaluation(value, likelihood, words, simulation, noise, gradient, information)

    def _slopes(
        self,
        points: Floats,
        theta: Floats,
        simulation: Floats,
        noise: Floats,
        moved: Sequence[tuple[NDArray[np.int64], Values, Values]],
    ) -> tuple[Floats, Floats]:
        n, p = points.shape
        gradient, information = np.zeros((n, p)), np.zeros((n, p, p))
        with np.errstate(all="ignore"):
            rate = self._noise.with_slopes(simulation, noise)
            for rows, simulated, its_noise in moved:
                for values, by, weight in (
                    (simulated, rate.by_simulated, rate.information_simulated),
                    (its_noise, rate.by_noise, rate.information_noise),
                ):
                    if not values.slopes:
                        continue
                    places = np.array(sorted(values.slopes))
                    jacobian = _dense(values.slopes, places, n, len(rows))
                    # products of matrices, point by point: sums in an order that does not depend on how many there are
                    gradient[:, places] -= np.matmul(np.ascontiguousarray(by[:, rows])[:, None], jacobian)[:, 0]
                    weighted = jacobian * np.sqrt(weight[:, rows])[:, :, None]
                    square = np.matmul(weighted.transpose(0, 2, 1), weighted)
                    information[:, places[:, None], places] += square
            scale = self._rate_of_scale(theta)
            prior = self._priors.with_slopes(points)
            gradient = gradient * scale - prior.gradient
            information = information * scale[:, :, None] * scale[:, None, :]
        information[:, np.arange(p), np.arange(p)] += prior.curvature
        return gradient, information

    def _rate_of_scale(self, theta: Floats) -> Floats:
        """(n, p) derivative of values by where they stand on their scale."""
        factor = {"lin": 0.0, "log": 1.0, "log10": np.log(10.0)}
        factors = np.array([factor[p.scale] for p in self._problem.parameters])
        return np.where(factors == 0.0, 1.0, theta * factors)

    def _told(
        self, outcome: NDArray[np.object_], densities: Floats, simulation: Floats, noise: Floats, prior: Floats
    ) -> NDArray[np.object_]:
        """The outcome also where runs went well, but the likelihood is no number."""
        told = outcome.copy()
        for i in np.flatnonzero((outcome == "ok") & ~np.isfinite(densities.sum(axis=1))):
            row = int(np.flatnonzero(~np.isfinite(densities[i]))[0])
            name = self._problem.observables[self._problem.measurements.observable[row]].name
            what = f"noise {noise[i, row]:.3g}" if not noise[i, row] > 0 else f"simulated {simulation[i, row]:.3g}"
            told[i] = f'no likelihood of "{name}": {what}'
        told[(told == "ok") & ~np.isfinite(prior)] = "outside the prior"
        return told


def objective(
    problem: Problem, *, rtol: float = RTOL, max_steps: int = MAX_STEPS, n_threads: int | None = None
) -> SimulatedObjective:
    """The objective of a problem; compiles its model.

    Parameters
    ----------
    rtol : relative tolerance of integration. max_steps : of one run, before its parameter vector counts as failed.
    n_threads : default: all processors that this process may use. Results do not depend on it.
    """
    return SimulatedObjective(problem, rtol=rtol, max_steps=max_steps, n_threads=n_threads)


def _names(blocks: Sequence[_Block]) -> tuple[str, ...]:
    """Of the model, that the formulas of some observables need."""
    return tuple(dict.fromkeys(name for block in blocks for name in block.own.names))


def _observe(block: _Block, theta: Floats, sampled: Sampled, slopes: bool) -> tuple[Values, Values]:
    """The statistic of an observable that was measured, and its noise."""
    own = block.own.simulated(theta, sampled, slopes=slopes)
    other = block.other.simulated(theta, sampled, slopes=slopes) if block.other is not None else None
    found = statistic(block.own.observable.statistic.partition(" ")[0], own, other)
    return found, block.own.noise_of(theta, sampled, found, slopes=slopes)


def _dense(slopes: Slopes, places: NDArray[np.int64], n: int, rows: int) -> Floats:
    """(n, row, parameter)."""
    found = np.empty((n, rows, len(places)))
    for column, k in enumerate(places):
        found[:, :, column] = np.broadcast_to(slopes[int(k)], (n, 1, rows))[:, 0]
    return found


def _joined(parts: Sequence[Evaluation]) -> Evaluation:
    def together(name: str) -> Floats:
        return np.concatenate([getattr(part, name) for part in parts])

    return Evaluation(
        together("value"),
        together("log_likelihood"),
        tuple(word for part in parts for word in part.outcome),
        together("simulation"),
        together("noise"),
        together("gradient") if parts[0].gradient is not None else None,
        together("information") if parts[0].information is not None else None,
    )
