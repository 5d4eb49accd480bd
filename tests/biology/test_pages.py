"""The numbers printed on the pages are those of the model: each phrase is made here from a run and looked up there."""

from __future__ import annotations

import numpy as np
import pytest

from exotwin.biology import assemble
from exotwin.biology.assemble import SHIPPED
from exotwin.engine import Dose, load

YEAR = 365.25
HEALTHY = {"pool_survival": 1.0, "cpa_dose": 0.0, "growing_survival": 1.0, "damage_after_injury": 0.0, "run_in": 0.0}


@pytest.fixture(scope="module")
def simulate():
    models = {species: assemble("poi", species) for species in ("human", "mouse")}
    compiled = {species: load(model.sbml) for species, model in models.items()}

    def run(species, times, outputs, doses=(), **parameters):
        result = compiled[species].simulate(times, parameters=parameters, outputs=outputs, doses=doses, rtol=1e-8)
        return {name: result[name].to_numpy()[0] for name in outputs}

    run.models = models
    return run


def _assert_has(page, *phrases):
    text = " ".join((SHIPPED / page).read_text(encoding="utf-8").split())
    missing = [phrase for phrase in phrases if phrase not in text]
    assert not missing, f"{page}: {missing}"


def test_the_page_of_poi_gives_its_fitted_numbers_and_how_many_are_assumed(simulate):
    human, mouse = (simulate.models[s].parameters for s in ("human", "mouse"))
    scale = human["animal_scale"]
    bases = simulate.models["human"].bases
    assert 0.35 < bases["assumed"] / (sum(bases.values()) - bases["input"]) < 0.45  # "about two in five"
    _assert_has(
        "conditions/poi.md",
        f"| `animal_scale` | {scale.value:.2f} (log10 SD {scale.spread.a / np.log(10):.2f}) |",
        f"`animal_scale` = {scale.value:.2f}",
        f"| {human['competition'].value:g} | {mouse['competition'].value:g} |",
        f"| {human['atresia_rate'].value:g} a day | {mouse['atresia_rate'].value:g} a day |",
        "about two in five are assumed",
    )


def test_the_page_of_poi_gives_the_course_of_healthy_women(simulate):
    ages = np.array([25, 30, 35, 37.5, 40, 45, 50.4])
    start = 23.0
    times = [0.0, *((ages - start) * YEAR)]
    course = simulate("human", times, ["primordial", "afc", "amh", "fsh"], age_start=start, **HEALTHY)
    at = {name: dict(zip(ages.tolist(), values[1:], strict=True)) for name, values in course.items()}
    pool, afc, amh, fsh = (at[name] for name in ("primordial", "afc", "amh", "fsh"))
    _assert_has(
        "conditions/poi.md",
        f"{round(pool[37.5], -2):,.0f}".replace(",", " ") + f", {pool[50.4]:.0f} |",
        f"| {afc[30]:.0f}, {afc[40]:.1f} |",
        f"fall {(afc[30] - afc[40]) / 10:.2f} a year",
        "| " + ", ".join(f"{amh[a]:.1f}" for a in (25, 30, 35, 40)) + " |",
        "| " + ", ".join(f"{fsh[a]:.0f}" for a in (30, 40, 45, 50.4)) + " |",
    )


def test_the_page_of_vesicles_gives_where_they_go(simulate):
    minutes = np.array([0, 5, 15, 30, 60, 240])
    organs = ["blood", "liver", "spleen", "in_lung", "kidney", "ovary"]
    share = {}
    for species, dose in (("mouse", 1e10), ("human", 1e11)):
        given = [Dose("vesicles_blood", 0.0, dose)]
        found = simulate(species, minutes / 1440, [f"vesicles_{o}" for o in organs], given, run_in=0.0)
        share[species] = {o: 100 * found[f"vesicles_{o}"] / dose for o in organs}
    mouse, human = share["mouse"], share["human"]
    both = mouse["liver"][4] + mouse["spleen"][4]
    relative = [f"{o.removeprefix('in_')} {100 * mouse[o][4] / both:.1f} (" for o in ("spleen", "in_lung", "kidney")]
    _assert_has(
        "modules/vesicles.md",
        f"| mouse, 10¹⁰ by vein: blood | {mouse['blood'][1]:.0f} | {mouse['blood'][3]:.1f} | {mouse['blood'][4]:.3f} |",
        f"| liver | {mouse['liver'][1]:.0f} (64 ",
        f"| {mouse['liver'][3]:.0f} (80) | {mouse['liver'][4]:.0f} | {mouse['liver'][5]:.0f} (28 ",
        "| woman, 10¹¹ by vein: blood | "
        + " | ".join(f"{human['blood'][k]:.{d}f}" for k, d in ((1, 0), (3, 0), (4, 1), (5, 2))),
        "| liver | " + " | ".join(f"{human['liver'][k]:.0f}" for k in (1, 3, 4, 5)) + " |",
        *relative,
    )


def test_the_page_of_uptake_gives_what_arrives(simulate):
    times = np.concatenate([[0], np.geomspace(1e-4, 60, 1500)])
    rows = (
        ("mouse, 10¹⁰ vesicles by vein", "mouse", "vesicles_blood", 1e10, 2, 2),
        ("mouse, 10⁶ cells by vein", "mouse", "cells_venous", 1e6, 2, 2),
        ("woman, 10¹¹ vesicles by vein", "human", "vesicles_blood", 1e11, 3, 2),
        ("woman, 3·10¹⁰ vesicles into the ovaries", "human", "vesicles_depot_ovary", 3e10, 1, 3),
        ("woman, 65·10⁶ cells by vein", "human", "cells_venous", 6.5e7, 2, 2),
    )
    for label, species, state, dose, digits, response_digits in rows:
        outputs = ["vesicles_per_cell_day_ovary", "copies_mir_21_5p", "animal_response"]
        cargo = {"copies_per_vesicle_mir_21_5p": 1 / 120, "run_in": 0.0}
        found = simulate(species, times, outputs, [Dose(state, 0.0, dose)], **cargo)
        total = np.trapezoid(found["vesicles_per_cell_day_ovary"], times)
        power = int(np.floor(np.log10(found["copies_mir_21_5p"].max())))
        lead = round(found["copies_mir_21_5p"].max() / 10.0**power)
        exponent = str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        _assert_has(
            "modules/uptake.md",
            f"| {label} | {total:.{digits}f} | {lead}·10{exponent} |",
            f"| {found['animal_response'].max():.{response_digits}f} |",
        )


def test_the_page_of_ageing_gives_the_drivers_of_women_and_the_rates_of_mice(simulate):
    at = {}
    for age in (40, 60, 75, 90):
        at[age] = simulate("human", [0.0], ["senescence", "inflammation"], age_start=float(age), run_in=0.0)
    phrases = [
        f"{driver} " + ", ".join(f"{at[age][driver][0]:.1f}" for age in at) for driver in ("senescence", "inflammation")
    ]
    p = simulate.models["mouse"].parameters
    burden = {m: simulate("mouse", [0.0], ["senescent"], age_start=m / 12, run_in=0.0)["senescent"][0] for m in (3, 22)}
    rate = {m: p["removal"].value / (p["removal_half"].value + x) for m, x in burden.items()}
    _assert_has(
        "modules/ageing.md",
        *phrases,
        f"| {rate[3]:.2f} and {rate[22]:.3f} a day |",
        f"| {np.log(2) / rate[3]:.1f} and {np.log(2) / rate[22]:.1f} days |",
        f"| {burden[22] / burden[3]:.0f}-fold | 5-fold",
    )
