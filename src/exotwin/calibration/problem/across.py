"""What only shows when the tables are held side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from exotwin.calibration.problem import conditions, measurements, observables, parameters
from exotwin.calibration.problem.model import Model
from exotwin.calibration.problem.parameters import Names
from exotwin.calibration.problem.problem import Measurements, Observable, Population, Simulation
from exotwin.calibration.problem.tables import Table, quoted
from exotwin.errors import InputError, nearest


def check_places(table: Table, model: Model) -> None:
    """Refuse what PEtab keeps out of the parameter table.

    Raises
    ------
    InputError : a state, or what the model computes; names file, line and column.
    """
    for row, name in enumerate(table.columns["parameterId"]):
        if model.has(name) and name not in model.compiled.parameters:
            found = f'"{name}", a state of the model' if model.is_state(name) else f'"{name}", which the model computes'
            expected = "a parameter; the start of a state is set in the condition table"
            raise InputError(table.where(row, "parameterId"), found=found, expected=expected)


def outputs(seen: Mapping[str, Observable], model: Model, names: Names) -> set[str]:
    """Names that only formulas of observables have, and the condition table must set."""
    found: set[str] = set()
    for observable in seen.values():
        own = {*observable.placeholders, *observable.noise_placeholders, observable.name, "time"}
        found |= {*observables.symbols(observable.formula), *observables.symbols(observable.noise)} - own
    return {name for name in found if not model.has(name) and name not in names.rows}


def check_used(
    tables: Mapping[str, Table],
    model: Model,
    rows: Mapping[str, int],
    seen: Mapping[str, Observable],
    population: Population | None,
) -> tuple[str, ...]:
    """Parameters that only a population names; PEtab has no place for them.

    Raises
    ------
    InputError : a parameter that nothing depends on, mostly a name spelled in two ways.
    """
    used = {*model.compiled.parameters, *conditions.values_named(tables["condition"])}
    for observable in seen.values():
        used |= {*observables.symbols(observable.formula), *observables.symbols(observable.noise)}
    for column in ("observableParameters", "noiseParameters"):
        for text in set(tables["measurement"].cells(column)):
            used |= {part.strip() for part in text.split(";")}
    spread: set[str] = set()
    if population is not None:
        spread = {text for column in ("location", "scale") for text in tables["population"].cells(column)}
    for name, row in rows.items():
        if name not in used and name not in spread:
            where = tables["parameter"].where(row, "parameterId")
            expected = "a parameter that the model, a formula, a condition or a measurement names"
            raise InputError(where, found=quoted(name), expected=expected, nearest=nearest(name, used - {*rows, ""}))
    return tuple(name for name in rows if name not in used)


def unknown_columns(tables: Mapping[str, Table]) -> Iterable[str]:
    """Remarks on columns that look like slips of the pen; others are the author's own."""
    for kind, room in (("parameter", parameters), ("observable", observables), ("measurement", measurements)):
        known = [*room.REQUIRED, *room.OPTIONAL]
        for column in tables[kind].columns:
            near = nearest(column, known)
            if column not in known and near is not None and near.lower()[:8] == column.lower()[:8]:
                yield f'the column "{column}" of the {kind} table is not used; PEtab knows "{near}"'


def unmeasured(
    seen: Collection[str], made: Collection[str], simulations: Collection[Simulation], measured: Measurements
) -> Iterable[str]:
    """Remarks on observables and conditions that the measurements leave aside."""
    shown = set(measured.observable.tolist())
    if idle := [name for i, name in enumerate(seen) if i not in shown]:
        yield "never measured: " + ", ".join(idle)
    run = {name for simulation in simulations for name in (simulation.condition, simulation.before)}
    if unused := [name for name in made if name not in run]:
        yield "conditions without measurements: " + ", ".join(unused)
