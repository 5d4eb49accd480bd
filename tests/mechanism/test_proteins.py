"""What of a product's protein comes to where it acts, and what is said of the rest."""

from __future__ import annotations

import math

import pytest
from lots import copies, lot, protein

from exotwin.biology import assemble
from exotwin.errors import MechanismError
from exotwin.evidence import record
from exotwin.mechanism import edges, mechanism_of, plausibility, proteins_of, proteins_unmeasured, sites
from exotwin.mechanism.plausibility import NEEDED_OF_PROTEIN
from exotwin.mechanism.proteins import SHARE_LOG10_SD, SHARE_UNKNOWN, site

OVARY = ["granulosa_apoptosis", "primordial_activation", "angiogenesis", "antioxidant_defence"]
SECRETION = ["sasp_secretion"]


def carried(product, name="VEGFA", processes=OVARY):
    return mechanism_of(product, [name], processes)


def test_the_sites_of_the_table_are_those_that_its_records_name():
    assert sites()["YWHAZ"] == "inside"
    assert "14-3-3zeta" in record("huc-exo-14-3-3-sirt1").what
    assert sites()["VEGFA"] == "outside"
    assert "VEGFR2" in record("pdmsc-ovx-rat-vegf").what
    with pytest.raises(MechanismError, match="VEGFA"):
        site("VEGFB")


@pytest.mark.parametrize(
    ("name", "where", "share"),
    [
        ("VEGFA", "surface", 1.0),
        ("VEGFA", "not stated", SHARE_UNKNOWN),
        ("VEGFA", "soluble", None),
        ("VEGFA", "lumen", None),
        ("YWHAZ", "lumen", 1.0),
        ("YWHAZ", "not stated", SHARE_UNKNOWN),
        ("YWHAZ", "surface", None),
        ("YWHAZ", "soluble", None),
    ],
)
def test_only_protein_at_its_place_on_the_vesicle_comes_to_its_site(name, where, share):
    found = carried(lot(proteins=(protein(name, 6.0, where),)), name)
    if share is None:
        assert dict(found.copies_per_vesicle) == dict(found.gains) == {}
        (said,) = (r for r in found.remarks if r.startswith(name))
        assert "does not come with the vesicles to where it acts" in said
        assert "was not measured" in said
        assert found.unmeasured == (name,)
    else:
        brought = found.copies_per_vesicle[name]
        assert brought.copies_per_vesicle == pytest.approx(6 * share)
        assert brought.log10_sd == pytest.approx(math.hypot(0.3, 0 if share == 1 else SHARE_LOG10_SD))
        assert (name, "angiogenesis" if name == "VEGFA" else "antioxidant_defence") in found.gains
        assert found.unmeasured == ()


def test_a_row_that_states_its_place_wins_over_one_that_does_not():
    both = (protein("VEGFA", 100.0, "not stated"), protein("VEGFA", 2.0, "surface"))
    assert carried(lot(proteins=both)).copies_per_vesicle["VEGFA"].copies_per_vesicle == 2.0
    none = (protein("VEGFA", 100.0, "not stated"), protein("VEGFA", 0.0, "surface"))
    assert dict(carried(lot(proteins=none)).copies_per_vesicle) == {}


def test_vesicles_without_vegf_beside_a_fluid_with_it_are_told_as_the_record_found_them():
    """ev-null-secretome-does-it: soluble VEGF acts, vesicles hold none."""
    assert record("ev-null-secretome-does-it").value["VEGF_in_EV"] == 0
    product = lot(proteins=(protein("VEGFA", 0.0, "surface"), protein("VEGFA", 3.0, "soluble")))
    found = carried(product)
    assert dict(found.gains) == {}
    assert found.unmeasured == ()
    (said,) = (r for r in found.remarks if r.startswith("VEGFA"))
    assert "none found on the surface" in said
    assert "it is in the fluid, and does not come with the vesicles" in said
    assert proteins_of([product], OVARY) == {}


def test_a_protein_without_a_row_is_not_measured_and_not_zero():
    product = lot(proteins=(protein("YWHAZ", 5.0, "lumen"),))
    assert proteins_unmeasured(product, OVARY) == ("VEGFA",)
    assert proteins_unmeasured(lot(), OVARY) == ("YWHAZ", "VEGFA")
    assert carried(product).unmeasured == ("VEGFA",)


def test_a_mass_without_the_mass_of_its_chain_says_nothing():
    found = carried(lot(proteins=(protein("VEGFA", math.nan, "surface"),)))
    assert dict(found.gains) == {}
    assert found.unmeasured == ("VEGFA",)


def test_only_proteins_that_move_a_process_of_the_condition_are_asked_for():
    held = (protein("VEGFA"), protein("TIMP1"), protein("CD63"))
    assert proteins_of([lot(), lot(proteins=held)], OVARY) == {"VEGFA": "outside"}
    assert proteins_of([lot(proteins=held)], SECRETION) == {"TIMP1": "outside"}
    assert proteins_of([lot(proteins=held)], []) == {}
    moved = {e.process for e in edges() if e.mediator in sites()}
    assert set(sites()) == set(proteins_of([lot(proteins=tuple(map(protein_anywhere, sites())))], moved))


def protein_anywhere(name):
    return protein(name, 1.0, "not stated")


def test_proteins_are_held_against_what_the_tables_of_the_model_say_is_needed():
    """What takes half of the activity that a cell leaves: own level and level of half activity together."""
    model = assemble("poi", "human", proteins={"VEGFA": "outside", "YWHAZ": "inside"})
    for name, acts in (("vegfa", "outside"), ("ywhaz", "inside")):
        half, over = (model.parameters[f"{n}_{name}"].value for n in ("half_copies", "own_over_half"))
        assert pytest.approx(half * (1 + over)) == NEEDED_OF_PROTEIN[acts]


def test_a_protein_is_judged_beside_the_mirna_with_its_own_need():
    product = lot(copies("miR-21-5p"), proteins=(protein("VEGFA"),))
    mechanism = mechanism_of(product, ["miR-21-5p", "VEGFA"], OVARY)
    rna, vegf = plausibility(mechanism, {"miR-21-5p": 5e3, "VEGFA": 5e3})
    assert (rna.needed, vegf.needed) == (1000, NEEDED_OF_PROTEIN["outside"])
    assert (rna.plain, vegf.plain) == ("plausible", "implausible at this dose")
    assert math.isnan(vegf.own_supply_minutes)
    assert vegf.records == ()
    assert "assumed" in vegf.note
    assert "VEGFA" in mechanism._repr_html_()
