"""Priors are those of pyPESTO and PEtab's library, starts have the distribution they should, all within the limits."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from exotwin.calibration.objective.priors import Priors, draw, from_unit
from exotwin.calibration.problem import Parameter, Prior
from exotwin.errors import CalibrationError

SCALES = ("lin", "log", "log10")
ON_VALUE = ("uniform", "normal", "laplace", "logNormal", "logLaplace")
ON_SCALE = ("parameterScaleUniform", "parameterScaleNormal", "parameterScaleLaplace")
ALL = [(k, s) for k in (*ON_VALUE, *ON_SCALE) for s in SCALES]
FIRST, SECOND = 0.3, 1.4
unit = st.floats(1e-6, 1.0 - 1e-6)


def parameter(kind, scale, *, lower=0.02, upper=50.0, first=FIRST, second=SECOND, start=False):
    prior = Prior(kind, first, second)
    where = {"start_prior": prior} if start else {"prior": prior}
    return Parameter(f"{kind} {scale}", scale, lower, upper, np.nan, **where)


def value_of(scale, point):
    return {"lin": point, "log": np.exp(point), "log10": np.power(10.0, point)}[scale]


def petab_prior(kind, scale, **options):
    priors = pytest.importorskip("petab.v1.priors", reason="fits need the extra packages named 'fit'")
    bounds = (options.pop("lower", 0.02), options.pop("upper", 50.0))
    values = (options.pop("first", FIRST), options.pop("second", SECOND))
    return priors.Prior(kind, values, bounds=bounds, transformation=scale, **options)


def points_inside(kind, scale):
    """Points on the scale between the ends of the uniform priors, or so."""
    if kind == "uniform" and scale != "lin":
        return np.log([0.31, 0.9, 1.39]) / (np.log(10.0) if scale == "log10" else 1.0)
    return np.array([0.31, 0.9, 1.39])


@pytest.mark.slow  # for what it imports
@pytest.mark.parametrize(("kind", "scale"), [k for k in ALL if k[0] not in ("logLaplace", "parameterScaleUniform")])
def test_density_and_slope_are_those_of_pypesto(kind, scale):
    module = pytest.importorskip(
        "pypesto.objective.priors", reason="pypesto comes with the extra packages named 'bench'"
    )
    theirs = module.get_parameter_prior_dict(0, kind, [FIRST, SECOND], scale)
    points = points_inside(kind, scale)
    found = Priors([parameter(kind, scale)]).with_slopes(points[:, None])
    assert found.log_density == pytest.approx([theirs["density_fun"](x) for x in points], rel=1e-12)
    assert found.gradient[:, 0] == pytest.approx([theirs["density_dx"](x) for x in points], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(("kind", "scale"), [(k, s) for k in ON_VALUE for s in SCALES])
def test_density_of_a_value_is_that_of_petabs_library_without_its_limits(kind, scale):
    theirs = petab_prior(kind, scale, _bounds_truncate=False)
    points = points_inside(kind, scale)
    assert Priors([parameter(kind, scale)]).log_density(points[:, None]) == pytest.approx(
        -theirs.neglogprior(points, x_scaled=True), rel=1e-12
    )


@pytest.mark.parametrize("kind", ["parameterScaleNormal", "parameterScaleLaplace"])
@pytest.mark.parametrize("scale", SCALES)
def test_density_on_the_scale_is_that_of_petabs_library_brought_to_the_scale(kind, scale):
    theirs = petab_prior(kind, scale, _bounds_truncate=False)
    points = points_inside(kind, scale)
    value = value_of(scale, points)
    by_scale = {"lin": 1.0, "log": value, "log10": np.log(10.0) * value}[scale]
    assert Priors([parameter(kind, scale)]).log_density(points[:, None]) == pytest.approx(
        -theirs.neglogprior(points, x_scaled=True) + np.log(by_scale), rel=1e-12
    )


def test_a_uniform_prior_on_the_scale_is_no_prior_within_its_limits():
    for scale in SCALES:
        found = Priors([parameter("parameterScaleUniform", scale)]).with_slopes([[0.3], [1.0], [1.4], [0.29], [1.41]])
        assert found.log_density.tolist() == [0.0, 0.0, 0.0, -np.inf, -np.inf]
        assert found.gradient[:3].tolist() == found.curvature[:3].tolist() == [[0.0]] * 3


def test_the_density_of_a_logarithms_distribution_is_scipys():
    values = np.array([[0.2], [1.0], [7.0]])
    normal, laplace = Priors([parameter("logNormal", "lin")]), Priors([parameter("logLaplace", "lin")])
    assert normal.log_density(values) == pytest.approx(
        stats.lognorm.logpdf(values[:, 0], SECOND, scale=np.exp(FIRST)), rel=1e-13
    )
    assert laplace.log_density(values) == pytest.approx(
        stats.loglaplace.logpdf(values[:, 0], 1.0 / SECOND, scale=np.exp(FIRST)), rel=1e-13
    )


@pytest.mark.parametrize("kind", [*ON_VALUE])
def test_the_density_of_a_value_does_not_depend_on_the_scale(kind):
    values = np.array([0.4, 0.9, 1.2])
    lin = Priors([parameter(kind, "lin")]).log_density(values[:, None])
    assert Priors([parameter(kind, "log")]).log_density(np.log(values)[:, None]) == pytest.approx(lin, rel=1e-12)
    assert Priors([parameter(kind, "log10")]).log_density(np.log10(values)[:, None]) == pytest.approx(lin, rel=1e-12)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_gradients_are_those_of_differences_and_curvatures_are_not_negative(seed):
    priors = Priors([parameter(k, s, start=False) for k, s in ALL])
    points = draw([parameter(k, s, start=True) for k, s in ALL], 3, np.random.default_rng(seed))
    found = priors.with_slopes(points)
    assert np.array_equal(found.log_density, priors.log_density(points))
    assert (found.curvature >= 0.0).all()
    h = 1e-6
    for i, (kind, scale) in enumerate(ALL):
        step = h * np.eye(len(ALL))[i]
        up, down = (priors.log_density(points + sign * step) for sign in (1.0, -1.0))
        rise = np.array([up - found.log_density, found.log_density - down]) / h
        # an end of a uniform or the kink of a Laplace prior may lie between
        smooth = np.isfinite(rise).all(axis=0) & (np.abs(rise[0] - rise[1]) < 0.1 * (1.0 + np.abs(rise[0])))
        # densities that add up to 1e4 or so are known to 1e-12, differences over 1e-6 to 1e-5 of them
        close = np.isclose(found.gradient[:, i], rise.mean(axis=0), rtol=1e-4, atol=1e-3)
        assert (close | ~smooth).all(), (kind, scale)


@pytest.mark.parametrize("scale", SCALES)
def test_the_curvature_of_squares_on_the_scale_is_that_of_the_density(scale):
    kinds = ["parameterScaleNormal", *(["logNormal"] if scale != "lin" else ["normal"])]
    priors = Priors([parameter(k, scale) for k in kinds])
    h = 1e-4
    for i in range(len(kinds)):
        step = h * np.eye(len(kinds))[i]
        x = np.full((1, len(kinds)), 0.7)
        second = priors.log_density(x + step) - 2.0 * priors.log_density(x) + priors.log_density(x - step)
        assert priors.with_slopes(x).curvature[0, i] == pytest.approx(-second[0] / h**2, rel=1e-6)


def test_only_parameters_with_a_prior_count():
    one, other = parameter("normal", "log10"), parameter("logLaplace", "lin")
    bare = Parameter("bare", "log", 0.1, 10.0, 1.0)
    points = np.array([[5.0, 0.2, -3.0, 0.9], [6.0, -0.4, 3.0, 2.0]])
    all_of_them = Priors([bare, one, bare, other]).with_slopes(points)
    first, second = Priors([one]).with_slopes(points[:, [1]]), Priors([other]).with_slopes(points[:, [3]])
    assert all_of_them.log_density == pytest.approx(first.log_density + second.log_density)
    assert (all_of_them.gradient[:, [0, 2]] == 0.0).all()
    assert (all_of_them.curvature[:, [0, 2]] == 0.0).all()
    assert np.array_equal(all_of_them.gradient[:, [1]], first.gradient)
    assert np.array_equal(all_of_them.curvature[:, [3]], second.curvature)


def test_without_priors_the_density_is_one():
    found = Priors([Parameter("bare", "log", 0.1, 10.0, 1.0)] * 2).with_slopes(np.ones((3, 2)))
    assert found.log_density.tolist() == [0.0] * 3
    assert found.gradient.shape == found.curvature.shape == (3, 2)
    assert not found.gradient.any()


@pytest.mark.parametrize("scale", SCALES)
def test_beyond_a_uniform_prior_there_is_no_density_and_at_its_ends_there_is(scale):
    ends = np.array([1e-3, 0.7])
    prior = Priors([parameter("uniform", scale, first=ends[0], second=ends[1])])
    # as a problem brings limits to the scale
    x = {"lin": ends, "log": np.log(ends), "log10": np.log10(ends)}[scale]
    points = [x[0] - 1e-9, x[0], x[1], x[1] + 1e-9]
    found = prior.with_slopes(np.array(points)[:, None])
    width = -np.log(ends[1] - ends[0])
    assert found.log_density == pytest.approx([-np.inf, width, width, -np.inf])
    assert np.isnan(found.gradient[:, 0]).tolist() == [True, False, False, True]
    assert np.isnan(found.curvature[:, 0]).tolist() == [True, False, False, True]


def test_a_uniform_prior_from_below_zero_has_no_lower_end_on_a_logarithmic_scale():
    prior = Priors([parameter("uniform", "log10", first=-1.0, second=10.0)])
    assert prior.log_density([[-30.0], [0.99], [1.01]]) == pytest.approx([-np.log(11.0), -np.log(11.0), -np.inf])


def test_a_logarithm_of_what_is_not_positive_has_no_density_and_gives_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("logNormal", "logLaplace"):
            found = Priors([parameter(kind, "lin")]).with_slopes([[0.0], [-1.0], [np.nan], [1.0]])
            assert np.isinf(found.log_density).tolist() == [True, True, True, False]
            assert np.isnan(found.gradient[:, 0]).tolist() == [True, True, True, False]


@pytest.mark.parametrize(("kind", "scale"), ALL)
@settings(deadline=None, max_examples=20)
@given(u=st.lists(unit, min_size=1, max_size=5))
def test_starts_have_the_distribution_of_petabs_library_between_the_limits(kind, scale, u):
    # limits that cut off some of each distribution
    limits = {"lower": 0.5, "upper": 2.5}
    first, second = {"uniform": (0.1, 1.1), "parameterScaleUniform": (0.1, 0.7)}.get(kind, (0.6, 1.1))
    theirs = petab_prior(kind, scale, first=first, second=second, **limits)
    found = from_unit([parameter(kind, scale, first=first, second=second, start=True, **limits)], np.array(u)[:, None])
    value = value_of(scale, found[:, 0])
    assert theirs.distribution.cdf(value) == pytest.approx(u, abs=1e-12)


@pytest.mark.parametrize("scale", SCALES)
def test_without_a_prior_starts_are_even_between_the_limits_on_the_scale(scale):
    p = Parameter("k", scale, 1e-3, 1e4, np.nan)
    low, high = {"lin": (1e-3, 1e4), "log": np.log([1e-3, 1e4]), "log10": (-3.0, 4.0)}[scale]
    u = np.linspace(0.0, 1.0, 9)
    assert from_unit([p], u[:, None])[:, 0] == pytest.approx(low + u * (high - low))


@settings(deadline=None)
@given(
    kind=st.sampled_from(ALL),
    limits=st.tuples(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6)).filter(lambda ends: ends[0] < 0.999 * ends[1]),
    first=st.floats(-1e3, 1e3),
    second=st.floats(1e-3, 1e3),
    u=st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6),
)
def test_starts_lie_within_the_limits_and_keep_the_order_of_the_cube(kind, limits, first, second, u):
    if "uniform" in kind[0].lower():
        second = first + second
    p = parameter(*kind, lower=limits[0], upper=limits[1], first=first, second=second, start=True)
    found = from_unit([p], np.sort(u)[:, None])[:, 0]
    low, high = {"lin": np.array, "log": np.log, "log10": np.log10}[kind[1]](limits)
    assert (low <= found).all()
    assert (found <= high).all()
    # a normal prior on the value, cut off far below its location, is rounded there: 1e-16 beside a limit of 1e-6
    assert (np.diff(found) >= -1e-9 * (high - low)).all()


@pytest.mark.parametrize("kind", ["normal", "laplace"])
def test_the_far_tail_of_a_start_prior_is_drawn_from_as_it_is(kind):
    # 12 widths away the cumulative distribution is 1 for a computer, yet between the limits it falls as it always did
    p = parameter(kind, "lin", lower=13.0, upper=15.0, first=1.0, second=1.0, start=True)
    mirrored = parameter(kind, "lin", lower=-13.0, upper=-11.0, first=1.0, second=1.0, start=True)
    u = np.array([0.1, 0.5, 0.9])[:, None]
    law = stats.norm if kind == "normal" else stats.laplace
    tail = law.sf(from_unit([p], u)[:, 0] - 1.0)
    assert (law.sf(12.0) - tail) / (law.sf(12.0) - law.sf(14.0)) == pytest.approx(u[:, 0], rel=1e-8)
    assert from_unit([mirrored], 1.0 - u)[:, 0] == pytest.approx(2.0 - from_unit([p], u)[:, 0], rel=1e-12)


def test_a_start_prior_that_does_not_meet_the_limits_gives_the_limit_that_is_nearest():
    u = np.array([[0.1], [0.9]])
    above = parameter("uniform", "log10", lower=1.0, upper=10.0, first=20.0, second=30.0, start=True)
    below = parameter("uniform", "log10", lower=1.0, upper=10.0, first=0.1, second=0.2, start=True)
    assert from_unit([above], u).tolist() == [[1.0], [1.0]]
    assert from_unit([below], u).tolist() == [[0.0], [0.0]]


def test_draws_are_those_of_the_generator():
    parameters = [parameter(k, s, start=True) for k, s in ALL]
    found = draw(parameters, 7, np.random.default_rng(3))
    assert found.shape == (7, len(ALL))
    assert np.array_equal(found, from_unit(parameters, np.random.default_rng(3).random((7, len(ALL)))))
    assert draw([], 7, np.random.default_rng(3)).shape == (7, 0)


def test_starts_between_infinite_limits_are_refused():
    with pytest.raises(CalibrationError, match="parameter k"):
        draw([Parameter("k", "lin", 0.0, np.inf, np.nan)], 3, np.random.default_rng(0))
    with pytest.raises(CalibrationError, match="parameter k"):
        draw([Parameter("k", "log10", 0.0, 1.0, np.nan)], 3, np.random.default_rng(0))


def test_a_start_prior_may_stand_in_for_limits():
    p = Parameter("k", "lin", -np.inf, np.inf, np.nan, start_prior=Prior("normal", 2.0, 3.0))
    u = np.array([[0.2], [0.7]])
    assert from_unit([p], u) == pytest.approx(stats.norm.ppf(u, 2.0, 3.0))
    assert from_unit([Parameter("k", "lin", -np.inf, np.inf, np.nan, start_prior=Prior("laplace", 2.0, 3.0))], u) == (
        pytest.approx(stats.laplace.ppf(u, 2.0, 3.0))
    )


def test_a_kind_of_prior_that_does_not_exist_is_refused():
    with pytest.raises(CalibrationError, match="prior gamma"):
        Priors([parameter("gamma", "lin")])
