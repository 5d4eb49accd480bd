"""The share of an effect in animals that carries over to people: its pairs from the records, its fit by another way."""

from __future__ import annotations

import csv
import math

import numpy as np
import pytest
from scipy import stats

from exotwin.biology import SHIPPED, assemble
from exotwin.evidence import record

Z = stats.norm.ppf(0.975)
FOLDER = SHIPPED / "calibrations" / "translation"
AT = 0.5  # share at which errors of the animal effects count


def rows(file):
    with (FOLDER / file).open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text, delimiter="\t"))


@pytest.fixture(scope="module")
def pairs():
    """observable -> (effect in people, its error, effect in animals), as the problem has them."""
    found = {}
    for row in rows("measurements.tsv"):
        if row["observableId"] != "another_therapy":
            error, animal = map(float, row["noiseParameters"].split(";"))
            assert animal == float(row["observableParameters"])
            found[row["observableId"]] = (float(row["measurement"]), error, animal)
    return found


def error(low, high):
    return (high - low) / (2 * Z)


def overstated():
    """Geometric mean and predictive log SD of what pools of small studies overstate."""
    e2, fsh = record("msc-meta-2023-e2").value, record("msc-meta-2023-fsh").value
    infarct, bone = record("add-ev-infarct-meta-dose-null").value, record("tr-meta-li2016").value
    logs = [
        np.mean([math.log(v["smd"] / v["fixed"]["smd"]) for v in (e2, fsh)]),
        math.log(infarct["pool_2019"]["LVEF_points"] / infarct["pool_2022_randomised"]["LVEF_points"][0]),
        math.log(bone["SMD"] / bone["trim_and_fill"][0]),
    ]
    return math.exp(np.mean(logs)), np.std(logs, ddof=1) * math.sqrt(1 + 1 / 3)


def pooled(value, low, high):
    """An effect pooled from small studies, corrected, and its relative error."""
    factor, spread = overstated()
    return value / factor, math.hypot(error(low, high) / value, spread)


def expected(people, people_error, animal, relative):
    return people, math.hypot(people_error, AT * animal * relative), animal


def test_cognition_is_what_its_records_say(pairs):
    _, z, low, high = record("laromestrocel-cads-moca-adl").value[0]
    _, smd, a, b = record("msc-meta-ge2018").value[0]
    assert pairs["cognition"] == pytest.approx(expected(z, error(low, high), *pooled(-smd, -b, -a)), rel=0.02)


def test_pregnancy_is_what_its_records_say(pairs):
    treated = record("ascot-poi-banu").value
    one, other = record("poi-resumption-bidet2011").value, record("poi-resumption-162").value
    events = [
        treated["n"] * treated["pregnancy_percent"] / 100,
        one["women_pregnant"]["events"] + other["natural_pregnancy"]["events"],
    ]
    n = [treated["n"], one["resumption"]["n"] + other["recovery"]["n"]]
    people = math.log(events[0] / n[0] / (events[1] / n[1]))
    spread = math.sqrt(sum(1 / e - 1 / k for e, k in zip(events, n, strict=True)))
    rr = record("stemcell-meta-2018").value["pregnancies"]
    animal = pooled(*(math.log(v) for v in (rr["rr"], *rr["ci95"])))
    assert pairs["pregnancy"] == pytest.approx(expected(people, spread, *animal), rel=0.01)


def test_follicles_are_what_their_records_say(pairs):
    seen = record("zafardoust-2023-menstrual").value
    n = seen["n_total"]
    d = 2 * stats.norm.isf(seen["AMH_rise_P"] / 2) / math.sqrt(n)
    spread = math.hypot(math.sqrt(4 / n + d**2 / (2 * n)), d / 2)  # and half its size: not drawn by lot
    count = record("stemcell-meta-2018").value["follicle_count"]
    assert pairs["follicles"] == pytest.approx(expected(d, spread, *pooled(count["smd"], *count["ci95"])), rel=0.01)


def test_length_of_life_is_what_its_records_say(pairs):
    trained, law = record("generation100-null").value, record("human-gompertz").value
    log_hr = [math.log(trained[f"{arm}_hr"]) for arm in ("hiit", "mict")]
    weight = [error(*map(math.log, trained[f"{arm}_ci"])) ** -2 for arm in ("hiit", "mict")]
    hr, se = np.average(log_hr, weights=weight), sum(weight) ** -0.5
    per = 1 / (law["b"] * law["median_age"])  # a hazard ratio moves the median of a Gompertz law by ln(ratio) / slope
    days = record("exercise-lifespan-rodent").value
    mouse = math.log(days["mouse_median_days"]["runners"] / days["mouse_median_days"]["sedentary"])
    rat = math.log(days["rat_mean_days"]["runners"] / days["rat_mean_days"]["ad_lib"])
    animal = (mouse + rat) / 2
    relative = (rat - mouse) / 2 / animal
    assert pairs["length_of_life"] == pytest.approx(expected(-hr * per, se * per, animal, relative), rel=0.01)


def test_the_fit_is_near_the_posterior_found_by_drawing(pairs):
    """By importance sampling over mean and spread, with the prior of the table of parameters."""
    rng = np.random.default_rng(1)
    n = 200_000
    mean, between = rng.uniform(-3, 4, n), 10 ** rng.normal(math.log10(0.3), 0.3, n)
    weight = np.zeros(n)
    for people, spread, animal in pairs.values():
        variance = spread**2 + (between * animal) ** 2
        weight -= (people - mean * animal) ** 2 / (2 * variance) + np.log(variance) / 2
    weight = np.exp(weight - weight.max())
    another = mean + between * rng.normal(size=n)
    centre = np.average(another, weights=weight)
    sd = math.sqrt(np.average((another - centre) ** 2, weights=weight))
    row = assemble("poi", "human").parameters["translation"]
    assert row.value == pytest.approx(centre, abs=0.1)
    # the curvature at the optimum misses the tail of the spread between therapies
    assert 0.7 * sd < row.spread.a < 1.1 * sd


def test_the_prior_of_the_spread_makes_up_for_the_row_that_is_no_measurement():
    """Its likelihood at the optimum is 1 / spread, which moves a normal prior on log10 down by ln(10) * variance."""
    row = next(r for r in rows("parameters.tsv") if r["parameterId"] == "translation_sd")
    centre, width = map(float, row["objectivePriorParameters"].split(";"))
    assert 10 ** (centre - math.log(10) * width**2) == pytest.approx(0.3, rel=0.01)


def test_nothing_and_harm_are_within_the_limits_and_animals_are_their_own():
    assert assemble("poi", "mouse").parameters["translation"].value == 1
    row = assemble("poi", "human").parameters["translation"]
    assert row.basis == "fitted"
    assert row.level == "knowledge"
    assert row.spread.low == 0  # no product is drawn that harms because it helps animals
    assert row.identifiability.startswith("identifiable (-")
