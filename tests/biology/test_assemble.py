from __future__ import annotations

import hashlib
import re

import libsbml
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exotwin.biology import assemble, conditions, species_of
from exotwin.errors import BiologyError


def _edit(root, file, old, new):
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_an_input_that_another_part_defines_gives_way_and_the_rest_stays_neutral(toys):
    model = libsbml.readSBMLFromString(toys["human"].sbml).getModel()
    assert model.getAssignmentRule("growth") is not None
    assert model.getAssignmentRule("vesicles_per_cell_day_ovary") is not None
    assert model.getParameter("unmoved").getValue() == 2.0
    assert "// Inputs that nothing drives in this condition" in toys["human"].antimony


def test_the_readable_text_gives_the_same_model_again(toys):
    import antimony

    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(toys["human"].antimony) >= 0, antimony.getLastError()
    again = libsbml.readSBMLFromString(antimony.getSBMLString("toy_human")).getModel()
    model = libsbml.readSBMLFromString(toys["human"].sbml).getModel()
    for what in ("Species", "Parameters", "Rules", "Reactions", "InitialAssignments"):
        ours, theirs = (getattr(m, f"getListOf{what}")() for m in (model, again))
        assert ours.size() == theirs.size()
    values = {p.getId(): p.getValue() for p in again.getListOfParameters() if p.isSetValue()}
    assert values == {p.getId(): p.getValue() for p in model.getListOfParameters() if p.isSetValue()}


def test_a_number_changed_for_a_run_reaches_the_starts_that_are_computed_from_it(toys, run):
    names = ["marker", "marker_start"]
    changed = run(toys["human"], [0, 1], names, marker_start=5.0)
    assert (changed["marker"][0], changed["marker_start"][0]) == (5.0, 5.0)
    assert run(toys["human"], [0, 1], names)["marker"][0] == 2.0  # the next run is not touched by it


def test_the_text_names_condition_species_and_files(toys):
    head = toys["mouse"].antimony.splitlines()[:3]
    assert "Toy condition" in head[0]
    assert "toy" in head[1]
    assert "mouse" in head[1]
    assert "vesicles.ant" in head[2]
    assert "modules/vesicles.csv" in toys["mouse"].files


def test_the_same_files_give_the_same_bytes(toy_root):
    first, second = (assemble("toy", "human", root=toy_root) for _ in range(2))
    assert first.sbml == second.sbml
    assert first.digest == hashlib.sha256(first.sbml.encode()).hexdigest()
    assert not re.search(r"20\d\d-\d\d|antimony|libSBML", first.sbml.split("<model", 1)[1], re.IGNORECASE)


def test_species_differ_in_numbers_alone(toys):
    human, mouse = toys["human"], toys["mouse"]
    assert human.parameters.keys() == mouse.parameters.keys()
    assert human.states == mouse.states
    assert human.digest != mouse.digest


@settings(max_examples=30, deadline=None)
@given(
    translation=st.floats(0, 1),
    gains=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    repressed=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    signal=st.floats(0, 10),
)
def test_the_effect_equations_are_the_two_readings(toys, run, translation, gains, repressed, signal):
    model = toys["human"]
    start = {"signal": signal, "repression_mir_21_5p": repressed[0], "repression_mir_22_3p": repressed[1]}
    numbers = {
        "translation": translation,
        "gain_mir_21_5p_growth": gains[0],
        "gain_mir_22_3p_growth": gains[1],
    }
    response = signal / (signal + model.parameters["signal_half"].value)
    by_copies = sum(g * r for g, r in zip(gains, repressed, strict=True))
    for reading, expected in {
        "none": 1.0,
        "animal": np.exp(translation * 0.7 * response),
        "copies": np.exp(by_copies),
    }.items():
        switches = {"reading_animal": float(reading == "animal"), "reading_copies": float(reading == "copies")}
        found = run(model, [0], ["growth"], start=start, **numbers, **switches)["growth"][0]
        assert found == pytest.approx(expected, rel=1e-9)  # the same formula in the same precision


def test_every_gain_and_every_copy_number_is_an_input_that_starts_at_zero(toys):
    model = toys["rat"]
    names = {f"gain_{m}_{p}" for m in model.mediators.values() for p in model.processes}
    names |= {f"copies_per_vesicle_{m}" for m in model.mediators.values()}
    assert {(model.parameters[n].value, model.parameters[n].basis) for n in names} == {(0.0, "input")}


def test_the_summary_counts_parameters_by_basis(toys):
    model = toys["human"]
    assert sum(model.bases.values()) == len(model.parameters)
    assert f"{model.bases['derived']} derived" in model.summary()
    assert "<table>" in model._repr_html_()
    assert model._repr_html_().count("<tr>") == len(model.parameters) + 1


def test_the_run_in_of_the_page_reaches_a_module_that_asks_for_it(toy_root):
    _edit(toy_root, "conditions/toy.ant", "unmoved = 2", "run_in = 0 day;\n  unmoved = 2")
    _edit(toy_root, "conditions/toy.ant", "decay * loss", "(1 + 0 * run_in / 1 day) * decay * loss")
    assert assemble("toy", "mouse", root=toy_root).parameters["run_in"].value == 5.0


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("conditions/toy.toml", '"uptake"]', '"uptke"]', 'nearest   "uptake"'),
        ("conditions/toy.toml", 'state = "vesicles_blood"', 'state = "vesicle_blood"', 'nearest   "vesicles_blood"'),
        ("conditions/toy.toml", 'state = "vesicles_blood"', 'state = "blood_volume"', "a state of the model"),
        ("conditions/toy.toml", 'unit = "ng/mL"\nnormal', 'unit = "pg/mL"\nnormal', "the unit of marker"),
        ("conditions/toy.toml", '"growth", "decay"', '"growth", "decai"', 'nearest   "decay"'),
        ("conditions/toy.toml", "[observables.marker]", "[observables.marked]", "marked"),
        ("conditions/toy.toml", 'unit = "particles"', 'unit = "particles/kg"', "the unit of vesicles_blood"),
        ("conditions/toy.ant", "  marker = marker_start;", "  signal = 1;\n  marker = marker_start;", "one owner"),
        ("conditions/toy.ant", "marker = marker_start;", "marker = marker_strt;", 'nearest   "marker_strt"'),
        ("conditions/toy.ant", "growth * production", "growths * production", 'nearest   "growth"'),
        ("conditions/toy.ant", "growth * production", "growth * producton", "which no equation uses"),
        ("conditions/toy.ant", "marker has ng_per_mL;", "", "no unit"),
        ("conditions/toy.ant", "marker has ng_per_mL;", "marker has ng_per_fortnight;", "unit"),
        (
            "conditions/toy.ant",
            "marker has ng_per_mL;",
            "marker has pg_per_mL;",
            'toy.ant, line 9, the rate of "marker"',
        ),
        ("conditions/toy.ant", "decay * loss", "decay * 3 * loss * loss", "one unit throughout"),
        ("conditions/toy.ant", "decay * loss * marker;", "decay * loss * marker)", "Antimony"),
        ("conditions/toy.ant", "decay * loss", "decay * loss * 1 year", 'the rate of "marker"'),
        ("conditions/toy.csv", "loss, 0.1", "lost, 0.1", "which no equation uses"),
        (
            "conditions/toy.csv",
            "loss, 0.1",
            "loss, 1, 1/day, , fixed, fixed, all, assumed, , , toy\nloss, 0.1",
            "twice",
        ),
        ("conditions/toy.csv", "loss, 0.1, 1/day, ", "body_weight, 1, kg, ", "stands in"),
        ("modules/uptake.ant", "signal = 0;", "substanceOnly species odd in body; signal = 0;", "initial amount"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(toy_root, file, old, new, message):
    _edit(toy_root, file, old, new)
    with pytest.raises(BiologyError) as caught:
        assemble("toy", "human", root=toy_root)
    assert message in str(caught.value)


def test_an_unknown_condition_is_told_the_nearest(toy_root):
    assert conditions(root=toy_root) == ("toy",)
    for ask in (assemble, lambda name, _, root: species_of(name, root=root)):
        with pytest.raises(BiologyError, match='nearest   "toy"'):
            ask("toi", "human", root=toy_root)


def test_a_fault_in_the_text_names_file_and_line(toy_root):
    _edit(toy_root, "conditions/toy.ant", "decay * loss", "decay * * loss")
    with pytest.raises(BiologyError, match=r"toy\.ant, line 9"):
        assemble("toy", "human", root=toy_root)
