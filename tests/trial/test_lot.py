"""What a lot says to the model: source, passage, donor, size, yield; and doses in cell equivalents."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tiny_trial import parameter

from exotwin.biology import Spread
from exotwin.errors import StudyError
from exotwin.trial import arms
from exotwin.trial import lot as of_lot


@pytest.fixture
def model(tiny_model):
    """With a secretion that the source changes, a half-life of that source that is not known, and inputs."""
    inputs = (
        parameter("secretion_rate", 1000.0, level="knowledge", spread=Spread("lognormal", 1000.0, 0.5)),
        parameter("passage", 3.0),
        parameter("donor_age", 40.0, unit="year"),
        parameter("vesicle_diameter", 120.0, unit="nm"),
    )
    source = {
        "secretion_rate": parameter("secretion_rate", 5000.0),
        "clearance": parameter("clearance", 0.2, level="knowledge", spread=Spread("lognormal", 0.2, 0.5)),
    }
    known = tiny_model.parameters | {p.name: p for p in inputs}
    return dataclasses.replace(tiny_model, parameters=known, sources={"umbilical cord": source})


def given_numbers(model, lot, **drawn):
    patients = {k: np.asarray(v, float) for k, v in drawn.items()}
    return of_lot.lot_parameters("u", lot, model, (), patients, 2)


def test_numbers_of_the_source_and_what_is_declared_become_parameters(model, lot):
    aged = dataclasses.replace(lot, cells=dataclasses.replace(lot.cells, donor_age=25.0))
    found = given_numbers(model, aged, **{"u:source:clearance": [0.1, 0.3]})
    assert {k: v.tolist() for k, v in found.items()} == {
        "secretion_rate": [5000, 5000],
        "clearance": [0.1, 0.3],
        "passage": [4, 4],
        "donor_age": [25, 25],
        "vesicle_diameter": [lot.vesicles.size.d50] * 2,
    }


def test_cells_of_a_tissue_of_birth_have_a_donor_without_age(model, lot):
    assert given_numbers(model, lot)["donor_age"].tolist() == [0, 0]


def test_only_what_has_a_spread_is_drawn_and_the_study_goes_first(model, lot, tiny_mechanism):
    known = arms.product_knowledge("u", lot, tiny_mechanism, model, ())
    assert [k for k in known if ":source:" in k] == ["u:source:clearance"]
    fixed = arms.product_knowledge("u", lot, tiny_mechanism, model, ("clearance",))
    assert not [k for k in fixed if ":source:" in k]
    assert "clearance" not in of_lot.lot_parameters("u", lot, model, ("clearance",), {}, 2)


def test_a_model_without_these_inputs_gets_none_of_them(tiny_model, lot):
    assert given_numbers(tiny_model, lot) == {}


def test_what_is_not_declared_is_told_with_what_stands_in(model, lot):
    unknown = dataclasses.replace(lot, source_tissue="gingiva", cells=dataclasses.replace(lot.cells, passage=None))
    said = of_lot.remarks("msc", unknown, model, form="cells")
    assert said == [
        "msc: the model has no numbers for cells from gingiva (only for umbilical cord); its own, of no one source, "
        "stand in.",
        "msc: the passage of test lot is not declared; 3 is assumed.",
        "msc: the donor's age of test lot is not declared; 40 years is assumed.",
    ]
    assert of_lot.remarks("exosomes", lot, model, form="vesicles") == []


def test_inputs_of_the_lot_cannot_be_set_by_the_study(model):
    assert {"passage", "donor_age", "vesicle_diameter"} <= arms.reserved(model)


@pytest.mark.parametrize(
    ("dose", "amount"),
    [
        ("1e8 cell equivalents", (1e8, "cell equivalents")),
        ("2e6 cell equivalents/kg", (2e6, "cell equivalents/kg")),
        ("1e8 cell-equivalents", (1e8, "cell equivalents")),
    ],
)
def test_doses_in_cell_equivalents_are_read(study_of, dose, amount):
    assert study_of(("1e11 particles", dose)).arms["exosomes"].amount == amount


@pytest.mark.parametrize(
    ("dose", "remedy"),
    [("1e8 cell equivalants", 'nearest   "cell equivalents"'), ("1e8 cells", 'such as "1e11 particles"')],
)
def test_cells_do_not_pass_for_vesicles(study_of, dose, remedy):
    with pytest.raises(StudyError, match=remedy):
        study_of(("1e11 particles", dose))


def dose_of(study_of, model, lot, mechanism, dose, **drawn):
    arm = study_of(("1e11 particles", dose)).arms["exosomes"]
    patients = {k: np.asarray(v, float) for k, v in drawn.items()}
    return arms.given(arm, model, lot, patients, 2, fixed=())


def test_a_cell_equivalent_is_what_cells_of_the_source_release_in_two_days(study_of, model, lot, tiny_mechanism):
    drawn = {"body_weight": [50, 80], "umbilical:particles": [2, 2]}
    each = dose_of(study_of, model, lot, tiny_mechanism, "1e6 cell equivalents/kg", **drawn)
    np.testing.assert_allclose(each, 1e6 * np.array([50, 80]) * 5000 * 2)
    # no numbers for the source: the model's own rate, as drawn
    plain = dataclasses.replace(model, sources={})
    each = dose_of(study_of, plain, lot, tiny_mechanism, "1e6 cell equivalents", secretion_rate=[800, 900])
    np.testing.assert_allclose(each, [1.6e9, 1.8e9])


def test_a_declared_yield_goes_before_the_models_rate(study_of, model, lot, tiny_mechanism):
    counted = dataclasses.replace(lot, vesicles=dataclasses.replace(lot.vesicles, particles_per_cell=1500.0))
    each = dose_of(study_of, model, counted, tiny_mechanism, "1e6 cell equivalents")
    np.testing.assert_allclose(each, 1.5e9)
    said = of_lot.of_yield("e", counted, 1500.0)
    assert "1500 particles per cell that test lot declares" in said
    assert "(about 26000 particles)" in of_lot.of_yield("e", lot, 26_123.0)


def test_a_yield_that_the_model_works_out_goes_before_its_rate_alone(study_of, model, lot, tiny_mechanism):
    drawn = {of_lot.per_cell("umbilical"): [100, 300]}
    each = dose_of(study_of, model, lot, tiny_mechanism, "1e6 cell equivalents", **drawn)
    np.testing.assert_allclose(each, [1e8, 3e8])
    assert not of_lot.works_out_release(lot, model)
    rule = dataclasses.replace(model, antimony=model.antimony + "\n  release_per_cell := secretion_rate;\n")
    assert of_lot.works_out_release(lot, rule)


def test_equivalents_without_any_yield_are_refused(study_of, tiny_model, lot):
    study = study_of(("1e11 particles", "1e8 cell equivalents"))
    with pytest.raises(StudyError, match=r"particles_per_cell in \[vesicles\]") as caught:
        arms.check_product(study, "exosomes", lot, tiny_model)
    assert "arms.exosomes.dose" in caught.value.where
