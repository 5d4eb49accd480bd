"""Draws against posteriors whose moments are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import truncnorm
from uncertainty_toys import LeastSquares, Normal, gaussian

from exotwin.calibration.uncertainty import Curvature, Samples, curvature, sample
from exotwin.errors import CalibrationError

COVARIANCE = np.array([[1.0, 0.018, 0.0], [0.018, 4e-4, 1e-3], [0.0, 1e-3, 25.0]])
CENTRE = np.array([0.3, -1.0, 2.0])


def held(objective: LeastSquares, point: np.ndarray) -> Curvature:
    return curvature(objective.problem, point, objective.evaluate(point[None], slopes=True))


def of_normal(draws: int, **options) -> Samples:
    objective = gaussian(COVARIANCE, CENTRE, CENTRE - 100, CENTRE + 100)
    return sample(objective, CENTRE, held(objective, CENTRE), draws=draws, seed=1, **options)


@pytest.fixture(scope="module")
def normal() -> Samples:
    return of_normal(128_000)


def test_mean_and_covariance_of_a_normal_posterior_come_back(normal: Samples) -> None:
    deviation = np.sqrt(np.diagonal(COVARIANCE))
    independent = len(normal.points) / normal.autocorrelation
    assert (independent > 5000).all()
    z = (normal.points - CENTRE) / deviation
    # five standard errors of a mean, and of a variance, which is that of χ²: √2 as large
    assert (np.abs(z.mean(axis=0)) < 5 / np.sqrt(independent)).all()
    expected = COVARIANCE / np.outer(deviation, deviation)
    np.testing.assert_allclose(np.cov(z.T), expected, atol=5 * np.sqrt(2 / independent.min()))
    assert normal.remarks == ()
    assert 0.1 < normal.acceptance < 0.7


def test_each_draw_carries_its_objective(normal: Samples) -> None:
    objective = gaussian(COVARIANCE, CENTRE, CENTRE - 100, CENTRE + 100)
    np.testing.assert_allclose(objective.evaluate(normal.points[:500]).value, normal.value[:500], rtol=1e-12)
    # twice the objective is χ² with three degrees of freedom
    assert 2 * normal.value.mean() == pytest.approx(
        3, abs=5 * np.sqrt(6 * normal.autocorrelation.max() / len(normal.value))
    )


def test_the_first_draws_are_as_wide_as_the_last(normal: Samples) -> None:
    # walkers start at half the width: of 64·40 draws just after the burn-in, some 400 are independent
    first = normal.points[: 64 * 40].std(axis=0) / np.sqrt(np.diagonal(COVARIANCE))
    np.testing.assert_allclose(first, 1.0, atol=0.2)


def test_bounds_cut_the_posterior_and_nothing_outside_is_simulated() -> None:
    # an optimum at the lower bound of p0, with the objective falling beyond; p1 cut on one side
    centre = np.array([-0.5, 0.0])
    objective = gaussian(np.eye(2), centre, [0.0, -0.5], [10.0, 10.0])
    best = np.array([0.0, 0.0])
    at_bound = held(objective, best)
    assert np.isnan(at_bound.se[0])
    found = sample(objective, best, at_bound, draws=128_000, seed=3)  # the toy asserts that it is asked inside alone
    for i, low in ((0, 0.5), (1, -0.5)):
        exact = truncnorm(low, np.inf, loc=centre[i])
        independent = len(found.points) / found.autocorrelation[i]
        assert found.points[:, i].min() >= objective.problem.lower[i]
        assert abs(found.points[:, i].mean() - exact.mean()) < 5 * exact.std() / np.sqrt(independent)
        # a truncated normal has a fourth moment below that of the exponential, 9: variance of its variance below 8 σ⁴
        assert abs(found.points[:, i].var() / exact.var() - 1) < 5 * np.sqrt(8 / independent)


def test_a_parameter_that_nothing_holds_fills_its_range_evenly() -> None:
    objective = Normal(np.array([[1.0, 0.0]]), np.zeros(2), [-9, 2.0], [9, 3.0])
    best = np.array([0.0, 2.2])
    loose = held(objective, best)
    assert np.isposinf(loose.se[1])
    found = sample(objective, best, loose, draws=64_000, seed=5)
    independent = len(found.points) / found.autocorrelation[1]
    share, _ = np.histogram(found.points[:, 1], bins=4, range=(2.0, 3.0))
    np.testing.assert_allclose(share / len(found.points), 0.25, atol=5 * np.sqrt(0.25 * 0.75 / independent))


def test_the_same_seed_gives_the_same_draws_and_another_seed_others() -> None:
    np.random.seed(0)
    first = of_normal(1280)
    np.random.seed(1)  # the global generator has no say
    before = np.random.get_state()[1].copy()
    again = of_normal(1280)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.testing.assert_array_equal(first.points, again.points)
    np.testing.assert_array_equal(first.value, again.value)
    objective = gaussian(COVARIANCE, CENTRE, CENTRE - 100, CENTRE + 100)
    other = sample(objective, CENTRE, held(objective, CENTRE), draws=1280, seed=2)
    assert not np.array_equal(first.points, other.points)


def test_all_walkers_of_a_half_step_are_one_call() -> None:
    objective = gaussian(np.eye(2), np.zeros(2), [-50, -50], [50, 50])
    at_optimum = held(objective, np.zeros(2))
    objective.batches.clear()
    sample(objective, np.zeros(2), at_optimum, draws=400, walkers=40, seed=1)
    assert objective.batches[0] == 40
    assert set(objective.batches[1:]) == {20}


def test_a_short_chain_is_remarked_and_has_no_autocorrelation_time() -> None:
    short = of_normal(640)
    assert np.isnan(short.autocorrelation).all()
    assert len(short.points) == 640
    assert any("autocorrelation times of p" in remark for remark in short.remarks)


def test_proposals_without_a_value_are_refused_and_counted() -> None:
    objective = LeastSquares(lambda x: (x, np.eye(2)), [-9, -9], [9, 9], fails=lambda x: x[0] > 0.2)
    best = np.zeros(2)
    found = sample(objective, best, held(objective, best), draws=6400, seed=1)
    assert np.isfinite(found.value).all()
    assert found.points[:, 0].max() <= 0.2
    assert any("have no value" in remark for remark in found.remarks)


@pytest.mark.parametrize("walkers", [3, 5, 7])
def test_too_few_or_an_odd_number_of_walkers_is_refused(walkers: int) -> None:
    with pytest.raises(CalibrationError, match="walkers"):
        of_normal(100, walkers=walkers)


def test_an_optimum_with_no_value_around_it_is_refused() -> None:
    objective = LeastSquares(lambda x: (x, np.eye(2)), [-9, -9], [9, 9], fails=lambda x: bool(np.abs(x).max() > 1e-12))
    with pytest.raises(CalibrationError, match="no value"):
        sample(objective, np.zeros(2), held(objective, np.zeros(2)), draws=100, seed=1)
