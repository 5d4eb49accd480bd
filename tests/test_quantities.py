import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from exotwin.quantities import Z95, wilson


def test_half_a_95_percent_interval_is_the_quantile_of_the_normal_distribution():
    assert pytest.approx(stats.norm.ppf(0.975), rel=1e-15) == Z95


@given(n=st.integers(1, 100_000), data=st.data())
def test_the_interval_of_a_share_holds_the_share_and_solves_its_equation(n, data):
    hits = data.draw(st.integers(0, n))
    low, high = wilson(hits, n)
    share = hits / n
    assert 0 <= low <= share <= high <= 1
    for bound in (low, high):
        # the limits are the shares that the score test just does not reject: (share - p)^2 = z^2 p (1 - p) / n
        test = Z95**2 * bound * (1 - bound) / n
        assert math.isclose((share - bound) ** 2, test, rel_tol=1e-6, abs_tol=1e-9)


def test_the_interval_of_a_share_is_the_one_of_scipy_and_closed_at_its_ends():
    expected = stats.binomtest(7, 50).proportion_ci(0.95, method="wilson")
    assert wilson(7, 50) == pytest.approx((expected.low, expected.high))
    assert wilson(0, 20)[0] == 0
    assert wilson(20, 20)[1] == 1


def test_no_cases_have_no_interval():
    assert all(math.isnan(limit) for limit in wilson(0, 0))
