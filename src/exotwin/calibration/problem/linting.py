"""What petab's own checks say, once ours have nothing left to say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from exotwin.calibration.problem.library import petab
from exotwin.calibration.problem.model import Model
from exotwin.calibration.problem.observables import symbols
from exotwin.calibration.problem.problem import Observable
from exotwin.calibration.problem.tables import Table
from exotwin.errors import InputError

_MATTERS = (
    "observableId",
    "preequilibrationConditionId",
    "simulationConditionId",
    "observableParameters",
    "noiseParameters",
)


def check_with_petab(
    model: Model, tables: Mapping[str, Table], observables: Mapping[str, Observable], apart: Collection[str]
) -> None:
    """Run petab's checks of the tables. apart : parameters that PEtab has no place for, such as those of a population.

    Raises
    ------
    InputError : petab's complaint, with the files that it is about.
    """
    lint = petab().lint
    frames = {kind: table.frame() for kind, table in tables.items()}
    # petab parses formulas and walks through rows again and again: it gets what its checks look at, and nothing twice
    seen = [column for column in _MATTERS if column in frames["measurement"]]
    measured = frames["measurement"].drop_duplicates(seen)
    observable = frames["observable"].assign(
        observableFormula=[_names(o.formula) for o in observables.values()],
        noiseFormula=[_names(o.noise, without=o.name) for o in observables.values()],
    )
    # priors are checked here; petab refuses zero as the end of a uniform prior on a logarithmic scale
    priors = [column for column in frames["parameter"] if "Prior" in str(column)]
    parameter = frames["parameter"].drop(columns=priors).set_index("parameterId").drop(index=list(apart))
    observable, condition = observable.set_index("observableId"), frames["condition"].set_index("conditionId")
    told = _Told(tables)
    told.by("condition", lint.check_condition_df, condition, model.petab, observable)
    told.by("observable", lint.check_observable_df, observable)
    told.by("measurement", lint.check_measurement_df, measured, observable)
    told.by("parameter", lint.check_parameter_df, parameter, model.petab, observable, measured, condition)
    check = lint.assert_model_parameters_in_condition_or_parameter_table
    told.by("parameter", check, model.petab, condition, parameter, None, observable, measured)


class _Told:
    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables

    def by(self, kind: str, check: Callable[..., None], *given: Any) -> None:
        """Turn the complaint of one check into an error."""
        try:
            check(*given)
        except (AssertionError, ValueError, KeyError, TypeError) as fault:
            told = " ".join(str(fault).split())
            raise InputError(self._tables[kind].files, found=told, expected="tables that petab accepts") from fault


def _names(formula: Any, without: str = "") -> str:
    """A formula with the same names, quick to parse."""
    return " + ".join([name for name in symbols(formula) if name != without] or ["1"])
