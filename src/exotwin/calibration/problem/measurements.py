"""The measurement table: values, and what each fills into the formulas of its observable."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from exotwin.calibration.problem.observables import value
from exotwin.calibration.problem.parameters import Names
from exotwin.calibration.problem.problem import Condition, Measurements, Observable, Simulation, Source
from exotwin.calibration.problem.tables import Table, quoted
from exotwin.errors import InputError, nearest

if TYPE_CHECKING:
    import pandas as pd

REQUIRED = ("observableId", "simulationConditionId", "measurement", "time")
OPTIONAL = ("preequilibrationConditionId", "observableParameters", "noiseParameters", "datasetId", "replicateId")

_Overrides = tuple[Source, ...]


def resolve_measurements(
    table: Table, observables: Mapping[str, Observable], conditions: Mapping[str, Condition], names: Names
) -> tuple[Measurements, tuple[Simulation, ...]]:
    """The table's rows, and the simulations that they need in the order of appearance.

    Raises
    ------
    InputError : a cell that is not what its column asks for; names file, line and column.
    """
    place = {name: i for i, name in enumerate(observables)}
    simulations: dict[Simulation, int] = {}
    fills = _Fills(table, names)
    which, runs, first, second = [], [], [], []
    for row in range(len(table)):
        observable = observables[_known(table, row, "observableId", observables)]
        simulation = _simulation(table, row, conditions)
        which.append(place[observable.name])
        runs.append(simulations.setdefault(simulation, len(simulations)))
        condition = conditions[simulation.condition]
        first.append(fills.of(row, "observableParameters", observable, observable.placeholders, condition))
        second.append(fills.of(row, "noiseParameters", observable, observable.noise_placeholders, condition))
        fills.check_noise(row, observable, first[-1], second[-1])
    values, times = _values(table, observables), _times(table, observables)
    found = Measurements(
        np.array(which, np.int64),
        np.array(runs, np.int64),
        np.array(times, float),
        np.array(values, float),
        tuple(first),
        tuple(second),
        _shown(table, values, times),
    )
    return found, tuple(simulations)


class _Fills:
    """What fills placeholders; equal cells of one observable and condition are looked at once."""

    def __init__(self, table: Table, names: Names) -> None:
        self._table, self._names = table, names
        self._seen: dict[tuple[str, str, str, str], _Overrides] = {}
        self._noise: dict[tuple[str, _Overrides, _Overrides], float | None] = {}

    def of(
        self, row: int, column: str, observable: Observable, wanted: Sequence[str], condition: Condition
    ) -> _Overrides:
        """The entries of one cell."""
        text = self._table.cells(column)[row]
        key = (observable.name, column, text, condition.name)
        if key not in self._seen:
            where = self._table.where(row, column)
            parts = [part.strip() for part in text.split(";")] if text else []
            if len(parts) != len(wanted):
                expected = f"{_count(len(wanted))} for {observable.name}"
                expected += f": {';'.join(wanted)}" if wanted else ", whose formula has no placeholder"
                raise InputError(where, found=f"{_count(len(parts))}: {quoted(text)}", expected=expected)
            # a name may also be one that the condition sets, and then stands for what it sets there
            self._seen[key] = tuple(
                condition.parameters[part] if part in condition.parameters else self._names.source(where, part)
                for part in parts
            )
        return self._seen[key]

    def check_noise(self, row: int, observable: Observable, first: _Overrides, second: _Overrides) -> None:
        """Refuse noise that is a number with what fills the placeholders, and not above zero."""
        if not first and not second:
            return
        key = (observable.name, first, second)
        if key not in self._noise:
            given = zip(observable.placeholders + observable.noise_placeholders, first + second, strict=True)
            numbers = {name: source for name, source in given if not isinstance(source, str)}
            self._noise[key] = value(observable.noise, {**self._names.fixed, **numbers})
        noise = self._noise[key]
        if noise is not None and not 0 < noise < math.inf:
            column = "noiseParameters" if second else "observableParameters"
            where = self._table.where(row, column)
            raise InputError(where, found=f"noise of {noise:g}", expected=f"noise of {observable.name} above zero")


def _count(n: int) -> str:
    return {0: "no value", 1: "one value"}.get(n, f"{n} values")


def _known(table: Table, row: int, column: str, valid: Collection[str]) -> str:
    what = "an observable of the observable table" if column == "observableId" else "a condition of the condition table"
    name = table.needed(row, column, what)
    if name not in valid:
        where = table.where(row, column)
        raise InputError(where, found=quoted(name), expected=what, nearest=nearest(name, valid))
    return name


def _simulation(table: Table, row: int, conditions: Collection[str]) -> Simulation:
    condition = _known(table, row, "simulationConditionId", conditions)
    before = "preequilibrationConditionId"
    return Simulation(condition, _known(table, row, before, conditions) if table.cells(before)[row] else None)


def _values(table: Table, observables: Mapping[str, Observable]) -> list[float]:
    found = []
    for row, name in enumerate(table.columns["observableId"]):
        measured = table.number(row, "measurement", "a measured value")
        transformation = observables[name].transformation
        if transformation != "lin" and measured <= 0:
            expected = f"a value above zero: {name} is compared on the scale {transformation}"
            raise InputError(table.where(row, "measurement"), found=f"{measured:g}", expected=expected)
        found.append(measured)
    return found


def _times(table: Table, observables: Mapping[str, Observable]) -> list[float]:
    clocks = {
        name: "time" in {str(symbol) for symbol in (o.formula.free_symbols | o.noise.free_symbols)}
        for name, o in observables.items()
    }
    found = []
    for row, name in enumerate(table.columns["observableId"]):
        time = table.number(row, "time", "zero or more, or inf for the steady state", infinite=True)
        if time < 0:
            where = table.where(row, "time")
            raise InputError(where, found=f"{time:g}", expected="zero or more, or inf for the steady state")
        if math.isinf(time) and clocks[name]:
            expected = f"a finite time: the formula of {name} names the time"
            raise InputError(table.where(row, "time"), found="inf", expected=expected)
        found.append(time)
    return found


def _shown(table: Table, values: list[float], times: list[float]) -> pd.DataFrame:
    """All columns as text, but for numbers where PEtab asks for them."""
    import pandas as pd

    columns = {name: list(cells) for name, cells in table.columns.items() if name}
    return pd.DataFrame({**columns, "measurement": values, "time": times})
