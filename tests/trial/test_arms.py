from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from exotwin.errors import StudyError
from exotwin.quantities import Estimate
from exotwin.trial import arms


def treatment(study, name, model, lot, mechanism, **drawn):
    n = 4
    known = arms.product_knowledge("umbilical", lot, mechanism, model, ())
    patients = {k: spread.quantile(np.full(n, 0.5)) for k, spread in known.items()}
    patients |= {k: np.asarray(v, float) for k, v in drawn.items()}
    where = arms.dose_input(study, name, model)
    return arms.treatment(study.arms[name], where, model, lot, mechanism, patients, n, fixed=())


def test_cells_per_kilogram_follow_weight_and_viability(study_of, tiny_model, lot, tiny_mechanism):
    weight = np.array([50.0, 60.0, 70.0, 80.0])
    given = treatment(study_of(), "msc", tiny_model, lot, tiny_mechanism, body_weight=weight)
    assert given.state == "living"
    assert given.days == (0,)
    np.testing.assert_allclose(given.amount, 1e6 * weight * 0.9, rtol=1e-5)  # the median moves by the cut at 1


def test_a_weight_that_nobody_draws_is_the_models_own(study_of, tiny_model, lot, tiny_mechanism):
    given = treatment(study_of(), "msc", tiny_model, lot, tiny_mechanism)
    np.testing.assert_allclose(given.amount, 1e6 * 60 * 0.9, rtol=1e-5)


def test_millilitres_of_the_vial_are_its_measured_particles(study_of, tiny_model, lot, tiny_mechanism):
    study = study_of(("1e11 particles", "5 mL"))
    given = treatment(study, "exosomes", tiny_model, lot, tiny_mechanism)
    np.testing.assert_allclose(given.amount, 5 * 2e10)
    assert given.days == (0, 14, 28, 42)


def test_the_error_of_the_concentration_moves_doses_in_particles_too(study_of, tiny_model, lot, tiny_mechanism):
    factor = arms.product_knowledge("umbilical", lot, tiny_mechanism, tiny_model, ())["umbilical:particles"]
    low, high = factor.quantile(np.array([0.025, 0.975]))
    # A lognormal with the relative standard error of the measurement: the interval within a per cent.
    assert high / low == pytest.approx(2.5e10 / 1.6e10, rel=0.01)
    given = treatment(study_of(), "exosomes", tiny_model, lot, tiny_mechanism, **{"umbilical:particles": [1, 1, 1, 2]})
    np.testing.assert_allclose(given.amount, [1e11, 1e11, 1e11, 2e11])


@pytest.mark.parametrize(("low", "high", "width"), [(0.0, 5e10, 0.679), (0.0, 4e10, 0.481), (1e6, 4e10, 0.481)])
def test_an_interval_that_reaches_zero_is_wide_and_not_none(tiny_model, lot, tiny_mechanism, low, high, width):
    vague = dataclasses.replace(lot.vesicles, particles_per_mL=Estimate(2e10, "particle/mL", low, high))
    known = arms.product_knowledge(
        "umbilical", dataclasses.replace(lot, vesicles=vague), tiny_mechanism, tiny_model, ()
    )
    # sqrt(log(1 + v^2)) with v = half the interval, or its upper half where it is cut off / (1.96 value)
    assert known["umbilical:particles"].a == pytest.approx(width, abs=0.001)


def test_a_concentration_without_interval_is_told(study_of, tiny_model, lot, tiny_mechanism):
    once = dataclasses.replace(lot.vesicles, particles_per_mL=Estimate(2e10, "particle/mL"))
    products, mechanisms = {"umbilical": dataclasses.replace(lot, vesicles=once)}, {"umbilical": tiny_mechanism}
    said = arms.remarks(study_of(), products, mechanisms, tiny_model)
    assert any("exosomes: the concentration of test lot has no interval" in remark for remark in said)


def test_cargo_and_gains_become_parameters_of_the_model(study_of, tiny_model, lot, tiny_mechanism):
    given = treatment(study_of(), "exosomes", tiny_model, lot, tiny_mechanism)
    assert set(given.parameters) == {"copies_per_vesicle_mir_1", "gain_mir_1_loss_process"}
    np.testing.assert_allclose(given.parameters["copies_per_vesicle_mir_1"], 0.01)
    np.testing.assert_allclose(given.parameters["gain_mir_1_loss_process"], -0.5)
    spread = arms.product_knowledge("umbilical", lot, tiny_mechanism, tiny_model, ())["umbilical:copies:miR-1"]
    # 97.5 % of a lognormal with log10 SD 0.3
    assert spread.quantile(np.array([0.975]))[0] == pytest.approx(0.01 * 10 ** (1.959964 * 0.3), rel=1e-6)


def test_viability_without_interval_is_held(tiny_model, lot, tiny_mechanism):
    held = dataclasses.replace(lot, cells=dataclasses.replace(lot.cells, viability=Estimate(0.8, "dimensionless")))
    spread = arms.product_knowledge("umbilical", held, tiny_mechanism, tiny_model, ())["umbilical:viability"]
    assert spread.quantile(np.array([0.01, 0.99])) == pytest.approx([0.8, 0.8])


def test_cells_without_measured_viability_count_as_living_and_the_reader_is_told(
    study_of, tiny_model, lot, tiny_mechanism
):
    bare = dataclasses.replace(lot, cells=dataclasses.replace(lot.cells, viability=None))
    given = treatment(study_of(), "msc", tiny_model, bare, tiny_mechanism)
    np.testing.assert_allclose(given.amount, 60e6)
    said = arms.remarks(study_of(), {"umbilical": bare}, {"umbilical": tiny_mechanism}, tiny_model)
    assert any("viability" in remark for remark in said)


def test_an_unknown_route_names_the_routes_of_that_form(study_of, tiny_model):
    study = study_of(('route = "intravenous"', 'route = "intravenos"'))
    with pytest.raises(StudyError, match='nearest   "intravenous"') as caught:
        arms.dose_input(study, "msc", tiny_model)
    assert "arms.msc.route" in caught.value.where


def test_cells_of_a_lot_without_cells_are_refused(study_of, tiny_model, lot):
    with pytest.raises(StudyError, match="which has none"):
        arms.check_product(study_of(), "msc", dataclasses.replace(lot, cells=None), tiny_model)
    arms.check_product(study_of(), "exosomes", dataclasses.replace(lot, cells=None), tiny_model)


def test_readings_switch_on_one_effect_each_never_both():
    for reading in ("animal", "animal untranslated", "copies"):
        switches = arms.reading_parameters(reading)
        assert switches["reading_animal"] + switches["reading_copies"] == 1
    assert arms.reading_parameters("animal untranslated")["translation"] == 1
    assert "translation" not in arms.reading_parameters("animal")
