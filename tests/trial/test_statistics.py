from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from exotwin.errors import StudyError
from exotwin.trial.statistics import bands, number_needed, paired_effect, quantiles_within_draws


def drawn(n_draws: int, m: int) -> np.ndarray:
    return np.arange(n_draws * m) % n_draws


def test_with_one_draw_the_patients_interval_is_the_paired_t_interval():
    differences = np.random.default_rng(1).normal(0.4, 1.3, 37)
    effect = paired_effect(differences, np.zeros(37, int))
    expected = stats.ttest_1samp(differences, 0).confidence_interval(0.95)
    assert (effect.low_patients, effect.high_patients) == pytest.approx(expected)
    assert effect.value == pytest.approx(differences.mean())


def test_with_one_draw_the_share_interval_adds_half_a_pair_to_each_cell():
    # 30 pairs: 9 respond only with the arm, 2 only with the comparator.
    differences = np.array([1.0] * 9 + [-1.0] * 2 + [0.0] * 19)
    effect = paired_effect(differences, np.zeros(30, int), share=True)
    # Closed form on the table with half a pair more in each cell; free = n + 1 against n + 2 there is the t correction.
    middle = (9.5 - 2.5) / 32
    error2 = (11 - 7**2 / 30 + 1) / 31 / 32
    half = stats.t.ppf(0.975, 31) * math.sqrt(error2)
    assert (effect.low_patients, effect.high_patients) == pytest.approx((middle - half, middle + half))
    assert effect.value == pytest.approx(7 / 30)


def test_pairs_that_all_agree_still_leave_an_interval_for_a_share():
    effect = paired_effect(np.zeros(100), drawn(10, 10), share=True)
    assert effect.value == 0
    # Three in n is the usual bound on what n cases without an event rule out.
    assert -3 / 100 < effect.low < 0 < effect.high < 3 / 100


def test_without_patients_nothing_is_claimed():
    effect = paired_effect(np.empty(0), np.empty(0, int))
    assert effect.n == 0
    assert math.isnan(effect.value)
    assert math.isnan(effect.p_better(1, 0.0))


def test_the_wide_interval_covers_what_a_trial_finds_in_one_more_world():
    """In 95 % of worlds: the effect mu of a further draw of knowledge, as n of its patients would show it."""
    rng = np.random.default_rng(2)
    n_draws, m, tau, sigma, inside, trials = 50, 20, 1.0, 2.0, 0, 800
    draw = drawn(n_draws, m)
    for _ in range(trials):
        differences = 0.5 + rng.normal(0, tau, n_draws)[draw] + rng.normal(0, sigma, draw.size)
        effect = paired_effect(differences, draw)
        truth = 0.5 + rng.normal(0, tau) + rng.normal(0, sigma / math.sqrt(draw.size))
        inside += effect.low <= truth <= effect.high
    # Binomial noise at 800 trials is 0.8 %; the quantile at rank p (J + 1) is exact without patients' noise only.
    assert inside / trials == pytest.approx(0.95, abs=0.02)


def test_the_wide_interval_covers_skewed_worlds_on_both_sides():
    """Most worlds bring little and few bring much, with patients spread in proportion."""
    rng = np.random.default_rng(13)
    n_draws, m, below, above, trials = 50, 20, 0, 0, 1000
    draw = drawn(n_draws, m)
    for _ in range(trials):
        worlds = rng.lognormal(-2, 1.5, n_draws)
        effect = paired_effect(worlds[draw] * rng.lognormal(0, 0.7, draw.size), draw)
        truth = rng.lognormal(-2, 1.5) * math.exp(0.7**2 / 2)
        below, above = below + (truth < effect.low), above + (truth > effect.high)
    # Binomial noise at 1000 trials is 0.5 %; the long tail is estimated from one or two draws.
    assert below / trials == pytest.approx(0.025, abs=0.015)
    assert above / trials == pytest.approx(0.025, abs=0.025)


def test_the_patients_interval_covers_the_mean_over_the_draws_at_hand():
    rng = np.random.default_rng(3)
    n_draws, m, inside, trials = 20, 5, 0, 800
    draw = drawn(n_draws, m)
    for _ in range(trials):
        worlds = rng.normal(0, 2, n_draws)
        effect = paired_effect(worlds[draw] + rng.normal(0, 1, draw.size), draw)
        inside += effect.low_patients <= worlds.mean() <= effect.high_patients
    assert inside / trials == pytest.approx(0.95, abs=0.02)


def test_the_share_intervals_cover_the_true_risk_difference_when_it_is_rare():
    rng = np.random.default_rng(4)
    draw, inside, trials = drawn(10, 20), 0, 800
    for _ in range(trials):
        gains, losses = rng.random(draw.size) < 0.04, rng.random(draw.size) < 0.01
        effect = paired_effect(gains.astype(float) - losses, draw, share=True)
        inside += effect.low_patients <= 0.03 <= effect.high_patients
    # Discrete data: coverage wanders around 95 %, on the safe side with the added half pairs.
    assert 0.93 < inside / trials <= 0.995


def worlds_that_only_gain(rng, n_draws):
    """Share gained in each world where a shift of unlike size moves patients over a threshold, and none back."""
    shift = rng.lognormal(-2.5, 1, n_draws)
    return stats.norm.cdf(-1 + shift) - stats.norm.cdf(-1)


def worlds_that_gain_or_lose(rng, n_draws):
    """The same with shifts of either sign; what is lost is negative."""
    return stats.norm.cdf(-0.5 + rng.normal(0.1, 0.3, n_draws)) - stats.norm.cdf(-0.5)


@pytest.mark.parametrize("worlds_of", [worlds_that_only_gain, worlds_that_gain_or_lose])
def test_the_wide_interval_of_a_share_covers_a_further_world(worlds_of):
    rng = np.random.default_rng(14)
    draw, below, above, trials = drawn(50, 20), 0, 0, 600
    for _ in range(trials):
        worlds = worlds_of(rng, 50)[draw]
        crossed = (rng.random(draw.size) < np.abs(worlds)) * np.sign(worlds)
        effect = paired_effect(crossed, draw, share=True)
        truth = worlds_of(rng, 1)[0]
        below, above = below + (truth < effect.low), above + (truth > effect.high)
    # Binomial noise at 600 trials is 0.6 %; the long tail is estimated from one or two draws of 20 patients.
    assert below / trials == pytest.approx(0.025, abs=0.02)
    assert above / trials == pytest.approx(0.03, abs=0.03)


def test_where_nobody_is_lost_the_limit_of_a_share_does_not_say_that_many_may_be():
    rng = np.random.default_rng(15)
    draw = drawn(50, 20)
    for _ in range(50):
        gained = rng.random(draw.size) < worlds_that_only_gain(rng, 50)[draw]
        effect = paired_effect(gained.astype(float), draw, share=True)
        # Of 1000 patients none was lost: with 99.5 % fewer than -log(0.005) / 1000 are, and half of that at the limit.
        assert effect.low > -0.006
        assert effect.p_better(1, 0.0) > 0.9
        turned = paired_effect(-gained.astype(float), draw, share=True)
        assert (turned.low, turned.high) == pytest.approx((-effect.high, -effect.low), abs=1e-9)
        assert turned.p_better(-1, 0.0) == pytest.approx(effect.p_better(1, 0.0))


def test_one_lost_patient_moves_the_limit_of_a_share_by_little():
    draw = drawn(50, 20)
    gained = (np.random.default_rng(16).random(draw.size) < 0.1).astype(float)
    one_lost = gained.copy()
    one_lost[np.flatnonzero(gained == 0)[0]] = -1
    none, one = (paired_effect(d, draw, share=True) for d in (gained, one_lost))
    assert none.low - 0.01 < one.low < none.low


@given(hnp.arrays(np.int64, st.integers(4, 80), elements=st.integers(-1, 1)), st.integers(1, 20))
def test_the_interval_of_a_share_holds_the_effect_and_stays_between_minus_one_and_one(crossed, n_draws):
    effect = paired_effect(crossed.astype(float), np.arange(crossed.size) % n_draws, share=True)
    assert -1 <= effect.low <= effect.low_patients <= effect.high_patients <= effect.high <= 1
    assert 0 <= effect.p_better(1, 0.0) <= 1
    assert np.all(np.abs(effect.draws) <= 1)


def test_noise_of_few_patients_does_not_pass_for_lack_of_knowledge():
    rng = np.random.default_rng(5)
    draw, ratios = drawn(50, 20), []
    for _ in range(200):
        effect = paired_effect(rng.normal(1.0, 1.0, draw.size), draw)
        ratios.append((effect.high - effect.low) / (effect.high_patients - effect.low_patients))
    assert min(ratios) >= 1
    # Raw draw means spread sqrt(50) = 7 times as wide; what is left is that a variance of 50 means is only estimated.
    assert np.mean(ratios) < 3


def test_an_effect_that_only_knowledge_spreads_shows_in_the_wide_interval_alone():
    worlds = np.exp(np.random.default_rng(6).normal(0, 1, 50))
    draw = drawn(50, 4)
    effect = paired_effect(worlds[draw], draw)
    assert effect.high_patients - effect.low_patients == pytest.approx(0, abs=1e-12)
    # Rank 0.025 * 51 = 1.3 of 50 draws: the outermost.
    assert (effect.low, effect.high) == pytest.approx((worlds.min(), worlds.max()))
    assert effect.p_better(1, 0.0) == 1
    assert effect.p_better(-1, 0.0) == 0


def test_the_probability_of_being_better_is_that_of_the_mean_if_nothing_but_chance_spreads_it():
    rng = np.random.default_rng(9)
    draw, found, expected = drawn(50, 20), [], []
    for _ in range(300):
        differences = rng.normal(0.03, 1.0, draw.size)
        found.append(paired_effect(differences, draw).p_better(1, 0.0))
        expected.append(stats.norm.cdf(differences.mean() * math.sqrt(draw.size)))
    # Where the estimated variance between draws is not zero, the probability is drawn towards a half.
    assert np.mean(np.abs(np.array(found) - expected)) < 0.1


def test_the_probability_of_being_better_is_the_share_of_draws_if_knowledge_alone_spreads_it():
    worlds = np.where(np.arange(50) < 30, 1.0, -0.5)
    effect = paired_effect(worlds[drawn(50, 20)] + np.random.default_rng(10).normal(0, 0.1, 1000), drawn(50, 20))
    assert effect.p_better(1, 0.0) == pytest.approx(0.6, abs=0.001)
    assert effect.p_better(-1, 0.0) == pytest.approx(0.4, abs=0.001)
    assert effect.p_better(1, 2.0) == pytest.approx(0, abs=0.001)


def test_small_but_sure_effects_count_as_better_beside_large_ones():
    """Effects of very unlike size, each with a spread in proportion: all draws are better, most of them by little."""
    worlds = np.exp(np.random.default_rng(11).normal(-4, 2, 50))
    draw = drawn(50, 20)
    patients = np.exp(np.random.default_rng(12).normal(0, 0.5, draw.size))
    effect = paired_effect(worlds[draw] * patients, draw)
    assert effect.low > 0
    assert effect.p_better(1, 0.0) > 0.99


def test_arms_that_never_differ_are_not_better():
    assert paired_effect(np.zeros(40), drawn(4, 10), share=True).p_better(1, 0.0) == 0


@given(
    hnp.arrays(np.float64, st.integers(8, 60), elements=st.floats(-1e3, 1e3)),
    st.integers(2, 4),
    st.floats(-50, 50),
    st.sampled_from([-2.0, 0.5, 3.0]),
)
def test_an_effect_moves_with_the_scale_of_its_data(differences, n_draws, shift, factor):
    draw = np.arange(differences.size) % n_draws
    one, other = paired_effect(differences, draw), paired_effect(shift + factor * differences, draw)
    limits = sorted([shift + factor * one.low, shift + factor * one.high])
    # Cancellation in sums of squares of values around 1e3.
    assert [other.low, other.high] == pytest.approx(limits, rel=1e-6, abs=1e-4)
    assert one.low <= one.low_patients <= one.value <= one.high_patients <= one.high


def test_the_number_needed_is_the_reciprocal_and_says_to_benefit():
    needed = number_needed(0.2, 0.1, 0.4)
    assert (needed.value, needed.low, needed.high) == pytest.approx((5, 2.5, 10))
    assert needed.text == "benefit 5 (benefit 2.5 to benefit 10)"


def test_a_risk_difference_that_may_be_zero_gives_an_interval_through_infinity():
    needed = number_needed(0.1, -0.05, 0.25)
    assert (needed.low, needed.high) == pytest.approx((4, -20))
    assert needed.text == "benefit 10 (benefit 4 to ∞ to harm 20)"


def test_an_arm_that_harms_has_a_number_needed_to_harm():
    assert number_needed(-0.1, -0.2, -0.05).text == "harm 10 (harm 20 to harm 5)"


def test_no_risk_difference_has_no_finite_number_needed():
    needed = number_needed(0.0, -0.1, 0.1)
    assert math.isinf(needed.value)
    assert needed.text == "∞ (benefit 10 to ∞ to harm 10)"


def test_a_limit_of_exactly_zero_reaches_infinity():
    assert number_needed(0.1, 0.0, 0.2).text == "benefit 10 (benefit 5 to ∞)"


def test_the_band_within_one_draw_is_the_median_unbiased_quantile():
    values = np.random.default_rng(7).normal(size=(40, 3))
    found = quantiles_within_draws(values, np.zeros(40, int))
    for k, p in enumerate((0.5, 0.05, 0.95)):
        np.testing.assert_allclose(found[k], np.quantile(values, p, axis=0, method="median_unbiased"), rtol=1e-12)


def test_the_band_leaves_out_what_is_not_known():
    rng = np.random.default_rng(8)
    draw = drawn(50, 40)
    patients = rng.normal(0, 1, draw.size)
    found = quantiles_within_draws((rng.normal(0, 10, 50)[draw] + patients)[:, None], draw)[:, 0]
    # Standard error of a 5 % quantile from 2000 patients is 0.05; median-unbiased quantiles are biased in the mean.
    assert found[2] - found[0] == pytest.approx(1.645, abs=0.2)
    assert found[0] - found[1] == pytest.approx(1.645, abs=0.2)


def test_failed_patients_are_left_out_of_the_band():
    values = np.arange(30.0)[:, None].repeat(2, axis=1)
    values[4:, 1] = np.nan
    found = quantiles_within_draws(values, np.zeros(30, int))
    np.testing.assert_allclose(found[:, 1], quantiles_within_draws(values[:4, :1], np.zeros(4, int))[:, 0])
    gone = quantiles_within_draws(np.full((6, 1), np.nan), drawn(2, 3))
    assert np.isnan(gone).all()


def test_bands_of_an_unknown_observable_name_the_nearest():
    dims = ("reading", "arm", "patient", "time")
    dataset = xr.Dataset(
        {"amh": (dims, np.ones((1, 1, 4, 2)), {"units": "ng/mL"})},
        coords={"draw": ("patient", drawn(2, 2)), "reading": ["animal"], "arm": ["untreated"], "time": [0.0, 7.0]},
    )
    assert bands(dataset, "amh")["p5"].attrs["units"] == "ng/mL"
    with pytest.raises(StudyError, match='nearest   "amh"'):
        bands(dataset, "anh")
