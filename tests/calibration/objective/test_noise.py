"""Densities of measurements are PEtab's and SciPy's, slopes those of differences, information that of integrals."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from exotwin.calibration.objective.noise import DISTRIBUTIONS, TRANSFORMATIONS, NoiseModel

KINDS = [(t, d) for t in TRANSFORMATIONS for d in DISTRIBUTIONS]
positive = st.floats(1e-3, 1e3)


def model(measured, transformation, distribution):
    measured = np.atleast_1d(np.asarray(measured, float))
    return NoiseModel.named(measured, [transformation] * len(measured), [distribution] * len(measured))


def mixed(measured):
    return NoiseModel.named(np.full(len(KINDS), measured), [t for t, _ in KINDS], [d for _, d in KINDS])


@settings(deadline=None)
@given(measured=positive, simulated=positive, noise=positive)
def test_the_log_density_is_what_petab_calculates(measured, simulated, noise):
    calculate = pytest.importorskip("petab.v1.calculate", reason="fits need the extra packages named 'fit'")
    expected = [calculate.calculate_single_llh(measured, simulated, t, d, noise) for t, d in KINDS]
    together = mixed(measured).log_density(simulated, noise)
    alone = [model(measured, t, d).log_density(simulated, noise)[0] for t, d in KINDS]
    # log10(x) is taken as log(x)/log(10): an error of 1e-16 · 7, times the residual of up to 1e7 over it
    assert together == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert alone == pytest.approx(together, rel=1e-14)


@pytest.mark.parametrize(("transformation", "distribution"), KINDS)
def test_the_density_of_what_could_be_measured_integrates_to_one(transformation, distribution):
    simulated, noise = 1.7, 0.3

    def density(y):
        return float(np.exp(model(y, transformation, distribution).log_density(simulated, noise)[0]))

    ends = (-20.0, 20.0) if transformation == "lin" else (0.0, 200.0)
    total, error = integrate.quad(density, *ends, points=[simulated, 5.0], limit=400)
    # what lies above 200 is log10-Laplace's: half of (200/1.7)^(-1/(0.3 · ln 10)), 5e-4; all else is far less
    assert total == pytest.approx(1.0, abs=6e-4 + error)


@pytest.mark.parametrize(("transformation", "distribution"), KINDS)
def test_the_density_is_that_of_the_distribution_in_scipy(transformation, distribution):
    y, s, sigma = np.array([0.4, 1.0, 2.2]), np.array([0.5, 0.9, 3.0]), np.array([0.2, 1.0, 3.0])
    found = model(y, transformation, distribution).log_density(s, sigma)
    factor = np.log(10.0) if transformation == "log10" else 1.0
    if transformation == "lin":
        expected = (stats.norm if distribution == "normal" else stats.laplace).logpdf(y, s, sigma)
    elif distribution == "normal":
        expected = stats.lognorm.logpdf(y, factor * sigma, scale=s)
    else:
        expected = stats.loglaplace.logpdf(y, 1.0 / (factor * sigma), scale=s)
    assert found == pytest.approx(expected, rel=1e-13)


@settings(deadline=None)
@given(measured=st.floats(0.1, 10.0), simulated=st.floats(0.1, 10.0), noise=st.floats(0.1, 10.0), sign=st.booleans())
def test_slopes_are_those_of_differences(measured, simulated, noise, sign):
    if abs(measured - simulated) < 1e-3:
        simulated += 0.1  # a Laplace density has a kink there
    kinds = mixed(measured)
    found = kinds.with_slopes(simulated, noise)
    h = 1e-5
    by_simulated = kinds.log_density(simulated + h, noise) - kinds.log_density(simulated - h, noise)
    by_noise = kinds.log_density(simulated, noise + h) - kinds.log_density(simulated, noise - h)
    assert np.array_equal(found.log_density, kinds.log_density(simulated, noise))
    # third derivatives reach 1e6 at the smallest noise: times h² / 6
    assert found.by_simulated == pytest.approx(by_simulated / (2 * h), rel=1e-4, abs=1e-4)
    assert found.by_noise == pytest.approx(by_noise / (2 * h), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize(("transformation", "distribution"), KINDS)
def test_information_is_the_expected_square_of_the_slopes(transformation, distribution):
    simulated, noise = 1.7, 0.6
    # measurements at evenly spaced probabilities: an integral over what could be measured
    u = (np.arange(200_000) + 0.5) / 200_000
    z = (stats.norm if distribution == "normal" else stats.laplace).ppf(u) * noise
    y = {
        "lin": lambda: simulated + z,
        "log": lambda: simulated * np.exp(z),
        "log10": lambda: simulated * 10**z,
    }[transformation]()
    found = model(y, transformation, distribution).with_slopes(simulated, noise)
    # the midpoint rule leaves out tails of about 1e-5, whose squares weigh up to 1e2
    assert (found.by_simulated**2).mean() == pytest.approx(found.information_simulated[0], rel=1e-3)
    assert (found.by_noise**2).mean() == pytest.approx(found.information_noise[0], rel=1e-3)
    assert (found.by_simulated * found.by_noise).mean() == pytest.approx(0.0, abs=1e-3)
    assert found.by_simulated.mean() == pytest.approx(0.0, abs=1e-3)


def test_points_before_measurements_broadcast():
    rng = np.random.default_rng(0)
    kinds, simulated, noise = mixed(0.8), rng.random((5, 3, 6)) + 0.1, rng.random((3, 6)) + 0.1
    found = kinds.with_slopes(simulated, noise)
    assert {f.shape for f in found} == {(5, 3, 6)}
    one = kinds.with_slopes(simulated[2, 1], noise[1])
    assert all(np.array_equal(f[2, 1], o) for f, o in zip(found, one, strict=True))
    assert kinds.residual(simulated, noise).shape == (5, 3, 6)


@pytest.mark.parametrize(
    ("simulated", "noise", "impossible"),
    [
        (1.0, 0.0, KINDS),
        (1.0, -0.5, KINDS),
        (1.0, np.inf, KINDS),
        (1.0, np.nan, KINDS),
        (np.nan, 1.0, KINDS),
        (np.inf, 1.0, KINDS),
        (-np.inf, 1.0, KINDS),
        (0.0, 1.0, [k for k in KINDS if k[0] != "lin"]),
        (-1.0, 1.0, [k for k in KINDS if k[0] != "lin"]),
        (1e300, 1e-300, [k for k in KINDS if k != ("log", "laplace") and k != ("log10", "laplace")]),
    ],
)
def test_what_cannot_be_has_no_density_and_no_slopes_and_gives_no_warning(simulated, noise, impossible):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = mixed(0.5).with_slopes(np.full(len(KINDS), simulated), noise)
        assert np.array_equal(found.log_density, mixed(0.5).log_density(simulated, noise))
    expected = np.array([k in impossible for k in KINDS])
    assert np.array_equal(found.log_density == -np.inf, expected)
    assert np.isfinite(found.log_density[~expected]).all()
    for slope in found[1:]:
        assert np.array_equal(np.isnan(slope), expected)


@pytest.mark.parametrize("measured", [0.0, -1.0])
def test_what_is_measured_below_zero_cannot_have_a_logarithm(measured):
    density = mixed(measured).log_density(1.0, 1.0)
    assert np.array_equal(np.isfinite(density), [t == "lin" for t, _ in KINDS])


def test_residuals_are_counted_in_noise_on_the_scale_of_the_transformation():
    kinds = mixed(100.0)
    found = kinds.residual(10.0, 0.5)
    expected = {"lin": 180.0, "log": 2.0 * np.log(10.0), "log10": 2.0}
    assert found == pytest.approx([expected[t] for t, _ in KINDS])
    assert kinds.transformed(1000.0)[-1] == pytest.approx(3.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(kinds.residual(-10.0, 0.5)).tolist() == [t != "lin" for t, _ in KINDS]


def test_no_measurements_have_no_densities():
    none = NoiseModel.named(np.zeros(0), [], [])
    assert none.log_density(np.zeros((4, 0)), np.zeros((4, 0))).sum(axis=-1).tolist() == [0.0] * 4
    assert none.with_slopes(np.zeros((4, 0)), 1.0).by_noise.shape == (4, 0)
