"""Where searches start."""

from types import SimpleNamespace

import numpy as np
import pytest

from exotwin.calibration.problem import Parameter, Prior
from exotwin.calibration.search.starts import starts


def problem_of(*parameters):
    """As much of a problem as starts need."""
    return SimpleNamespace(parameters=parameters)


PROBLEM = problem_of(
    Parameter("k", "log10", 1e-3, 1e2, np.nan),
    Parameter("a", "lin", -1.0, 5.0, np.nan),
    Parameter("b", "log", 1e-2, 1e3, np.nan, start_prior=Prior("parameterScaleNormal", 1.0, 0.5)),
)


@pytest.mark.parametrize("n", [1, 7, 40])
def test_there_is_one_start_in_each_slice_between_the_limits(n):
    points = starts(PROBLEM, n, 3)
    low, high = np.array([-3.0, -1.0]), np.array([2.0, 5.0])
    slices = np.floor((points[:, :2] - low) / (high - low) * n).astype(int)
    assert points.shape == (n, 3)
    assert [sorted(column) for column in slices.T] == [list(range(n))] * 2


def test_starts_follow_the_prior_for_starts():
    drawn = starts(PROBLEM, 400, 1)[:, 2]
    # one in each of 400 slices of equal probability: mean and SD are those of the prior to about a slice
    assert np.mean(drawn) == pytest.approx(1.0, abs=0.01)
    assert np.std(drawn) == pytest.approx(0.5, abs=0.01)


def test_the_seed_decides_the_starts():
    np.testing.assert_array_equal(starts(PROBLEM, 20, 5), starts(PROBLEM, 20, 5))
    assert not np.array_equal(starts(PROBLEM, 20, 5), starts(PROBLEM, 20, 6))
