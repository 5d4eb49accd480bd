"""Tissues of species/tissues.csv: what a condition names it gets, and no other."""

from __future__ import annotations

import pytest

from exotwin import evidence
from exotwin.biology import SHIPPED, assemble, read_parameters
from exotwin.errors import BiologyError

TISSUES = ("ovary", "brain", "artery", "heart", "marrow", "skin", "muscle")
SPECIES = ("human", "mouse", "rat")


def _with_tissues(root, tissues):
    page = root / "conditions" / "toy.toml"
    text = page.read_text(encoding="utf-8")
    listed = ", ".join(f'"{t}"' for t in tissues)
    page.write_text(text.replace('target = "ovary"', f'target = "ovary"\ntissues = [{listed}]'), encoding="utf-8")


@pytest.mark.parametrize("species", SPECIES)
def test_every_tissue_has_the_same_numbers_in_every_species(species):
    rows = read_parameters(SHIPPED / "species" / "tissues.csv", species)
    kinds = {t: {n.removeprefix(f"{t}_") for n in rows if n.startswith(f"{t}_")} for t in TISSUES}
    assert {n.split("_")[0] for n in rows} == set(TISSUES)
    common = {"mass_reference", "perfusion", "cells_per_g", "extraction", "sinusoids", "interstitial", "residence"}
    for tissue, found in kinds.items():
        assert found >= common
        assert all(kind.startswith(("nose", "surface", "spicule")) for kind in found - common), tissue


def test_a_condition_gets_the_tissues_that_it_names_and_their_routes(toy_root):
    alone = assemble("toy", "mouse", root=toy_root)
    _with_tissues(toy_root, ("ovary", "brain"))
    both = assemble("toy", "mouse", root=toy_root)
    assert (alone.target, alone.tissues, both.tissues) == ("ovary", ("ovary",), ("ovary", "brain"))
    assert {"vesicles_brain", "vesicles_depot_brain", "vesicles_nose", "cells_brain"} <= set(both.states)
    assert not [s for s in alone.states if "brain" in s or "nose" in s or "skin" in s]
    assert "brain_nose_share" in both.parameters
    assert not [p for p in both.parameters if "skin" in p]


def test_a_tissue_of_which_nothing_is_known_is_refused_with_the_nearest(toy_root):
    _with_tissues(toy_root, ("ovary", "brian"))
    with pytest.raises(BiologyError, match='nearest   "brain"'):
        assemble("toy", "mouse", root=toy_root)


def test_a_row_with_the_id_takes_the_place_of_the_repeated_one(toy_root):
    _with_tissues(toy_root, ("ovary", "brain"))
    module, table = (toy_root / "conditions" / f"toy.{kind}" for kind in ("ant", "csv"))
    block = "  // per tissue\n  fading_tissue := rate_tissue; fading_tissue has per_day;\n  // end per tissue\nend"
    module.write_text(module.read_text(encoding="utf-8").replace("end", block), encoding="utf-8")
    row = "{}, {}, 1/day, , fixed, fixed, all, assumed, , , toy\n"
    rows = row.format("rate_tissue", 1) + row.format("rate_target", 2)
    table.write_text(table.read_text(encoding="utf-8") + rows, encoding="utf-8")
    found = assemble("toy", "mouse", root=toy_root).parameters
    assert (found["rate_ovary"].value, found["rate_brain"].value) == (2.0, 1.0)


@pytest.mark.parametrize("species", SPECIES)
@pytest.mark.parametrize("tissue", ["brain", "skin", "muscle"])
def test_flows_and_masses_are_those_of_the_tables_at_the_reference_weight(run, species, tissue):
    model = assemble("healthy", species, modules=("physiology", "vesicles"))
    k = SPECIES.index(species)
    weight = evidence.record("phys-general").value["reference_BW_kg"][k]
    found = run(model, [0], [f"{tissue}_flow", f"{tissue}_mass"], body_weight=weight)
    volume = evidence.record("phys-vol-per-kg").value[tissue][k] * weight * 1000
    flow = evidence.record("phys-flow-allometric").value[tissue][k] * weight**0.75
    assert found[f"{tissue}_mass"][0] == pytest.approx(volume, rel=1e-3)  # the table has four digits
    assert found[f"{tissue}_flow"][0] / 1440 == pytest.approx(flow, rel=1e-3)


@pytest.mark.parametrize("species", SPECIES)
def test_what_is_left_for_the_rest_of_the_body_stays_above_zero_at_any_weight(run, species):
    model = assemble("healthy", species, modules=("physiology", "vesicles"))
    spread = model.parameters["body_weight"].spread
    extreme = {
        name: float(model.parameters[name].spread.quantile(0.999)) for name in ("ovary_perfusion", "artery_perfusion")
    }
    for weight in (spread.quantile(1e-4), spread.quantile(0.9999)):
        found = run(model, [0], ["rest_flow", "cardiac_output"], body_weight=float(weight), **extreme)
        assert found["rest_flow"][0] > 0.05 * found["cardiac_output"][0]
