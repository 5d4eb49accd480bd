"""A PEtab file → a problem with all names resolved, or one message that says what is wrong and where."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from exotwin.calibration.problem import across, conditions, measurements, observables, parameters, population
from exotwin.calibration.problem.config import POPULATION, Config, read_config
from exotwin.calibration.problem.library import petab
from exotwin.calibration.problem.linting import check_with_petab
from exotwin.calibration.problem.model import open_model
from exotwin.calibration.problem.problem import Population, Problem
from exotwin.calibration.problem.tables import Table, read_tables
from exotwin.errors import InputError
from exotwin.tables import read_text

# what is shown to people and decides no number
_LABELS = {"parameterName", "observableName", "conditionName", "datasetId", "replicateId"}


def read(path: str | Path, *, sbml: str | None = None) -> Problem:
    """Read a PEtab problem (version 1, one SBML model), resolve all names and check everything.

    Parameters
    ----------
    path : the YAML file. Files that it names are looked for beside it.
    sbml : document of the model, instead of the file that the YAML file names.

    Raises
    ------
    InputError : anything wrong with the files; names file, line and column. The extra `fit` is not installed.
    ModelError : the model is no SBML.
    NotBuiltYet : what PEtab has and exotwin does not: version 2, several problems or models, models beside SBML,
        mapping tables, extensions but for exotwin_population; what the engine does not run.
    """
    petab()
    path = Path(path)
    config = read_config(path)
    model = open_model(str(config.model), read_text(config.model, error=InputError) if sbml is None else sbml)
    tables = _tables(config)
    names, remarks = parameters.resolve_parameters(tables["parameter"])
    across.check_places(tables["parameter"], model)
    columns = conditions.columns(tables["condition"])
    known = {*model.compiled.names, *names.rows, *columns}
    seen = observables.resolve_observables(tables["observable"], known, names.fixed)
    outputs = across.outputs(seen, model, names)
    made = conditions.resolve_conditions(tables["condition"], model, names, outputs)
    measured, simulations = measurements.resolve_measurements(tables["measurement"], seen, made, names)
    people = None
    if config.population is not None:
        where = f"{path}, extensions.{POPULATION}"
        n, seed, tables["population"] = population.read_individuals(where, config.population, path.parent)
        cells = conditions.values_named(tables["condition"])
        people = Population(n, seed, population.resolve_varied(tables["population"], model, names, columns, cells))
    simulated = {*model.compiled.names}.difference(names.rows)
    population.check_statistics(tables["observable"], seen, people, made, simulated)
    simulations = population.compared(tables["measurement"], seen, simulations, measured)
    conditions.check_outputs(tables["condition"], simulations, outputs)
    conditions.check_starts(tables["condition"], model, made, simulations)
    apart = across.check_used(tables, model, names.rows, seen, people)
    check_with_petab(model, tables, names, seen, apart)
    return Problem(
        name=path.stem,
        sbml=model.sbml,
        parameters=tuple(names.estimated.values()),
        fixed=names.fixed,
        observables=tuple(seen.values()),
        conditions=made,
        simulations=simulations,
        measurements=measured,
        digest=_digest(model.sbml, tables, people),
        population=people,
        remarks=(
            *config.remarks,
            *(f"the model: {remark}" for remark in model.compiled.remarks),
            *across.unknown_columns(tables),
            *remarks,
            *across.unmeasured(seen, made, simulations, measured),
        ),
    )


def _tables(config: Config) -> dict[str, Table]:
    return {
        "parameter": read_tables("parameter", config.parameters, parameters.REQUIRED),
        "condition": read_tables("condition", config.conditions, conditions.REQUIRED),
        "observable": read_tables("observable", config.observables, observables.REQUIRED),
        "measurement": read_tables("measurement", config.measurements, measurements.REQUIRED),
    }


def _digest(sbml: str, tables: Mapping[str, Table], people: Population | None) -> str:
    """Of what decides the numbers, wherever the files lie and whatever else their authors noted in them."""
    counted = {
        "parameter": {*parameters.REQUIRED, *parameters.OPTIONAL} - _LABELS,
        "observable": {*observables.REQUIRED, *observables.OPTIONAL, observables.STATISTIC} - _LABELS,
        "measurement": {*measurements.REQUIRED, *measurements.OPTIONAL} - _LABELS,
    }
    told = {
        kind: {
            name: list(cells) for name, cells in table.columns.items() if name in counted.get(kind, {name} - _LABELS)
        }
        for kind, table in tables.items()
    }
    drawn = None if people is None else [people.n, people.seed]
    return hashlib.sha256(json.dumps([sbml, told, drawn], sort_keys=True).encode()).hexdigest()
