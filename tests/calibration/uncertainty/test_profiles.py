"""Profiles against closed forms and against plain searches with scipy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from uncertainty_toys import LeastSquares, gaussian, optimum

from exotwin.calibration.uncertainty import Profile, profiles
from exotwin.calibration.uncertainty.kept import KeptSides
from exotwin.calibration.uncertainty.walk import Side
from exotwin.errors import CalibrationError, InputError

THRESHOLD = 1.920729410347062
"""Half the 0.95 quantile of χ² with one degree of freedom, from a table."""

COVARIANCE = np.array([[1.0, 0.8, 0.0], [0.8, 1.0, 0.1], [0.0, 0.1, 4.0]])
CENTRE = np.array([0.3, -1.0, 2.0])


def decay(lower=(0.01, 0.001), upper=(50.0, 5.0), **options) -> LeastSquares:
    """Amplitude and rate of a decay from seven noisy values."""
    t = np.array([0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0])
    y = 5 * np.exp(-0.3 * t) + 0.6 * np.array([0.35, 0.82, 0.33, -1.3, 0.91, 0.45, -0.54])

    def residuals(x):
        e = np.exp(-x[1] * t)
        return (x[0] * e - y) / 0.6, np.column_stack([e, -x[0] * t * e]) / 0.6

    return LeastSquares(residuals, lower, upper, **options)


def saturation(lower=(-1.0, -2.0), upper=(4.0, 3.8)) -> LeastSquares:
    """Michaelis–Menten on log10 scales, measured only far below saturation: the constant may be as large as can be."""
    s = np.array([0.1, 0.2, 0.4, 0.8, 1.6])
    y = 10 * s / (5 + s) + 0.1 * np.array([0.35, 0.82, 0.33, -1.3, 0.91])

    def residuals(x):
        top, half = 10.0**x
        share = s / (half + s)
        jacobian = np.log(10) * np.column_stack([top * share, -top * share * half / (half + s)])
        return (top * share - y) / 0.1, jacobian / 0.1

    return LeastSquares(residuals, lower, upper)


def brute(objective: LeastSquares, best: np.ndarray, value: float, i: int, direction: int) -> float:
    """The limit of one of two parameters by scipy: a root of nested searches. Infinite if the bound comes first."""
    low, high = objective.problem.lower, objective.problem.upper
    other = 1 - i

    def excess(at: float) -> float:
        def inner(y: float) -> float:
            return objective.evaluate([[at, y] if i == 0 else [y, at]]).value[0]

        grid = np.linspace(low[other], high[other], 400)
        start = int(np.argmin([inner(y) for y in grid]))
        ends = grid[max(start - 1, 0)], grid[min(start + 1, 399)]
        return (
            float(minimize_scalar(inner, bounds=ends, method="bounded", options={"xatol": 1e-9}).fun)
            - value
            - THRESHOLD
        )

    bound = (low if direction < 0 else high)[i]
    return brentq(excess, best[i], bound, rtol=1e-6) if excess(bound) > 0 else direction * np.inf


def assert_profile_is_whole(profile: Profile, objective: LeastSquares, best: np.ndarray, value: float) -> None:
    i = objective.problem.names.index(profile.parameter)
    assert (np.diff(profile.grid) > 0).all()
    np.testing.assert_array_equal(profile.points[:, i], profile.grid)
    done = np.isfinite(profile.value)
    # the same sums, but value − best + best
    np.testing.assert_allclose(
        profile.value[done], objective.evaluate(profile.points[done]).value, atol=1e-14, rtol=1e-14
    )
    assert best[i] in profile.grid
    assert profile.value.min() >= value - 1e-9


def test_limits_of_a_quadratic_objective_are_1_96_standard_errors_away() -> None:
    objective = gaussian(COVARIANCE, CENTRE, [-20] * 3, [20] * 3)
    found, remarks = profiles(objective, CENTRE, 0.0, [2, 0])
    assert [p.parameter for p in found] == ["p2", "p0"]
    assert [p.verdict for p in found] == ["identifiable"] * 2
    for profile, i in zip(found, (2, 0), strict=True):
        half = 1.959963984540054 * np.sqrt(COVARIANCE[i, i])
        np.testing.assert_allclose([profile.low, profile.high], [CENTRE[i] - half, CENTRE[i] + half], rtol=1e-6)
        expected = (profile.grid - CENTRE[i]) ** 2 / COVARIANCE[i, i] / 2
        np.testing.assert_allclose(profile.value, expected, atol=1e-6)
        assert profile.value[0] > 1.1 * THRESHOLD
        assert profile.value[-1] > 1.1 * THRESHOLD
        assert_profile_is_whole(profile, objective, CENTRE, 0.0)
    assert remarks == ()


def test_the_level_sets_the_threshold() -> None:
    objective = gaussian(COVARIANCE, CENTRE, [-20] * 3, [20] * 3)
    ((profile,), _) = profiles(objective, CENTRE, 0.0, [0], level=0.6826894921370859)
    np.testing.assert_allclose([profile.low, profile.high], [-0.7, 1.3], rtol=1e-6)


def test_a_single_parameter_is_profiled_without_any_optimisation() -> None:
    objective = gaussian(np.array([[4.0]]), np.array([1.0]), [-9], [9])
    ((profile,), _) = profiles(objective, np.array([1.0]), 0.0, [0])
    np.testing.assert_allclose([profile.low, profile.high], [1 - 3.91992797, 1 + 3.91992797], rtol=1e-6)


@pytest.mark.parametrize("i", [0, 1])
def test_limits_of_a_decay_are_those_of_a_plain_scan(i: int) -> None:
    objective = decay()
    best, value = optimum(objective, [3.0, 0.5])
    ((profile,), remarks) = profiles(objective, best, value, [i])
    expected = [brute(objective, best, value, i, direction) for direction in (-1, 1)]
    # the promise is a hundredth of the way from the optimum; asymmetric limits here differ from 1.96 SE by far more
    assert abs(profile.low - expected[0]) < 0.01 * (best[i] - expected[0])
    assert abs(profile.high - expected[1]) < 0.01 * (expected[1] - best[i])
    assert profile.verdict == "identifiable"
    assert_profile_is_whole(profile, objective, best, value)
    assert remarks == ()


@pytest.mark.parametrize("i", [0, 1])
def test_a_saturating_parameter_has_only_a_lower_limit(i: int) -> None:
    objective = saturation()
    best, value = optimum(objective, [1.0, 0.7])
    ((profile,), _) = profiles(objective, best, value, [i])
    low = brute(objective, best, value, i, -1)
    assert np.isposinf(brute(objective, best, value, i, 1))
    assert abs(profile.low - low) < 0.01 * (best[i] - low)
    assert np.isposinf(profile.high)
    assert profile.verdict == "only a lower limit"
    assert profile.grid[-1] == objective.problem.upper[i]
    assert_profile_is_whole(profile, objective, best, value)


def test_the_same_with_the_sign_turned_has_only_an_upper_limit() -> None:
    straight = saturation()
    best, value = optimum(straight, [1.0, 0.7])

    def residuals(x):
        r, jacobian = straight._residuals(-x)
        return r, -jacobian

    turned = LeastSquares(residuals, -straight.problem.upper, -straight.problem.lower)
    ((there,), _) = profiles(straight, best, value, [1])
    ((back,), _) = profiles(turned, -best, value, [1])
    assert back.verdict == "only an upper limit"
    assert np.isneginf(back.low)
    np.testing.assert_allclose(back.high, -there.low, rtol=1e-6)


def test_factors_of_a_product_are_not_identifiable_but_the_third_parameter_is() -> None:
    t = np.arange(1.0, 5.0)

    def residuals(x):  # log10 scales: 10^(p0 + p1) times t, and p2 beside it
        slope = 10 ** (x[0] + x[1])
        column = np.log(10) * slope * t
        return slope * t + x[2] - t - 1, np.column_stack([column, column, np.ones(4)])

    objective = LeastSquares(residuals, [-3, -3, -10], [3, 3, 10])
    best = np.array([0.4, -0.4, 1.0])
    found, remarks = profiles(objective, best, 0.0, [0, 1, 2])
    assert [p.verdict for p in found] == ["not identifiable", "not identifiable", "identifiable"]
    for profile in found[:2]:
        assert np.isneginf(profile.low)
        assert np.isposinf(profile.high)
        assert profile.grid[[0, -1]].tolist() == [-3, 3]
        assert_profile_is_whole(profile, objective, best, 0.0)
    # of the line through t, the intercept has variance Σt²/(nΣt² − (Σt)²) = 30/20
    half = 1.959963984540054 * np.sqrt(1.5)
    np.testing.assert_allclose([found[2].low, found[2].high], [1 - half, 1 + half], rtol=0.01)
    assert remarks == ()


def test_a_parameter_without_influence_is_not_identifiable() -> None:
    def residuals(x):
        return np.array([x[0] - 1.0]), np.array([[1.0, 0.0]])

    objective = LeastSquares(residuals, [-5, 0], [5, 1])
    found, _ = profiles(objective, np.array([1.0, 0.25]), 0.0, [0, 1])
    assert [p.verdict for p in found] == ["identifiable", "not identifiable"]
    assert found[1].grid[[0, -1]].tolist() == [0.0, 1.0]


def test_the_profile_stops_at_the_bounds_of_its_own_parameter_and_respects_those_of_the_others() -> None:
    # correlated 0.8: with p1 ≥ −1.2 the profile of p0 downwards turns from variance 1 to variance 1 − 0.64
    objective = gaussian(COVARIANCE[:2, :2], CENTRE[:2], [-20, -1.2], [1.0, 20])
    ((profile,), _) = profiles(objective, CENTRE[:2], 0.0, [0])
    assert profile.verdict == "only a lower limit"
    assert profile.grid[-1] == 1.0
    assert (profile.points[:, 1] >= -1.2).all()
    # 2·1.92 = (y² + (x − 0.8 y)²/0.36) with y = −0.2 at the bound
    expected = CENTRE[0] + 0.8 * -0.2 - np.sqrt(0.36 * (2 * THRESHOLD - 0.04))
    assert abs(profile.low - expected) < 0.01 * (CENTRE[0] - expected)


@pytest.mark.parametrize(("place", "verdict"), [(0, "only an upper limit"), (1, "only a lower limit")])
def test_an_optimum_at_a_bound_is_limited_from_the_other_side_alone(place: int, verdict: str) -> None:
    ends = [[0.0, 9.0], [-9.0, 0.0]][place]
    centre = [-0.5, 0.5][place]

    def residuals(x):
        return np.array([x[0] - centre, x[1]]), np.eye(2)

    objective = LeastSquares(residuals, [ends[0], -9], [ends[1], 9])
    ((profile,), _) = profiles(objective, np.zeros(2), 0.125, [0])
    assert profile.verdict == verdict
    far = np.sqrt(2 * THRESHOLD + 0.25) - 0.5
    np.testing.assert_allclose(profile.high if place == 0 else -profile.low, far, rtol=0.01)
    assert np.isinf(profile.low if place == 0 else profile.high)


def test_a_region_without_values_fails_its_side_and_not_the_other() -> None:
    objective = decay(fails=lambda x: x[1] > 0.33)
    whole = decay()
    best, value = optimum(whole, [3.0, 0.5])
    assert best[1] < 0.33 < brute(whole, best, value, 1, 1)
    ((profile,), remarks) = profiles(objective, best, value, [1])
    assert profile.verdict == "failed"
    assert np.isnan(profile.high)
    expected = brute(whole, best, value, 1, -1)
    assert abs(profile.low - expected) < 0.01 * (best[1] - expected)
    assert np.isposinf(profile.value[-1])
    assert np.isfinite(profile.value[:-1]).all()
    # ten halvings from the first step come this near
    assert 0.32 < profile.grid[-2] <= 0.33
    assert len(remarks) == 1
    assert "p1" in remarks[0]
    assert "upwards" in remarks[0]


def test_a_gap_without_values_that_steps_pass_over_does_not_matter() -> None:
    objective = decay(fails=lambda x: 0.3355 < x[1] < 0.3365)
    best, value = optimum(decay(), [3.0, 0.5])
    ((profile,), _) = profiles(objective, best, value, [1])
    assert profile.verdict == "identifiable"


def test_an_optimum_on_the_edge_of_a_region_without_values_is_followed_along_that_edge() -> None:
    # the floor p1 = p0²/100 of the valley bends away from the tangent, and there is nothing below it
    def residuals(x):
        return np.array([x[0], 50 * (x[1] - x[0] ** 2 / 100)]), np.array([[1.0, 0.0], [-x[0], 50.0]])

    objective = LeastSquares(residuals, [-5, -5], [5, 5], fails=lambda x: x[1] < x[0] ** 2 / 100 - 1e-4)
    ((profile,), _) = profiles(objective, np.zeros(2), 0.0, [0])
    np.testing.assert_allclose([profile.low, profile.high], [-1.959964, 1.959964], rtol=0.01)


def test_a_wall_is_found_by_steps_that_stay_above_nothing() -> None:
    # flat, and then twenty times as steep as the first step could know
    def residuals(x):
        wall = np.logaddexp(0.0, 40 * (x[0] - 1.0)) / 4
        slope = 10 / (1 + np.exp(-40 * (x[0] - 1.0)))
        return np.array([wall, x[1]]), np.array([[slope, 0.0], [0.0, 1.0]])

    objective = LeastSquares(residuals, [-5, -5], [5, 5])
    best = np.array([-1.0, 0.0])
    value = float(objective.evaluate([best]).value[0])
    ((profile,), _) = profiles(objective, best, value, [0])
    expected = brentq(lambda x: (np.logaddexp(0, 40 * (x - 1)) / 4) ** 2 / 2 - THRESHOLD - value, 0, 3)
    assert profile.verdict == "only an upper limit"
    assert abs(profile.high - expected) < 0.01 * (expected - best[0])


def test_a_better_optimum_beyond_the_fit_is_told() -> None:
    # a double well: 0.1 deep at p0 = −1, 0 at p0 = 1, with a hill of 0.5 between
    def residuals(x):
        u = (x[0] ** 2 - 1) * 1.0
        v = 0.22 * (1 - x[0])
        return np.array([u, v, x[1]]), np.array([[2 * x[0], 0.0], [-0.22, 0.0], [0.0, 1.0]])

    objective = LeastSquares(residuals, [-3, -3], [3, 3])
    best, value = optimum(objective, [-1.2, 0.1])
    assert value > 0.05
    ((profile,), remarks) = profiles(objective, best, value, [0])
    assert profile.value.min() < value - 0.05
    assert len(remarks) == 1
    assert "not at the optimum" in remarks[0]
    assert "p0" in remarks[0]


def test_a_worse_minimum_on_the_way_is_left_for_the_better_one() -> None:
    """The others may lie in either of two valleys that cross: the profile is the lower of both."""

    # y = −1 and y = 1 are valleys; with x the left one rises, and it ends at x = 1.2, before the threshold
    def residuals(x):
        well = 0.9 * (x[1] ** 2 - 1)
        tilt = 1.2 * x[0] - 0.5 * (x[1] + 1)
        return np.array([well, tilt]), np.array([[0.0, 1.8 * x[1]], [1.2, -0.5]])

    objective = LeastSquares(residuals, [-5, -3], [5, 3])
    best = np.array([0.0, -1.0])
    ((profile,), _) = profiles(objective, best, 0.0, [0])
    expected = brute(objective, best, 0.0, 0, 1)
    assert abs(profile.high - expected) < 0.01 * expected
    y = np.linspace(-3, 3, 3001)
    for x, value in zip(profile.grid, profile.value, strict=True):
        assert value < objective.evaluate(np.column_stack([np.full(3001, x), y])).value.min() + 1e-3


def test_profiles_do_not_depend_on_how_many_are_followed_at_once_and_are_the_same_each_time() -> None:
    objective = decay()
    best, value = optimum(objective, [3.0, 0.5])
    first, again, alone = (profiles(objective, best, value, [0, 1], at_once=n)[0] for n in (128, 128, 1))
    for a, b, c in zip(first, again, alone, strict=True):
        for other in (b, c):
            assert (a.low, a.high, a.verdict) == (other.low, other.high, other.verdict)
            np.testing.assert_array_equal(a.grid, other.grid)
            np.testing.assert_array_equal(a.points, other.points)
            np.testing.assert_array_equal(a.value, other.value)


def test_profiles_that_were_interrupted_go_on_to_the_same_numbers(tmp_path: Path) -> None:
    objective, store = decay(), tmp_path / "profiles.jsonl"
    best, value = optimum(objective, [3.0, 0.5])
    whole, _ = profiles(objective, best, value, [0, 1], store=store)
    lines = store.read_text().splitlines()
    assert {(s["parameter"], s["direction"]) for s in map(json.loads, lines[1:])} == {(0, -1), (0, 1), (1, -1), (1, 1)}
    objective.batches.clear()
    resumed, _ = profiles(objective, best, value, [0, 1], store=store)
    assert objective.batches == []
    store.write_text("\n".join(lines[:-1]) + "\n" + lines[-1][:20])  # killed while it wrote the last side
    part, _ = profiles(objective, best, value, [0, 1], store=store)
    assert sum(objective.batches) == json.loads(lines[-1])["evaluations"]
    for a, b, c in zip(whole, resumed, part, strict=True):
        np.testing.assert_array_equal(a.value, b.value)
        np.testing.assert_array_equal(a.value, c.value)
        np.testing.assert_array_equal(a.points, c.points)
        assert (a.low, a.high) == (c.low, c.high)


def test_profiles_of_another_optimum_or_other_tolerances_are_refused_by_what_differs(tmp_path: Path) -> None:
    objective, store = decay(), tmp_path / "profiles.jsonl"
    best, value = optimum(objective, [3.0, 0.5])
    profiles(objective, best, value, [0], store=store, settings={"rtol": 1e-8})
    with pytest.raises(InputError, match="optimum"):
        profiles(objective, best + 1e-6, value, [0], store=store, settings={"rtol": 1e-8})
    with pytest.raises(InputError, match="rtol"):
        profiles(objective, best, value, [0], store=store, settings={"rtol": 1e-6})


def test_all_sides_share_the_calls_of_the_objective() -> None:
    objective = gaussian(COVARIANCE, CENTRE, [-20] * 3, [20] * 3)
    profiles(objective, CENTRE, 0.0, [0, 1, 2])
    assert objective.batches[0] == 6


def test_progress_counts_sides() -> None:
    class Told:
        def __init__(self) -> None:
            self.total, self.advanced = 0, 0

        def start(self, task: str, total: int) -> None:
            self.total = total

        def advance(self, n: int = 1) -> None:
            self.advanced += n

    told = Told()
    profiles(gaussian(COVARIANCE, CENTRE, [-20] * 3, [20] * 3), CENTRE, 0.0, [0, 2], progress=told)
    assert (told.total, told.advanced) == (4, 4)


def test_a_parameter_without_a_finite_bound_is_refused_by_name() -> None:
    objective = gaussian(COVARIANCE, CENTRE, [-20, -np.inf, -20], [20] * 3)
    with pytest.raises(CalibrationError, match="p1"):
        profiles(objective, CENTRE, 0.0, [0])


def test_profiles_of_nothing_are_nothing() -> None:
    objective = gaussian(COVARIANCE, CENTRE, [-20] * 3, [20] * 3)
    assert profiles(objective, CENTRE, 0.0, []) == ((), ())


def test_a_side_whose_limit_is_rough_is_still_rough_when_it_is_read_again(tmp_path: Path) -> None:
    some = np.array([0.0, 1.0])
    side = Side(0, 1, some, some, some[:, None], 0.7, 3, 0, 9, 0, rough=True)
    KeptSides(tmp_path / "sides.jsonl", {}).append(side)
    (again,) = KeptSides(tmp_path / "sides.jsonl", {}).sides
    assert again.rough
