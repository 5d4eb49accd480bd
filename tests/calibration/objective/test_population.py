"""Populations: statistics over individuals, and spreads that are estimated, against closed forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import special
from scipy.stats import qmc
from small_problems import MEASUREMENTS, PARAMETERS, differences, problem

from exotwin.calibration.objective import SimulatedObjective, objective

DECAY = "x = x0; x' = -k*x; k = 0.4; x0 = 1; shift = 0"
PEOPLE = "parameterId|distribution|location|scale|lower|upper\nk|lognormal|k_median|k_sd||\nx0|uniform|||0.5|1.5"
POINT = np.array([np.log10(0.4), 0.3, 1.2, 0.5])


@pytest.fixture(scope="module")
def aim(tmp_path_factory: pytest.TempPathFactory) -> SimulatedObjective:
    made = problem(
        tmp_path_factory.mktemp("people"),
        DECAY,
        parameters=(
            f"{PARAMETERS}\nk_median|log10|0.01|10|0.4|1\nk_sd|lin|0.01|2|0.3|1\ngain|lin|0.1|5|1.2|1\n"
            "more|lin|0|3|0.5|1"
        ),
        conditions="conditionId|shift\nuntreated|0\ntreated|more",
        observables=(
            "observableId|observableFormula|noiseFormula|statistic\n"
            "middle|gain * x + shift|0.1|mean\nspread|gain * x + shift|0.1|sd\n"
            "effect|gain * x + shift|0.2|smd untreated"
        ),
        measurements=(
            f"{MEASUREMENTS}\nmiddle|untreated|0.6|1\nspread|treated|0.2|2\neffect|treated|1.5|1\neffect|treated|1.4|3"
        ),
        population=PEOPLE,
    )
    return objective(made, rtol=1e-10)


def _people(median: float, sd: float) -> tuple[np.ndarray, np.ndarray]:
    """k and x0 of the 64 individuals."""
    unit = qmc.Sobol(2, scramble=True, rng=3).random(64)
    return median * np.exp(sd * special.ndtri(unit[:, 0])), 0.5 + unit[:, 1]


def test_statistics_are_those_of_all_individuals(aim: SimulatedObjective) -> None:
    k, x0 = _people(0.4, 0.3)

    def seen(t: float, shift: float) -> np.ndarray:
        return 1.2 * x0 * np.exp(-k * t) + shift

    def effect(t: float) -> float:
        one, other = seen(t, 0.5), seen(t, 0.0)
        return float((one.mean() - other.mean()) / np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2))

    expected = [seen(1, 0).mean(), seen(2, 0.5).std(ddof=1), effect(1), effect(3)]
    assert aim.evaluate(POINT[None]).simulation[0] == pytest.approx(expected, rel=1e-8)
    assert aim.simulations == 2 * 64


def test_spreads_are_estimated_with_exact_derivatives(aim: SimulatedObjective) -> None:
    assert aim.exact
    found = aim.evaluate(POINT[None], slopes=True).gradient
    assert found is not None
    assert found[0] == pytest.approx(differences(aim, POINT), rel=1e-6)
    assert np.all(found[0] != 0)


def test_location_and_spread_are_found_again_from_the_mean_and_the_sd_of_a_population(tmp_path: Path) -> None:
    """x at time 0 is what differs: mean 3 and SD 0.6 of a normal distribution come back as they were put in."""
    from exotwin.calibration import fit

    made = problem(
        tmp_path,
        "x = x0; x' = 0; x0 = 1; k = 1",
        parameters=f"{PARAMETERS}\ncentre|lin|0|10|1|1\nwidth|log10|0.01|10|1|1",
        observables="observableId|observableFormula|noiseFormula|statistic\nm|x|0.01|mean\ns|x|0.01|sd",
        measurements=f"{MEASUREMENTS}\nm|c0|3|0\ns|c0|0.6|0",
        population="parameterId|distribution|location|scale|lower|upper\nx0|normal|centre|width||",
        individuals=256,
    )
    found = fit(made, starts=3, seed=1)
    assert found.values == pytest.approx([3.0, 0.6], rel=2e-3)
    assert [profile.verdict for profile in found.profiles] == ["identifiable", "identifiable"]
