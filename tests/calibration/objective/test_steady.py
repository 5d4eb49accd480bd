"""Pre-equilibration and measurements at steady state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_problems import CONVERSION, MEASUREMENTS, OBSERVABLES, PARAMETERS, conversion, differences, problem

from exotwin.calibration.objective import objective
from exotwin.calibration.objective.steady import TIMES, settled, slopes_settled

WITH_BEFORE = "observableId|preequilibrationConditionId|simulationConditionId|measurement|time"
RATES = f"{PARAMETERS}\nk1|log10|0.001|10|0.8|1\nk2|log10|0.001|10|0.6|1"


def test_a_run_goes_on_from_the_steady_state_of_a_conserved_sum_with_its_derivatives(tmp_path: Path) -> None:
    aim = objective(
        problem(
            tmp_path,
            CONVERSION.replace("k2*B", "k2*B*pace").replace("k1*A", "k1*A*pace") + "; pace = 1",
            parameters=RATES,
            conditions="conditionId|pace|B\nrest|1|0.5\nrun|3|",
            observables=f"{OBSERVABLES}\na|A|0.1",
            measurements=f"{WITH_BEFORE}\na|rest|run|0.3|0\na|rest|run|0.3|0.2\na||run|0.3|0.2",
        ),
        rtol=1e-10,
    )
    k1, k2 = 0.8, 0.6
    found = aim.evaluate([[np.log10(k1), np.log10(k2)]], slopes=True)
    rest = 1.5 * k2 / (k1 + k2)
    assert aim.exact
    assert found.simulation[0] == pytest.approx([rest, rest, conversion(0.6, k1, k2)], rel=1e-8)
    point = np.array([-0.3, -0.4])
    gradient = aim.evaluate(point[None], slopes=True).gradient
    assert gradient is not None
    assert gradient[0] == pytest.approx(differences(aim, point), rel=1e-6)


def _before_only(folder: Path) -> tuple[object, np.ndarray]:
    made = problem(
        folder,
        CONVERSION,
        parameters=f"{PARAMETERS}\nk_rest|log10|0.01|10|0.4|1\nk2|log10|0.01|10|0.6|1",
        conditions="conditionId|k1|A\nrest|k_rest|2\nrun|0.8|",
        observables=f"{OBSERVABLES}\na|A|0.1",
        measurements=f"{WITH_BEFORE}\na|rest|run|0.9|0.5",
    )
    return made, np.array([np.log10(0.4), np.log10(0.6)])


def test_a_parameter_that_acts_before_the_steady_state_alone_is_differentiated_all_the_same(tmp_path: Path) -> None:
    made, point = _before_only(tmp_path)
    aim = objective(made, rtol=1e-9)  # type: ignore[arg-type]
    found = aim.evaluate(point[None], slopes=True)
    assert not aim.exact
    assert "k_rest" in aim.reason

    def a(x: np.ndarray) -> float:
        k_rest, k2 = 10**x
        rest = 2 * k2 / (k_rest + k2)
        return float(conversion(0.5, 0.8, k2, rest, 2 - rest))

    assert found.simulation[0, 0] == pytest.approx(a(point), rel=1e-7)
    h = 1e-5 * np.eye(2)
    slope = [(a(point + d) - a(point - d)) / 2e-5 for d in h]
    expected = [(a(point) - 0.9) / 0.01 * s for s in slope]
    assert found.gradient is not None
    assert found.gradient[0] == pytest.approx(expected, rel=1e-4)


def test_one_parameter_may_stand_for_another_entity_before_the_steady_state_than_behind_it(tmp_path: Path) -> None:
    """The same estimated number is k1 before, and k2 from then on: derivatives are carried on in its column."""
    aim = objective(
        problem(
            tmp_path,
            CONVERSION,
            parameters=f"{PARAMETERS}\nk|log10|0.01|10|0.4|1",
            conditions="conditionId|k1|k2\nrest|k|0.5\nrun|0.7|k",
            observables=f"{OBSERVABLES}\na|A|0.1",
            measurements=f"{WITH_BEFORE}\na|rest|run|0.9|0.5\na|rest|run|0.9|2",
        ),
        rtol=1e-10,
    )
    assert aim.exact
    point = np.array([np.log10(0.35)])
    found = aim.evaluate(point[None], slopes=True)
    rest = 0.5 / (0.35 + 0.5)
    assert found.simulation[0] == pytest.approx(conversion(np.array([0.5, 2]), 0.7, 0.35, rest, 1 - rest), rel=1e-8)
    assert found.gradient is not None
    assert found.gradient[0] == pytest.approx(differences(aim, point), rel=1e-6)


def test_what_is_measured_at_steady_state_is_simulated_until_nothing_moves(tmp_path: Path) -> None:
    aim = objective(
        problem(
            tmp_path,
            CONVERSION,
            parameters=RATES,
            observables=f"{OBSERVABLES}\na|A|0.1",
            measurements=f"{MEASUREMENTS}\na|c0|0.5|inf\na|c0|0.5|1",
        ),
        rtol=1e-10,
    )
    slow, usual = [-3.0, -2.9], [np.log10(0.8), np.log10(0.6)]
    found = aim.evaluate([slow, usual], slopes=True)
    for i, (k1, k2) in enumerate(10 ** np.array([slow, usual])):
        assert found.simulation[i] == pytest.approx([k2 / (k1 + k2), float(conversion(1, k1, k2))], rel=1e-7)
    assert found.gradient is not None
    assert found.gradient[0] == pytest.approx(differences(aim, np.array(slow)), rel=1e-5)


def test_a_model_that_never_rests_is_told_so(tmp_path: Path) -> None:
    aim = objective(
        problem(
            tmp_path,
            "x = 1; x' = k - 0.1; k = 0.1; y = 1; y' = -k*y",
            parameters=f"{PARAMETERS}\nk|lin|0|1|0.2|1",
            observables=f"{OBSERVABLES}\nx_seen|x|1",
            measurements=f"{MEASUREMENTS}\nx_seen|c0|1|inf",
        )
    )
    found = aim.evaluate([[0.2], [0.1]], slopes=False)
    assert found.outcome == ('no steady state in "c0"', "ok")
    assert found.value[0] == np.inf


def _course(times: np.ndarray, rate: float) -> np.ndarray:
    return 2.0 + 3.0 * np.exp(-rate * times)


def test_a_slow_way_to_rest_is_not_taken_for_rest_before_it_has_begun() -> None:
    courses = np.stack([_course(TIMES, rate)[:, None] for rate in (1.0, 1e-3, 1e-6)])
    found = settled(courses)
    assert np.all(found > 0)
    assert np.all(np.abs(courses[np.arange(3), found, 0] - 2.0) < 1e-9)
    too_slow = _course(TIMES, 1e-10)[None, :, None]
    assert settled(too_slow)[0] == -1


def test_derivatives_rest_where_they_are_quietest_before_rounding_adds_up() -> None:
    drift = 1e-12 * TIMES  # grows to a thousandth at the last time
    course = (1.0 - np.exp(-0.01 * TIMES) + drift)[None, :, None]
    found = slopes_settled(course, np.ones((1, 1)), np.array([3]))
    assert course[0, found[0], 0] == pytest.approx(1.0, abs=1e-6)
    assert slopes_settled(course, np.ones((1, 1)), np.array([-1]))[0] == -1
    growing = (1e-9 * TIMES)[None, :, None]
    assert slopes_settled(growing, np.ones((1, 1)), np.array([3]))[0] == -1
