"""A PEtab file → a problem with all names resolved, or one message that says what is wrong and where."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from exotwin.calibration.problem import conditions, measurements, observables, parameters
from exotwin.calibration.problem.config import Config, read_config
from exotwin.calibration.problem.library import petab
from exotwin.calibration.problem.linting import check_with_petab
from exotwin.calibration.problem.model import Model, open_model
from exotwin.calibration.problem.problem import Measurements, Observable, Problem, Simulation
from exotwin.calibration.problem.tables import Table, read_tables
from exotwin.errors import InputError, nearest
from exotwin.tables import read_text


def read(path: str | Path, *, sbml: str | None = None) -> Problem:
    """Read a PEtab problem (version 1, one SBML model), resolve all names and check everything.

    Parameters
    ----------
    path : the YAML file. Files that it names are looked for beside it.
    sbml : document of the model, instead of the file that the YAML file names.

    Raises
    ------
    InputError : anything wrong with the files; names file, line and column. ModelError : the model is no SBML.
    NotBuiltYet : what PEtab has and exotwin does not: version 2, several problems or models, models beside SBML,
        mapping tables, extensions; what the engine does not run.
    """
    petab()
    path = Path(path)
    config = read_config(path)
    model = open_model(str(config.model), read_text(config.model, error=InputError) if sbml is None else sbml)
    tables = _tables(config)
    names, remarks = parameters.resolve_parameters(tables["parameter"])
    _check_places(tables["parameter"], model)
    columns = conditions.columns(tables["condition"])
    seen = observables.resolve_observables(tables["observable"], {*model.compiled.names, *names.rows, *columns})
    outputs = _outputs(seen, model, names)
    made = conditions.resolve_conditions(tables["condition"], model, names, outputs)
    measured, simulations = measurements.resolve_measurements(tables["measurement"], seen, made, names)
    for condition in dict.fromkeys(simulation.condition for simulation in simulations):
        conditions.check_outputs(tables["condition"], condition, outputs)
    _check_used(tables, model, names.rows, seen, ())
    check_with_petab(model, tables, seen, ())
    return Problem(
        name=path.stem,
        sbml=model.sbml,
        parameters=tuple(names.estimated.values()),
        fixed=names.fixed,
        observables=tuple(seen.values()),
        conditions=made,
        simulations=simulations,
        measurements=measured,
        digest=_digest(model.sbml, tables),
        remarks=(*config.remarks, *_unknown_columns(tables), *remarks, *_unmeasured(seen, made, simulations, measured)),
    )


def _tables(config: Config) -> dict[str, Table]:
    return {
        "parameter": read_tables("parameter", config.parameters, parameters.REQUIRED),
        "condition": read_tables("condition", config.conditions, conditions.REQUIRED),
        "observable": read_tables("observable", config.observables, observables.REQUIRED),
        "measurement": read_tables("measurement", config.measurements, measurements.REQUIRED),
    }


def _outputs(seen: Mapping[str, Observable], model: Model, names: parameters.Names) -> set[str]:
    found = set()
    for observable in seen.values():
        own = {*observable.placeholders, *observable.noise_placeholders, observable.name, "time"}
        found |= {*observables.symbols(observable.formula), *observables.symbols(observable.noise)} - own
    return {name for name in found if not model.has(name) and name not in names.rows}


def _check_places(table: Table, model: Model) -> None:
    """Refuse what PEtab keeps out of the parameter table."""
    for row, name in enumerate(table.columns["parameterId"]):
        if model.has(name) and name not in model.compiled.parameters:
            found = f'"{name}", a state of the model' if model.is_state(name) else f'"{name}", which the model computes'
            expected = "a parameter; the start of a state is set in the condition table"
            raise InputError(table.where(row, "parameterId"), found=found, expected=expected)


def _check_used(
    tables: Mapping[str, Table],
    model: Model,
    rows: Mapping[str, int],
    seen: Mapping[str, Observable],
    others: Collection[str],
) -> None:
    """Refuse parameters that nothing depends on: mostly a name spelled in two ways."""
    used = {*model.compiled.parameters, *others, *conditions.values_named(tables["condition"])}
    for observable in seen.values():
        used |= {*observables.symbols(observable.formula), *observables.symbols(observable.noise)}
    for column in ("observableParameters", "noiseParameters"):
        for text in set(tables["measurement"].cells(column)):
            used |= {part.strip() for part in text.split(";")}
    for name, row in rows.items():
        if name not in used:
            where = tables["parameter"].where(row, "parameterId")
            expected = "a parameter that the model, a formula, a condition or a measurement names"
            raise InputError(where, found=f'"{name}"', expected=expected, nearest=nearest(name, used - {*rows, ""}))


def _unknown_columns(tables: Mapping[str, Table]) -> Iterable[str]:
    """Remarks on columns that look like slips of the pen; others are the author's own."""
    for kind, room in (("parameter", parameters), ("observable", observables), ("measurement", measurements)):
        known = [*room.REQUIRED, *room.OPTIONAL]
        for column in tables[kind].columns:
            if column not in known and (near := nearest(column, known)) and near.lower()[:8] == column.lower()[:8]:
                yield f'the column "{column}" of the {kind} table is not used; PEtab knows "{near}"'


def _unmeasured(
    seen: Collection[str],
    made: Collection[str],
    simulations: Collection[Simulation],
    measured: Measurements,
) -> Iterable[str]:
    idle = [name for i, name in enumerate(seen) if i not in set(measured.observable.tolist())]
    if idle:
        yield "never measured: " + ", ".join(idle)
    run = {name for simulation in simulations for name in (simulation.condition, simulation.before)}
    if unused := [name for name in made if name not in run]:
        yield "conditions without measurements: " + ", ".join(unused)


def _digest(sbml: str, tables: Mapping[str, Table]) -> str:
    """Of the model and of what stands in the tables, wherever the files lie."""
    told = {kind: {name: list(cells) for name, cells in table.columns.items()} for kind, table in tables.items()}
    return hashlib.sha256(json.dumps([sbml, told], sort_keys=True).encode()).hexdigest()
