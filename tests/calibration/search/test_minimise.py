"""One local search, against minima that SciPy or a formula finds."""

from logging import CRITICAL

import numpy as np
import pytest
from fides import Optimizer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import least_squares

from exotwin.calibration.search.minimise import minimise


def independent(toy, start):
    """SciPy's minimum from the same start."""
    return least_squares(toy.residuals, start, toy.jacobian, bounds=(toy.lower, toy.upper), xtol=1e-14, ftol=1e-14)


def search(toy, start, **options):
    return minimise(toy.one, np.array(start, float), toy.lower, toy.upper, **options)


def test_the_end_of_the_bent_valley_is_found(toys):
    found = search(toys.valley(), [-1.2, 1.0])
    assert found.outcome == "converged"
    np.testing.assert_allclose(found.point, 1.0, atol=1e-4)
    assert found.value < 1e-8


@pytest.mark.parametrize("start", [[1.0, 1.0], [-2.0, -2.0], [0.0, 1.5]])
def test_the_minimum_is_that_of_an_independent_search(toys, start):
    toy = toys.decay()
    found, expected = search(toy, start), independent(toy, np.array([0.3, -0.1]))
    assert found.outcome == "converged"
    # the search ends at changes of the objective below 1e-8; its curvature here is of the order 1e4
    assert found.value == pytest.approx(expected.cost, abs=1e-7)
    np.testing.assert_allclose(found.point, expected.x, atol=1e-5)
    assert found.value == toy.one(found.point)[0]
    np.testing.assert_array_equal(found.gradient, toy.one(found.point)[1])


def test_a_direction_without_curvature_does_not_stop_the_search(toys):
    found = search(toys.product(), [-1.5, 0.4, 1.7])
    assert found.outcome == "converged"
    assert found.point[:2].sum() == pytest.approx(np.log(2.0), abs=1e-4)
    assert found.point[2] == pytest.approx(0.5, abs=1e-4)


def test_information_without_any_entry_does_not_stop_the_search(toys):
    found = minimise(lambda x: (3.0, np.zeros(2), np.zeros((2, 2))), np.zeros(2), -np.ones(2), np.ones(2))
    assert (found.value, found.outcome) == (3.0, "converged")


@given(start=st.floats(-4.5, 4.5))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_of_several_minima_one_is_found(toys, start):
    toy = toys.waves()
    found = search(toy, [start, 0.0])
    assert found.outcome == "converged"
    np.testing.assert_allclose(found.gradient, 0.0, atol=1e-2)  # curvature 16: 1e-6 of the objective
    nearby = found.point + np.array([[0.02, 0.0], [-0.02, 0.0], [0.0, 0.02], [0.0, -0.02]])
    assert all(toy.value(point) > found.value for point in nearby)


@pytest.mark.parametrize(
    ("lower", "upper"), [([1.3, -3.0], [3.0, 3.0]), ([-3.0, -3.0], [0.4, 3.0]), ([-3, -3], [3, 0.5])]
)
def test_a_minimum_at_a_bound_is_found_and_no_bound_is_crossed(toys, lower, upper):
    toy, asked = toys.valley(), []
    toy.lower, toy.upper = np.array(lower, float), np.array(upper, float)

    def evaluate(point):
        asked.append(point)
        return toy.one(point)

    begin = (toy.lower + toy.upper) / 2
    found, expected = minimise(evaluate, begin, toy.lower, toy.upper), independent(toy, begin)
    assert found.outcome == "converged"
    assert found.value == pytest.approx(expected.cost, abs=1e-6)
    assert all((toy.lower <= point).all() and (point <= toy.upper).all() for point in asked)


def test_held_parameters_stay_and_the_others_are_searched(toys):
    toy = toys.decay()
    found = search(toy, [0.0, 0.5], held={1: 0.2})
    expected = least_squares(
        lambda a: toy.residuals(np.array([a[0], 0.2])), [0.0], bounds=(-3, 3), xtol=1e-14, ftol=1e-14
    )
    assert found.point[1] == 0.2
    assert found.value == pytest.approx(expected.cost, abs=1e-7)
    assert found.gradient.shape == (2,)


def test_with_all_parameters_held_there_is_one_evaluation(toys):
    toy = toys.valley()
    found = search(toy, [0.0, 0.0], held={0: 0.5, 1: 0.25})
    assert (found.point.tolist(), found.evaluations, found.outcome) == ([0.5, 0.25], 1, "converged")
    assert found.value == pytest.approx(0.125)


def test_a_parameter_whose_bounds_meet_stays_there(toys):
    toy = toys.valley()
    toy.lower[0] = toy.upper[0] = 0.5
    found = search(toy, [0.0, 0.0])
    assert found.outcome == "converged"
    np.testing.assert_allclose(found.point, [0.5, 0.25], atol=1e-5)


def test_a_start_outside_the_bounds_is_moved_onto_them(toys):
    first = []
    toy = toys.valley()
    minimise(lambda x: first.append(x) or toy.one(x), np.array([9.0, 0.0]), toy.lower, toy.upper, max_iterations=1)
    assert first[0].tolist() == [3.0, 0.0]


def beyond(point):
    """Where a valley has no value: a search from (−1.2, 1) would pass there on its way."""
    return bool(point[1] < -0.05)


def test_a_minimum_met_to_the_last_digit_is_no_failure(toys):
    # nothing is lower by more than rounding, so that every further step is rejected
    found = search(toys.waves(), [0.0, 1.0])
    again = search(toys.waves(), found.point)
    assert again.outcome == "converged"
    assert again.evaluations < 5


def test_steps_to_where_there_is_no_value_are_taken_back(toys):
    toy = toys.valley(fails=beyond)
    found = search(toy, [-1.2, 1.0])
    assert found.failed > 0
    assert found.outcome == "converged"
    np.testing.assert_allclose(found.point, 1.0, atol=1e-4)


def test_a_value_without_a_finite_gradient_counts_as_none(toys):
    toy = toys.valley()

    def half(point):
        value, gradient, information = toy.one(point)
        return (value, gradient * np.nan, information) if beyond(point) else (value, gradient, information)

    expected = search(toys.valley(fails=beyond), [-1.2, 1.0])
    found = minimise(half, np.array([-1.2, 1.0]), toy.lower, toy.upper)
    assert expected.failed > 0
    assert (found.failed, found.value) == (expected.failed, expected.value)


def test_a_start_without_a_value_is_told(toys):
    found = search(toys.valley(fails=lambda x: True), [0.5, 0.5])
    assert (found.outcome, found.value, found.evaluations, found.failed) == (
        "failed: no value at the start",
        np.inf,
        1,
        1,
    )
    assert found.point.tolist() == [0.5, 0.5]
    assert np.isnan(found.gradient).all()


def test_the_iteration_limit_is_told_with_the_best_point(toys):
    toy, values = toys.valley(), []

    def evaluate(point):
        found = toy.one(point)
        values.append(found[0])
        return found

    found = minimise(evaluate, np.array([-1.2, 1.0]), toy.lower, toy.upper, max_iterations=4)
    assert found.outcome == "iteration limit"
    assert (found.value, found.evaluations) == (min(values), len(values))


def test_an_error_of_the_library_ends_one_search_with_what_it_had(toys, monkeypatch):
    toy, calls = toys.valley(), [0]

    def broken(*args, **options):
        calls[0] += 1
        if calls[0] > 3:
            raise np.linalg.LinAlgError("did not converge")
        return as_ever(*args, **options)

    import fides.minimize

    as_ever = fides.minimize.trust_region
    monkeypatch.setattr(fides.minimize, "trust_region", broken)
    found = search(toy, [-1.2, 1.0])
    assert found.outcome == "failed: LinAlgError: did not converge"
    assert found.value < toy.value(np.array([-1.2, 1.0]))


def test_a_search_that_hardly_comes_on_is_ended_and_told_so():
    def slope(x):
        """Falls for ever, with information that makes each step 0.1 long: a gain of 1e-6."""
        return -1e-5 * x[0], np.array([-1e-5]), np.array([[1e-4]])

    found = minimise(slope, np.zeros(1), np.full(1, -1e9), np.full(1, 1e9), tolerance=0.0)
    assert found.outcome == "creeping"
    assert found.evaluations < 60


def test_curvature_that_the_information_lacks_is_learnt():
    def evaluate(x):
        """A bowl whose curvature along x0 is 1.9 times what the information says: steps by it alone swing."""
        value = 0.95 * (x[0] - 0.3) ** 2 + 5.0 * (x[1] - x[0]) ** 2
        gradient = np.array([1.9 * (x[0] - 0.3) - 10.0 * (x[1] - x[0]), 10.0 * (x[1] - x[0])])
        return value, gradient, np.array([[11.0, -10.0], [-10.0, 10.0]])

    found = minimise(evaluate, np.array([-2.0, 2.0]), np.full(2, -3.0), np.full(2, 3.0))
    assert found.outcome == "converged"
    np.testing.assert_allclose(found.point, 0.3, atol=1e-4)
    alone = Optimizer(
        evaluate, ub=np.full(2, 3.0), lb=np.full(2, -3.0), verbose=CRITICAL, options={"fatol": 1e-8, "frtol": 0.0}
    )
    alone.minimize(np.array([-2.0, 2.0]))
    assert found.evaluations < 0.7 * alone.iteration
