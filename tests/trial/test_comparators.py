"""Habits and drugs that arms add, against closed forms and against what can be wrong in a file."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from exotwin.errors import StudyError
from exotwin.trial import simulate_trial
from exotwin.trial.comparators import added_to_arms

EXERCISE = """
[arms.exercise]
comparators = [{ name = "exercise", start = "30 days", stop = "6 months" }]
"""


def added(study_of, model, entry, product=""):
    return added_to_arms(study_of(more=f"\n[arms.more]\n{product}comparators = [{entry}]\n"), model)["more"]


def test_a_habit_is_raised_at_its_start_and_lowered_at_its_stop(study_of, tiny_model):
    (held,) = added(study_of, tiny_model, '{ name = "exercise", start = "30 days", stop = "6 months", level = 0.5 }')
    assert list(held.steps()) == [("habit", 30, 0.5), ("habit", 182.625, -0.5)]


def test_a_habit_without_stop_lasts_to_the_end_at_its_own_level(study_of, tiny_model):
    (held,) = added(study_of, tiny_model, '{ name = "exercise" }')
    assert list(held.steps()) == [("habit", 0, 1.0)]


def test_a_course_follows_its_own_schedule_from_its_start(study_of, tiny_model):
    (held,) = added(study_of, tiny_model, '{ name = "senolytic", start = "1 week" }')
    assert list(held.steps()) == [("drug", 7, 2.0), ("drug", 14, 2.0), ("drug", 21, 2.0)]


def test_a_course_takes_schedule_and_level_of_the_study(study_of, tiny_model):
    (held,) = added(study_of, tiny_model, '{ name = "senolytic", schedule = "days 0, 3", level = "5000 ug" }')
    assert [(day, pytest.approx(amount)) for _, day, amount in held.steps()] == [(0, 5.0), (3, 5.0)]


def test_the_conditions_own_schedule_is_cut_at_the_horizon(study_of, tiny_model):
    (held,) = added(study_of, tiny_model, '{ name = "senolytic", start = "725 days" }')
    assert held.days == (725,)


FAULTS = [
    ('{ name = "exercize" }', "comparators.0.name", 'nearest   "exercise"'),
    ('{ name = "exercise", level = 0 }', "comparators.0.level", "more than zero, such as 1"),
    ('{ name = "exercise", level = 1e300 }', "comparators.0.level", "at most 100 (dimensionless), 100 times the usual"),
    ('{ name = "exercise", level = true }', "comparators.0.level", "a number in the unit of the model"),
    ('{ name = "senolytic", level = "2 mL" }', "comparators.0.level", 'such as "2 mg"'),
    ('{ name = "exercise", start = "2 mg" }', "comparators.0.start", "6 months"),
    ('{ name = "exercise", start = "3 years" }', "comparators.0.start", "before the horizon, day 730.5"),
    ('{ name = "exercise", stop = "3 years" }', "comparators.0.stop", "up to the horizon, day 730.5"),
    ('{ name = "exercise", start = "3 days", stop = "2 days" }', "comparators.0.stop", "after its start"),
    ('{ name = "exercise", schedule = "once" }', "comparators.0.schedule", "start and stop"),
    ('{ name = "senolytic", stop = "3 days" }', "comparators.0.stop", 'such as "weekly, 3 doses"'),
    ('{ name = "senolytic", schedule = "dayly, 3 doses" }', "comparators.0.schedule", 'nearest   "daily"'),
    ('{ name = "senolytic", schedule = "days 0, 800" }', "comparators.0.schedule", "before the horizon"),
    ('{ name = "exercise", hours = 3 }', "comparators.0.hours", "one of name, start, stop, level, schedule"),
    ('{ name = "exercise" }, { name = "exercise", start = "9 days" }', "comparators.1", "twice at a time"),
]


@pytest.mark.parametrize(("entry", "place", "remedy"), FAULTS)
def test_a_fault_of_a_comparator_names_its_place_and_a_remedy(study_of, tiny_model, entry, place, remedy):
    with pytest.raises(StudyError) as caught:
        added(study_of, tiny_model, entry)
    first = str(caught.value).splitlines()[0]
    assert place in first
    assert "line 33" in first
    assert remedy in str(caught.value)


def test_a_condition_without_comparators_says_so(study_of, tiny_model):
    bare = dataclasses.replace(tiny_model, comparators={})
    with pytest.raises(StudyError, match=r"no comparators: tiny \(human\) does not have the module comparators"):
        added(study_of, bare, '{ name = "exercise" }')


def test_a_habit_held_twice_one_after_the_other_is_taken(study_of, tiny_model):
    entry = '{ name = "exercise", start = "9 days" }, { name = "exercise", stop = "9 days" }'
    assert len(added(study_of, tiny_model, entry)) == 2


@pytest.mark.usefixtures("tiny_world")
def test_habit_and_drug_slow_the_loss_as_the_closed_form_says(study_of):
    more = EXERCISE + '[arms.drug]\ncomparators = [{ name = "senolytic", schedule = "once", level = 0.8 }]\n'
    result = simulate_trial(study_of(more=more))
    loss = result.population.sel(quantity="loss").values[:, None]
    days = result.dataset["time"].values
    slowed = np.clip(days - 30, 0, 182.625 - 30) / 2
    expected = 1000 * np.exp(-loss * (180 + days - slowed))
    # local errors of rtol 1e-6 add up over some hundred steps; the store keeps seven digits
    for reading in result.dataset["reading"].values:
        found = result.dataset["follicles"].sel(reading=reading, arm="exercise")
        np.testing.assert_allclose(found, expected, rtol=2e-5)

    fine = np.linspace(0, 730.5, 400_001)
    lost = np.trapezoid(np.exp(-0.8 * np.exp(-fine)), fine)
    found = result.dataset["follicles"].sel(reading="animal", arm="drug").isel(time=-1)
    np.testing.assert_allclose(found, 1000 * np.exp(-loss[:, 0] * (180 + lost)), rtol=1e-4)


@pytest.mark.usefixtures("tiny_world")
def test_an_arm_without_a_product_is_one_run_whose_readings_agree(study_of):
    from exotwin.trial.chunk import n_runs
    from exotwin.trial.setup import prepare

    study = study_of(more=EXERCISE)
    assert n_runs(prepare(study)) == 2 * 3 + 1 + 1
    result = simulate_trial(study)
    one, *others = (result.dataset.sel(reading=r, arm="exercise", drop=True) for r in result.dataset["reading"].values)
    assert all(one.identical(other) for other in others)
    rows = result.endpoints[(result.endpoints["arm"] == "exercise") & (result.endpoints["endpoint"] == "change")]
    assert rows["effect"].nunique() == 1
    assert rows["effect"].iloc[0] > 0
    assert result.added["exercise"][0].stop == 182.625
    assert "exercise" not in result.plausibility


@pytest.mark.usefixtures("tiny_world")
def test_a_habit_beside_a_product_adds_to_it(study_of):
    both = """
[arms.both]
product = "umbilical"
give = "vesicles"
route = "intravenous"
dose = "1e11 particles"
schedule = "every 2 weeks for 8 weeks"
comparators = [{ name = "exercise" }]
"""
    result = simulate_trial(study_of(more=both))
    kept = np.log(result.dataset["follicles"].sel(reading="animal").isel(time=-1) / 1000)
    loss = result.population.sel(quantity="loss").values
    untreated, vesicles, all_two = (kept.sel(arm=a).values for a in ("untreated", "exosomes", "both"))
    # every rate of loss after enrolment is halved: of 180 + t days' loss, that of the t days
    np.testing.assert_allclose(all_two + 180 * loss, (vesicles + 180 * loss) / 2, rtol=1e-3)
    assert (vesicles > untreated).all()
