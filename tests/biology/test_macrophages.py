"""Macrophages of liver and spleen as a site of action: what they count, how it fades, and which processes it drives."""

from __future__ import annotations

import re

import numpy as np
import pytest

from exotwin.biology import assemble
from exotwin.biology.assemble import SHIPPED
from exotwin.engine import Dose, load
from exotwin.errors import BiologyError

DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
DAYS = np.array([0.0, 0.25, 1.0, 3.0, 7.0, 14.0, 28.0, 90.0])


def _paged(root, *, modules='"uptake", "macrophages"', systemic='["growth"]'):
    page = root / "conditions" / "toy.toml"
    text = page.read_text(encoding="utf-8").replace('"uptake"]', f"{modules}]")
    page.write_text(f"systemic = {systemic}\n{text}", encoding="utf-8")
    return root


def test_what_liver_and_spleen_take_from_blood_is_what_their_macrophages_count(systemic_toy, run):
    """Without fading and breakdown: signal * number of macrophages = what left the blood into both = what is there."""
    outputs = ["signal_macrophages", "macrophages_at_site", "vesicles_liver", "vesicles_spleen", "blood_concentration"]
    outputs += ["liver_clearance", "spleen_clearance"]
    kept = {"signal_half_life": 1e12, "vesicle_half_life_in_cells": 1e12}
    times = np.concatenate([[0.0], np.geomspace(1e-6, 30, 1500)])
    found = run(systemic_toy, times, outputs, start={"vesicles_blood": 1e10}, **kept)
    counted = (found["signal_macrophages"] * found["macrophages_at_site"])[-1]
    flow = (found["liver_clearance"] + found["spleen_clearance"]) * found["blood_concentration"]
    assert counted > 0.5e10
    assert counted == pytest.approx(np.trapezoid(flow, times), rel=1e-4)  # the trapezium in steps of a per cent
    # a little more lies there: what monocytes bring
    assert 0.95 < counted / (found["vesicles_liver"] + found["vesicles_spleen"])[-1] < 1 + 1e-6


def test_the_response_in_macrophages_fades_as_a_saturating_function_of_a_signal_with_a_half_life(systemic_toy, run):
    found = run(systemic_toy, DAYS, ["animal_response_macrophages"], start={"signal_macrophages": 300.0})
    half_life, half = (systemic_toy.parameters[n].value for n in ("signal_half_life", "macrophage_half"))
    left = 300.0 * 0.5 ** (DAYS / half_life)
    np.testing.assert_allclose(found["animal_response_macrophages"], left / (left + half), rtol=1e-6)


def test_factors_of_living_cells_do_as_much_in_macrophages_as_in_the_target(systemic_toy, run):
    """Without vesicles both sites see the blood of the whole body, counted in parts of the half of the site."""
    found = run(
        systemic_toy,
        DAYS,
        ["animal_response", "animal_response_macrophages"],
        start={"cells_venous": 1e5},
        secretion_rate=0.0,
    )
    assert found["animal_response_macrophages"].max() > 0.5
    # the target also feels the few cells that come to lie in it, a tenth more in the end
    np.testing.assert_allclose(found["animal_response_macrophages"], found["animal_response"], rtol=0.12)


def test_half_of_the_response_is_reached_at_the_dose_that_gives_it_in_the_ovary_of_a_mouse(systemic_toy, run):
    """The rule behind `macrophage_half`, checked on the dose that its note gives."""
    numbers = {n: systemic_toy.parameters[n].value for n in ("signal_half", "macrophage_half")}
    found = run(systemic_toy, np.linspace(0, 10, 400), ["signal", "signal_macrophages"], start={"vesicles_blood": 1e10})
    halves = found["signal"].max() / numbers["signal_half"]
    assert found["signal_macrophages"].max() / numbers["macrophage_half"] == pytest.approx(halves, rel=0.1)


def test_depleted_macrophages_take_up_nothing(systemic_toy, run):
    found = run(systemic_toy, DAYS, ["signal_macrophages"], start={"vesicles_blood": 1e10}, macrophages=0.0)
    assert np.abs(found["signal_macrophages"]).max() < 1e-12  # of 400 otherwise; what is left is rounding


def test_a_small_dose_does_little_and_a_large_one_saturates(systemic_toy, run):
    peaks = [
        run(systemic_toy, DAYS, ["animal_response_macrophages"], start={"vesicles_blood": dose})[
            "animal_response_macrophages"
        ].max()
        for dose in (1e7, 1e10, 1e11)
    ]
    assert peaks[0] < 0.05
    assert peaks[1] > 0.9
    assert peaks[2] / peaks[1] < 1.1


def test_only_the_systemic_processes_are_driven_from_macrophages(systemic_toy, run):
    outputs = ["growth", "decay", "animal_part_growth", "animal_part_decay"]
    start = {"signal_macrophages": 20.0}
    found = {k: v[0] for k, v in run(systemic_toy, [0], outputs, start=start, reading_animal=1.0).items()}
    half = 20.0 / (20.0 + systemic_toy.parameters["macrophage_half"].value)
    assert found["animal_part_growth"] == pytest.approx(systemic_toy.parameters["animal_effect_growth"].value * half)
    assert found["growth"] == pytest.approx(np.exp(found["animal_part_growth"]))
    assert found["animal_part_decay"] == 0
    assert found["decay"] == 1


def test_a_page_without_systemic_processes_keeps_its_document(toys, toy_root):
    with_none = assemble("toy", "mouse", root=_paged(toy_root, modules='"uptake"', systemic="[]"))
    assert with_none.digest == toys["mouse"].digest


def test_the_doses_on_the_page_bring_what_it_says():
    """Each row: species and dose, vesicles per macrophage, peak response there and in muscle."""
    page = (SHIPPED / "modules" / "macrophages.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| (mouse|person), (?:(\d)·)?10([⁰-⁹¹²³]+) (vesicles|cells) \|(.*)\|", page)
    assert len(rows) == 11
    compiled = {s: load(assemble("frailty", s).sbml) for s in ("mouse", "human")}
    times = np.concatenate([[0.0], np.geomspace(1e-3, 12, 80)])
    outputs = ["signal_macrophages", "animal_response_macrophages", "animal_response"]
    for who, times_ten, power, kind, cells in rows:
        dose = int(times_ten or 1) * 10.0 ** int(power.translate(DIGITS))
        given = [Dose({"vesicles": "vesicles_blood", "cells": "cells_venous"}[kind], 0.0, dose)]
        species = "mouse" if who == "mouse" else "human"
        found = compiled[species].simulate(times, parameters={"run_in": 0.0}, outputs=outputs, doses=given, rtol=1e-8)
        peaks = [float(found[o].to_numpy().max()) for o in outputs]
        # written with one or two digits, and a new fit of the body may move them a little
        assert [float(c) for c in cells.split("|")] == pytest.approx(peaks, rel=0.25), (who, dose, kind)


@pytest.mark.parametrize("species", ["human", "mouse"])
def test_nothing_of_it_stands_in_the_document_of_the_ovary(species):
    model = assemble("poi", species)
    assert "carried_response" in model.antimony
    assert "_macrophages" not in model.antimony


def test_a_systemic_process_that_is_none_of_the_processes_is_named_with_the_nearest(toy_root):
    with pytest.raises(BiologyError) as caught:
        assemble("toy", "mouse", root=_paged(toy_root, systemic='["grwth"]'))
    assert caught.value.nearest == "growth"


def test_systemic_processes_without_the_module_say_what_is_missing(toy_root):
    with pytest.raises(BiologyError) as caught:
        assemble("toy", "mouse", root=_paged(toy_root, modules='"uptake"'))
    assert caught.value.expected == '"macrophages" among the modules'
