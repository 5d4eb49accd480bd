"""What an instrument sees of a label, against a second simulator, against limits, against what was measured."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from exotwin import evidence
from exotwin.biology import SHIPPED, assemble
from exotwin.biology.sources import read_sources
from exotwin.engine import Dose, load
from exotwin.errors import BiologyError

DOSE = 1e10
LABELS = {"iodine", "indium", "technetium", "fluorophore", "lipid dye", "luciferase", "particle"}
ORGANS = ("liver", "spleen", "lung", "kidney")
HEADER = "label, name, value, unit, spread, distribution, level, species, basis, record, spread_record, note\n"


@pytest.fixture(scope="module")
def bodies():
    """Vesicles and label in a body with all tissues, of each species, compiled."""
    models = {s: assemble("healthy", s, modules=("physiology", "vesicles", "label")) for s in ("human", "mouse", "rat")}
    return {species: (model, load(model.sbml)) for species, model in models.items()}


def _numbers(model, label):
    return _own(model) | {name: row.value for name, row in model.labels[label].items()} | {"labelled_dose": DOSE}


def _own(model):
    """The numbers of a label as the model has them where a study names none."""
    return {n: row.value for n, row in model.parameters.items() if row.basis == "input" and n.startswith("label_")}


def _seen(body, days, outputs, label="", doses=None, **numbers):
    """output -> (time,), of a dose into a vein at the start."""
    model, compiled = body
    p = (_numbers(model, label) if label else {"labelled_dose": DOSE}) | numbers
    doses = [Dose("vesicles_blood", 0.0, DOSE)] if doses is None else doses
    found = compiled.simulate(days, outputs=list(outputs), doses=doses, parameters=p)
    return {o: np.broadcast_to(found[o].to_numpy(), (1, len(days)))[0] for o in outputs}


def _total(body, days, whole, **how):
    """Label on vesicles that are not broken down, and all that is not on vesicles."""
    states = [s for s in body[0].states if s.startswith(("vesicles_", "label_")) and s != "vesicles_degraded"]
    found = _seen(body, days, states, **how)
    assert min(values.min() for values in found.values()) >= -1e-6 * DOSE
    return sum(values * (whole if state.startswith("vesicles_") else 1.0) for state, values in found.items())


@pytest.mark.parametrize("species", ["human", "mouse", "rat"])
def test_the_label_that_was_given_is_somewhere_at_all_times_whatever_it_is(bodies, species):
    days = np.concatenate([[0.0], np.geomspace(1e-5, 60, 60)])
    for label in LABELS:
        whole = 1 - _numbers(bodies[species][0], label)["label_free_share"]
        total = _total(bodies[species], days, whole, label=label)
        np.testing.assert_allclose(total[1:], DOSE, rtol=1e-6, err_msg=label)


def test_by_every_route_the_label_of_a_vesicle_is_somewhere(bodies):
    routes = sorted({d.state for (kind, _), d in assemble("healthy", "mouse").dosing.items() if kind == "vesicles"})
    days = np.concatenate([[0.0], np.geomspace(1e-4, 20, 30)])
    for route in routes:
        how = {"label": "lipid dye", "labelled_dose": 0.0, "doses": [Dose(route, 0.0, DOSE)]}
        np.testing.assert_allclose(_total(bodies["mouse"], days, 1.0, **how)[1:], DOSE, rtol=1e-6, err_msg=route)
    assert len(routes) == 9


@settings(max_examples=25, deadline=None)
@given(
    free=st.floats(0, 1),
    lasts=st.floats(0, 1),
    stay=st.floats(1e-3, 1e3),
    crossing=st.floats(1e-3, 1),
    filtered=st.floats(0, 1),
    held=st.floats(0, 1),
    bile=st.floats(0, 1),
    sick=st.floats(1, 10),
)
def test_no_label_that_could_be_is_made_or_lost(bodies, free, lasts, stay, crossing, filtered, held, bile, sick):
    numbers = {
        "label_free_share": free,
        "label_lasts": lasts,
        "label_stay": stay,
        "label_crossing_half_life": crossing,
        "label_filtered": filtered,
        "label_held": held,
        "label_bile": bile,
        "lung_monocytes": sick,
        "monocyte_activity": sick,
        "kupffer_activity": 1 / sick,
    }
    total = _total(bodies["mouse"], [0.0, 0.003, 0.1, 1.0, 8.0], 1 - free, **numbers)
    np.testing.assert_allclose(total[1:], DOSE, rtol=1e-6)


def test_a_label_that_never_leaves_a_vesicle_that_is_never_broken_is_the_vesicle_and_its_blood(bodies):
    days = np.array([0.0, 0.01, 0.1, 1.0])
    outputs = ["seen_blood", "seen_liver", "vesicles_blood", "vesicles_monocytes", "monocytes_free", "vesicles_liver"]
    outputs += ["blood_volume", "liver_volume", "vesicles_wall", "label_blood", "label_interstitial"]
    found = _seen(bodies["mouse"], days, outputs, vesicle_half_life_in_cells=1e9)
    blood = found["vesicles_blood"] + found["monocytes_free"] * found["vesicles_monocytes"]
    np.testing.assert_allclose(found["seen_blood"], blood, rtol=1e-6)
    held = 0.31 * found["liver_volume"] / found["blood_volume"] * (blood + found["vesicles_wall"])  # phys-mouse-brown
    np.testing.assert_allclose(found["seen_liver"][1:], (found["vesicles_liver"] + held)[1:], rtol=1e-6)
    assert max(found["label_blood"].max(), found["label_interstitial"].max()) <= 1e-6 * DOSE


def test_free_label_alone_spreads_and_leaves_as_two_compartments_do(bodies):
    """All of it free and small, filtered: plasma and the space between cells, by a matrix exponential."""
    model, _ = bodies["mouse"]
    p = {name: row.value for name, row in model.parameters.items()}
    plasma, between = (p[k] * p["body_weight"] for k in ("plasma_per_kg", "interstitial_per_kg"))
    crossing = np.log(2) / 0.01 / (1 / plasma + 1 / between)
    renal = 0.3 * p["filtration_1kg"] * 1440 * p["body_weight"] ** 0.75
    rates = np.array(
        [[-(crossing + renal) / plasma, crossing / between, 0], [crossing / plasma, -crossing / between, 0], [0, 0, 0]]
    )
    rates[2, 0] = 0.4 * renal / plasma
    days = np.array([0.0, 0.001, 0.01, 0.05, 0.2])
    expected = np.array([expm(rates * t) @ [DOSE, 0, 0] for t in days])
    names = ["label_blood", "label_interstitial", "label_kidney"]
    numbers = {"label_free_share": 1.0, "label_crossing_half_life": 0.01, "label_filtered": 0.3, "label_held": 0.4}
    found = _seen(bodies["mouse"], days, names, doses=[], **numbers)
    for k, name in enumerate(names):
        np.testing.assert_allclose(found[name], expected[:, k], rtol=1e-4, atol=1e-6 * DOSE, err_msg=name)


@pytest.mark.parametrize("label", ["iodine", "indium", "luciferase"])
def test_another_simulator_sees_the_same(bodies, run, label):
    model, _ = bodies["mouse"]
    days = np.array([0.0, 0.003, 0.02, 0.1, 0.5, 2.0])
    outputs = ["seen_blood", *(f"seen_{o}" for o in ORGANS), "seen_brain", "seen_marrow", "seen_area", "label_gone"]
    ours = _seen(bodies["mouse"], days, outputs, label=label)
    theirs = run(model, days, outputs, start={"vesicles_blood": DOSE}, **_numbers(model, label))
    for name in outputs:
        np.testing.assert_allclose(ours[name][1:], theirs[name][1:], rtol=2e-4, atol=1e-5 * DOSE, err_msg=name)


def test_the_area_and_the_moment_are_those_of_the_course_in_blood(bodies):
    days = np.concatenate([[0.0], np.geomspace(1e-6, 2, 4000)])
    found = _seen(bodies["mouse"], days, ["seen_blood", "blood_volume", "seen_area", "seen_moment"], label="iodine")
    level = found["seen_blood"] / found["blood_volume"]
    assert found["seen_area"][-1] == pytest.approx(np.trapezoid(level[1:], days[1:]), rel=1e-3)
    assert found["seen_moment"][-1] == pytest.approx(np.trapezoid(level[1:] * days[1:], days[1:]), rel=1e-3)


def test_light_goes_with_its_vesicle_and_metal_stays(bodies):
    days = np.array([0.0, 1 / 24, 1.0])
    light, metal, iodine = (
        _seen(bodies["mouse"], days, ["seen_liver"], label=kind)["seen_liver"]
        for kind in ("luciferase", "technetium", "iodine")
    )
    assert light[2] < 0.01 * light[1]
    assert metal[2] > 0.9 * metal[1]
    assert iodine[2] < 0.05 * iodine[1]


def test_iodine_comes_back_into_blood_and_between_cells(bodies):
    """What of a label in blood is on vesicles after three hours: next to nothing."""
    found = _seen(bodies["mouse"], [0.0, 0.02, 0.125], ["seen_blood", "vesicles_blood", "seen_muscle"], label="iodine")
    assert found["vesicles_blood"][2] < 0.02 * found["seen_blood"][2]
    assert found["seen_blood"][2] > 1.5 * found["seen_blood"][1]
    assert found["seen_muscle"][2] > 1.5 * found["seen_muscle"][1]


def test_kidneys_by_indium_fill_as_measured(bodies):
    """The free share was fitted to these; the speed was not."""
    record = evidence.record("atlas-wjmsc-111In").value
    days = [0.0, *(h / 24 for h in record["time_h"])]
    found = _seen(bodies["mouse"], days, ["seen_kidney", "seen_liver", "seen_spleen"], label="indium")
    kidney = 100 * found["seen_kidney"][1:] / (found["seen_liver"] + found["seen_spleen"])[1:]
    np.testing.assert_allclose(kidney, record["kidney"], rtol=0.2)  # what a check calls within


def test_the_liver_holds_what_particles_of_this_size_showed(bodies):
    record = evidence.record("np-100nm-mouse-timecourse").value
    days = [0.0, *(m / 1440 for m in record["time_min"])]
    liver = 100 * _seen(bodies["mouse"], days, ["seen_liver"], label="particle")["seen_liver"][1:] / DOSE
    np.testing.assert_allclose(liver, record["liver"], rtol=0.05)  # the error that the fit gives them


def test_the_seven_kinds_of_label_are_known_and_name_what_is_theirs_alone(bodies):
    model, _ = bodies["mouse"]
    own = _own(model)
    assert set(model.labels) == LABELS
    for label, rows in model.labels.items():
        assert rows.keys() <= own.keys(), label
        for name, row in rows.items():
            assert row.unit == model.parameters[name].unit
            assert row.value != own[name] or row.level != "fixed", (label, name)


def test_a_model_without_the_module_has_no_labels():
    assert assemble("healthy", "mouse", modules=("physiology", "vesicles")).labels == {}


def test_the_calibration_runs_every_label_with_the_numbers_of_the_table(bodies):
    model, _ = bodies["mouse"]
    folder = SHIPPED / "calibrations" / "vesicle-clearance-mouse"
    rows = list(csv.DictReader((folder / "conditions.tsv").open(encoding="utf-8"), delimiter="\t"))
    nominal = {
        row["parameterId"]: float(row["nominalValue"])
        for row in csv.DictReader((folder / "parameters.tsv").open(encoding="utf-8"), delimiter="\t")
    }
    assert {row["conditionId"] for row in rows} == LABELS - {"lipid dye"}
    for row in rows:
        assert row["vesicles_blood"] == row["labelled_dose"]
        for name, number in (_own(model) | {n: p.value for n, p in model.labels[row["conditionId"]].items()}).items():
            told = row[name]
            assert (nominal[told] if told in nominal else float(told)) == number, name


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (", label_stay, 2, day, , fixed, fixed, all, assumed, , , why\n", "such as .indium"),
        ("tritium, label_stay, 2, day, , fixed, fixed, all, assumed, , , why\n" * 2, "one row for each label"),
    ],
)
def test_a_wrong_row_of_a_label_is_refused_with_what_is_wrong(tmp_path, rows, said):
    path = tmp_path / "labels.csv"
    path.write_text(HEADER + rows, encoding="utf-8")
    with pytest.raises(BiologyError, match=said):
        read_sources(path, "mouse", names={"label_stay"}, kind="label")
