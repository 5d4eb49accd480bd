"""Senescent cells, death and the drivers: against the diffusion solved here by other means, and against records."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.linalg import solve_banded

from exotwin.biology import SHIPPED, Noise, assemble
from exotwin.engine import Dose, load
from exotwin.errors import BiologyError
from exotwin.evidence import record
from exotwin.trial.noise import kicks

YEAR, MONTH = 365.25, 365.25 / 12
DRIVERS = ["senescence", "inflammation", "mito", "ros"]
MEN = {"production": 1.1e-5 * YEAR, "removal": 0.46, "noise_strength": 0.094, "threshold": 6.154}  # sr-human-ml
UNIT_OF_MEN = np.sqrt(0.346 / 0.094)  # the model's unit of burden is that in which noise is the same in both sexes
HET3 = {  # sr-mouse-ml, UM-HET3 mice
    "female": {"production": 0.00183 * YEAR, "removal": 1.44, "noise_strength": 11.446, "threshold": 95.099},
    "male": {"production": 0.00395 * YEAR, "removal": 1.723, "noise_strength": 220.973, "threshold": 647.279},
}


@pytest.fixture(scope="module")
def models():
    return {species: assemble("poi", species, modules=("ageing", "mortality")) for species in ("human", "mouse")}


@pytest.fixture(scope="module")
def run(models):
    """``run(species, times, outputs, **parameters)``: output -> (patient, time). ``noise``: how many noisy patients."""
    compiled = {species: load(model.sbml) for species, model in models.items()}

    def simulate(species, times, outputs, *, noise=0, doses=(), **parameters):
        numbers = {"run_in": 0.0, **parameters}
        if noise:
            numbers = {"threshold_factor": np.ones(noise), **numbers}
            span = {"start": times[0], "end": times[-1]}
            doses = kicks(models[species], numbers, seed=1, patients=np.arange(noise), **span)
        found = compiled[species].simulate(
            times, parameters=numbers, outputs=outputs, doses=doses, rtol=1e-5 if noise else 1e-9, method="rodas5p"
        )
        assert (found["outcome"] == "ok").all()
        return {name: found[name].to_numpy() for name in outputs}

    return simulate


@pytest.fixture
def numbers(models):
    """``numbers(species, **replaced)``: production per day, removal, half, noise, threshold."""

    def of(species, **replaced):
        names = ("production", "removal", "removal_half", "noise_strength", "threshold")
        found = [replaced.get(name, models[species].parameters[name].value) for name in names]
        return found[0] / YEAR, *found[1:]

    return of


def _survival(eta, removal, half, noise, threshold, *, start, days, cells=400, step=2.0):
    """The Fokker-Planck equation with a wall at zero and an absorbing threshold: (day, alive, mean of the living).

    Finite volumes with fluxes that are exact for constant drift (Scharfetter and Gummel), implicit in time.
    """
    width = threshold / cells
    edge = np.linspace(0, threshold, cells + 1)
    middle = (edge[1:] + edge[:-1]) / 2
    density = np.exp(-middle / max(half, 0.02 * threshold))
    density /= density.sum()

    def ramp(z):
        small = np.abs(z) < 1e-8
        return np.where(small, 1 - z / 2, z / np.expm1(np.where(small, 1.0, z)))

    time, alive, mean = [start], [1.0], [density @ middle]
    while time[-1] < start + days:
        drift = eta * (time[-1] + step) - removal * edge / (half + edge)
        up, down = noise / width * ramp(-drift * width / noise), noise / width * ramp(drift * width / noise)
        up[0] = down[0] = down[-1] = 0.0
        up[-1] = 2 * noise / width * ramp(-drift[-1] * width / 2 / noise)  # half a cell to the threshold
        bands = np.zeros((3, cells))
        bands[1] = 1 + step / width * (down[:-1] + up[1:])
        bands[0, 1:] = -step / width * down[1:-1]
        bands[2, :-1] = -step / width * up[1:-1]
        density = solve_banded((1, 1), bands, density)
        time.append(time[-1] + step)
        alive.append(density.sum())
        mean.append(density @ middle / density.sum())
    return np.array(time), np.array(alive), np.array(mean)


def _age_at(time, alive, share):
    return np.interp(-share, -alive, time)


def _mean_of_the_quasi_stationary(eta, removal, half, noise, _, *, day):
    """Of the density (1 + X/half)^(removal half / noise) exp(-(removal - eta day) X / noise)."""
    steep, power = (removal - eta * day) / noise, removal * half / noise
    far = 60 * (power + 2) / steep
    weight = quad(lambda x: (1 + x / half) ** power * np.exp(-steep * x), 0, far, limit=500)[0]
    first = quad(lambda x: x * (1 + x / half) ** power * np.exp(-steep * x), 0, far, limit=500)[0]
    return first / weight


# The mean over individuals, where no noise runs


@pytest.mark.parametrize("age", [20, 30, 40, 50, 60, 70, 80])
@pytest.mark.parametrize("sex", ["women", "men"])
def test_without_noise_the_burden_of_people_is_the_mean_of_the_quasi_stationary_density(run, numbers, age, sex):
    replaced, male, unit = (MEN, 1.0, UNIT_OF_MEN) if sex == "men" else ({}, 0.0, 1.0)
    found = run("human", [0.0, 400.0], ["senescent"], age_start=age, male=male)["senescent"][0, 1]
    # the push that stands for the noise is a fit to this density by eye of its two limits
    expected = unit * _mean_of_the_quasi_stationary(*numbers("human", **replaced), day=age * YEAR + 400)
    assert found == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(("species", "ages"), [("human", (20, 40, 60, 80, 100)), ("mouse", (0.1, 0.25, 1, 1.5, 2))])
def test_the_start_at_any_age_is_where_integration_from_birth_leads(run, species, ages):
    birth = run(species, [0.0, *(np.array(ages) * YEAR)], ["senescent"], age_start=0.0)["senescent"][0, 1:]
    at_once = [run(species, [0.0, 1.0], ["senescent"], age_start=age)["senescent"][0, 0] for age in ages]
    np.testing.assert_allclose(at_once, birth, rtol=0.04)  # stated with lag_width


@pytest.mark.parametrize(("maker", "last"), [(0.7, 2.0), (1.45, 1.5)])
def test_the_start_of_mice_that_make_less_or_more_is_right_while_they_live(run, maker, last):
    """Two standard deviations either way; beyond a year and a half the burden of those who make most is deadly."""
    ages = np.array([0.25, 1.0, last])
    made = {"production_individual": maker}
    birth = run("mouse", [0.0, *(ages * YEAR)], ["senescent"], age_start=0.0, **made)["senescent"][0, 1:]
    at_once = [run("mouse", [0.0, 1.0], ["senescent"], age_start=age, **made)["senescent"][0, 0] for age in ages]
    np.testing.assert_allclose(at_once, birth, rtol=0.04)


def test_the_course_without_noise_is_its_equation_integrated_here(run, models):
    p = {name: parameter.value for name, parameter in models["mouse"].parameters.items()}
    half, noise = p["removal_half"], p["noise_strength"]
    full = p["removal"] * half / noise
    shield = half * full**2 / (1 + full**2)

    def rate(day, x):
        push = noise / (x + shield * x**2 / (x**2 + 4 * half**2))
        return p["production"] * (0.25 + day / YEAR) - p["removal"] * x / (half + x) + push

    days = np.linspace(0, 600, 13)
    found = run("mouse", days, ["senescent"], age_start=0.25, reflection_width=1e-4)["senescent"][0]
    expected = solve_ivp(rate, (0, 600), [found[0]], t_eval=days, rtol=1e-10, atol=1e-12, method="LSODA").y[0]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


# With noise


def test_burden_and_death_of_mice_are_those_of_the_diffusion(run, numbers):
    """karin2019-mouse-params: median near 843 days, tenths 734 and 944, for one threshold and a wall at zero."""
    days = [0.0, 90.0, 360.0, 600.0, 1400.0]
    found = run("mouse", days, ["senescent", "dead", "age_at_death"], noise=1500, age_start=0.0)
    time, alive, mean = _survival(*numbers("mouse"), start=0.0, days=1400)
    assert found["dead"][:, -1].all()
    lives = np.quantile(found["age_at_death"][:, -1] * YEAR, [0.1, 0.5, 0.9])
    # 1500 lives with an SD of 82 days: standard errors of 4, 3 and 4 days; the splitting leaves a few days
    np.testing.assert_allclose(lives, [_age_at(time, alive, share) for share in (0.9, 0.5, 0.1)], atol=10)
    np.testing.assert_allclose(lives, [734, 843, 944], atol=12)
    for k, day in enumerate(days[1:4], 1):
        living = found["dead"][:, k] < 1
        burden = found["senescent"][living, k]
        error = burden.std() / np.sqrt(living.sum())
        assert burden.mean() == pytest.approx(np.interp(day, time, mean), abs=3 * error + 0.02 * burden.mean())


@pytest.mark.parametrize("sex", ["women", "men"])
def test_death_of_people_is_that_of_the_diffusion(run, numbers, sex):
    replaced, male = (MEN, 1.0) if sex == "men" else ({}, 0.0)
    end = 80 * YEAR
    lives = run("human", [0.0, end], ["age_at_death"], noise=400, age_start=40.0, male=male)["age_at_death"][:, -1]
    time, alive, _ = _survival(*numbers("human", **replaced), start=40 * YEAR, days=end, step=30.0)
    expected = [_age_at(time, alive, share) / YEAR for share in (0.9, 0.5, 0.1)]
    # 400 lives with an SD of 7 to 8 years: standard errors of 0.7, 0.5 and 0.7 years
    np.testing.assert_allclose(np.quantile(lives, [0.1, 0.5, 0.9]), expected, atol=2.1)
    assert lives.mean() == pytest.approx(np.trapezoid(alive, time) / YEAR + 40, abs=3 * lives.std() / 20 + 0.3)


def test_kicks_four_times_as_often_change_neither_burden_nor_death(run):
    coarse, fine = (
        run("mouse", [0.0, 360.0, 1400.0], ["senescent", "age_at_death"], noise=1000, age_start=0.0, noise_interval=h)
        for h in (2.0, 0.5)
    )
    a, b = (np.median(f["age_at_death"][:, -1]) * YEAR for f in (coarse, fine))
    assert a == pytest.approx(b, abs=3 * np.hypot(3.3, 3.3))  # three standard errors of a difference of medians
    a, b = (f["senescent"][:, 1] for f in (coarse, fine))
    assert a.mean() == pytest.approx(b.mean(), abs=3 * np.hypot(a.std(), b.std()) / np.sqrt(1000))


@pytest.mark.parametrize(("sex", "median"), [("female", 886), ("male", 750)])
def test_the_other_published_mouse_lives_as_long_as_its_authors_say(run, sex, median):
    """sr-mouse-ml: fitted medians of UM-HET3 mice; measured were 886 and 770 days. The unit of burden is another."""
    lives = run("mouse", [0.0, 2200.0], ["age_at_death"], noise=800, age_start=0.0, removal_half=0.5, **HET3[sex])
    found = lives["age_at_death"][:, -1] * YEAR
    assert np.median(found) == pytest.approx(median, abs=3 * 1.25 * found.std() / np.sqrt(800))


def test_a_mouse_that_makes_senescent_cells_sixty_times_as_slowly_would_live_ninety_five_years(run, models):
    """karin2019-human-eta, with all else the mouse's."""
    slow = models["mouse"].parameters["production"].value / 60
    lives = run("mouse", [0.0, 70 * YEAR], ["age_at_death"], noise=80, age_start=50.0, production=slow)
    found = lives["age_at_death"][:, -1]
    assert np.median(found) == pytest.approx(95, abs=3 * 1.25 * found.std() / np.sqrt(80) + 1)


def test_thresholds_that_differ_between_women_stretch_the_doubling_of_mortality_from_below_five_to_near_eight_years(
    numbers,
):
    """sr-human-ml: 5.2 years with one threshold, 8 with a CV of 17 to 18 %; the published step of time is not known."""

    def doubling(factors):
        alive = 0.0
        for factor in factors:
            *rates, threshold = numbers("human")
            time, one, _ = _survival(*rates, factor * threshold, start=30 * YEAR, days=65 * YEAR, cells=200, step=60.0)
            alive = alive + one / len(factors)
        hazard = -np.diff(np.log(alive))
        age = (time[1:] + time[:-1]) / 2 / YEAR
        between = (age > 50) & (age < 90)
        return np.log(2) / np.polyfit(age[between], np.log(hazard[between]), 1)[0]

    spread = assemble("poi", "human", modules=("ageing", "mortality")).parameters["threshold_factor"].spread
    assert doubling([1.0]) == pytest.approx(4.7, abs=0.3)
    assert doubling(spread.quantile((np.arange(15) + 0.5) / 15)) == pytest.approx(8, abs=0.6)


def _lives(rates, spread, *, start, days, step, share=15, makers=(1.0,)):
    """Time and the share alive where thresholds differ between individuals, and production as ``makers``."""
    alive = 0.0
    for factor in spread.quantile((np.arange(share) + 0.5) / share):
        for maker in makers:
            production, *rest, threshold = rates
            time, one, _ = _survival(
                maker * production, *rest, factor * threshold, start=start, days=days, cells=200, step=step
            )
            alive = alive + one / share / len(makers)
    return time, alive


def _spread_of_lives(time, alive):
    """Standard deviation over mean, by integrals of the share alive."""
    mean = time[0] + np.trapezoid(alive, time)
    return np.sqrt(2 * np.trapezoid((time - time[0]) * alive, time) - (mean - time[0]) ** 2) / mean


def test_men_of_today_reach_the_age_of_the_record_and_as_many_of_sixty_reach_eighty(models, numbers):
    """human-gompertz: median 79.5 years makes the number; what its mortality says of 60 to 80 years does not."""
    p = models["human"].parameters
    production, *rest = numbers("human", **MEN)
    rates = (production * p["production_modern"].value, *rest)
    time, alive = _lives(rates, p["threshold_factor"].spread, start=40 * YEAR, days=70 * YEAR, step=45.0)
    assert _age_at(time, alive, 0.5) / YEAR == pytest.approx(79.5, abs=0.3)
    of = record("human-gompertz").value
    expected = np.exp(-of["initial"] / of["b"] * (np.exp(of["b"] * 65) - np.exp(of["b"] * 45)))  # begins at 15 years
    found = np.interp(80 * YEAR, time, alive) / np.interp(60 * YEAR, time, alive)
    assert found == pytest.approx(expected, abs=0.03)


def test_male_mice_live_as_much_shorter_as_in_the_records(models, numbers):
    """sr-mouse-ml (770 of 886 days) and rapamycin-itp-dose-sex (807 of 896)."""
    p = models["mouse"].parameters
    production, *rest = numbers("mouse")
    medians = []
    for factor in (1.0, p["production_male"].value):
        rates = (production * factor, *rest)
        time, alive = _lives(rates, p["threshold_factor"].spread, start=14.0, days=1500, step=4.0, share=9)
        medians.append(_age_at(time, alive, 0.5))
    assert medians[1] / medians[0] == pytest.approx(np.sqrt(770 / 886 * 807 / 896), abs=0.005)


def test_lives_of_mice_spread_as_those_of_the_big_cohort_of_females(models, numbers):
    """sr-mouse-ml, 3701 UM-HET3 females: the published diffusion in its own unit of burden; ours with two spreads."""
    p = models["mouse"].parameters
    eta, *rest = numbers("mouse", removal_half=0.5, **HET3["female"])
    expected = _spread_of_lives(*_survival(eta, *rest, start=14.0, days=2000, step=4.0)[:2])
    makers = p["production_individual"].spread.quantile((np.arange(9) + 0.5) / 9)
    given = {"start": 14.0, "days": 2500, "step": 5.0, "share": 3}
    found = _spread_of_lives(*_lives(numbers("mouse"), p["threshold_factor"].spread, makers=makers, **given))
    # nine and three parts in place of the whole distributions lose a tenth of the spread that is put in
    assert found == pytest.approx(expected, abs=0.02)
    alike = _spread_of_lives(*_lives(numbers("mouse"), p["threshold_factor"].spread, **given))
    assert alike < 0.6 * expected


def test_drivers_of_a_mouse_are_held_against_the_usual_young_mouse_not_against_itself(run):
    usual, more = (
        run("mouse", [0.0, 1.0], ["senescent", "senescence"], age_start=0.25, production_individual=factor)
        for factor in (1.0, 1.4)
    )
    ratio = more["senescent"][0, 0] / usual["senescent"][0, 0]
    assert ratio > 1.05
    assert more["senescence"][0, 0] / usual["senescence"][0, 0] == pytest.approx(ratio, rel=1e-9)


@pytest.mark.parametrize("species", ["human", "mouse"])
def test_males_and_people_of_today_have_drivers_of_one_when_young_as_well(run, species):
    age = 30.0 if species == "human" else 0.25
    found = run(species, [0.0, 1.0], ["senescence"], age_start=age, male=1.0, modern_life=1.0)["senescence"]
    assert found[0, 0] == pytest.approx(1.0, abs=1e-3)


def test_at_the_reference_age_noise_and_its_absence_agree(run):
    for species, age in (("human", 30.0), ("mouse", 0.25)):
        course = [0.0, 42.0, 49.0, 56.0, 63.0]  # ends of intervals, in the middle between two kicks
        noisy = run(species, course, ["senescence"], noise=1500, age_start=age)["senescence"][:, 1:]
        without = run(species, course, ["senescence"], age_start=age)["senescence"][0, 1:]
        # 1500 patients at four times: the mean is known within 2 %
        assert noisy.mean() == pytest.approx(without.mean(), rel=0.05)


def test_who_is_dead_stays_dead_at_the_age_of_death_and_who_lives_has_the_age_of_today(run):
    found = run("mouse", [0.0, 700.0, 850.0, 1000.0], ["dead", "age_at_death", "age"], noise=200, age_start=0.5)
    dead, at, age = found["dead"], found["age_at_death"], found["age"]
    assert set(np.unique(dead)) == {0.0, 1.0}
    assert np.all(np.diff(dead, axis=1) >= 0)
    np.testing.assert_allclose(at[dead == 0], np.broadcast_to(age, dead.shape)[dead == 0])
    died = dead[:, 2] > 0
    np.testing.assert_array_equal(at[died, 2], at[died, 3])


def test_who_begins_beyond_the_threshold_is_dead_at_once(run):
    found = run("mouse", [0.0, 1.0], ["dead", "age_at_death"], age_start=0.25, threshold=0.5)
    assert found["dead"][0, -1] == 1
    assert found["age_at_death"][0, -1] == pytest.approx(0.25)


# Drivers


@pytest.mark.parametrize(("species", "age"), [("human", 30.0), ("mouse", 0.25)])
def test_all_drivers_are_one_in_a_young_adult(run, species, age):
    found = run(species, [0.0, 1.0], DRIVERS, age_start=age)
    for driver, values in found.items():
        # the turn at zero is smoothed: a little of its width is seen
        assert values[0, 0] == pytest.approx(1.0, abs=1e-3), driver


def test_il6_of_the_community_is_that_of_the_record_at_both_ages(run):
    """il6-age-range, from which slope and level are computed: 1.5 pg/mL at 35, 4.0 at 75."""
    found = [run("human", [0.0, 1.0], ["il6"], age_start=age, morbidity=1.0)["il6"][0, 0] for age in (35.0, 75.0)]
    np.testing.assert_allclose(found, [1.5, 4.0], rtol=0.02)


def test_inflammation_of_the_healthy_rises_by_their_own_share_alone(run):
    def rise(**p):
        return np.diff([run("human", [0.0, 1.0], ["il6"], age_start=a, **p)["il6"][0, 0] for a in (35.0, 75.0)])[0]

    assert rise(morbidity=0.0) < 0.6 * rise(morbidity=1.0)
    assert rise(inflammation_own_share=1.0) == pytest.approx(rise(inflammation_own_share=1.0, morbidity=1.0))


def test_inflammation_follows_a_fall_of_secretion_within_days(run):
    """sasp-onset: 4 to 7 days."""
    found = run("human", [0.0, 5.5, 60.0], ["sasp"], age_start=60.0, sasp_secretion=0.5)["sasp"][0]
    assert (found[0] - found[1]) / (found[0] - found[2]) == pytest.approx(1 - np.exp(-1), abs=0.02)


@pytest.mark.parametrize(("activity", "left"), [(0.0, 0.6), (1.0, 1.0)])
def test_mitochondria_of_the_sedentary_lose_two_fifths_in_45_years_and_those_of_the_trained_nothing(
    run, activity, left
):
    found = run("human", [0.0, 45 * YEAR], ["mito"], age_start=30.0, activity=activity)["mito"][0]
    assert found[1] / found[0] == pytest.approx(left, rel=0.01)


def test_genome_and_telomeres_go_at_their_measured_rates(run, models):
    found = run("human", [0.0, 10 * YEAR], ["dna_damage", "telomere"], age_start=40.0)
    assert found["dna_damage"][0].tolist() == pytest.approx([47 * 40, 47 * 50])
    # 31 bp a year at 50, e times as much 60 years before: the integral from 40 to 50
    assert np.diff(found["telomere"][0])[0] == pytest.approx(-31 * 60 * np.expm1(10 / 60))
    mouse = run("mouse", [0.0, YEAR], ["dna_damage"], age_start=0.5)["dna_damage"][0]
    assert mouse.tolist() == pytest.approx([398, 398 + 796])


def test_a_person_loses_more_telomere_in_a_year_than_people_differ_by_a_year_of_age(run):
    """telomere-longitudinal: 31 bp a year in a person, 24.5 between the same people."""
    followed = run("human", [0.0, 10 * YEAR], ["telomere"], age_start=45.0)["telomere"][0]
    younger, older = (run("human", [0.0, 1.0], ["telomere"], age_start=age)["telomere"][0, 0] for age in (45.0, 55.0))
    assert (followed[0] - followed[1]) / 10 == pytest.approx(31, abs=0.1)
    assert (younger - older) / 10 == pytest.approx(24.5, abs=0.1)


def test_an_individual_with_the_genome_and_telomeres_of_the_age_makes_senescent_cells_as_published(run):
    found = run("human", [0.0, 10 * YEAR], ["injury_age", "age"], age_start=50.0)
    np.testing.assert_allclose(found["injury_age"], np.broadcast_to(found["age"], found["injury_age"].shape))


@pytest.mark.parametrize(
    ("moved", "output", "sign"),
    [
        ({"ros_factor": 2.0}, "dna_damage", 1),
        ({"antioxidant_defence": 2.0}, "dna_damage", -1),
        ({"ros_factor": 2.0}, "senescent", 1),
        ({"telomere_offset": -1000.0}, "senescent", 1),
        ({"telomere_loss_change": 0.0}, "senescent", -1),
        ({"production_factor": 0.8}, "senescent", -1),
        ({"removal_factor": 1.5}, "senescent", -1),
        ({"senescent_removal": 1.5}, "inflammation", -1),
        ({"sasp_factor": 0.7}, "inflammation", -1),
        ({"inflammation_factor": 0.7}, "il6", -1),
        ({"inflammation_factor": 0.7}, "crp", -1),
        ({"sasp_secretion": 0.7}, "ros", -1),
        ({"mito_factor": 1.3}, "ros", -1),
        ({"activity": 1.0}, "mito", 1),
        ({"morbidity": 1.0}, "crp", 1),
    ],
)
def test_what_is_moved_from_outside_goes_the_way_the_records_say(run, moved, output, sign):
    """Signs: hallmark-coupling-model and the records that the page names."""
    untouched = run("human", [0.0, 15 * YEAR], [output], age_start=60.0)[output][0, -1]
    found = run("human", [0.0, 15 * YEAR], [output], age_start=60.0, **moved)[output][0, -1]
    assert sign * (found - untouched) > 1e-4 * untouched


def test_senescent_cells_put_into_old_mice_stay_longer_than_in_young_ones(run):
    """senescent-transplant-spread: fewer suffice in old hosts."""

    def left(age):
        given = [Dose("senescent_signed", 0.0, 1.0)]
        alone, more = (
            run("mouse", [0.0, 10.0], ["senescent"], age_start=age, doses=doses)["senescent"][0]
            for doses in ((), given)
        )
        return more[1] - alone[1]

    assert left(1.83) > 2 * left(0.25)


def test_the_half_life_of_a_senescent_cell_is_days_in_the_young_and_weeks_in_the_old_mouse(run):
    """karin2019-halflife: 5 and 25 days, with errors of 1 and 6."""
    found = run("mouse", [0.0, 79.0, 658.0], ["senescent_half_life"], age_start=12 / YEAR)["senescent_half_life"][0]
    assert found[1] == pytest.approx(5, abs=2)
    assert found[2] == pytest.approx(25, abs=12)


def test_time_zero_is_enrolment_and_the_run_in_lies_before_it(run):
    found = run("human", [-365.25, 0.0, 365.25], ["age"], age_start=33.0, run_in=365.25)["age"][0]
    np.testing.assert_allclose(found, [32.0, 33.0, 34.0], rtol=1e-12)


# What the line of noise says


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("// noise senescnt strength noise_strength every noise_interval", "a state"),
        ("// noise senescent_signed strength noise every noise_interval", "a number of a table"),
        ("// noise senescent_signed strength noise_strength every day switch noise_running", "a number of a table"),
        ("// noise senescent_signed strength noise_strength every noise_interval switch dead", "a state"),
    ],
)
def test_a_line_of_noise_with_a_symbol_that_the_model_lacks_is_an_error(tmp_path, line, complaint):
    root = tmp_path / "biology"
    for folder in ("modules", "species", "conditions"):
        shutil.copytree(SHIPPED / folder, root / folder)
    path = root / "modules" / "ageing.ant"
    kept = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line if "// noise" in old else old for old in kept) + "\n", encoding="utf-8")
    with pytest.raises(BiologyError, match=complaint):
        assemble("poi", "mouse", modules=("ageing", "mortality"), root=root)


def test_the_noise_of_the_burden_throws_a_switch(models):
    expected = (Noise("senescent_signed", "noise_strength", "noise_interval", "noise_running"),)
    assert models["human"].noises == expected
    assert assemble("poi", "human").noises == ()  # its page does not ask for noise
