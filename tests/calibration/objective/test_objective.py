"""The objective of small problems against closed forms, and what does not depend on what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import stats
from small_problems import CONVERSION, MEASUREMENTS, OBSERVABLES, PARAMETERS, conversion, differences, problem

from exotwin.calibration.objective import SimulatedObjective, objective, simulated
from exotwin.errors import CalibrationError

RATES = f"{PARAMETERS}\nk1|log10|0.01|10|0.8|1\nk2|lin|0.01|10|0.6|1\nsd|log|0.01|10|0.3|1"
TIMES = (0.5, 1.0, 4.0)


def _conversion(folder: Path, *, rtol: float = 1e-10) -> SimulatedObjective:
    rows = "\n".join(f"a|c0|{0.6 + 0.1 * i}|{t}" for i, t in enumerate(TIMES))
    return objective(
        problem(
            folder,
            CONVERSION,
            parameters=RATES,
            observables=f"{OBSERVABLES}\na|A|sd",
            measurements=f"{MEASUREMENTS}\n{rows}",
        ),
        rtol=rtol,
    )


@pytest.fixture(scope="module")
def aim(tmp_path_factory: pytest.TempPathFactory) -> SimulatedObjective:
    return _conversion(tmp_path_factory.mktemp("conversion"))


POINTS = st.tuples(st.floats(-1.9, 0.9), st.floats(0.02, 9.0), st.floats(-4.0, 2.0))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(point=POINTS)
def test_value_and_gradient_are_those_of_the_closed_form(aim: SimulatedObjective, point: tuple[float, ...]) -> None:
    def expected(x: np.ndarray) -> float:
        a = conversion(np.array(TIMES), 10 ** x[0], x[1])
        return -float(stats.norm.logpdf([0.6, 0.7, 0.8], a, np.exp(x[2])).sum())

    x = np.array(point)
    found = aim.evaluate(x[None], slopes=True)
    assert found.value[0] == pytest.approx(expected(x), rel=1e-7)
    steps = 1e-5 * np.eye(3)
    slope = np.array([(expected(x + h) - expected(x - h)) / 2e-5 for h in steps])
    assert found.gradient is not None
    assert np.all(np.abs(found.gradient[0] - slope) < 2e-5 * np.abs(slope).max() + 1e-6)


def test_information_is_the_mean_square_of_the_gradient_over_data_that_the_model_makes(tmp_path: Path) -> None:
    """Expected information = E[g gᵀ] at the true parameters: 400 data sets drawn from the model."""
    aim = _conversion(tmp_path)
    x = np.array([np.log10(0.8), 0.6, np.log(0.3)])
    information = aim.evaluate(x[None], slopes=True).information
    assert information is not None
    k1, k2, sd = 0.8, 0.6, 0.3
    rng, h = np.random.default_rng(1), 1e-5
    middle = conversion(np.array(TIMES), k1, k2)
    by_k1 = (conversion(np.array(TIMES), k1 + h, k2) - conversion(np.array(TIMES), k1 - h, k2)) / (2 * h)
    by_k2 = (conversion(np.array(TIMES), k1, k2 + h) - conversion(np.array(TIMES), k1, k2 - h)) / (2 * h)
    residual = rng.normal(0, 1, (400_000, 3))
    gradients = np.stack(
        [
            residual @ (by_k1 * k1 * np.log(10)) / sd,
            residual @ by_k2 / sd,
            np.sum(residual**2 - 1, axis=1),  # by log sd
        ],
        axis=1,
    )
    assert np.all(np.isfinite(middle))
    expected = gradients.T @ gradients / len(gradients)
    assert np.all(np.abs(information[0] - expected) < 0.02 * np.sqrt(np.outer(np.diag(expected), np.diag(expected))))


def test_what_is_found_for_a_point_does_not_depend_on_the_others_bit_for_bit(
    aim: SimulatedObjective, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(2)
    points = rng.uniform([-1.5, 0.1, -2], [0.5, 5, 1], (37, 3))
    together = aim.evaluate(points, slopes=True)
    alone = [aim.evaluate(point[None], slopes=True) for point in points]
    monkeypatch.setattr(simulated, "_BYTES", 5000)
    in_parts = aim.evaluate(points, slopes=True)
    for name in ("value", "log_likelihood", "simulation", "noise", "gradient", "information"):
        assert np.array_equal(getattr(together, name), np.concatenate([getattr(one, name) for one in alone])), name
        assert np.array_equal(getattr(together, name), getattr(in_parts, name)), name


def test_a_failed_simulation_has_an_infinite_objective_says_where_and_stops_nobody(tmp_path: Path) -> None:
    """x' = k x² from 1 reaches infinity at time 1/k."""
    aim = objective(
        problem(
            tmp_path,
            "x = 1; x' = k*x^2; k = 0.1",
            parameters=f"{PARAMETERS}\nk|lin|0|10|0.1|1",
            observables=f"{OBSERVABLES}\nx_seen|x|1",
            measurements=f"{MEASUREMENTS}\nx_seen|c0|1|2",
        )
    )
    found = aim.evaluate([[0.1], [2.0], [0.25]], slopes=True)
    assert found.outcome[0] == found.outcome[2] == "ok"
    assert 'in "c0"' in found.outcome[1]
    assert found.value[1] == np.inf
    assert found.gradient is not None
    assert np.all(np.isnan(found.gradient[1]))
    assert found.simulation[[0, 2], 0] == pytest.approx([1 / 0.8, 1 / 0.5], rel=1e-7)
    assert found.gradient[0, 0] == pytest.approx((1 / 0.8 - 1) * 2 / 0.8**2, rel=1e-6)


def test_a_likelihood_that_is_no_number_is_told_with_the_observable(tmp_path: Path) -> None:
    aim = objective(
        problem(
            tmp_path,
            CONVERSION,
            parameters=f"{PARAMETERS}\nk1|lin|0|10|1|1\nshift|lin|-5|5|0|1",
            observables=f"{OBSERVABLES}|observableTransformation\nlow|A + shift|0.1|log10",
            measurements=f"{MEASUREMENTS}\nlow|c0|0.7|1",
        )
    )
    found = aim.evaluate([[1.0, 0.5], [1.0, -3.0]], slopes=True)
    assert np.isfinite(found.value[0])
    assert found.value[1] == np.inf
    assert found.outcome[1].startswith('no likelihood of "low": simulated -2.')


def test_points_of_another_length_are_refused(aim: SimulatedObjective) -> None:
    with pytest.raises(CalibrationError, match=r"\(n, 3\)"):
        aim.evaluate([[1.0, 2.0]])


def test_conditions_set_parameters_starts_and_compartments_from_numbers_and_parameters(tmp_path: Path) -> None:
    """Every simulation has a lane of its own: A(t) in closed form, with starts that are estimated too."""
    conditions = "conditionId|A|B|k1\nc0|start|0.5|0.8\nc1|2||rate\nc2|start|start|rate"
    aim = objective(
        problem(
            tmp_path,
            CONVERSION,
            parameters=f"{PARAMETERS}\nstart|lin|0|5|1.5|1\nrate|log10|0.01|10|0.3|1\nk2|lin|0|5|0.6|1",
            conditions=conditions,
            observables=f"{OBSERVABLES}\na|A|0.1",
            measurements=f"{MEASUREMENTS}\na|c0|1|2\na|c1|1|3\na|c2|1|1\na|c2|1|0",
        ),
        rtol=1e-10,
    )
    found = aim.evaluate([[1.5, np.log10(0.3), 0.6]], slopes=True)
    expected = [
        conversion(2, 0.8, 0.6, 1.5, 0.5),
        conversion(3, 0.3, 0.6, 2.0, 0.0),
        conversion(1, 0.3, 0.6, 1.5, 1.5),
        1.5,
    ]
    assert found.simulation[0] == pytest.approx(expected, rel=1e-8)
    point = np.array([1.4, np.log10(0.5), 0.7])
    gradient = aim.evaluate(point[None], slopes=True).gradient
    assert gradient is not None
    assert gradient[0] == pytest.approx(differences(aim, point), rel=1e-6)


def test_placeholders_priors_and_noise_that_depends_on_the_observable_enter_with_their_slopes(tmp_path: Path) -> None:
    aim = objective(
        problem(
            tmp_path,
            CONVERSION,
            parameters=(
                f"{PARAMETERS}|objectivePriorType|objectivePriorParameters\n"
                "k1|log10|0.01|10|0.8|1|parameterScaleNormal|0;0.5\ng1|lin|0.1|10|2|1|normal|2;0.3\n"
                "g2|log|0.1|10|3|1||\nsd|lin|0.01|5|0.2|1|laplace|0.1;0.2"
            ),
            observables=(
                f"{OBSERVABLES}|observableTransformation|noiseDistribution\n"
                "a|observableParameter1_a * A + observableParameter2_a|sd + noiseParameter1_a * a|lin|laplace\n"
                "b|B^2 + 0.1|noiseParameter1_b|log|normal"
            ),
            measurements=(
                f"{MEASUREMENTS}|observableParameters|noiseParameters\na|c0|1|1|g1;0.5|0.1\na|c0|1|2|g2;g1|0.2\n"
                "b|c0|0.3|1||sd\nb|c0|0.4|2||0.5"
            ),
        ),
        rtol=1e-10,
    )
    x = np.array([np.log10(0.7), 1.8, np.log(2.5), 0.3])
    found = aim.evaluate(x[None], slopes=True)
    a1, a2 = (float(conversion(t, 0.7, 0.6)) for t in (1, 2))
    y1, y2 = 1.8 * a1 + 0.5, 2.5 * a2 + 1.8
    b1, b2 = (1 - a1) ** 2 + 0.1, (1 - a2) ** 2 + 0.1
    likelihood = (
        stats.laplace.logpdf(1, y1, 0.3 + 0.1 * y1)
        + stats.laplace.logpdf(1, y2, 0.3 + 0.2 * y2)
        + stats.lognorm.logpdf(0.3, 0.3, scale=b1)
        + stats.lognorm.logpdf(0.4, 0.5, scale=b2)
    )
    prior = (
        stats.norm.logpdf(np.log10(0.7), 0, 0.5) + stats.norm.logpdf(1.8, 2, 0.3) + stats.laplace.logpdf(0.3, 0.1, 0.2)
    )
    assert found.log_likelihood[0] == pytest.approx(likelihood, rel=1e-8)
    assert found.value[0] == pytest.approx(-likelihood - prior, rel=1e-8)
    assert found.gradient is not None
    assert found.gradient[0] == pytest.approx(differences(aim, x), rel=1e-6)


def test_states_that_jump_are_differentiated_by_differences_and_the_reason_is_told(tmp_path: Path) -> None:
    """x' = −k x, and 2 more at time 1: x(2) = exp(−2k) + 2 exp(−k)."""
    aim = objective(
        problem(
            tmp_path,
            "x = 1; x' = -k*x; k = 0.4; at (time >= 1): x = x + dose; dose = 2",
            parameters=f"{PARAMETERS}\nk|log10|0.01|10|0.4|1\ndose|lin|0|10|2|1",
            observables=f"{OBSERVABLES}\nx_seen|x|0.5",
            measurements=f"{MEASUREMENTS}\nx_seen|c0|1|2",
        )
    )
    assert not aim.exact
    assert "event" in aim.reason
    found = aim.evaluate([[np.log10(0.4), 2.0]], slopes=True)
    k = 0.4
    x = np.exp(-2 * k) + 2 * np.exp(-k)
    assert found.simulation[0, 0] == pytest.approx(x, rel=1e-7)
    by_x = (x - 1) / 0.25
    expected = [by_x * (-2 * np.exp(-2 * k) - 2 * np.exp(-k)) * k * np.log(10), by_x * np.exp(-k)]
    assert found.gradient is not None
    assert found.gradient[0] == pytest.approx(expected, rel=1e-5)
    assert found.information is not None
    assert found.information[0] == pytest.approx(np.outer(expected, expected) * 0.25 / (x - 1) ** 2, rel=1e-4)


def test_a_condition_may_set_what_only_formulas_know_to_numbers_and_parameters(tmp_path: Path) -> None:
    aim = objective(
        problem(
            tmp_path,
            CONVERSION,
            parameters=f"{PARAMETERS}\nk1|lin|0.01|10|0.8|1\ngain|log10|0.1|10|3|1",
            conditions="conditionId|factor\nc0|2\nc1|gain",
            observables=f"{OBSERVABLES}\na|factor * A|0.1 * factor",
            measurements=f"{MEASUREMENTS}\na|c0|1|1\na|c1|2|1",
        ),
        rtol=1e-10,
    )
    point = np.array([0.7, np.log10(2.5)])
    found = aim.evaluate(point[None], slopes=True)
    a = conversion(1.0, 0.7, 0.6)
    assert found.simulation[0] == pytest.approx([2 * a, 2.5 * a], rel=1e-8)
    assert found.noise[0] == pytest.approx([0.2, 0.25], rel=1e-12)
    assert found.gradient is not None
    assert found.gradient[0] == pytest.approx(differences(aim, point), rel=1e-6)


def test_results_do_not_depend_on_the_number_of_threads(aim: SimulatedObjective) -> None:
    points = np.random.default_rng(4).uniform([-1.5, 0.1, -2], [0.5, 5, 1], (300, 3))
    one, two = (objective(aim.problem, rtol=1e-10, n_threads=n).evaluate(points, slopes=True) for n in (1, 2))
    assert np.array_equal(one.value, two.value)
    assert np.array_equal(one.gradient, two.gradient)


JUMP = "x = 1; x' = -k*x; k = 0.4; at (time >= 1): x = x + dose; dose = 2"


def test_differences_pass_over_conditions_in_which_nothing_estimated_acts(tmp_path: Path) -> None:
    aim = objective(
        problem(
            tmp_path,
            JUMP,
            parameters=f"{PARAMETERS}\nrate|lin|0.01|10|0.7|1",
            observables=f"{OBSERVABLES}\nx_seen|x|0.5",
            conditions="conditionId|k\nc0|rate\nc1|",
            measurements=f"{MEASUREMENTS}\nx_seen|c0|1|2\nx_seen|c1|1|2",
        )
    )
    assert not aim.exact
    found = aim.evaluate([[0.7]], slopes=True)
    x = [np.exp(-2 * k) + 2 * np.exp(-k) for k in (0.7, 0.4)]
    assert found.outcome == ("ok",)
    assert found.simulation[0] == pytest.approx(x, rel=1e-7)
    assert found.gradient is not None
    assert found.gradient[0, 0] == pytest.approx((x[0] - 1) / 0.25 * (-2 * np.exp(-1.4) - 2 * np.exp(-0.7)), rel=1e-5)


def test_differences_do_not_leave_the_numbers_above_zero_at_a_bound_of_zero(tmp_path: Path) -> None:
    """x' = −(k + d^1.5) x has no value below d = 0, and at d = 0 its derivative by d is 0."""
    aim = objective(
        problem(
            tmp_path,
            JUMP.replace("-k*x", "-(k + d^1.5)*x; d = 1"),
            parameters=f"{PARAMETERS}\nd|lin|0|10|0|1",
            observables=f"{OBSERVABLES}\nx_seen|x|0.5",
            measurements=f"{MEASUREMENTS}\nx_seen|c0|1|2",
        )
    )
    assert not aim.exact
    found = aim.evaluate([[0.0]], slopes=True)
    assert found.outcome == ("ok",)
    assert found.gradient is not None
    assert abs(found.gradient[0, 0]) < 1e-2


def test_starts_of_rate_rules_are_set_by_conditions_and_what_is_computed_from_them_follows(tmp_path: Path) -> None:
    """x' = m − k x and, from x at the start, y = 2 x and z = 3 x, which stay; also behind a rest at x = m / k."""
    runs = (("c0", ""), ("c1", ""), ("c2", ""), ("c0", "rest"))
    rows = [f"{name}_seen|{c}|{before}|1|2" for name in "xyz" for c, before in runs]
    aim = objective(
        problem(
            tmp_path,
            "x = 1; y = 2*x; z := 3*w; w = x; x' = m - k*x; y' = 0*y; k = 0.4; m = 0",
            parameters=f"{PARAMETERS}\nx0|lin|0.1|10|0.7|1\nk|log10|0.01|10|0.4|1",
            observables=f"{OBSERVABLES}\n" + "\n".join(f"{name}_seen|{name}|0.5" for name in "xyz"),
            conditions="conditionId|x|m\nc0|x0|\nc1|4|\nc2||\nrest|x0|0.3",
            measurements="observableId|simulationConditionId|preequilibrationConditionId|measurement|time\n"
            + "\n".join(rows),
        )
    )
    point = np.array([0.7, np.log10(0.4)])
    found = aim.evaluate(point[None], slopes=True)
    fall = np.exp(-0.8)
    assert aim.exact
    assert found.outcome == ("ok",)
    assert found.simulation[0, :4] == pytest.approx([0.7 * fall, 4 * fall, fall, 0.7 * fall], rel=1e-6)
    assert found.simulation[0, 4:8] == pytest.approx([1.4, 8, 2, 1.4], rel=1e-6)
    assert found.simulation[0, 8:12] == pytest.approx([2.1, 12, 3, 2.1], rel=1e-6)
    assert found.gradient is not None
    assert found.gradient[0] == pytest.approx(differences(aim, point), rel=1e-5)


def test_a_parameter_that_sets_another_entity_behind_a_rest_has_its_derivative_in_all_states(tmp_path: Path) -> None:
    """A starts at p and never moves; behind the rest p feeds B alone, and A stays where it was."""
    aim = objective(
        problem(
            tmp_path,
            "A' = 0*A; B' = m - B; A = k; B = 1; k = 1; m = 1",
            parameters=f"{PARAMETERS}\np|lin|0.1|10|0.7|1",
            observables=f"{OBSERVABLES}\nA_seen|A|0.5",
            conditions="conditionId|k|m\nrest|p|1\nc0|1|p",
            measurements="observableId|simulationConditionId|preequilibrationConditionId|measurement|time\n"
            "A_seen|c0|rest|2|1",
        )
    )
    found = aim.evaluate([[0.7]], slopes=True)
    assert found.simulation[0, 0] == pytest.approx(0.7, rel=1e-6)
    assert found.gradient is not None
    assert found.gradient[0, 0] == pytest.approx((0.7 - 2) / 0.25, rel=1e-5)


@pytest.mark.parametrize("start", [0.0, 0.7])
def test_a_start_that_is_forgotten_does_not_keep_a_run_from_its_rest(tmp_path: Path, start: float) -> None:
    """The derivative of A by its start dies away without end, whether it counts in a condition or not."""
    aim = objective(
        problem(
            tmp_path,
            "A' = 2 - k*A; A = 1; k = 0.5",
            parameters=f"{PARAMETERS}\nstart|lin|0|10|0.7|1\nk|log10|0.01|10|0.5|1",
            observables=f"{OBSERVABLES}\nA_seen|A|0.5",
            conditions="conditionId|A\nc0|0\nc1|\nc2|start",
            measurements=f"{MEASUREMENTS}\nA_seen|c0|3|inf\nA_seen|c1|3|inf\nA_seen|c2|3|inf",
        )
    )
    found = aim.evaluate([[start, np.log10(0.5)]], slopes=True)
    assert found.outcome == ("ok",)
    assert found.gradient is not None
    assert found.gradient[0] == pytest.approx([0, 3 * (4 - 3) / 0.25 * -4 * np.log(10)], rel=1e-6, abs=1e-6)
