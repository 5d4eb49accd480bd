"""Standard errors from the information, in easy and in singular cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from uncertainty_toys import LeastSquares, gaussian, problem

from exotwin.calibration.objective import Evaluation
from exotwin.calibration.problem import Prior
from exotwin.calibration.uncertainty import curvature, observed_curvature
from exotwin.errors import CalibrationError

COVARIANCE = np.array([[1.0, 0.8, 0.0], [0.8, 1.0, 0.1], [0.0, 0.1, 4.0]])


def at(information: np.ndarray, gradient: np.ndarray | None = None) -> Evaluation:
    p = len(information)
    nothing = np.empty((1, 0))
    gradient = np.zeros(p) if gradient is None else gradient
    return Evaluation(np.zeros(1), np.zeros(1), ("ok",), nothing, nothing, gradient[None], information[None])


def wide(p: int):
    return problem([-100.0] * p, [100.0] * p)


def test_standard_errors_and_correlations_are_those_of_the_covariance() -> None:
    objective = gaussian(COVARIANCE, np.zeros(3), [-9] * 3, [9] * 3)
    found = curvature(objective.problem, np.zeros(3), objective.evaluate(np.zeros((1, 3)), slopes=True))
    deviation = np.sqrt(np.diagonal(COVARIANCE))
    np.testing.assert_allclose(found.se, deviation, rtol=1e-12)
    np.testing.assert_allclose(found.correlation, COVARIANCE / np.outer(deviation, deviation), atol=1e-12)
    np.testing.assert_allclose(found.eigenvalues, 1 / np.linalg.eigvalsh(COVARIANCE)[::-1], rtol=1e-12)
    assert found.free.all()


@given(
    seed=st.integers(0, 10_000),
    exponents=st.lists(st.floats(-6, 6), min_size=4, max_size=4),
)
def test_units_of_the_parameters_only_scale_their_standard_errors(seed: int, exponents: list[float]) -> None:
    jacobian = np.random.default_rng(seed).normal(size=(9, 4))
    unit = 10.0 ** np.array(exponents)
    span = 100 * unit
    plain = curvature(wide(4), np.zeros(4), at(jacobian.T @ jacobian))
    scaled = jacobian / unit
    other = curvature(problem(-span, span), np.zeros(4), at(scaled.T @ scaled))
    np.testing.assert_allclose(other.se / unit, plain.se, rtol=1e-6)
    np.testing.assert_allclose(other.correlation, plain.correlation, atol=1e-6)


@pytest.mark.parametrize("noise", [0.0, 1e-12, 1e-6])
def test_parameters_that_only_act_as_a_product_have_no_standard_error_but_the_others_do(noise: float) -> None:
    # p0·p1 and p2 are measured, p3 stands beside them; noise as of sensitivities that are only nearly right
    rng = np.random.default_rng(2)
    product, other, third = rng.normal(size=(3, 12))
    jacobian = np.column_stack([3.0 * product, 0.01 * product, other, third])
    jacobian *= 1 + noise * rng.normal(size=jacobian.shape)
    found = curvature(wide(4), np.zeros(4), at(jacobian.T @ jacobian))
    rest = np.column_stack([product, other, third])
    expected = np.sqrt(np.diagonal(np.linalg.inv(rest.T @ rest)))[1:]
    assert np.isposinf(found.se[:2]).all()
    np.testing.assert_allclose(found.se[2:], expected, rtol=max(1e-9, 10 * noise))
    assert np.isnan(found.correlation[:2]).all()
    assert np.isfinite(found.correlation[2:, 2:]).all()
    assert found.eigenvalues[0] < 1e-8


@pytest.mark.parametrize("angle", [1e-2, 1e-3, 1e-4])
def test_nearly_dependent_parameters_keep_their_large_finite_standard_error(angle: float) -> None:
    # columns (1, 0) and (cos, sin): the inverse is 1/sin² of the angle between them
    jacobian = np.array([[1.0, np.cos(angle)], [0.0, np.sin(angle)]])
    found = curvature(problem([-1e9] * 2, [1e9] * 2), np.zeros(2), at(jacobian.T @ jacobian))
    # eigenvalues down to 5e-9 of numbers around 1 are right to 1e-7 or so
    np.testing.assert_allclose(found.se, 1 / np.sin(angle), rtol=1e-6)


@pytest.mark.parametrize("trace", [0.0, 1e-30])
def test_a_parameter_without_influence_has_an_infinite_standard_error_and_disturbs_nobody(trace: float) -> None:
    information = np.zeros((3, 3))
    information[:2, :2] = np.linalg.inv(COVARIANCE[:2, :2])
    information[2, 2] = trace
    found = curvature(wide(3), np.zeros(3), at(information))
    np.testing.assert_allclose(found.se, [1.0, 1.0, np.inf])
    np.testing.assert_allclose(found.correlation[0, 1], 0.8)
    assert np.isnan(found.correlation[2]).all()
    assert found.free.all()


def test_a_chain_of_dependence_makes_all_its_parameters_infinite() -> None:
    # only p0 + p1 and p1 + p2 are measured, and p3 alone
    jacobian = np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 2.0]])
    found = curvature(wide(4), np.zeros(4), at(jacobian.T @ jacobian))
    np.testing.assert_allclose(found.se, [np.inf, np.inf, np.inf, 0.5])


def test_a_parameter_at_a_bound_is_held_if_the_objective_falls_beyond_it() -> None:
    information = np.linalg.inv(COVARIANCE)
    toy = problem([0.0, -9.0, -9.0], [9.0, 9.0, 9.0])
    outwards = curvature(toy, np.array([1e-7, 0.0, 0.0]), at(information, np.array([1.0, 0.0, 0.0])))
    inwards = curvature(toy, np.array([1e-7, 0.0, 0.0]), at(information, np.array([-1.0, 0.0, 0.0])))
    away = curvature(toy, np.array([1e-3, 0.0, 0.0]), at(information, np.array([1.0, 0.0, 0.0])))
    assert outwards.free.tolist() == [False, True, True]
    assert np.isnan(outwards.se[0])
    expected = np.sqrt(np.diagonal(np.linalg.inv(information[1:, 1:])))
    np.testing.assert_allclose(outwards.se[1:], expected, rtol=1e-12)
    assert len(outwards.eigenvalues) == 2
    assert inwards.free.all()
    assert away.free.all()


def test_all_parameters_at_bounds_leave_nothing_to_tell() -> None:
    found = curvature(problem([0.0, 0.0], [1.0, 1.0]), np.array([0.0, 1.0]), at(np.eye(2), np.array([1.0, -1.0])))
    assert np.isnan(found.se).all()
    assert np.isnan(found.correlation).all()
    assert found.eigenvalues.shape == (0,)
    assert not found.free.any()


def test_an_optimum_without_slopes_is_refused_by_name() -> None:
    objective = LeastSquares(lambda x: (x, np.eye(1)), [-1], [1], fails=lambda _: True)
    with pytest.raises(CalibrationError, match="toy"):
        curvature(objective.problem, np.zeros(1), objective.evaluate(np.zeros((1, 1)), slopes=True))


def test_a_laplace_prior_at_whose_kink_the_optimum_lies_has_the_standard_error_of_its_expected_information() -> None:
    scale = 0.05

    class Kink(LeastSquares):
        def evaluate(self, points, *, slopes: bool = False):
            distance = (np.asarray(points, float) - 0.3) / scale
            found, p = super().evaluate(points, slopes=slopes), distance.shape[1]
            information = np.full((len(distance), p, p), 1 / scale**2)
            return replace(
                found, value=np.abs(distance)[:, 0], gradient=np.sign(distance) / scale, information=information
            )

    aim = Kink(lambda x: (x, np.eye(1)), (0.0,), (1.0,))
    (only,) = aim.problem.parameters
    aim.problem = replace(aim.problem, parameters=(replace(only, prior=Prior("laplace", 0.3, scale)),))
    best = np.array([0.3])
    found, remark = observed_curvature(aim, best, aim.evaluate(best[None], slopes=True))
    assert found.se == pytest.approx([scale])
    assert "Laplace" in remark
