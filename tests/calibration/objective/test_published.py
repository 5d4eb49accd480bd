"""Published problems at their published parameters: simulations, likelihoods and gradients against independent ones."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import petab.v1 as petab
import pytest
from small_problems import differences

from exotwin.calibration import evaluate, objective, read
from exotwin.calibration.problem import Problem

# largest relative difference to what the authors' tables hold, which were computed with tolerances of their own and
# from parameters that the tables round
PUBLISHED = {
    "Bachmann_MSB2011": 3e-5,
    "Boehm_JProteomeRes2014": 2e-7,
    "Brannmark_JBC2010": 2e-5,
    "Crauste_CellSystems2017": 5e-5,
    "Fiedler_BMCSystBiol2016": 1e-6,
    "Lucarelli_CellSystems2018": 1e-6,
}
# computed by AMICI 1.0.1 at relative tolerance 1e-12 from the same files
BY_AMICI = {
    "Boehm_JProteomeRes2014": -138.2219977427047,
    "Brannmark_JBC2010": -141.88920441179494,
    "Crauste_CellSystems2017": -190.96397757552435,
    "Fiedler_BMCSystBiol2016": 58.58387075052575,
    "Lucarelli_CellSystems2018": -1681.6059800167368,
    "Zheng_PNAS2012": 278.333531616292,
}
KEYS = ("observableId", "preequilibrationConditionId", "simulationConditionId", "time", "observableParameters")


@cache
def _problem(folder: Path, name: str) -> Problem:
    return read(folder / "petab-models" / name / f"{name}.yaml")


def _keyed(table: pd.DataFrame, value: Any) -> pd.Series[float]:
    """Values by what they are of, replicates in their order."""
    keys = pd.DataFrame({k: table[k].astype(str).replace("nan", "") for k in KEYS if k in table and k != "time"})
    keys["time"] = table["time"].astype(float)
    keys["replicate"] = keys.groupby(list(keys.columns)).cumcount()
    return pd.Series(np.asarray(value, float), index=pd.MultiIndex.from_frame(keys))


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_is_simulated_at_the_published_parameters_is_what_the_authors_published(
    shared_data: Path, name: str
) -> None:
    problem = _problem(shared_data, name)
    theirs = pd.read_csv(shared_data / "petab-models" / name / f"simulatedData_{name}.tsv", sep="\t")
    found = evaluate(problem, rtol=1e-10)
    assert found.outcome == "ok"
    ours = _keyed(problem.measurements.table, found.evaluation.simulation[0]).sort_index()
    published = _keyed(theirs, theirs["simulation"]).sort_index()
    assert len(ours) == len(published)
    size = np.maximum(np.abs(published), 1e-8 * np.abs(published).max())
    assert float((np.abs(ours.to_numpy() - published.to_numpy()) / size).max()) < PUBLISHED[name]


def test_the_one_table_that_does_not_agree_holds_the_measurements_instead_of_a_simulation(shared_data: Path) -> None:
    problem = _problem(shared_data, "Zheng_PNAS2012")
    theirs = pd.read_csv(shared_data / "petab-models/Zheng_PNAS2012/simulatedData_Zheng_PNAS2012.tsv", sep="\t")
    assert np.allclose(theirs["simulation"], problem.measurements.value, rtol=1e-9)


@pytest.mark.parametrize("name", [*PUBLISHED, "Zheng_PNAS2012"])
def test_the_likelihood_is_what_petab_computes_from_the_simulation(shared_data: Path, name: str) -> None:
    problem = _problem(shared_data, name)
    found = evaluate(problem).evaluation
    chosen = [problem.observables[i] for i in problem.measurements.observable]
    rows = zip(problem.measurements.value, found.simulation[0], chosen, found.noise[0], strict=True)
    expected = sum(petab.calculate_single_llh(m, s, o.transformation, o.distribution, n) for m, s, o, n in rows)
    assert found.log_likelihood[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["Boehm_JProteomeRes2014", "Fiedler_BMCSystBiol2016", "Brannmark_JBC2010"])
def test_the_likelihood_is_what_petab_computes_from_the_written_table(
    shared_data: Path, name: str, tmp_path: Path
) -> None:
    from exotwin.report import write_simulation

    problem = _problem(shared_data, name)
    found = evaluate(problem)
    write_simulation(problem, found.evaluation, tmp_path / "simulation.tsv")
    theirs = petab.Problem.from_yaml(shared_data / "petab-models" / name / f"{name}.yaml")
    table = petab.get_simulation_df(str(tmp_path / "simulation.tsv"))
    expected = petab.calculate_llh(theirs.measurement_df, table, theirs.observable_df, theirs.parameter_df)
    assert found.log_likelihood == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("name", BY_AMICI)
def test_the_likelihood_is_that_of_another_simulator(shared_data: Path, name: str) -> None:
    found = evaluate(_problem(shared_data, name), rtol=1e-11)
    assert found.log_likelihood == pytest.approx(BY_AMICI[name], rel=1e-10)


@pytest.mark.parametrize("name", ["Boehm_JProteomeRes2014", "Fiedler_BMCSystBiol2016", "Brannmark_JBC2010"])
def test_the_gradient_is_that_of_differences_of_values(shared_data: Path, name: str) -> None:
    problem = _problem(shared_data, name)
    aim = objective(problem, rtol=1e-11)
    # away from the optimum, where the gradient is no difference of large parts
    point = problem.nominal + 0.05 * np.where(np.arange(len(problem.names)) % 2, 1.0, -1.0)
    point = np.clip(point, problem.lower + 0.01, problem.upper - 0.01)
    found, expected = aim.evaluate(point[None], slopes=True), differences(aim, point)
    assert found.gradient is not None
    assert np.all(np.abs(found.gradient[0] - expected) < 1e-5 * np.abs(expected).max())
