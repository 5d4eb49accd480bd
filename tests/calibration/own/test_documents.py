"""Models and individuals that calibrations get from the biology."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from exotwin.biology import assemble
from exotwin.calibration.own import documents, read_definition
from exotwin.engine import Dose, load
from exotwin.errors import BiologyError


def test_a_part_computes_what_the_whole_does():
    whole, part = load(assemble("poi", "mouse").sbml), load(assemble("poi", "mouse", modules=("ageing",)).sbml)
    at = {"age_start": 0.1, "run_in": 0.0}
    found = [
        m.simulate([0, 100, 400], parameters=at, outputs=["inflammation", "ros"], rtol=1e-9) for m in (whole, part)
    ]
    for name in ("inflammation", "ros"):
        np.testing.assert_allclose(found[0][name], found[1][name], rtol=1e-6)


def test_a_part_takes_the_numbers_that_it_names_from_the_conditions_table_and_no_others():
    model = assemble("poi", "mouse", modules=("physiology", "vesicles"))
    assert {"ovary_mass_reference", "ovary_cells_per_g", "liver_extraction"} <= set(model.parameters)
    assert not {"pool_anchor", "age_start", "cell_potency"} & set(model.parameters)
    assert not model.observables
    assert not model.dosing


def test_a_part_that_does_not_exist_says_which_do():
    with pytest.raises(BiologyError, match="vesicle"):
        assemble("poi", "mouse", modules=("vesicle",))


def test_an_infusion_of_the_document_is_a_dose_of_the_engine():
    """Time 0 of the document is the injury, a week before the dose; the trial counts from the dose."""
    plain = assemble("poi", "mouse")
    own = load(assemble("poi", "mouse", infused=("cells_venous",)).sbml)
    outputs = ["e2", "fsh", "animal_response", "antral"]
    given = {"run_in": 0.0, "age_start": 0.21 - 7 / 365.25, "infusion_begin": 7.0, "infused_cells_venous": 1e6}
    ours = own.simulate([0, 21, 35], parameters=given | {"reading_animal": 1.0}, outputs=outputs, rtol=1e-8)
    dose = [Dose("cells_venous", 0.0, 1e6)]
    theirs = load(plain.sbml).simulate(
        [-7, 14, 28], parameters={"age_start": 0.21, "reading_animal": 1.0}, doses=dose, outputs=outputs, rtol=1e-8
    )
    for name in outputs:
        # a dose at once against a quarter of an hour: 0.005 days of a decay of days
        np.testing.assert_allclose(ours[name].to_numpy()[0, 1:], theirs[name].to_numpy()[0, 1:], rtol=2e-4)


def test_a_state_that_no_module_has_cannot_be_infused():
    with pytest.raises(BiologyError, match="cells_veinous"):
        assemble("poi", "mouse", infused=("cells_veinous",))


def test_individuals_of_the_animal_potency_are_those_of_the_tables():
    definition = read_definition("poi-animal-potency")
    rows = {
        r["parameterId"]: r
        for r in csv.DictReader(io.StringIO(documents(definition)["population.tsv"]), delimiter="\t")
    }
    patients = {p.name: p for p in assemble("poi", "mouse").parameters.values() if p.level == "patient"}
    assert set(rows) == set(patients)
    week = 7 / 365.25
    assert float(rows["age_start"]["lower"]) == pytest.approx(patients["age_start"].spread.a - week, rel=1e-9)
    assert rows["e2_per_follicle"]["scale"] == "e2_per_follicle_sd"
    assert float(rows["amh_reference"]["scale"]) == pytest.approx(patients["amh_reference"].spread.a, rel=1e-9)
    assert float(rows["ovarian_age_lead"]["upper"]) == patients["ovarian_age_lead"].spread.high
