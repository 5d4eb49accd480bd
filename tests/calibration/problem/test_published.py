"""Published problems are read as petab itself understands them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import petab.v1 as petab
import pytest
from petab.v1.measurements import split_parameter_replacement_list

from exotwin.calibration.problem import Problem, Simulation, read
from exotwin.engine import load

NAMES = (
    "Bachmann_MSB2011",
    "Boehm_JProteomeRes2014",
    "Brannmark_JBC2010",
    "Crauste_CellSystems2017",
    "Fiedler_BMCSystBiol2016",
    "Lucarelli_CellSystems2018",
    "Zheng_PNAS2012",
)


@pytest.fixture(scope="module", params=NAMES)
def pair(request, shared_data) -> tuple[Problem, petab.Problem]:
    """A problem as exotwin reads it, and as petab does."""
    path: Path = shared_data / "petab-models" / request.param / f"{request.param}.yaml"
    return read(path), petab.Problem.from_yaml(path)


def test_estimated_parameters_and_their_bounds_are_those_of_petab(pair):
    ours, theirs = pair
    assert list(ours.names) == theirs.x_free_ids
    np.testing.assert_array_equal([p.lower for p in ours.parameters], theirs.get_lb(fixed=False))
    np.testing.assert_array_equal([p.upper for p in ours.parameters], theirs.get_ub(fixed=False))
    np.testing.assert_array_equal([p.nominal for p in ours.parameters], theirs.x_nominal_free)
    # powers and logarithms of two libraries differ in the last digit
    np.testing.assert_allclose(ours.nominal, theirs.x_nominal_free_scaled, rtol=1e-14)
    assert dict(ours.fixed) == dict(zip(theirs.x_fixed_ids, theirs.x_nominal_fixed, strict=True))


def test_every_condition_sets_the_parameters_of_the_model_that_petab_maps(pair):
    ours, theirs = pair
    measured = theirs.measurement_df.drop(columns=["observableParameters", "noiseParameters"], errors="ignore")
    simulations = petab.get_simulation_conditions(measured)
    mapped = petab.get_optimization_to_simulation_parameter_mapping(
        theirs.condition_df,
        measured,
        theirs.parameter_df,
        theirs.observable_df,
        model=theirs.model,
        warn_unmapped=False,
    )
    own = load(ours.sbml).parameters
    asked = set()
    for (_, row), (before, during, *_) in zip(simulations.iterrows(), mapped, strict=True):
        simulation = Simulation(row["simulationConditionId"], row.get("preequilibrationConditionId") or None)
        asked.add(simulation)
        for condition, sources in ((simulation.before, before), (simulation.condition, during)):
            if condition is None:
                continue
            given = ours.conditions[condition].parameters
            # petab also maps what only formulas name, and leaves compartments to the simulator
            for name in sources.keys() & own.keys():
                assert given.get(name, own[name].value) == sources[name], (condition, name)
            assert given.keys() <= sources.keys()
    assert asked == set(ours.simulations)


def test_each_row_of_measurements_is_that_of_petab(pair):
    ours, theirs = pair
    measured, table = ours.measurements, theirs.measurement_df
    assert [ours.observables[i].name for i in measured.observable] == table["observableId"].tolist()
    assert [ours.simulations[i].condition for i in measured.simulation] == table["simulationConditionId"].tolist()
    np.testing.assert_array_equal(measured.value, table["measurement"])
    np.testing.assert_array_equal(measured.time, table["time"])
    for column, found_ in (
        ("observableParameters", measured.observable_parameters),
        ("noiseParameters", measured.noise_parameters),
    ):
        texts = table[column] if column in table else [""] * len(table)
        for found, text in zip(found_, texts, strict=True):
            entries = split_parameter_replacement_list(text)
            assert found == tuple(ours.fixed.get(entry, entry) for entry in entries)


def test_formulas_with_their_placeholders_are_those_of_petab(pair):
    ours, theirs = pair
    for found, (name, row) in zip(ours.observables, theirs.observable_df.iterrows(), strict=True):
        assert found.name == name
        assert found.formula == petab.math.sympify_petab(row["observableFormula"])
        assert found.noise == petab.math.sympify_petab(row["noiseFormula"])
        for kind, own, formula in (
            ("observable", found.placeholders, row["observableFormula"]),
            ("noise", found.noise_placeholders, row["noiseFormula"]),
        ):
            assert list(own) == petab.observables.get_formula_placeholders(formula, name, kind)


def test_of_published_problems_only_the_engine_has_something_to_remark(pair):
    assert all(remark.startswith("the model: ") for remark in pair[0].remarks)


def test_all_values_of_published_problems_are_finite(pair):
    assert all(math.isfinite(value) for value in pair[0].measurements.value)
    assert np.isfinite(pair[0].lower).all()
    assert np.isfinite(pair[0].upper).all()
