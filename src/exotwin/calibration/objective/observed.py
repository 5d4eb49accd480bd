"""What is simulated of the model's names → observables and their noise at every measurement, with derivatives."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.objective.formulas import Formula, compiled
from exotwin.calibration.objective.runs import Sampled
from exotwin.calibration.problem import Problem, Source

Floats = NDArray[np.float64]

Slopes = dict[int, Floats]
"""Place of an estimated parameter -> (n, individual, row) derivative by its value, or what broadcasts to this."""


@dataclass(frozen=True)
class Values:
    """Values of a formula, (n, individual, row), and how they move with estimated parameters."""

    value: Floats
    slopes: Slopes


class Observed:
    """The rows of one observable, all in one group of simulations.

    rows : places among the rows of the group. names : of the model, that its formulas need.
    """

    def __init__(
        self,
        problem: Problem,
        index: int,
        rows: NDArray[np.int64],
        *,
        measured: NDArray[np.int64],
        simulations: NDArray[np.int64],
        model_names: Collection[str],
    ) -> None:
        """``measured``: places of the same rows among all measurements; simulations : (row,) that each is of."""
        self._problem, self.observable = problem, problem.observables[index]
        self.rows, self.measured = rows, measured
        self._place = {name: k for k, name in enumerate(problem.names)}
        table, own = problem.measurements, self.observable
        self._filled: dict[str, tuple[Source, ...]] = {}
        for names, sources in (
            (own.placeholders, table.observable_parameters),
            (own.noise_placeholders, table.noise_parameters),
        ):
            for i, name in enumerate(names):
                self._filled[name] = tuple(sources[row][i] for row in measured)
        self._time = table.time[measured]
        conditions = [problem.conditions[problem.simulations[s].condition] for s in simulations]
        self.formula, self.noise = (_compiled(expression) for expression in (own.formula, own.noise))
        for name in {*self.formula.names, *self.noise.names} - set(model_names):
            # a name that only conditions and formulas know
            if all(name in condition.parameters for condition in conditions):
                self._filled[name] = tuple(condition.parameters[name] for condition in conditions)
        known = {*self._filled, *self._place, *problem.fixed, "time", own.name}
        self.names = tuple(dict.fromkeys(n for f in (self.formula, self.noise) for n in f.names if n not in known))

    def simulated(self, theta: Floats, sampled: Sampled, *, slopes: bool) -> Values:
        """The observable itself."""
        return self._evaluate(self.formula, theta, sampled, {}, slopes=slopes)

    def noise_of(self, theta: Floats, sampled: Sampled, simulated: Values, *, slopes: bool) -> Values:
        """Its noise, which may depend on what is simulated of it."""
        return self._evaluate(self.noise, theta, sampled, {self.observable.name: simulated}, slopes=slopes)

    def _evaluate(
        self, formula: Formula, theta: Floats, sampled: Sampled, known: Mapping[str, Values], *, slopes: bool
    ) -> Values:
        given = [known[name] if name in known else self._values(name, theta, sampled, slopes) for name in formula.names]
        values = [g.value for g in given]
        if not slopes:
            return Values(_row_shaped(formula.value(values), self.rows), {})
        value, by_name = formula.with_slopes(values)
        total: Slopes = {}
        for rate, source in zip(by_name, given, strict=True):
            for k, slope in source.slopes.items():
                total[k] = total[k] + rate * slope if k in total else rate * slope
        return Values(_row_shaped(value, self.rows), total)

    def _values(self, name: str, theta: Floats, sampled: Sampled, slopes: bool) -> Values:
        if name in self._filled:
            return self._from_sources(self._filled[name], theta)
        if name in self._place:
            k = self._place[name]
            return Values(theta[:, k, None, None], {k: np.ones((1, 1, 1))})
        if name in self._problem.fixed:
            return Values(np.full((1, 1, 1), self._problem.fixed[name]), {})
        if name == "time":
            return Values(self._time[None, None, :], {})
        found: Slopes = {}
        if slopes and name in sampled.columns:
            columns = sampled.columns[name]
            for slope in sampled.slopes:
                mine = slope.rows[self.rows]
                if np.any(mine):
                    part = columns[..., self.rows, slope.column] * (slope.weight[..., None] * mine)
                    found[slope.parameter] = found[slope.parameter] + part if slope.parameter in found else part
        return Values(sampled.values[name][..., self.rows], found)

    def _from_sources(self, sources: Sequence[Source], theta: Floats) -> Values:
        """What fills a placeholder, row by row."""
        value, found = np.empty((len(theta), 1, len(sources))), dict[int, Floats]()
        for source in dict.fromkeys(sources):
            mine = np.array([other == source for other in sources])
            if isinstance(source, str):
                k = self._place[source]
                value[..., mine] = theta[:, k, None, None]
                found[k] = mine[None, None, :].astype(float)
            else:
                value[..., mine] = source
        return Values(value, found)


def _compiled(expression: Any) -> Formula:
    return compiled(expression, sorted(symbol.name for symbol in expression.free_symbols))


def _row_shaped(value: Floats, rows: NDArray[np.int64]) -> Floats:
    """(n, individual, row), also of what is the same for all."""
    shape = np.broadcast_shapes(np.shape(value), (1, 1, len(rows)))
    return np.broadcast_to(value, shape)
