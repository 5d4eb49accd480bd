"""Parameter vectors → what is simulated at each measurement, with derivatives: all lanes of one kind in one run."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exotwin.calibration.objective.individuals import Individuals
from exotwin.calibration.objective.layout import Group, Layout, Setting
from exotwin.calibration.objective.steady import TIMES, largest, settled, slopes_settled
from exotwin.errors import ModelError, NotBuiltYet

if TYPE_CHECKING:
    import xarray as xr

    from exotwin.engine import CompiledModel

Floats = NDArray[np.float64]

NO_REST = "no steady state"
_STEP = 1e-4  # of a parameter's value, for differences
_FINE = 1e-10  # relative tolerance of runs whose differences are taken
_WORDS = "<U40"


@dataclass(frozen=True)
class Slope:
    """Which columns move with an estimated parameter: for some rows, with a weight, (n, individual) or one number."""

    column: int
    parameter: int
    rows: NDArray[np.bool_]
    weight: Floats


@dataclass(frozen=True)
class Sampled:
    """What a group's runs give at its measurements, for n parameter vectors.

    values : name -> (n, individual, row). columns : name -> (n, individual, row, column), to be added up as ``slopes``
    say; empty if slopes were not asked for. outcome : (n,) "ok", or the first failure.
    """

    values: Mapping[str, Floats]
    columns: Mapping[str, Floats]
    slopes: Sequence[Slope]
    outcome: tuple[str, ...]


@dataclass(frozen=True)
class Rest:
    """Steady states, in the order of `Layout.before_names`.

    values : state -> (n, condition, individual). slopes : state -> (…, entity), empty if not asked for.
    outcome : (n, condition, individual).
    """

    values: Mapping[str, Floats]
    slopes: Mapping[str, Floats]
    outcome: NDArray[np.str_]


class _Carried(NamedTuple):
    """Column before a steady state → column that carries it on, in some simulations of a group."""

    old: int
    new: int
    simulations: NDArray[np.bool_]


class Runs:
    """Simulates the groups of a layout.

    exact : derivatives are integrated along with the states. If not, ``reason`` says why, and they are central
        differences of runs at 1e-10.
    """

    def __init__(self, layout: Layout, *, rtol: float, max_steps: int, n_threads: int | None) -> None:
        from exotwin.engine import load

        self._layout, self._rtol = layout, rtol
        self._options: dict[str, Any] = {"max_steps": max_steps, "n_threads": n_threads}
        self._individuals = Individuals(layout.problem)
        self._place = {name: k for k, name in enumerate(layout.problem.names)}
        self._plain = self._model = load(layout.problem.sbml)
        self._states = tuple(self._plain.states)
        self.exact, self.reason = True, ""
        try:
            whole = cache(lambda: _whole(load(layout.problem.sbml, sensitivities=layout.entities)))
            self._carried = {id(group): _carried(layout, group, whole) for group in layout.groups}
            if layout.entities:
                self._model = load(layout.problem.sbml, sensitivities=layout.entities)
        except NotBuiltYet as refusal:
            self.exact, self.reason = False, f"{refusal.where}: {refusal.found}"

    @property
    def individuals(self) -> int:
        """Number of individuals under each simulation."""
        return self._individuals.count

    def sample(self, group: Group, theta: Floats, names: Sequence[str], *, slopes: bool) -> Sampled:
        """The values of some of the model's names at the measurements of a group.

        theta : (n, p) values of the estimated parameters. names : of states, observables and parameters of the model.
        """
        if not slopes or not self._layout.entities:
            return self._sample(group, theta, names, self._rtol, slopes=False)
        if self.exact:
            return self._sample(group, theta, names, self._rtol, slopes=True)
        return self._differences(group, theta, names)

    def _sample(self, group: Group, theta: Floats, names: Sequence[str], rtol: float, *, slopes: bool) -> Sampled:
        given = self._given(group.setting, theta)
        shape = (len(theta), len(group.simulations), self.individuals)
        told = np.full(shape, "ok", dtype=_WORDS)
        if group.before:
            rest = self._rests(group, theta, rtol, slopes=slopes)
            told = rest.outcome[:, list(group.before)]
            self._go_on(given, group, rest)
        asked = names
        if group.steady:
            asked = tuple(dict.fromkeys((*names, *self._states)))
        else:
            given["until"] = np.broadcast_to(group.until[None, :, None], shape).reshape(-1)
        model = self._model if slopes else self._plain
        times = TIMES if group.steady else group.times
        result = model.simulate(times, outputs=asked, rtol=rtol, **given, **self._options)
        now = result["outcome"].values
        n, individual = np.ogrid[: shape[0], : shape[2]]
        at: NDArray[np.int64] = group.at
        if group.steady:
            found, now = _at_rest(result, self._states, self._sizes(group.setting, given, shape) if slopes else None)
            at = np.maximum(found, 0).reshape(shape)[n[..., None], group.lane, individual[..., None]]
        told = np.where(told == "ok", now.reshape(shape), told)
        variables = _variables(result)

        def rows(values: Floats) -> Floats:
            return np.asarray(
                values.reshape(*shape, *values.shape[1:])[n[..., None], group.lane, individual[..., None], at]
            )

        return Sampled(
            {name: rows(variables[name]) for name in names},
            {name: rows(variables[f"sensitivity({name})"]) for name in names} if slopes else {},
            self._slopes(group, theta) if slopes else [],
            tuple(_first_failure(self._layout, group, told[i]) for i in range(len(theta))),
        )

    def _differences(self, group: Group, theta: Floats, names: Sequence[str]) -> Sampled:
        """With derivatives by central differences, a column for each estimated parameter that acts."""
        settings = (*self._layout.befores, group.setting)
        moved = sorted({link.parameter for setting in settings for link in self._layout.links(setting)})
        if not moved:
            return self._sample(group, theta, names, min(_FINE, self._rtol), slopes=False)
        parameters = self._layout.problem.parameters
        range_ = np.array([min(parameters[k].upper - parameters[k].lower, 1.0) for k in moved])
        step = _STEP * np.maximum(np.abs(theta[:, moved]), _STEP * range_)
        shifted = np.repeat(theta[:, None], 2 * len(moved) + 1, axis=1)
        for j, k in enumerate(moved):
            shifted[:, 2 * j, k] += step[:, j]
            shifted[:, 2 * j + 1, k] -= step[:, j]
            if parameters[k].lower >= 0:  # below zero the model may have no numbers
                shifted[:, 2 * j + 1, k] = np.maximum(shifted[:, 2 * j + 1, k], np.minimum(theta[:, k], 0.0))
        # a step is what it is after rounding
        width = np.stack([shifted[:, 2 * j, k] - shifted[:, 2 * j + 1, k] for j, k in enumerate(moved)], axis=1)
        lanes = self._sample(group, shifted.reshape(-1, theta.shape[1]), names, min(_FINE, self._rtol), slopes=False)
        values, columns = {}, {}
        for name, flat in lanes.values.items():
            beside = flat.reshape(len(theta), -1, *flat.shape[1:])
            slope = (beside[:, 0:-1:2] - beside[:, 1:-1:2]) / width[:, :, None, None]
            values[name], columns[name] = beside[:, -1], np.moveaxis(slope, 1, -1)
        everywhere, one = np.ones(len(group.row), bool), np.ones((1, 1))
        outcome = np.array(lanes.outcome).reshape(len(theta), -1)
        return Sampled(
            values,
            columns,
            [Slope(j, k, everywhere, one) for j, k in enumerate(moved)],
            tuple(next((str(word) for word in words if word != "ok"), "ok") for words in outcome),
        )

    def _slopes(self, group: Group, theta: Floats) -> list[Slope]:
        weights, one = self._individuals.weights(theta), np.ones((1, 1))
        entities = self._layout.entities
        return [
            Slope(
                link.column,
                link.parameter,
                link.conditions[group.lane],
                weights[entities[link.column], link.weight] if link.weight else one,
            )
            for link in self._layout.links(group.setting)
        ]

    def _given(self, setting: Setting, theta: Floats) -> dict[str, Any]:
        """Parameters and initial values of all lanes, as `CompiledModel.simulate` takes them."""
        shape = (len(theta), len(setting.conditions), self.individuals)

        def lanes(values: Mapping[str, Sequence[float | str]]) -> dict[str, Floats]:
            found: dict[str, Floats] = {}
            for name, sources in values.items():
                columns = [theta[:, self._place[s]] if isinstance(s, str) else np.full(len(theta), s) for s in sources]
                found[name] = np.broadcast_to(np.stack(columns, axis=1)[:, :, None], shape).reshape(-1)
            return found

        individual = self._individuals.values(theta)
        parameters = {name: np.broadcast_to(value[:, None], shape).reshape(-1) for name, value in individual.items()}
        # where the model gives a start as a parameter, what it computes from that start follows
        starts = {name: name in self._plain.parameters for name in setting.initial}
        parameters |= lanes({name: setting.initial[name] for name, is_parameter in starts.items() if is_parameter})
        initial = lanes({name: setting.initial[name] for name, is_parameter in starts.items() if not is_parameter})
        return {"parameters": lanes(setting.parameters) | parameters, "initial": initial}

    def _sizes(self, setting: Setting, given: Mapping[str, Any], shape: tuple[int, ...]) -> Floats:
        """(lane, entity) what each entity is in a run, NaN where no estimated parameter moves it."""
        entities = self._layout.entities
        known = {**given["initial"], **given["parameters"]}
        found = np.full((*shape, len(entities)), np.nan)
        for link in self._layout.links(setting):
            value = known[entities[link.column]].reshape(shape)
            found[..., link.column][:, link.conditions] = value[:, link.conditions]
        return found.reshape(-1, len(entities))

    def _rests(self, group: Group, theta: Floats, rtol: float, *, slopes: bool) -> Rest:
        """Steady states of the conditions for pre-equilibration that a group needs."""
        layout = self._layout
        shape = (len(theta), len(layout.before_names), self.individuals)
        values = {name: np.full(shape, np.nan) for name in self._states}
        columns = {name: np.full((*shape, len(layout.entities)), np.nan) for name in self._states} if slopes else {}
        outcome = np.full(shape, "ok", dtype=_WORDS)
        model = self._model if slopes else self._plain
        for setting in layout.befores:
            places = [layout.before_names.index(name) for name in setting.conditions]
            if not set(places) & set(group.before):
                continue
            given = self._given(setting, theta)
            result = model.simulate(TIMES, outputs=self._states, rtol=rtol, **given, **self._options)
            inner = (shape[0], len(places), shape[2])
            at, told = _at_rest(result, self._states, self._sizes(setting, given, inner) if slopes else None)
            lanes = np.arange(len(at))
            outcome[:, places] = told.reshape(inner)
            variables = _variables(result)
            for name in self._states:
                values[name][:, places] = variables[name][lanes, at].reshape(inner)
                if slopes:
                    columns[name][:, places] = variables[f"sensitivity({name})"][lanes, at].reshape(*inner, -1)
        return Rest(values, columns, outcome)

    def _go_on(self, given: dict[str, Any], group: Group, rest: Rest) -> None:
        """Start all states that the group's conditions do not set from where they came to rest."""
        before = list(group.before)
        failed = rest.outcome[:, before] != "ok"
        slopes: dict[str, Floats] = {}
        for name, values in rest.values.items():
            if name in group.setting.initial:
                continue
            # lanes without a steady state are told so; they run from anywhere, since the others go on
            own = self._plain.states[name].value
            given["initial"][name] = np.where(failed, own if np.isfinite(own) else 0.0, values[:, before]).reshape(-1)
            if rest.slopes:
                moved = np.zeros((*failed.shape, len(self._layout.entities)))
                for carried in self._carried[id(group)]:
                    old = rest.slopes[name][:, before][:, carried.simulations, :, carried.old]
                    moved[:, carried.simulations, :, carried.new] += old
                moved[failed] = 0.0
                slopes[name] = moved.reshape(-1, moved.shape[-1])
        if rest.slopes:
            given["initial_slopes"] = slopes


def _whole(model: CompiledModel) -> NDArray[np.bool_]:
    """(entity,) whether all states can begin with a derivative by it. One that does not move may have none."""
    states = tuple(model.states)
    parameters: dict[Hashable, ArrayLike] = {name: 1.0 for name in model.parameters if name not in model.states}
    initial: dict[Hashable, ArrayLike] = dict.fromkeys(states, 1.0)

    def taken(slopes: Floats) -> bool:
        begin = dict.fromkeys(states, slopes)
        try:
            model.simulate([0.0], outputs=(), parameters=parameters, initial=initial, initial_slopes=begin)
        except ModelError:
            return False
        return True

    return np.array([taken(slopes) for slopes in np.eye(len(model.wrt))], bool)


def _carried(layout: Layout, group: Group, whole: Callable[[], NDArray[np.bool_]]) -> list[_Carried]:
    """How what a steady state depends on is carried on from there.

    A steady state moves with an estimated parameter, and so does what follows: its derivative begins where that of the
    steady state ends, in any one column that the same parameter moves. whole : as `_whole`, asked for a column of
    another entity than before.

    Raises
    ------
    NotBuiltYet : there is no such column, since the parameter acts before the steady state only, or sets something
        there that some states cannot follow.
    """
    found: list[_Carried] = []
    names = np.array([layout.before_names[b] for b in group.before])
    now = layout.links(group.setting) if group.before else []
    for setting in layout.befores if group.before else ():
        for link in layout.links(setting):
            concerned = np.isin(names, np.array(setting.conditions)[link.conditions])
            for simulation in np.flatnonzero(concerned):
                columns = [k.column for k in now if k.parameter == link.parameter and k.conditions[simulation]]
                if columns and link.column not in columns:
                    columns = [column for column in columns if whole()[column]]
                if not columns or link.weight:
                    where = f'parameter "{layout.problem.names[link.parameter]}"'
                    told = f'a part in the steady state "{names[simulation]}", but none in what follows'
                    raise NotBuiltYet(where, found=told, expected="derivatives by differences")
                only = np.arange(len(names)) == simulation
                found.append(_Carried(link.column, link.column if link.column in columns else columns[0], only))
    return found


def _at_rest(
    result: xr.Dataset, states: Sequence[str], sizes: Floats | None
) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """(lane,) index of the time at which each has come to rest, and what became of it.

    sizes : (lane, entity) of the numbers by which derivatives are taken, NaN where these do not matter. A derivative
    that would not be felt in its state if that number doubled is nothing but rounding; where the number is zero, one
    that is small beside what it was before.
    """
    variables = _variables(result)
    courses = np.stack([variables[name] for name in states], axis=2)
    at = settled(courses)
    if sizes is not None and sizes.size:
        matter = np.tile(~np.isnan(sizes), len(states))
        slopes = np.concatenate([variables[f"sensitivity({name})"] for name in states], axis=2)
        slopes = np.where(matter[:, None], slopes, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            felt = (largest(courses)[:, :, None] / np.abs(sizes)[:, None]).reshape(slopes.shape[0], -1)
        felt = np.where(np.tile(sizes == 0, len(states)), largest(slopes), np.where(matter, felt, 0.0))
        at = slopes_settled(slopes, felt, at)
    outcome = result["outcome"].values.astype(_WORDS)
    told = np.where(at >= 0, "ok", np.where(outcome == "ok", NO_REST, outcome))
    return at, told


def _variables(result: xr.Dataset) -> dict[str, Floats]:
    """What stands in a result, called as in the model."""
    return {str(variable.attrs.get("id", name)): variable.values for name, variable in result.data_vars.items()}


def _first_failure(layout: Layout, group: Group, told: NDArray[np.str_]) -> str:
    """told : (simulation, individual)."""
    failed = np.argwhere(told != "ok")
    if not len(failed):
        return "ok"
    simulation, individual = failed[0]
    label = layout.problem.simulations[group.simulations[simulation]].label
    whose = f" ({len(failed)} of {told.size} individuals)" if told.shape[1] > 1 else ""
    return f'{told[simulation, individual]} in "{label}"{whose}'
