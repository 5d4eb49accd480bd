"""Problem → which lanes of the engine it takes, and how their numbers depend on the estimated parameters.

A lane is one individual under one simulation at one parameter vector. What conditions set in the model, its *entities*,
are parameters and initial values of states. The engine differentiates by entities; a *link* says how an entity of some
simulations moves with an estimated parameter, so that the chain rule is a sum over links.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.problem import Problem, Simulation, Source

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Setting:
    """Conditions that set the same names, so that they are lanes of one run.

    parameters, initial : name -> what each of the conditions sets it to.
    """

    conditions: tuple[str, ...]
    parameters: Mapping[str, tuple[Source, ...]]
    initial: Mapping[str, tuple[Source, ...]]


@dataclass(frozen=True)
class Group:
    """Simulations of one run. before : for each, its place among `Layout.befores`; empty without pre-equilibration.

    simulations : places in the problem's list. times : (time,) of the run, from 0. until : (simulation,) last time of
    each. row : places in `Layout.rows`; lane, at : (row,) which simulation of the group, and which of the times.
    steady : instead of at times, all are measured at the steady state.
    """

    setting: Setting
    simulations: tuple[int, ...]
    before: tuple[int, ...]
    times: Floats
    until: Floats
    row: Integers
    lane: Integers
    at: Integers
    steady: bool


@dataclass(frozen=True)
class Link:
    """How an entity moves with an estimated parameter: column of the entity, place of the parameter, lanes, weight.

    conditions : (condition,) bool. weight : what `individuals` gives for an entity that differs between individuals:
    "location" or "scale"; "" if the entity is the parameter.
    """

    column: int
    parameter: int
    conditions: NDArray[np.bool_]
    weight: str = ""


@dataclass(frozen=True)
class Rows:
    """All that is to be looked at: the measurements, and behind them what some of these are compared with.

    simulation, time : (row,) of each. measurement : (row,) where its placeholders are filled. other : measurement ->
    row that it is compared with.
    """

    simulation: Integers
    time: Floats
    measurement: Integers
    other: Mapping[int, int]


class Layout:
    """What stays the same for all parameter vectors.

    befores : settings of conditions for pre-equilibration, side by side: (setting, place of its first condition).
    groups : of simulations. entities : names that move with estimated parameters.
    """

    def __init__(self, problem: Problem, parameters: Collection[str]) -> None:
        """``parameters``: those of the model; conditions may also set names that only formulas know."""
        self.problem, self.rows, self._known = problem, _rows(problem), frozenset(parameters)
        before = dict.fromkeys(s.before for s in problem.simulations if s.before is not None)
        self.before_names: tuple[str, ...] = tuple(before)
        self.befores = self._settings(self.before_names)
        self.groups = tuple(self._groups())

    def _groups(self) -> list[Group]:
        problem, rows = self.problem, self.rows
        keyed: dict[tuple[object, ...], list[int]] = {}
        for i, simulation in enumerate(problem.simulations):
            mine = rows.time[rows.simulation == i]
            for steady in (False, True):
                if np.any(np.isinf(mine) == steady):
                    key = (self._names(simulation.condition), simulation.before is not None, steady)
                    keyed.setdefault(key, []).append(i)
        return [self._group(members, bool(key[-1])) for key, members in keyed.items()]

    def _group(self, members: Sequence[int], steady: bool) -> Group:
        problem, rows = self.problem, self.rows
        row = np.flatnonzero(np.isin(rows.simulation, members) & (np.isinf(rows.time) == steady))
        lane = np.searchsorted(members, rows.simulation[row])
        times = np.unique(np.append([] if steady else rows.time[row], 0.0))
        until = np.zeros(len(members))
        if not steady:
            np.maximum.at(until, lane, rows.time[row])
        chosen = [problem.simulations[i] for i in members]
        return Group(
            setting=self._setting([s.condition for s in chosen]),
            simulations=tuple(members),
            before=tuple(self.before_names.index(s.before) for s in chosen if s.before is not None),
            times=times,
            until=until,
            row=row,
            lane=lane,
            at=np.zeros(len(row), np.int64) if steady else np.searchsorted(times, rows.time[row]),
            steady=steady,
        )

    def _names(self, condition: str) -> tuple[frozenset[str], frozenset[str]]:
        sets = self.problem.conditions[condition]
        return self._known.intersection(sets.parameters), frozenset(sets.initial)

    def _settings(self, names: Sequence[str]) -> tuple[Setting, ...]:
        keyed: dict[object, list[str]] = {}
        for name in names:
            keyed.setdefault(self._names(name), []).append(name)
        return tuple(self._setting(members) for members in keyed.values())

    def _setting(self, names: Sequence[str]) -> Setting:
        conditions = [self.problem.conditions[name] for name in names]
        parameters = [name for name in conditions[0].parameters if name in self._known]
        return Setting(
            tuple(names),
            {name: tuple(c.parameters[name] for c in conditions) for name in parameters},
            {name: tuple(c.initial[name] for c in conditions) for name in conditions[0].initial},
        )

    @cached_property
    def entities(self) -> tuple[str, ...]:
        """Names that estimated parameters move in some condition, those that differ between individuals included."""
        used = [*self.before_names, *(s.condition for s in self.problem.simulations)]
        found: dict[str, None] = {}
        for name in used:
            setting = self._setting([name])
            for values in (setting.parameters, setting.initial):
                found |= dict.fromkeys(entity for entity, (source,) in values.items() if isinstance(source, str))
        population = self.problem.population
        for varied in population.varied if population is not None else ():
            if isinstance(varied.location, str) or isinstance(varied.scale, str):
                found[varied.name] = None
        return tuple(sorted(found))

    def links(self, setting: Setting) -> list[Link]:
        """How the entities of some conditions move with the estimated parameters."""
        found: list[Link] = []
        place = {name: k for k, name in enumerate(self.problem.names)}
        values = {**setting.parameters, **setting.initial}
        for column, entity in enumerate(self.entities):
            sources = values.get(entity, ())
            named = dict.fromkeys(s for s in sources if isinstance(s, str))
            found += [Link(column, place[name], np.array([s == name for s in sources])) for name in named]
        everywhere = np.ones(len(setting.conditions), bool)
        for varied in self.problem.population.varied if self.problem.population is not None else ():
            for weight in ("location", "scale"):
                source = getattr(varied, weight)
                if isinstance(source, str):
                    found.append(Link(self.entities.index(varied.name), place[source], everywhere, weight))
        return found


def _rows(problem: Problem) -> Rows:
    table = problem.measurements
    simulation, time = list(table.simulation), list(table.time)
    measurement, other = list(range(len(table))), dict[int, int]()
    for row, index in enumerate(table.observable):
        what, _, name = problem.observables[index].statistic.partition(" ")
        if what == "smd":
            before = problem.simulations[table.simulation[row]].before
            other[row] = len(simulation)
            simulation.append(problem.simulations.index(Simulation(name, before)))
            time.append(table.time[row])
            measurement.append(row)
    return Rows(np.array(simulation, np.int64), np.array(time, float), np.array(measurement, np.int64), other)
