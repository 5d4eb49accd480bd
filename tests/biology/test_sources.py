"""The numbers of a source of cells take the place of the model's own, and say where they come from."""

from __future__ import annotations

import pytest

from exotwin.biology import assemble
from exotwin.biology.sources import read_sources
from exotwin.errors import BiologyError

HEADER = "source, name, value, unit, spread, distribution, level, species, basis, record, spread_record, note\n"
TISSUES = {"umbilical cord", "bone marrow", "adipose", "dental pulp"}  # as product files call them


@pytest.fixture(scope="module")
def model():
    return assemble("healthy", "human")


def test_the_four_sources_of_a_product_are_known_in_every_species(model):
    assert set(model.sources) == TISSUES
    assert set(assemble("healthy", "mouse").sources) == TISSUES


def test_what_a_source_says_is_a_number_of_the_model_in_its_unit(model):
    for rows in model.sources.values():
        for name, row in rows.items():
            assert row.unit == model.parameters[name].unit
            assert row.basis != "input"


def test_marrow_is_what_the_model_itself_holds(model):
    for name, row in model.sources["bone marrow"].items():
        assert row.value == model.parameters[name].value
        assert row.spread == model.parameters[name].spread


def test_published_ranks_of_the_sources_are_kept(model):
    def value(source, name):
        return model.sources[source].get(name, model.parameters[name]).value

    clots = [value(s, "procoagulant") for s in ("bone marrow", "dental pulp", "adipose", "umbilical cord")]
    assert clots[0] < clots[1] < clots[2] == clots[3]  # msc-source-tissue-factor
    doubling = [value(s, "doubling_time") for s in ("umbilical cord", "dental pulp", "adipose", "bone marrow")]
    assert doubling == sorted(doubling)  # growth-by-source
    colonies = [value(s, "clonogenic_share") for s in ("umbilical cord", "adipose")]
    assert colonies == sorted(colonies)  # uc-ad-men-rank


def test_a_row_of_another_species_or_of_no_parameter_is_left_out(tmp_path):
    path = tmp_path / "sources.csv"
    row = "fat, {}, 2, day, , fixed, fixed, {}, assumed, , , a sentence\n"
    path.write_text(HEADER + row.format("doubling_time", "mouse") + row.format("unheard_of", "all"), encoding="utf-8")
    assert read_sources(path, "human", names={"doubling_time"}) == {}
    found = read_sources(path, "mouse", names={"doubling_time"})
    assert {s: {n: p.value for n, p in rows.items()} for s, rows in found.items()} == {"fat": {"doubling_time": 2.0}}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (", doubling_time, 2, day, , fixed, fixed, all, assumed, , , why\n", "nothing"),
        ("fat, doubling_time, 2, day, , fixed, fixed, all, assumed, , , why\n" * 2, "twice"),
        ("fat, doubling_time, 2, day, , fixed, fixed, all, measured, , , why\n", "without record"),
        ("fat, doubling_time, two, day, , fixed, fixed, all, assumed, , , why\n", '"two"'),
    ],
)
def test_a_wrong_row_is_refused_with_what_is_wrong(tmp_path, rows, said):
    path = tmp_path / "sources.csv"
    path.write_text(HEADER + rows, encoding="utf-8")
    with pytest.raises(BiologyError, match=said):
        read_sources(path, "human", names={"doubling_time"})
