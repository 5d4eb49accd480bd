"""Our extension: conditions simulated for a population, and observables that are statistics over it.

In the YAML file of the problem::

    extensions:
      exotwin_population: {version: 1.0.0, required: true, individuals: 256, seed: 1, population_file: population.tsv}

The population file has the columns parameterId, distribution, location, scale, lower, upper: one row for each parameter
of the model that differs between individuals, distributions as in `biology.parameters.Spread`. The observable table
gets a column ``statistic``: mean, sd, or "smd OTHER" with another condition.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from exotwin.calibration.problem.model import Model
from exotwin.calibration.problem.observables import STATISTIC, symbols
from exotwin.calibration.problem.parameters import Names
from exotwin.calibration.problem.problem import (
    Measurements,
    Observable,
    Parameter,
    Population,
    Simulation,
    Source,
    Varied,
)
from exotwin.calibration.problem.tables import Table, quoted, read_tables
from exotwin.errors import InputError, NotBuiltYet, nearest
from exotwin.tables import check_keys

REQUIRED = ("parameterId", "distribution")
OPTIONAL = ("location", "scale", "lower", "upper")

_DISTRIBUTIONS = ("normal", "lognormal", "uniform", "loguniform", "beta")
_RANGES = ("uniform", "loguniform")
_STATISTICS = "mean, sd, or smd with a condition to compare with, such as smd control"


def read_individuals(where: str, entry: Mapping[str, Any], folder: Path) -> tuple[int, int, Table]:
    """Number of individuals, seed, and the table of what differs between them.

    Raises
    ------
    InputError : keys missing, unknown or of the wrong type; as `read_tables`. NotBuiltYet : another version.
    """
    keys = ("version", "individuals", "seed", "population_file")
    check_keys(
        {str(key): value for key, value in entry.items()},
        (*keys, "required"),
        where=where,
        error=InputError,
        required=keys,
    )
    if str(entry["version"]).split(".")[0] != "1":
        raise NotBuiltYet(f"{where}.version", found=f'"{entry["version"]}"', expected="version 1.0.0")
    n, seed, name = entry["individuals"], entry["seed"], entry["population_file"]
    if not isinstance(n, int) or isinstance(n, bool) or n < 2:
        raise InputError(f"{where}.individuals", found=repr(n), expected="a whole number of at least 2, such as 256")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise InputError(f"{where}.seed", found=repr(seed), expected="a whole number of at least 0")
    if not isinstance(name, str) or not name:
        raise InputError(f"{where}.population_file", found=repr(name), expected="the name of a file")
    return n, seed, read_tables("population", [folder / name], REQUIRED)


def resolve_varied(
    table: Table, model: Model, names: Names, columns: Collection[str], cells: Collection[str]
) -> tuple[Varied, ...]:
    """What differs between individuals. columns : what the condition table sets. cells : what it sets them to.

    Raises
    ------
    InputError : a cell that is not what its column asks for; names file, line and column.
    """
    valid = (*REQUIRED, *OPTIONAL)
    for column in table.columns:
        if column not in valid:
            expected, near = "the columns " + ", ".join(valid), nearest(column, valid)
            raise InputError(table.header(column), found=f'the column "{column}"', expected=expected, nearest=near)
    found = []
    for name, row in table.ids("parameterId").items():
        where = table.where(row, "parameterId")
        if name not in model.compiled.parameters:
            near = nearest(name, model.compiled.parameters)
            raise InputError(where, found=quoted(name), expected="a parameter of the model", nearest=near)
        if name in names.rows or name in columns:
            there = "parameter" if name in names.rows else "condition"
            expected = "a parameter that no other table sets; its centre may be an estimated one"
            raise InputError(where, found=f"{quoted(name)}, which the {there} table sets", expected=expected)
        if name in cells:
            expected = "a parameter that no condition stands for: it has no one value there"
            raise InputError(
                where, found=f"{quoted(name)}, which a cell of the condition table names", expected=expected
            )
        found.append(_varied(table, row, name, names))
    return tuple(found)


def _varied(table: Table, row: int, name: str, names: Names) -> Varied:
    table.needed(row, "distribution", "one of " + ", ".join(_DISTRIBUTIONS))
    distribution = table.choice(row, "distribution", _DISTRIBUTIONS)
    if distribution in _RANGES:
        return _range(table, row, name, distribution)
    location, scale = (_source(table, row, column, names) for column in ("location", "scale"))
    low = _needed(table, row, "lower") if table.cells("lower")[row] else -math.inf
    high = _needed(table, row, "upper") if table.cells("upper")[row] else math.inf
    for column, source in (("location", location), ("scale", scale)):
        if isinstance(source, str) and (distribution == "beta" or low > -math.inf or high < math.inf):
            found = f'the estimated parameter "{source}"'
            expected = "a number; only of normal and lognormal without truncation centre and spread can be estimated"
            raise InputError(table.where(row, column), found=found, expected=expected)
    _check_spread(table, row, distribution, _ends(location, names), _ends(scale, names))
    if not isinstance(location, str) and not low < location < high:
        found = f"{location:g} with the limits {low:g} and {high:g}"
        raise InputError(table.where(row, "location"), found=found, expected="a location between the limits")
    return Varied(name, distribution, location, scale, low, high)


def _range(table: Table, row: int, name: str, distribution: str) -> Varied:
    for column in ("location", "scale"):
        if text := table.cells(column)[row]:
            expected = f"nothing; {distribution} has the ends lower and upper"
            raise InputError(table.where(row, column), found=quoted(text), expected=expected)
    low, high = (_needed(table, row, column) for column in ("lower", "upper"))
    if not low < high or (distribution == "loguniform" and low <= 0):
        expected = "two numbers that rise" + (", above zero" if distribution == "loguniform" else "")
        raise InputError(table.where(row, "lower"), found=f"{low:g} with the upper end {high:g}", expected=expected)
    return Varied(name, distribution, math.nan, math.nan, low, high)


def _needed(table: Table, row: int, column: str) -> float:
    if not table.cells(column)[row]:
        raise InputError(table.where(row, column), found="an empty cell", expected="a number")
    return table.number(row, column)


def _source(table: Table, row: int, column: str, names: Names) -> Source:
    text, expected = table.cells(column)[row], "a number, or an estimated parameter"
    if not text:
        raise InputError(table.where(row, column), found="an empty cell", expected=expected)
    return names.source(table.where(row, column), text, expected)


def _ends(source: Source, names: Names) -> tuple[float, float]:
    """Smallest and largest value."""
    if not isinstance(source, str):
        return source, source
    parameter: Parameter = names.estimated[source]
    return parameter.lower, parameter.upper


def _check_spread(
    table: Table, row: int, distribution: str, location: tuple[float, float], scale: tuple[float, float]
) -> None:
    """Refuse centres and spreads that the distribution does not have, anywhere within their bounds."""
    if scale[0] < 0 or scale[1] <= 0 or (distribution == "beta" and scale[0] == 0):
        raise InputError(table.where(row, "scale"), found=f"{scale[0]:g}", expected="a spread above zero")
    if distribution == "lognormal" and location[0] <= 0:
        expected = "a median above zero; of an estimated one, the lower bound too"
        raise InputError(table.where(row, "location"), found=f"{location[0]:g}", expected=expected)
    if distribution == "beta" and not 0 < location[0] < 1:
        raise InputError(table.where(row, "location"), found=f"{location[0]:g}", expected="a mean between 0 and 1")
    if distribution == "beta" and scale[0] ** 2 >= location[0] * (1 - location[0]):
        expected = f"an SD below {math.sqrt(location[0] * (1 - location[0])):.4g}, the most with this mean"
        raise InputError(table.where(row, "scale"), found=f"{scale[0]:g}", expected=expected)


def check_statistics(
    table: Table,
    observables: Mapping[str, Observable],
    population: Population | None,
    conditions: Collection[str],
    simulated: Collection[str],
) -> None:
    """Every observable of a population is a statistic, and none without one.

    simulated : names that each individual has values of its own for.

    Raises
    ------
    InputError : a statistic that is missing, unknown, without a population, or of a condition that does not exist.
    NotBuiltYet : noise of a statistic that names what is simulated of individuals.
    """
    for row, observable in enumerate(observables.values()):
        statistic, where = observable.statistic, table.where(row, STATISTIC)
        if population is None:
            if statistic:
                expected = "no statistic, or the extension exotwin_population in the YAML file"
                raise InputError(where, found=quoted(statistic), expected=expected)
            continue
        kind, other = _parts(statistic)
        if kind not in ("mean", "sd", "smd") or bool(other) != (kind == "smd"):
            found = f'"{statistic}"' if statistic else "no statistic, with a population"
            raise InputError(where, found=found, expected=_STATISTICS)
        if other and other not in conditions:
            expected, near = "smd with a condition of the condition table", nearest(other, conditions)
            raise InputError(where, found=quoted(other), expected=expected, nearest=near)
        for name in symbols(observable.noise):
            if name in simulated:
                where, found = table.where(row, "noiseFormula"), f'"{name}", which each individual has for itself'
                expected = f"numbers, parameters of the parameter table, placeholders or {observable.name}"
                raise NotBuiltYet(where, found=found, expected=expected)


def compared(
    table: Table, observables: Mapping[str, Observable], simulations: tuple[Simulation, ...], measured: Measurements
) -> tuple[Simulation, ...]:
    """Simulations, and behind them those that differences are taken from.

    Raises
    ------
    InputError : a difference of a condition from itself.
    """
    found = dict.fromkeys(simulations)
    listed = list(observables.values())
    pairs = np.unique(np.stack([measured.observable, measured.simulation]), axis=1).T.tolist()
    for place, run in pairs:
        _, other = _parts(listed[place].statistic)
        if not other:
            continue
        if other == simulations[run].condition:
            row = int(np.flatnonzero((measured.observable == place) & (measured.simulation == run))[0])
            expected = f"another one than that which {listed[place].name} is compared with"
            raise InputError(table.where(row, "simulationConditionId"), found=quoted(other), expected=expected)
        found[replace(simulations[run], condition=other)] = None
    return tuple(found)


def _parts(statistic: str) -> tuple[str, str]:
    words = statistic.split()
    return (words[0], " ".join(words[1:])) if words else ("", "")
