"""What a problem is once it is read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from exotwin.calibration.problem import Condition, Prior, Simulation, read
from exotwin.calibration.problem.library import petab
from exotwin.errors import InputError, NotBuiltYet

CONSTRAINT = """<listOfConstraints><constraint><math xmlns="http://www.w3.org/1998/Math/MathML">
  <apply><gt/><ci>A</ci><cn>0</cn></apply></math></constraint></listOfConstraints>
"""


def test_estimated_parameters_come_with_scale_bounds_and_priors(files):
    found = {p.name: p for p in files.read().parameters}
    assert list(found) == ["k1", "k2", "gain_1", "gain_2", "sd_A", "start"]
    k1, k2 = found["k1"], found["k2"]
    assert (k1.scale, k1.lower, k1.upper, k1.nominal, k1.label) == ("log10", 0.001, 10, 0.8, "forward rate")
    assert k1.prior is None
    assert k1.start_prior is None
    assert k2.prior == Prior("parameterScaleNormal", -0.5, 2)
    assert found["gain_2"].prior == Prior("normal", 2, 0.5)
    assert np.isnan(found["gain_2"].nominal)


def test_parameters_that_are_not_estimated_are_numbers(files):
    assert files.read().fixed == {"shift": 0.5}


def test_a_start_prior_without_numbers_lies_between_the_bounds_on_the_scale(files):
    files.change("parameters.tsv", "objectivePriorType|objectivePriorParameters", "initializationPriorType|x")
    files.change(
        "parameters.tsv", "k1|forward rate|log10|0.001|10|0.8|1|", "k1||log10|0.001|10|0.8|1|parameterScaleUniform"
    )
    files.change("parameters.tsv", "parameterScaleNormal|-0.5;2", "|")
    files.change("parameters.tsv", "|normal|2;0.5", "||")
    assert files.read().parameters[0].start_prior == Prior("parameterScaleUniform", -3, 1)


def test_numbers_of_a_prior_without_kind_are_those_of_petabs_default(files):
    files.change("parameters.tsv", "0.8|1||", "0.8|1||-2;0")
    assert files.read().parameters[0].prior == Prior("parameterScaleUniform", -2, 0)


def test_a_condition_holds_the_parameters_of_the_model_and_starts_of_states(files):
    found = files.read().conditions
    shared = {"k1": "k1", "k2": "k2"}
    assert found["calm"] == Condition("calm", {**shared, "k3": 0.0}, {"B": 0.0})
    assert found["low"] == Condition("low", {**shared, "k3": 0.1}, {"B": "start", "level": 3.0})
    assert found["high"] == Condition("high", {**shared, "k3": 0.5}, {"B": 0.5, "level": "start"})


def test_a_fixed_parameter_of_the_model_stands_in_every_condition_as_a_number(files):
    files.change("parameters.tsv", "k1|forward rate|log10|0.001|10|0.8|1", "k1||log10|||0.7|0")
    assert {c.parameters["k1"] for c in files.read().conditions.values()} == {0.7}


def test_a_condition_may_name_a_parameter_of_the_model(files):
    files.change("conditions.tsv", "start|0.1|3", "k3|cell|3")
    found = files.read().conditions["low"]
    # the condition sets k3 itself, to the model's size of the cell
    assert found.parameters["k3"] == 2.0
    assert found.initial["B"] == 2.0


@pytest.mark.parametrize("empty", ["", "NaN", "NA", " "])
def test_an_empty_cell_of_a_condition_leaves_the_name_out(files, empty):
    files.change("conditions.tsv", "start|0.1|3", f"{empty}|{empty}|3")
    found = files.read().conditions["low"]
    assert found.initial == {"level": 3.0}
    assert set(found.parameters) == {"k1", "k2"}


def test_a_condition_may_set_what_only_formulas_name_and_compartments(files):
    files.change("conditions.tsv", "|k3|level", "|extra|cell").change("observables.tsv", "B|0.3", "B + extra|0.3")
    found = files.read().conditions["low"]
    assert found.parameters == {"k1": "k1", "k2": "k2", "extra": 0.1, "cell": 3.0}


def test_observables_keep_formulas_with_their_placeholders_as_symbols(files):
    first, second, third = files.read().observables
    assert {str(s) for s in first.formula.free_symbols} == {"observableParameter1_obs_A", "A", "shift"}
    assert first.placeholders == ("observableParameter1_obs_A",)
    assert first.noise_placeholders == ("noiseParameter1_obs_A", "noiseParameter2_obs_A")
    assert (first.distribution, first.transformation, first.label) == ("laplace", "lin", "A, scaled")
    assert (second.distribution, second.transformation, float(second.noise)) == ("normal", "log10", 0.3)
    assert third.transformation == "lin"


def test_noise_may_grow_with_what_is_measured(files):
    files.change("observables.tsv", "sd_A * total", "sd_A * obs_total")
    assert "obs_total" in {str(s) for s in files.read().observables[2].noise.free_symbols}


def test_measurements_keep_the_order_of_their_rows(files):
    found = files.read()
    measured = found.measurements
    assert found.simulations == (Simulation("low", "calm"), Simulation("high", "calm"), Simulation("low"))
    assert measured.observable.tolist() == [0, 0, 1, 2]
    assert measured.simulation.tolist() == [0, 1, 2, 0]
    assert measured.time.tolist() == [0, 10, 10, np.inf]
    assert measured.value.tolist() == [0.7, 0.1, 0.4, 1.1]
    assert measured.observable_parameters == (("gain_1",), ("gain_2",), (), ())
    assert measured.noise_parameters == (("sd_A", 1.0), (0.2, 0.5), (), ())


def test_what_a_condition_sets_may_fill_a_formula(files):
    files.change("measurements.tsv", "|gain_1|", "|k3|").change("measurements.tsv", "0.2;shift", "k3;k3")
    files.change("parameters.tsv", "gain_1||lin|0|10|2|1||\n", "")
    measured = files.read().measurements
    assert measured.observable_parameters[0] == (0.1,)
    assert measured.noise_parameters[1] == (0.5, 0.5)


def test_columns_of_ones_own_stay_with_the_measurements(files):
    table = files.read().measurements.table
    assert table["record"].tolist() == ["first", "second", "third", ""]
    assert table["measurement"].tolist() == [0.7, 0.1, 0.4, 1.1]


def test_tables_in_several_files_are_joined_in_their_order(files):
    for name, lines in (("measurements", 3), ("conditions", 2), ("observables", 2), ("parameters", 4)):
        whole = files.text[f"{name}.tsv"].lstrip("\n").splitlines()
        files.text[f"{name}.tsv"] = "\n".join(whole[:lines])
        files.text[f"{name}_2.tsv"] = "\n".join([whole[0], *whole[lines:]])
        files.text["problem.yaml"] = files.text["problem.yaml"].replace(f"[{name}.tsv]", f"[{name}.tsv, {name}_2.tsv]")
    files.change("problem.yaml", "parameters.tsv", "[parameters.tsv, parameters_2.tsv]")
    found = files.read()
    assert found.names == ("k1", "k2", "gain_1", "gain_2", "sd_A", "start")
    assert list(found.conditions) == ["calm", "low", "high"]
    assert found.measurements.value.tolist() == [0.7, 0.1, 0.4, 1.1]


def test_a_column_that_one_of_several_files_lacks_is_empty_there(files):
    files.text["more.tsv"] = "time|measurement|simulationConditionId|observableId|place\n2|0.3|high|obs_B|left\n"
    files.change("problem.yaml", "[measurements.tsv]", "[measurements.tsv, more.tsv]")
    found = files.read()
    assert found.simulations[-1] == Simulation("high")
    assert found.measurements.table["record"].tolist() == ["first", "second", "third", "", ""]
    assert found.measurements.table["place"].tolist() == ["", "", "", "", "left"]


def test_a_text_of_the_model_takes_the_place_of_its_file(files):
    text = files.text["model.xml"].replace('size="2"', 'size="4"')
    files.text["model.xml"] = "nothing that could be read"
    found = files.read(sbml=text)
    assert 'size="4"' in found.sbml


def test_the_digest_depends_on_what_decides_the_numbers_alone(files):
    first = files.read().digest
    moved = files.another("elsewhere").change("measurements.tsv", "third", "another record")
    assert moved.change("parameters.tsv", "forward rate", "rate").read().digest == first
    for name, old, new in [
        ("measurements.tsv", "|0.7|", "|0.71|"),
        ("parameters.tsv", "k2||log|", "k2||log10|"),
        ("conditions.tsv", "start|0.1", "start|0.2"),
        ("observables.tsv", "B|0.3", "B|0.4"),
        ("model.xml", 'size="2"', 'size="3"'),
    ]:
        assert files.another("changed").change(name, old, new).read().digest != first


def test_remarks_on_the_model_are_passed_on(files):
    files.change("model.xml", "  <listOfReactions>", CONSTRAINT + "  <listOfReactions>")
    assert files.read().remarks == ("the model: 1 constraint(s) of the model are not checked",)


def test_a_nominal_value_outside_its_bounds_is_a_remark(files):
    files.change("parameters.tsv", "0.001|10|0.8|1", "0.001|10|80|1")
    found = files.read()
    assert found.parameters[0].nominal == 80
    assert found.remarks == ("the nominal value 80 of k1 lies outside its bounds 0.001 and 10",)


def test_a_nominal_value_without_logarithm_is_left_out_with_a_remark(files):
    found = files.change("parameters.tsv", "0.001|10|0.8|1", "0.001|10|0|1").read()
    assert np.isnan(found.nominal[0])
    assert "the nominal value 0 of k1 has no place on the scale log10" in found.remarks[0]


def test_what_is_never_measured_and_what_looks_misspelled_are_remarks(files):
    files.change("measurements.tsv", "obs_B||low|0.4|1e1|||third\n", "").change(
        "measurements.tsv", "|record", "|replicateID"
    )
    files.change("problem.yaml", "format_version: 1\n", "format_version: 1\nauthor: nobody\n")
    told = files.read().remarks
    assert 'the key "author" of the problem is not used' in told
    assert 'the column "replicateID" of the measurement table is not used; PEtab knows "replicateId"' in told
    assert "never measured: obs_B" in told


def test_spaces_blank_lines_and_ends_of_lines_of_other_systems_change_nothing(files):
    plain = files.read()
    files.change("parameters.tsv", "gain_1||lin", "\n\t\t\n gain_1 || lin ")
    files.text["parameters.tsv"] = "\ufeff" + files.text["parameters.tsv"].lstrip("\n").replace("\n", "\r\n")
    assert files.read().parameters[:3] == plain.parameters[:3]


def test_a_problem_is_read_from_any_folder(files, monkeypatch, tmp_path):
    path = files.write()
    monkeypatch.chdir(path.parent)
    here = read("problem.yaml")
    monkeypatch.chdir(tmp_path)
    assert read(Path("problem") / "problem.yaml").digest == here.digest == read(path.resolve()).digest


def test_without_the_extra_one_message_says_how_to_get_it(files, monkeypatch):
    petab.cache_clear()
    monkeypatch.setitem(sys.modules, "petab.v1", None)
    told = files.fault()
    petab.cache_clear()
    assert "pip install 'exotwin[fit]'" in told.expected


def test_nothing_heavy_is_loaded_before_a_problem_is_read():
    code = (
        "import sys, exotwin.calibration.problem; print([m for m in ('petab', 'pandas', 'sympy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_file_names_its_neighbour(files):
    path = files.write()
    with pytest.raises(InputError) as told:
        read(path.with_name("problm.yaml"))
    assert told.value.nearest == "problem.yaml"


def test_a_start_from_which_the_model_computes_something_else_is_not_set_in_silence(files):
    files.change("model.xml", "<cn>2</cn><ci>k1</ci>", "<cn>2</cn><ci>total</ci>")
    with pytest.raises(NotBuiltYet) as told:
        files.read()
    assert told.value.where == files.place("conditions.tsv", 1, "B")
    assert told.value.found == 'a start from which the model computes "twice"'


def test_a_start_may_be_set_together_with_what_the_model_computes_from_it(files):
    files.change("model.xml", "<cn>2</cn><ci>k1</ci>", "<cn>2</cn><ci>total</ci>")
    files.text["conditions.tsv"] = "conditionId|B|twice\ncalm|0|1\nlow|start|1\nhigh|2|3\n"
    assert files.read().conditions["high"].parameters["twice"] == 3
