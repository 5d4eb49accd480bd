"""What petab's own checks say, once ours have nothing left to say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from exotwin.calibration.problem.library import petab
from exotwin.calibration.problem.model import Model
from exotwin.calibration.problem.observables import symbols
from exotwin.calibration.problem.parameters import OPTIONAL, REQUIRED, Names
from exotwin.calibration.problem.problem import Observable
from exotwin.calibration.problem.tables import Table, as_number
from exotwin.errors import InputError

_MATTERS = (
    "observableId",
    "preequilibrationConditionId",
    "simulationConditionId",
    "observableParameters",
    "noiseParameters",
)


def check_with_petab(
    model: Model,
    tables: Mapping[str, Table],
    names: Names,
    observables: Mapping[str, Observable],
    apart: Collection[str],
) -> None:
    """Run petab's checks of the tables. apart : parameters that PEtab has no place for, such as those of a population.

    Raises
    ------
    InputError : petab's complaint, with the files that it is about.
    """
    lint = petab().lint
    frames = {kind: table.frame() for kind, table in tables.items()}
    # petab parses formulas and walks through rows again and again: it gets what its checks look at, and no name twice
    seen = [column for column in _MATTERS if column in frames["measurement"]]
    measured = frames["measurement"].drop_duplicates(seen)
    told = set(observables)  # noise may name what is measured, which petab does not know
    observable = frames["observable"].assign(
        observableFormula=[_names(o.formula, o.placeholders, told) for o in observables.values()],
        noiseFormula=[_names(o.noise, o.placeholders + o.noise_placeholders, told) for o in observables.values()],
    )
    # priors are checked here, and other columns are nobody's business; both make petab refuse what it should not
    columns = [column for column in (*REQUIRED, *OPTIONAL) if column in frames["parameter"] and "Prior" not in column]
    numbers: dict[str, Any] = {
        column: [as_number(text) for text in tables["parameter"].columns[column]]
        for column in ("lowerBound", "upperBound", "nominalValue")
        if column in columns
    }
    numbers["estimate"] = [float(name in names.estimated) for name in frames["parameter"]["parameterId"]]
    parameter = frames["parameter"][columns].assign(**numbers).set_index("parameterId").drop(index=list(apart))
    observable, condition = observable.set_index("observableId"), frames["condition"].set_index("conditionId")
    checks = _Checks(tables)
    checks.run("condition", lint.check_condition_df, condition, model.petab, observable)
    checks.run("observable", lint.check_observable_df, observable)
    checks.run("measurement", lint.check_measurement_df, measured, observable)
    checks.run("parameter", lint.check_parameter_df, parameter, model.petab, observable, measured, condition)
    check = lint.assert_model_parameters_in_condition_or_parameter_table
    checks.run("parameter", check, model.petab, condition, parameter, None, observable, measured)


class _Checks:
    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables

    def run(self, kind: str, check: Callable[..., None], *given: Any) -> None:
        """Turn the complaint of one check into an error."""
        try:
            check(*given)
        except (AssertionError, ValueError, KeyError, TypeError) as fault:
            told = " ".join(str(fault).split())
            raise InputError(self._tables[kind].files, found=told, expected="tables that petab accepts") from fault


def _names(formula: Any, placeholders: Collection[str], told: set[str]) -> str | int:
    """A formula of the names that were not told before, and of its placeholders: those petab counts in each."""
    found = [name for name in symbols(formula) if name in placeholders or name not in told]
    told.update(found)
    return " + ".join(found) or 1
