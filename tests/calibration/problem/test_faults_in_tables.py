"""Everything that can be wrong with the files of a problem is one message with file, line and column."""

from __future__ import annotations

import pytest

from exotwin.errors import NotBuiltYet

P, C, S, M = "parameters.tsv", "conditions.tsv", "observables.tsv", "measurements.tsv"

# what is wrong: file, text, its replacement; line and column of the message, found, expected, nearest name
IN_TABLES = {
    # parameters
    "a scale that does not exist": (P, "log10|0.001", "log2|0.001", 2, "parameterScale", '"log2"', "lin, log", "log"),
    "no scale": (P, "log10|0.001", "|0.001", 2, "parameterScale", "an empty cell", "lin, log, log10", None),
    "text for a bound": (P, "log10|0.001", "log10|small", 2, "lowerBound", '"small"', "a number", None),
    "no bound": (P, "0.001|10|0.8", "0.001||0.8", 2, "upperBound", "an empty cell", "a number", None),
    "bounds that fall": (P, "0.001|10|0.8", "11|10|0.8", 2, "lowerBound", "11 with the upper bound 10", "below", None),
    "bounds that meet": (P, "0.001|10|0.8", "10|10|0.8", 2, "lowerBound", "10 with the upper", "estimate 0", None),
    "a bound of zero on a logarithmic scale": (P, "0.001|10|0.8", "0|10|0.8", 2, "lowerBound", "0", "above zero", None),
    "an infinite bound": (P, "0.001|10|0.8", "0.001|inf|0.8", 2, "upperBound", "an infinite bound", "finite", None),
    "text for a nominal value": (P, "|10|0.8|1", "|10|0,8|1", 2, "nominalValue", '"0,8"', "a number", None),
    "text for a bound of a fixed parameter": (P, "lin|||", "lin|low||", 7, "lowerBound", '"low"', "nothing", None),
    "no value of a fixed parameter": (P, "|0.5|0", "||0", 7, "nominalValue", "an empty cell", "the value", None),
    "an infinite fixed parameter": (P, "|0.5|0", "|inf|0", 7, "nominalValue", '"inf"', "the value", None),
    "neither estimated nor not": (P, "10|0.8|1", "10|0.8|2", 2, "estimate", '"2"', "0 or 1", None),
    "a parameter twice": (P, "gain_2", "gain_1", 5, "parameterId", '"gain_1", which stands', "one row", None),
    "a parameter without name": (P, "gain_2", "", 5, "parameterId", "an empty cell", "a name", None),
    "a parameter with a wrong name": (P, "gain_2", "2gain", 5, "parameterId", '"2gain"', "letters, digits", None),
    "a species in the parameter table": (
        P,
        "start|",
        "A|",
        8,
        "parameterId",
        "a state of the model",
        "condition",
        None,
    ),
    "an observable of the model": (
        P,
        "start|",
        "total|",
        8,
        "parameterId",
        "which the model computes",
        "condition",
        None,
    ),
    "an unknown prior": (P, "|normal|", "|normall|", 5, "objectivePriorType", '"normall"', "laplace", "normal"),
    "a prior without numbers": (P, "|normal|2;0.5", "|normal|", 5, "objectivePriorType", "without", "two", None),
    "a prior with one number": (P, "2;0.5", "2", 5, "objectivePriorParameters", '"2"', "two numbers", None),
    "a prior with text": (P, "2;0.5", "2;wide", 5, "objectivePriorParameters", '"2;wide"', "two numbers", None),
    "a prior without spread": (P, "2;0.5", "2;0", 5, "objectivePriorParameters", '"2;0"', "above zero", None),
    "a uniform prior that falls": (
        P,
        "normal|2;0.5",
        "uniform|2;1",
        5,
        "objectivePriorParameters",
        '"2;1"',
        "rise",
        None,
    ),
    # conditions
    "a condition twice": (C, "high|many", "low|many", 4, "conditionId", '"low", which stands', "one row", None),
    "a condition with a wrong name": (C, "high|many", "high-1|many", 4, "conditionId", '"high-1"', "letters", None),
    "a value that is no name": (C, "start|0.1", "strat|0.1", 3, "B", '"strat"', "a number", "start"),
    "an infinite value": (C, "start|0.1", "start|inf", 3, "k3", '"inf"', "a number", None),
    "a value that is a species": (C, "start|0.1", "A|0.1", 3, "B", '"A"', "a number", None),
    "a value that leads back": (C, "start|0.1", "start|k3", 3, "k3", "leads back", "another name", None),
    "a value that the model leaves open": (C, "start|0.1", "unknown|0.1", 3, "B", "has no value", "one that", None),
    "a column that names nothing": (C, "|k3|", "|k33|", 1, "k33", "does not have", "species or compartment", "k3"),
    "a column that a rule sets": (C, "|k3|", "|total|", 1, "total", "computes", "species or compartment", None),
    "a column that the parameter table has": (C, "|k3|", "|k1|", 1, "k1", "parameter table", "not both", None),
    "the name of a column twice": (C, "|k3|", "|B|", 1, "B", '"B" twice', "each column once", None),
    # observables
    "an observable twice": (S, "obs_B||B", "obs_A||B", 3, "observableId", '"obs_A", which stands', "one row", None),
    "an observable called as a species": (S, "obs_B||B", "A||B", 3, "observableId", '"A"', "neither the model", None),
    "no formula": (S, "obs_B||B", "obs_B||", 3, "observableFormula", "an empty cell", "a formula", None),
    "a formula that ends early": (S, "|B|", "|B +|", 3, "observableFormula", '"B +": ', "2 * A", None),
    "a function with too many arguments": (S, "|B|", "|sin(A, B)|", 3, "observableFormula", "number of", "2 * A", None),
    "a formula with a wrong sign": (S, "|B|", "|B ? 2|", 3, "observableFormula", '"B ? 2": ', "2 * A", None),
    "a function that does not exist": (S, "|B|", "|sine(B)|", 3, "observableFormula", '"sine(B)"', "2 * A", None),
    "a formula that is infinite": (S, "|B|", "|1 / 0|", 3, "observableFormula", '"1 / 0"', "a formula", None),
    "a formula with an unknown name": (S, "|B|", "|totl|", 3, "observableFormula", '"totl"', "of the model", "total"),
    "an observable in another's noise": (S, "|0.3|", "|obs_A|", 3, "noiseFormula", '"obs_A"', "of the model", "obs_B"),
    "another observable's placeholder": (
        *(S, "|B|", "|observableParameter1_obs_A|", 3, "observableFormula"),
        *('"observableParameter1_obs_A"', "of the model", None),
    ),
    "placeholders with a gap": (S, "noiseParameter2", "noiseParameter3", 2, "noiseFormula", "3_obs_A", "gaps", None),
    "no noise": (S, "|B|0.3", "|B|", 3, "noiseFormula", "an empty cell", "a formula, or a number", None),
    "noise of zero": (S, "|B|0.3", "|B|0", 3, "noiseFormula", '"0", which is 0', "above zero", None),
    "noise below zero": (S, "|B|0.3", "|B|-0.3", 3, "noiseFormula", "which is -0.3", "above zero", None),
    "noise of a fixed parameter below zero": (
        S,
        "|0.3|",
        "|-shift|",
        3,
        "noiseFormula",
        "which is -0.5",
        "above",
        None,
    ),
    "an unknown transformation": (S, "log10", "log2", 3, "observableTransformation", '"log2"', "lin, log", "log"),
    "an unknown distribution": (S, "laplace", "laplac", 2, "noiseDistribution", '"laplac"', "normal", "laplace"),
    # measurements
    "an observable that does not exist": (M, "obs_B|", "obs_b|", 4, "observableId", '"obs_b"', "observable", "obs_B"),
    "a condition that does not exist": (M, "|high|", "|hihg|", 3, "simulationConditionId", '"hihg"', "table", "high"),
    "no condition": (M, "|high|", "||", 3, "simulationConditionId", "an empty cell", "a condition", None),
    "a condition before that does not exist": (
        *(M, "calm|high", "calms|high", 3, "preequilibrationConditionId"),
        *('"calms"', "a condition of", "calm"),
    ),
    "a value that is text": (M, "|0.7|", "|0.7 nM|", 2, "measurement", '"0.7 nM"', "a measured value", None),
    "a value that is missing": (M, "|0.7|", "|NaN|", 2, "measurement", "an empty cell", "a measured value", None),
    "a value that is infinite": (M, "|0.7|", "|-inf|", 2, "measurement", '"-inf"', "a measured value", None),
    "a value of zero on a logarithmic scale": (M, "|0.4|", "|0|", 4, "measurement", "0", "above zero", None),
    "a time that is text": (M, "|0.1|10|", "|0.1|10 h|", 3, "time", '"10 h"', "zero or more", None),
    "a time that is missing": (M, "|0.1|10|", "|0.1||", 3, "time", "an empty cell", "zero or more", None),
    "a time before the start": (M, "|0.1|10|", "|0.1|-1|", 3, "time", "-1", "zero or more", None),
    "a time before all times": (M, "|0.1|10|", "|0.1|-inf|", 3, "time", "-inf", "zero or more", None),
    "too few values for a formula": (M, "|gain_1|", "||", 2, "observableParameters", "no value", "one value", None),
    "too many values for a formula": (
        *(M, "|gain_1|", "|gain_1;2|", 2, "observableParameters"),
        *('2 values: "gain_1;2"', "one value for obs_A: observableParameter1_obs_A", None),
    ),
    "too few values for noise": (M, "|sd_A;1|", "|sd_A|", 2, "noiseParameters", "one value", "2 values", None),
    "values for a formula that takes none": (
        M,
        "1e1|||",
        "1e1|1||",
        4,
        "observableParameters",
        "one",
        "no place",
        None,
    ),
    "a value for noise that is no name": (M, "sd_A;1", "sd_B;1", 2, "noiseParameters", '"sd_B"', "a number", "sd_A"),
    "a value for noise that is missing": (M, "sd_A;1", "sd_A;nan", 2, "noiseParameters", '"nan"', "a number", None),
    "an empty value among others": (M, "sd_A;1", "sd_A;", 2, "noiseParameters", '""', "a number", None),
    "noise of zero in a row": (M, "|0.2;shift|", "|0;0|", 3, "noiseParameters", "noise of 0", "above zero", None),
    "noise below zero in a row": (
        M,
        "|0.2;shift|",
        "|-1;shift|",
        3,
        "noiseParameters",
        "noise of -0.95",
        "above",
        None,
    ),
    # tables
    "a row with too many cells": (M, "|third", "|third|3|4", 4, None, "10 cells", "8: observableId", None),
    "a row with too few cells": (
        M,
        "obs_B||low|0.4|1e1|||third",
        "obs_B||low",
        4,
        "measurement",
        "3 cells",
        "8: ",
        None,
    ),
    "a quote without its pair": (M, "|third", '|"third', 4, None, "runs over lines", "in pairs", None),
    "a required column that is missing": (M, "|time|", "|hour|", 1, None, "the columns", 'a column "time"', None),
    "a required column that is misspelled": (
        P,
        "|estimate|",
        "|estimated|",
        1,
        None,
        "the columns",
        '"est',
        "estimated",
    ),
    "a column without name": (M, "|record", "|", 1, None, "no name for column 8", "a name", None),
}


@pytest.mark.parametrize("fault", IN_TABLES)
def test_what_is_wrong_in_a_table_is_told_with_file_line_and_column(files, fault):
    name, old, new, line, column, found, expected, near = IN_TABLES[fault]
    told = files.change(name, old, new).fault()
    assert told.where == files.place(name, line, column)
    assert found in told.found
    assert expected in told.expected
    assert told.nearest == near


def test_a_parameter_that_nothing_depends_on_is_refused(files):
    files.text[P] += "idle||lin|0|1|0.5|1\n"
    told = files.fault()
    assert told.where == files.place(P, 9, "parameterId")
    assert told.found == '"idle"'


def test_a_name_spelled_in_two_ways_is_told_where_it_is_used(files):
    told = files.change(P, "start|", "started|").fault()
    assert told.where == files.place(C, 3, "B")
    assert (told.found, told.nearest) == ('"start"', "started")


def test_a_parameter_table_without_estimates_is_refused(files):
    lines = files.text[P].strip().split("\n")
    files.text[P] = "\n".join([lines[0], *("|".join([*line.split("|")[:5], "1", "0"]) for line in lines[1:])])
    assert files.fault().found == "no parameter with estimate 1"


def test_a_fixed_parameter_needs_the_column_of_its_value(files):
    told = files.change(P, "nominalValue", "value").fault()
    assert told.where == files.place(P, 7, "estimate")
    assert "a column nominalValue" in told.expected


def test_what_only_formulas_name_needs_a_value_where_it_is_measured(files):
    files.change(C, "|k3|", "|extra|").change(S, "B|0.3", "B + extra|0.3").change(C, "start|0.1", "start|")
    told = files.fault()
    assert told.where == files.place(C, 3, "extra")
    assert told.found == "an empty cell"


def test_the_value_of_a_parameter_that_the_model_computes_is_refused(files):
    told = files.change(C, "start|0.1", "twice|0.1").fault(NotBuiltYet)
    assert told.where == files.place(C, 3, "B")
    assert "which the model computes" in told.found


def test_a_steady_state_has_no_time_that_formulas_could_name(files):
    told = files.change(S, "|total|", "|total + time|").fault()
    assert told.where == files.place(M, 5, "time")
    assert "obs_total names the time" in told.expected


def test_rows_are_counted_as_an_editor_counts_them(files):
    files.change(M, "obs_B||low", "\n\nobs_B||lowest")
    assert files.fault().where == files.place(M, 6, "simulationConditionId")


def test_the_file_of_a_row_is_named_where_tables_are_in_several_files(files):
    files.text["more.tsv"] = "time|measurement|simulationConditionId|observableId\n2|0.3|high|obs_C\n"
    files.change("problem.yaml", "[measurements.tsv]", "[measurements.tsv, more.tsv]")
    assert files.fault().where == files.place("more.tsv", 2, "observableId")
