"""Habits and drugs: exactly nothing without them, the published sizes with them, nulls that stay null."""

from __future__ import annotations

import numpy as np
import pytest

from exotwin.biology import assemble
from exotwin.biology.assemble import SHIPPED
from exotwin.biology.comparators import check_comparators, read_comparators
from exotwin.engine import Dose, load
from exotwin.errors import BiologyError
from exotwin.evidence import record

FILE = SHIPPED / "modules" / "comparators.toml"
FACTORS = ("production_factor", "removal_factor", "inflammation_factor", "crp_factor", "mito_factor", "ros_factor")
BESIDES = ("fitness_factor", "nad")
ONE = """
[walking]
label = "walking"
label_zh = "步行"
state = "walking"
unit = "dimensionless"
kind = "held"
level = { human = 1, mouse = 2 }
records = []
about = "a habit"
"""


@pytest.fixture(scope="module")
def models():
    return {species: assemble("frailty", species, modules=("ageing", "comparators")) for species in ("human", "mouse")}


@pytest.fixture(scope="module")
def course(models):
    compiled = {species: load(model.sbml) for species, model in models.items()}

    def run(species, times, outputs, doses=(), **parameters):
        found = compiled[species].simulate(
            times, parameters={"run_in": 0.0, **parameters}, outputs=outputs, doses=doses, rtol=1e-9
        )
        return {name: found[name].to_numpy()[0] for name in outputs}

    return run


@pytest.mark.parametrize("species", ["human", "mouse"])
def test_without_habits_and_drugs_every_factor_is_exactly_one(course, species):
    found = course(species, [0, 1, 100, 400], [*FACTORS, *BESIDES])
    for name, values in found.items():
        assert np.all(values == 1.0), name


@pytest.mark.parametrize("species", ["human", "mouse"])
def test_ageing_with_the_module_and_nothing_done_is_ageing_without_it(course, species):
    alone = load(assemble("frailty", species, modules=("ageing",)).sbml)
    outputs = ["senescence", "il6", "crp", "mito", "ros", "dna_damage"]
    times = [0.0, 50.0, 200.0]
    reference = alone.simulate(times, parameters={"run_in": 0.0}, outputs=outputs, rtol=1e-9)
    for name, values in course(species, times, outputs).items():
        # factors of exactly 1 leave the equations alone; the states of the module change the steps, hence the tolerance
        np.testing.assert_allclose(values, reference[name].to_numpy()[0], rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("species", ["human", "mouse"])
def test_what_is_held_and_let_go_leaves_no_trace_in_the_state(models, course, species):
    for name, comparator in models[species].comparators.items():
        if comparator.kind == "held":
            doses = [Dose(comparator.state, 10.0, comparator.level), Dose(comparator.state, 20.0, -comparator.level)]
            found = course(species, [0, 15, 25], [comparator.state], doses)[comparator.state]
            np.testing.assert_array_equal(found, [0.0, comparator.level, 0.0], err_msg=name)


@pytest.mark.parametrize("name", ["metformin", "nad-precursor", "fisetin"])
@pytest.mark.parametrize("species", ["human", "mouse"])
def test_what_did_nothing_in_trials_does_nothing_to_ageing(models, course, species, name):
    comparator = models[species].comparators[name]
    found = course(species, [0, 30, 100], FACTORS, [Dose(comparator.state, 0.0, comparator.level)])
    for factor, values in found.items():
        assert np.all(values == 1.0), factor


def test_training_acts_on_mitochondria_and_inflammation_and_hardly_on_senescent_cells(course):
    found = course("human", [0, 365], [*FACTORS, "fitness_factor"], [Dose("exercise", 0.0, 1.0)], age_start=67.0)
    # weighted by their variances: mice 0.031 +- 0.048, people ln(0.945) / ln(0.69) * 0.05 +- a like part of 0.209
    mice, people = (0.031, 0.048), (np.log(0.945) / np.log(0.69) * 0.05, 0.209 / -np.log(0.69) * 0.05)
    fall = np.average([mice[0], people[0]], weights=[mice[1] ** -2, people[1] ** -2])
    assert -np.log(found["production_factor"][-1]) == pytest.approx(fall, abs=0.001)
    assert found["removal_factor"][-1] == 1.0
    assert found["mito_factor"][-1] == pytest.approx(1.31, rel=1e-4)  # mito-training-jubrias
    assert found["fitness_factor"][-1] == pytest.approx(1.163, rel=0.01)  # vo2max-training-60plus: 16.3 %
    both = found["inflammation_factor"][-1] * found["crp_factor"][-1]
    # SMD -0.45 at a spread of log10 0.4, by the moments of a lognormal
    cv = np.sqrt(np.expm1((0.4 * np.log(10)) ** 2))
    smd = (both - 1) / (cv * np.sqrt((1 + both**2) / 2))
    assert smd == pytest.approx(record("exercise-inflammation-65plus").value["crp_smd"], abs=0.02)


def test_metformin_takes_the_gain_of_training_in_mitochondria_and_half_of_that_in_fitness(course):
    trained = [Dose("exercise", 0.0, 1.0)]
    outputs = ["mito_factor", "fitness_factor"]
    alone = course("human", [0, 84], outputs, trained, age_start=62.0)
    blunted = course("human", [0, 84], outputs, [*trained, Dose("metformin", 0.0, 1.0)], age_start=62.0)
    assert blunted["mito_factor"][-1] == pytest.approx(1.0, abs=1e-12)
    assert (blunted["fitness_factor"][-1] - 1) / (alone["fitness_factor"][-1] - 1) == pytest.approx(0.5, rel=1e-6)


def test_weight_goes_as_in_calerie_and_half_of_it_comes_back_in_two_years(course):
    doses = [Dose("caloric_restriction", 0.0, 0.119), Dose("caloric_restriction", 730.5, -0.119)]
    lost = course("human", [0, 420, 730.5, 1461], ["weight_loss"], doses)["weight_loss"]
    assert lost[2] == pytest.approx(0.104, rel=0.01)  # calerie2-inflammation: 10.4 % of body weight
    assert lost[1] / lost[2] > 0.94  # calerie2-intake-weight: lost by week 60, then held
    assert 100 * (1 - lost[3] / lost[2]) == pytest.approx(record("calerie2-persistence").value["regained_pct"], abs=1.0)


def test_a_dose_of_rapamycin_leaves_by_its_half_life_and_food_holds_a_level(models, course):
    half_life = models["mouse"].parameters["rapamycin_half_life"].value
    intake = models["mouse"].parameters["food_intake"].value
    left = course("mouse", [0, half_life, 2 * half_life], ["rapamycin"], [Dose("rapamycin", 0.0, 2.0)])["rapamycin"]
    np.testing.assert_allclose(left[1:], [1.0, 0.5], rtol=1e-6)
    fed = course("mouse", [0, 60], ["rapamycin"], [Dose("rapamycin_food", 0.0, 14.0)])["rapamycin"]
    assert fed[-1] == pytest.approx(14 * intake * half_life / np.log(2), rel=1e-6)


def test_a_drug_that_acts_in_males_alone_does_nothing_in_females(course):
    dose = [Dose("oestradiol_17a", 0.0, 1.0)]
    female, male = (
        course("mouse", [0, 10], ["production_factor"], dose, male=m)["production_factor"][-1] for m in (0, 1)
    )
    assert female == 1.0
    assert male == pytest.approx(np.exp(-0.135), rel=1e-9)


@pytest.mark.parametrize(("state", "at_one"), [("acarbose", 0.236), ("oestradiol_17a", 0.135)])
def test_daily_drugs_do_at_the_dose_tested_what_was_found_and_never_more_than_twice_that(course, state, at_one):
    def fall(level):
        found = course("mouse", [0, 10], ["production_factor"], [Dose(state, 0.0, level)], male=1.0)
        return -np.log(found["production_factor"][-1])

    assert fall(1.0) == pytest.approx(at_one, rel=1e-9)
    assert at_one < fall(3.0) < fall(1e6) == pytest.approx(2 * at_one, rel=1e-5)  # half of the greatest effect at one


def test_drugs_that_lower_production_multiply(course):
    def factor(*doses):
        return course("mouse", [0, 60], ["production_factor"], doses)["production_factor"][-1]

    food, acarbose = Dose("rapamycin_food", 0.0, 14.0), Dose("acarbose", 0.0, 1.0)
    assert factor(food, acarbose) == pytest.approx(factor(food) * factor(acarbose), rel=1e-9)


def test_every_record_that_is_named_exists_and_is_seen(models):
    for model in models.values():
        for comparator in model.comparators.values():
            assert comparator.records
            for name in comparator.records:
                assert record(name).seen, name


def test_people_are_offered_no_drugs_that_only_mice_had(models):
    assert not {"p16-clearance", "acarbose", "oestradiol-17a", "rapamycin-food"} & set(models["human"].comparators)
    assert not {"mediterranean-diet", "semaglutide"} & set(models["mouse"].comparators)


def test_a_part_without_the_module_offers_none():
    assert assemble("frailty", "human", modules=("ageing",)).comparators == {}


def test_levels_are_read_for_each_species(tmp_path):
    path = tmp_path / "comparators.toml"
    path.write_text(ONE, encoding="utf-8")
    assert {s: read_comparators(path, s)["walking"].level for s in ("human", "mouse")} == {"human": 1.0, "mouse": 2.0}
    with pytest.raises(BiologyError, match="rat"):
        read_comparators(path, "rat")


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('kind = "held"', 'kind = "kept"', "kind"),
        ('kind = "held"', 'kind = "course"', "schedule"),
        ('kind = "held"', 'kind = "held"\nschedule = "weekly, 4 doses"', "schedule"),
        ("{ human = 1, mouse = 2 }", "0", "level"),
        ("{ human = 1, mouse = 2 }", "true", "level"),
        ("unit =", "units =", "units"),
    ],
)
def test_a_file_that_is_spoilt_is_refused_by_the_key(tmp_path, old, new, named):
    path = tmp_path / "comparators.toml"
    path.write_text(ONE.replace(old, new), encoding="utf-8")
    with pytest.raises(BiologyError, match=named):
        read_comparators(path, "human")


def test_a_state_that_the_model_does_not_have_is_refused_with_the_nearest():
    with pytest.raises(BiologyError, match="exercise"):
        check_comparators(read_comparators(FILE, "human"), ["exercises"])
