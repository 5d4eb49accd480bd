from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from exotwin.errors import ProductError
from exotwin.product.nta import (
    SizeDistribution,
    capture_remarks,
    particles_in_vial,
    settle_dilution,
    vesicle_fraction,
)

counts = hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.just(60)), elements=st.floats(0, 1e9)).filter(
    lambda a: a.sum() > 1
)


def of(concentration: Any, *, dilution: float = 1.0, width: float = 10.0, **kwargs: Any) -> SizeDistribution:
    array = np.atleast_2d(np.asarray(concentration, dtype=float))
    return SizeDistribution(np.arange(array.shape[1]) * width + width / 2, array, dilution, **kwargs)


@settings(deadline=None)  # the first call imports scipy
@given(concentration=counts, cuts=st.tuples(st.floats(0, 600), st.floats(0, 600)))
def test_shares_of_adjoining_windows_add_up_to_one(concentration: Any, cuts: tuple[float, float]) -> None:
    size, (a, b) = of(concentration), sorted(cuts)
    shares = [size.fraction_between(*w) for w in ((0, a), (a, b), (b, 600))]
    assert all(0 <= s <= 1 for s in shares)
    assert sum(shares) == pytest.approx(1, abs=1e-9)


@settings(deadline=None)  # the first call imports scipy
@given(concentration=counts, percents=st.tuples(st.floats(0.1, 99.9), st.floats(0.1, 99.9)))
def test_percentiles_rise_and_stay_inside_the_bins(concentration: Any, percents: tuple[float, float]) -> None:
    size, (low, high) = of(concentration), sorted(percents)
    assert 0 <= size.percentile(low) <= size.percentile(high) <= 600


@settings(deadline=None)  # the first call imports scipy
@given(concentration=counts)
def test_bins_add_up_to_the_total(concentration: Any) -> None:
    size = of(concentration)
    assert size.total() == pytest.approx(size.curve.sum(), rel=1e-9)
    assert size.total() == pytest.approx(size.per_capture().mean(), rel=1e-9)


@settings(deadline=None)  # the first call imports scipy
@given(concentration=counts, factor=st.floats(1, 1e6))
def test_dilution_scales_the_vial_and_leaves_the_shape(concentration: Any, factor: float) -> None:
    plain, diluted = of(concentration), of(concentration, dilution=factor)
    assert particles_in_vial(diluted).value == pytest.approx(factor * particles_in_vial(plain).value, rel=1e-9)
    assert diluted.d50 == plain.d50
    assert diluted.fraction_between(30, 150) == plain.fraction_between(30, 150)


@settings(deadline=None)  # the first call imports scipy
@given(concentration=counts)
def test_the_interval_of_a_share_stays_between_zero_and_one(concentration: Any) -> None:
    share = vesicle_fraction(of(concentration))
    assert 0 <= share.value <= 1
    if share.low is not None and share.high is not None:
        assert 0 <= share.low <= share.value + 1e-12
        assert share.high <= 1


def test_statistics_of_a_curve_worked_by_hand() -> None:
    size = of([0, 2, 6, 2])  # bins 0-10 … 30-40, 10 particles
    assert (size.mean, size.mode) == (25, 25)
    assert size.sd == pytest.approx(np.sqrt(0.4 * 100))
    # a tenth is reached half way through 10-20, the median half way through 20-30
    assert (size.d10, size.d50, size.d90) == pytest.approx((15, 25, 35))
    assert size.fraction_between(10, 30) == pytest.approx(0.8)


def test_percentiles_at_bin_centres_lie_half_a_bin_lower() -> None:
    edge = of([0, 2, 6, 2, 4, 4], width=5)
    centre = of([0, 2, 6, 2, 4, 4], width=5, percentile_at="centre")
    for percent in (30, 50, 70):
        assert edge.percentile(percent) - centre.percentile(percent) == pytest.approx(2.5)


def test_the_interval_of_the_vial_is_that_of_student() -> None:
    size = of([[1.0], [2.0], [3.0]], dilution=10)
    estimate = particles_in_vial(size)
    # t = 4.3027 for 2 degrees of freedom, SD 10, n 3
    half = 4.302653 * 10 / np.sqrt(3)
    assert (estimate.value, estimate.high) == pytest.approx((20, 20 + half))
    assert estimate.low == 0  # a concentration does not fall below zero
    assert particles_in_vial(of([1.0, 2.0])).low is None


@pytest.mark.parametrize(
    ("diameter", "concentration", "dilution", "wording"),
    [
        ([1, 2], [[1, -1]], 1, "capture 1, 2 nm"),
        ([1, 2], [[1, np.nan]], 1, "a number of zero or more"),
        ([2, 1], [[1, 1]], 1, "diameters that do not rise"),
        ([0, 1], [[1, 1]], 1, "rising from above 0"),
        ([1, 2], [[0, 0]], 1, "no particle in any capture"),
        ([1, 2], [[1, 1, 1]], 1, "one column a bin"),
        ([1, 2], [[1, 1]], 0.5, "the dilution 0.5"),
        ([1, 2], np.empty((0, 2)), 1, "at least one capture"),
    ],
)
def test_a_distribution_that_cannot_be_is_refused(
    diameter: Any, concentration: Any, dilution: float, wording: str
) -> None:
    with pytest.raises(ProductError, match=wording):
        SizeDistribution(np.array(diameter, dtype=float), np.array(concentration, dtype=float), dilution)


def test_a_recorded_dilution_and_a_declared_one_must_not_contradict() -> None:
    assert settle_dilution(200, None, "x") == settle_dilution(200, 200, "x") == settle_dilution(None, 200, "x") == 200
    assert settle_dilution(1, 200, "x") == 200  # nobody entered one
    with pytest.raises(ProductError, match="100 in the product file, 200 recorded"):
        settle_dilution(200, 100, "x")
    for recorded in (None, 1):
        with pytest.raises(ProductError, match=r"dilution = 200 \(or 1\) under \[vesicles.nta\]"):
            settle_dilution(recorded, None, "x")


def test_captures_that_fall_scatter_or_are_few_are_remarked() -> None:
    assert capture_remarks(np.array([4.0, 4.1, 3.9, 4.05, 4.0]), "x") == ()
    assert "falls" in capture_remarks(np.array([7.1, 6.77, 6.82, 6.35, 5.59]), "x")[0]
    assert "scatter by 3" in capture_remarks(np.array([2.0, 3.0, 4.0, 2.5]), "x")[0]
    assert "2 captures" in capture_remarks(np.array([4.0, 4.1]), "x")[0]
