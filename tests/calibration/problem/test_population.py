"""Our extension: problems whose conditions are simulated for a population."""

from __future__ import annotations

import math

import pytest

from exotwin.calibration.problem import Population, Simulation, Varied
from exotwin.errors import InputError, NotBuiltYet

EXTENSION = """
extensions:
  exotwin_population: {version: 1.0.0, required: true, individuals: 64, seed: 7, population_file: population.tsv}
"""
TABLE = """
parameterId|distribution|location|scale|lower|upper
k2|lognormal|median|spread||
k3|uniform|||0.1|0.3
cell|normal|2|shift|1|4
twice|beta|0.4|0.1||
"""


@pytest.fixture
def people(files):
    """The small problem for 64 individuals, one difference of two conditions among its observables."""
    files.text["problem.yaml"] += EXTENSION
    files.text["population.tsv"] = TABLE
    files.change("parameters.tsv", "k2||log|0.001|10|0.6|1", "median||log|0.001|10|0.6|1||\nspread||lin|0|2|0.3|1")
    files.text["conditions.tsv"] = "conditionId|B|level\ncalm|0|\nlow|start|3\nhigh|shift|start\n"
    files.change("observables.tsv", "noiseDistribution\n", "noiseDistribution|statistic\n")
    files.change("observables.tsv", "|laplace", "|laplace|mean").change("observables.tsv", "|log10|", "|log10||sd")
    return files.change("observables.tsv", "* total||normal", "* obs_total||normal|smd high")


def test_a_population_varies_parameters_by_numbers_and_estimated_ones(people):
    found = people.read().population
    assert isinstance(found, Population)
    assert (found.n, found.seed) == (64, 7)
    first, second, third, fourth = found.varied
    assert first == Varied("k2", "lognormal", "median", "spread")
    assert (second.name, second.distribution, second.low, second.high) == ("k3", "uniform", 0.1, 0.3)
    assert math.isnan(second.location)
    assert third == Varied("cell", "normal", 2.0, 0.5, 1.0, 4.0)
    assert fourth == Varied("twice", "beta", 0.4, 0.1)


def test_observables_of_a_population_are_statistics(people):
    assert [o.statistic for o in people.read().observables] == ["mean", "sd", "smd high"]


def test_what_a_difference_is_taken_from_is_simulated_too(people):
    people.change("measurements.tsv", "obs_A|calm|high|0.1|10|gain_2|0.2;shift|second\n", "")
    people.change("parameters.tsv", "gain_2||lin|0|10||1|normal|2;0.5\n", "")
    assert people.read().simulations == (Simulation("low", "calm"), Simulation("low"), Simulation("high", "calm"))


def test_petabs_own_schema_takes_the_extension(people):
    from petab.v1 import Problem
    from petab.v1.yaml import load_yaml, validate_yaml_syntax

    path = people.write()
    validate_yaml_syntax(load_yaml(path))
    assert Problem.from_yaml(path).extensions_config["exotwin_population"]["individuals"] == 64


def test_the_digest_depends_on_the_population(people):
    first = people.read().digest
    people.change("problem.yaml", "seed: 7", "seed: 8")
    second = people.read().digest
    assert people.change("population.tsv", "0.1|0.3", "0.1|0.4").read().digest not in (first, second)
    assert first != second


FAULTS = {
    "a parameter that the model does not have": ("k3|uniform", "k4|uniform", 3, "parameterId", '"k4"', "k3"),
    "a state": ("k3|uniform", "A|uniform", 3, "parameterId", '"A"', None),
    "a parameter twice": ("k3|uniform", "k2|uniform", 3, "parameterId", '"k2", which stands', None),
    "a parameter of the parameter table": ("k3|uniform", "k1|uniform", 3, "parameterId", "parameter table sets", None),
    "what the condition table sets": ("k3|uniform", "level|uniform", 3, "parameterId", "condition table sets", None),
    "an unknown distribution": ("lognormal", "log-normal", 2, "distribution", '"log-normal"', "lognormal"),
    "no distribution": ("lognormal", "", 2, "distribution", "an empty cell", None),
    "no location": ("|median|", "||", 2, "location", "an empty cell", None),
    "an unknown location": ("|median|", "|medain|", 2, "location", '"medain"', "median"),
    "a location outside the limits": ("|2|shift|1", "|0.5|shift|1", 4, "location", "0.5 with the limits 1 and 4", None),
    "an estimated centre with limits": ("|2|shift|1", "|start|shift|1", 4, "location", 'parameter "start"', None),
    "an estimated spread of a beta distribution": ("0.4|0.1", "0.4|spread", 5, "scale", 'parameter "spread"', None),
    "a median that may be zero": ("|median|", "|start|", 2, "location", "0", None),
    "no spread": ("|2|shift|1", "|2|0|1", 4, "scale", "0", None),
    "a mean above one": ("0.4|0.1", "1.4|0.1", 5, "location", "1.4", None),
    "a spread that no beta distribution has": ("0.4|0.1", "0.4|0.5", 5, "scale", "0.5", None),
    "a location of a range": ("uniform|||0.1", "uniform|0.2||0.1", 3, "location", '"0.2"', None),
    "a range that falls": ("0.1|0.3", "0.3|0.1", 3, "lower", "0.3 with the upper end 0.1", None),
    "a range without end": ("0.1|0.3", "0.1|", 3, "upper", "an empty cell", None),
    "a logarithmic range from zero": ("uniform|||0.1", "loguniform|||0", 3, "lower", "0 with the upper", None),
    "an unknown column": ("|scale|", "|spread|", 1, "spread", 'the column "spread"', None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_in_a_population_table_is_told_with_file_line_and_column(people, fault):
    old, new, line, column, found, near = FAULTS[fault]
    told = people.change("population.tsv", old, new).fault()
    assert told.where == people.place("population.tsv", line, column)
    assert found in told.found
    assert told.nearest == near


@pytest.mark.parametrize(
    ("old", "new", "key", "found"),
    [
        ("individuals: 64", "individuals: 1", ".individuals", "1"),
        ("individuals: 64", "individuals: many", ".individuals", "'many'"),
        ("seed: 7", "seed: -1", ".seed", "-1"),
        ("seed: 7", "sede: 7", ".sede", 'the key "sede"'),
        ("seed: 7, ", "", "", 'no key "seed"'),
        ("population_file: population.tsv", "population_file: 3", ".population_file", "3"),
        ("version: 1.0.0", "version: 2.0.0", ".version", '"2.0.0"'),
    ],
)
def test_what_is_wrong_in_the_entry_of_the_extension_is_told_with_its_key(people, old, new, key, found):
    told = people.change("problem.yaml", old, new).fault(NotBuiltYet if key == ".version" else InputError)
    assert told.where == people.place("problem.yaml") + f", extensions.exotwin_population{key}"
    assert told.found == found


@pytest.mark.parametrize(
    ("statistic", "found", "near"),
    [
        ("", "no statistic, with a population", None),
        ("median", '"median"', None),
        ("mean high", '"mean high"', None),
        ("smd", '"smd"', None),
        ("smd hihg", '"hihg"', "high"),
    ],
)
def test_a_statistic_that_cannot_be_is_refused(people, statistic, found, near):
    told = people.change("observables.tsv", "smd high", statistic).fault()
    assert told.where == people.place("observables.tsv", 4, "statistic")
    assert (told.found, told.nearest) == (found, near)


def test_a_condition_is_not_compared_with_itself(people):
    told = people.change("observables.tsv", "smd high", "smd low").fault()
    assert told.where == people.place("measurements.tsv", 5, "simulationConditionId")
    assert told.found == '"low"'


def test_a_statistic_without_population_is_refused(files):
    files.change("observables.tsv", "noiseDistribution\n", "noiseDistribution|statistic\n")
    told = files.change("observables.tsv", "|laplace", "|laplace|mean").fault()
    assert told.where == files.place("observables.tsv", 2, "statistic")
    assert "the extension exotwin_population" in told.expected


def test_noise_that_names_what_each_individual_has_for_itself_is_refused(people):
    people.change("observables.tsv", "sd_A * obs_total", "sd_A * total")
    with pytest.raises(NotBuiltYet) as told:
        people.read()
    assert told.value.where == people.place("observables.tsv", 4, "noiseFormula")
    assert told.value.found == '"total", which each individual has for itself'


def test_a_condition_cannot_stand_for_what_differs_between_individuals(people):
    people.change("conditions.tsv", "low|start|3", "low|start|k2")
    with pytest.raises(InputError) as told:
        people.read()
    assert told.value.where == people.place("population.tsv", 2, "parameterId")
    assert told.value.found == '"k2", which a cell of the condition table names'
