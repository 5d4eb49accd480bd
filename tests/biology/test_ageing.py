"""Senescent cells and the four drivers: against integration written out here, and against measurements."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from exotwin.biology import assemble
from exotwin.engine import load

YEAR, MONTH = 365.25, 365.25 / 12
NOISE = 0.14  # epsilon of karin2019-mouse-params


@pytest.fixture(scope="module")
def mouse():
    return assemble("poi", "mouse")


@pytest.fixture(scope="module")
def woman():
    return assemble("poi", "human")


@pytest.fixture(scope="module")
def run():
    """``run(model, times, outputs, **parameters)``: output -> (time,). Starts are computed from these parameters."""
    compiled = {}

    def simulate(model, times, outputs, **parameters):
        if model.digest not in compiled:
            compiled[model.digest] = load(model.sbml)
        result = compiled[model.digest].simulate(times, parameters=parameters, outputs=outputs, rtol=1e-9)
        assert (result["outcome"] == "ok").all()
        return {name: result[name].to_numpy()[0] for name in outputs}

    return simulate


def _burden_from_birth(mouse, days):
    """The drift as karin2019-sr-model writes it, per day, from an empty start."""
    eta, removal, kappa = (mouse.parameters[name].value for name in ("production", "removal", "removal_half"))

    def rate(t, x):
        return eta * t / YEAR - removal * x / (kappa + x)

    return solve_ivp(rate, (0, max(days)), [0.0], t_eval=days, method="LSODA", rtol=1e-10, atol=1e-12).y[0]


@pytest.mark.parametrize("month", [2, 3, 6, 12, 18, 22, 24])
def test_the_start_of_a_mouse_of_any_age_is_where_integration_from_birth_leads(mouse, run, month):
    found = run(mouse, [0.0], ["senescent"], age_start=month / 12, run_in=0.0)["senescent"][0]
    # the start is an approximation with a stated error of 6 %
    assert found == pytest.approx(_burden_from_birth(mouse, [month * MONTH])[0], rel=0.06)


def test_the_course_of_a_mouse_follows_the_drift_integrated_from_birth(mouse, run):
    days = np.linspace(0, 20 * MONTH, 30)
    found = run(mouse, days, ["senescent"], age_start=0.25, run_in=0.0)["senescent"]
    expected = _burden_from_birth(mouse, 0.25 * YEAR + days)
    # the 3 % by which the start is off is forgotten within the turnover of days
    np.testing.assert_allclose(found[3:], expected[3:], rtol=1e-3)


@pytest.mark.parametrize(("month", "rate", "error"), [(3, 0.21, 0.07), (22, 0.055, 0.035)])
def test_a_senescent_cell_of_the_mouse_goes_at_the_measured_rate(mouse, run, month, rate, error):
    values = run(mouse, [0.0], ["senescent"], age_start=month / 12, run_in=0.0)
    p = mouse.parameters
    found = p["removal"].value / (p["removal_half"].value + values["senescent"][0])
    assert abs(found - rate) <= error  # karin2019-halflife gives the SEM


def test_removal_slows_fivefold_between_three_and_twenty_two_months(mouse, run):
    """karin2019-halflife: 5 and 25 days, SEM 1 and 6; the half-lives themselves come out shorter; see the page."""
    half = {}
    for month in (3, 22):
        burden = run(mouse, [0.0], ["senescent"], age_start=month / 12, run_in=0.0)["senescent"][0]
        p = mouse.parameters
        half[month] = np.log(2) * (p["removal_half"].value + burden) / p["removal"].value
    assert half[22] / half[3] == pytest.approx(5, rel=np.hypot(1 / 5, 6 / 25))
    assert 2.5 < half[3] < 5
    assert 12 < half[22] < 25


def test_without_noise_the_rise_of_the_burden_is_too_steep_and_with_it_near_the_measured_fivefold(mouse):
    """karin2019-burden-ratio: 5. The module is the drift alone; the noise of the same record is added here."""
    drift = _burden_from_birth(mouse, [3 * MONTH, 22 * MONTH])
    assert drift[1] / drift[0] > 20
    p, rng, step = mouse.parameters, np.random.default_rng(1), 0.2
    burden, seen = np.zeros(2000), {}
    for i in range(round(22 * MONTH / step) + 1):
        seen[i] = burden.mean() if i == round(3 * MONTH / step) else seen.get(i, 0.0)
        removal = p["removal"].value * burden / (p["removal_half"].value + burden)
        noise = np.sqrt(2 * NOISE * step) * rng.standard_normal(burden.size)
        burden = np.abs(burden + step * (p["production"].value * i * step / YEAR - removal) + noise)
    # 2000 mice: the mean is known within 2 %; 5 is printed without error, so half to double counts as near
    assert 2.5 < burden.mean() / seen[round(3 * MONTH / step)] < 10


@pytest.mark.parametrize(("species", "age"), [("human", 30.0), ("mouse", 0.25)])
def test_all_drivers_are_one_in_a_young_adult(run, species, age):
    model = assemble("poi", species)
    found = run(model, [0.0], ["senescence", "inflammation", "mito", "ros"], age_start=age, run_in=0.0)
    for driver, values in found.items():
        # the guard of the start against runaway lifts a young burden by 3 % in mice
        assert values[0] == pytest.approx(1.0, rel=0.04), driver


def test_drivers_move_the_way_the_records_say_with_age(woman, run):
    at = {
        age: run(woman, [0.0], ["senescence", "inflammation", "mito", "ros"], age_start=age, run_in=0.0)
        for age in (35.0, 75.0)
    }
    for driver in ("senescence", "inflammation", "ros"):
        assert at[75.0][driver][0] > at[35.0][driver][0], driver
    assert at[75.0]["mito"][0] < at[35.0]["mito"][0]


def test_if_all_inflammation_were_ageings_own_it_would_rise_as_il6_does(woman, run):
    """il6-age-range: 1.5 pg/mL at 35, 4.0 at 75."""
    at = [
        run(woman, [0.0], ["inflammation"], age_start=age, run_in=0.0, inflammation_own_share=1.0)["inflammation"][0]
        for age in (35.0, 75.0)
    ]
    assert at[1] / at[0] == pytest.approx(4.0 / 1.5, rel=0.03)  # the slope stands in the table with two digits


def test_the_burden_of_women_at_ninety_lies_far_below_the_threshold_of_death(woman, run):
    """sr-human-ml: threshold 13.2 in the same units; crossing is by noise, so the drift must stay below it."""
    burden = run(woman, [0.0], ["senescent"], age_start=90.0, run_in=0.0)["senescent"][0]
    assert 0.5 < burden < 13.2 / 2
    relative = run(woman, [0.0], ["senescence"], age_start=90.0, run_in=0.0)["senescence"][0]
    assert relative > 5


def test_time_zero_is_enrolment_and_the_run_in_lies_before_it(woman, run):
    found = run(woman, [-365.25, 0.0, 365.25], ["age"], age_start=33.0)["age"]
    np.testing.assert_allclose(found, [32.0, 33.0, 34.0], rtol=1e-12)
