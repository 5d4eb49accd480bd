import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exotwin.validation.statistics import Lives, alive, doubling_time, hazard_ratio, life_at, mean_life, of_people


def _gompertz(n, doubling, at_zero=1e-4):
    """Ages at death at even probabilities: S(x) = exp(-a/b (exp(bx) - 1))."""
    b = np.log(2) / doubling
    survival = (np.arange(n) + 0.5) / n
    return np.log(1 - b / at_zero * np.log(survival)) / b


@pytest.mark.parametrize("doubling", [0.5, 8.0])
def test_the_doubling_time_of_gompertz_mortality_is_found(doubling):
    ages = _gompertz(4000, doubling, at_zero=1e-4 * 8 / doubling)
    everyone = Lives(ages, np.ones(ages.size, bool))
    low, high = np.quantile(ages, [0.01, 0.99])
    # 4000 even draws stand for a continuous distribution; the tail that is cut costs little
    assert doubling_time(everyone, (low, high)) == pytest.approx(doubling, rel=0.01)


def test_who_still_lives_is_censored_and_changes_no_doubling_time():
    ages = _gompertz(4000, 8.0)
    end = np.quantile(ages, 0.6)
    followed = Lives(np.minimum(ages, end), ages <= end)
    low = np.quantile(ages, 0.01)
    whole = Lives(ages, np.ones(ages.size, bool))
    assert doubling_time(followed, (low, end)) == pytest.approx(doubling_time(whole, (low, end)), rel=1e-9)
    assert doubling_time(followed, (low, end)) == pytest.approx(8.0, rel=0.03)  # six tenths of them, for a slope


def test_mortality_that_does_not_rise_and_few_deaths_have_no_doubling_time():
    even = Lives(-np.log((np.arange(1000) + 0.5) / 1000) * 20, np.ones(1000, bool))
    falling = Lives(((np.arange(1000) + 0.5) / 1000) ** 3 * 50, np.ones(1000, bool))
    assert np.isnan(doubling_time(falling, (0.0, 40.0)))
    assert not doubling_time(even, (0.0, 60.0)) < 100
    assert np.isnan(doubling_time(Lives(np.arange(60.0, 69.0), np.ones(9, bool)), (50.0, 90.0)))


def test_survival_follows_kaplan_and_meier():
    # deaths at 1, 3 and 4, one seen last at 2: 4/5 live after 1, 4/5 * 2/3 after 3, half of that after 4
    lives = Lives(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([True, False, True, True, False]))
    assert alive(lives, 0.5) == 1
    assert alive(lives, 1.0) == pytest.approx(4 / 5)
    assert alive(lives, 3.5) == pytest.approx(4 / 5 * 2 / 3)
    assert alive(lives, 4.9) == pytest.approx(4 / 5 * 2 / 3 / 2)
    assert life_at(lives, 0.5) == 4
    assert np.isnan(life_at(lives, 0.1))
    assert np.isnan(mean_life(lives))


def test_the_middle_of_an_even_number_of_lives_lies_between_two():
    lives = Lives(np.array([1.0, 2.0, 4.0, 5.0]), np.ones(4, bool))
    assert life_at(lives, 0.5) == 3
    assert mean_life(lives) == 3


def test_the_hazard_ratio_of_proportional_hazards_is_found():
    u = (np.arange(2000) + 0.5) / 2000
    control, treated = Lives(-np.log(u), np.ones(2000, bool)), Lives(-np.log(u) / 0.7, np.ones(2000, bool))
    assert hazard_ratio(treated, control) == pytest.approx(0.7, rel=0.01)  # even draws for a distribution
    assert hazard_ratio(control, control) == pytest.approx(1.0, abs=1e-9)
    assert np.isnan(hazard_ratio(Lives(u, np.zeros(2000, bool)), control))


def test_two_lives_against_two_are_those_of_coxs_likelihood():
    # deaths: treated at 2 (risk 2 of 3), control at 1 (2 of 4) and 3 (1 of 1 and 1): score zero solved by hand below
    treated = Lives(np.array([2.0, 4.0]), np.array([True, False]))
    control = Lives(np.array([1.0, 3.0]), np.array([True, True]))
    # 1 = 2r/(2r+2) + 2r/(2r+1) + r/(r+1)
    r = hazard_ratio(treated, control)
    assert 2 * r / (2 * r + 2) + 2 * r / (2 * r + 1) + r / (r + 1) == pytest.approx(1.0, abs=1e-9)


def test_statistics_leave_out_who_has_no_value():
    values = np.array([[1.0], [2.0], [6.0], [np.nan]])
    assert of_people("median", values) == pytest.approx([2])
    assert of_people("mean", values) == pytest.approx([3])
    assert of_people("sd", values) == pytest.approx([np.sqrt(7)])
    assert of_people("cv", values) == pytest.approx([np.sqrt(7) / 3])
    assert of_people("share above", values, 1.5) == pytest.approx([2 / 3])
    assert of_people("share below", values, 1.5) == pytest.approx([1 / 3])
    assert of_people("quantile", values, 0.5) == pytest.approx([2])
    assert np.isnan(of_people("mean", values[3:])).all()
    assert np.isnan(of_people("sd", values[:1])).all()


def test_infinity_is_a_value_that_only_statistics_of_order_can_take():
    values = np.array([[1.0], [2.0], [np.inf], [np.inf], [np.inf], [np.nan]])
    assert of_people("median", values) == [np.inf]  # of five; without the infinite ones it would be 1.5
    assert of_people("median", values[:3]) == [2]
    assert of_people("median", values[:4]) == [np.inf]  # half way between 2 and infinity
    assert of_people("quantile", -values[:3], 0.25) == [-np.inf]
    assert of_people("share above", values, 1.5) == pytest.approx([4 / 5])
    assert not np.isfinite(of_people("mean", values)).any()
    assert not np.isfinite(of_people("sd", values)).any()


def test_one_patient_is_his_own_median_and_has_no_spread():
    one = np.array([[3.0, 4.0]])
    assert of_people("median", one) == pytest.approx([3, 4])
    assert of_people("quantile", one, 0.9) == pytest.approx([3, 4])
    assert np.isnan(of_people("cv", one)).all()


def test_nothing_is_said_of_survival_beyond_the_last_who_was_seen():
    followed = Lives(np.array([1.0, 5.0, 5.0]), np.array([True, False, True]))
    assert alive(followed, 5.0) == pytest.approx(2 / 3 / 2)
    assert np.isnan(alive(followed, 5.1))
    gone = Lives(np.array([1.0, 5.0]), np.ones(2, bool))
    assert alive(gone, 5.1) == 0


def test_a_median_that_fewer_than_half_have_reached_is_not_known():
    ages, dead = np.array([1.0, 2.0, 9.0, 9.0, 9.0]), np.array([True, True, False, False, False])
    assert np.isnan(life_at(Lives(ages, dead), 0.5))
    early = Lives(np.array([1.0, 1.5, 2.0, 9.0, 9.0]), np.array([False, False, True, False, False]))
    # who left before the death says nothing of it: 2/3 live on, not 4/5
    assert alive(early, 3.0) == pytest.approx(2 / 3)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 8), st.booleans()), min_size=1, max_size=20),
    st.sampled_from([0.25, 0.5, 0.75]),
)
def test_no_more_than_a_share_live_beyond_the_age_that_it_survives(people, share):
    lives = Lives(np.array([float(age) for age, _ in people]), np.array([dead for _, dead in people]))
    age = life_at(lives, share)
    if not np.isnan(age):
        assert alive(lives, age) <= share + 1e-12
        assert alive(lives, age - 1) >= share - 1e-12
