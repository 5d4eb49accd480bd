"""Tables of protein amounts: one number of molecules a particle from every way in which laboratories relate them."""

from __future__ import annotations

import csv
import math
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exotwin.errors import ProductError
from exotwin.product import Product, ProteinCopies
from exotwin.product.proteins import AVOGADRO, Vial, molecules_per_particle, read_proteins

VIAL = Vial(particles_per_mL=4e10, protein_ug_per_mL=10.0, diameter_nm=110.0, protein_at="vesicles.protein")
REAL = [
    "protein_areas_ev_vs_plasma_6runs.csv",
    "protein_groups_maxquant_breast_line_exosomes_12runs.csv",
    "protein_log2_sec_fractions_vesicles_9runs.csv",
    "vesiclepedia_uniprot_accessions_2024-07-12.csv",
    "ev_preparation_quality_by_method.csv",
    "mirna_qpcr_ct_human_serum_exosomes.csv",
    "mirna_counts_blood_exosomes_healthy_26samples.csv",
]


def per_particle(amount: float, unit: str, mass_kDa: float = 27.7, vial: Vial = VIAL) -> float:
    return molecules_per_particle(amount, unit, mass_kDa=mass_kDa, vial=vial, where="proteins.csv, line 2, unit")


def table(tmp_path: Path, *rows: str, head: str = "protein,amount,unit,where", name: str = "proteins.csv") -> Path:
    path = tmp_path / name
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def read(tmp_path: Path, *rows: str, head: str = "protein,amount,unit,where") -> dict[str, ProteinCopies]:
    proteins, _ = read_proteins(table(tmp_path, *rows, head=head), name="proteins.csv", vial=VIAL)
    return {entry.name: entry for entry in proteins.entries}


def refused(tmp_path: Path, *rows: str, head: str = "protein,amount,unit,where", vial: Vial = VIAL) -> ProductError:
    with pytest.raises(ProductError) as fault:
        read_proteins(table(tmp_path, *rows, head=head), name="proteins.csv", vial=vial)
    return fault.value


@settings(max_examples=60)
@given(
    copies=st.floats(1e-6, 1e4),
    mass=st.floats(1, 500),
    particles=st.floats(1e6, 1e13),
    protein=st.floats(0.1, 1e5),
)
def test_the_same_molecules_come_back_from_every_unit(
    copies: float, mass: float, particles: float, protein: float
) -> None:
    vial = Vial(particles, protein, 110.0, "vesicles.protein")
    grams_per_mL = copies * particles * mass * 1e3 / 6.02214076e23
    written = {
        "copies/particle": copies,
        "molecules per 1e9 EVs": copies * 1e9,
        "pg/1e9 particles": grams_per_mL * 1e12 / particles * 1e9,
        "ng per 10^10 particles": grams_per_mL * 1e9 / particles * 1e10,
        "fg / 2.5 x 10^6 vesicles": grams_per_mL * 1e15 / particles * 2.5e6,
        "pg/mL": grams_per_mL * 1e12,
        "µg/L": grams_per_mL * 1e6 * 1e3,
        "pg/µL": grams_per_mL * 1e12 / 1e3,
    }
    if grams_per_mL * 1e6 <= protein:
        written |= {
            "ng/ug": grams_per_mL * 1e9 / protein,
            "pg per ug EV protein": grams_per_mL * 1e12 / protein,
            "ng/mg total protein": grams_per_mL * 1e9 / (protein / 1e3),
        }
    found = {unit: per_particle(amount, unit, mass, vial) for unit, amount in written.items()}
    assert found == pytest.approx(dict.fromkeys(written, copies), rel=1e-9)


def test_neprilysin_by_hand() -> None:
    """0.3 ng/ug protein (adsc-exo-neprilysin-katsuda2013) of 85.5 kDa, at 4e10 particles and 10 ug in a millilitre."""
    grams_per_particle = 0.3e-3 * 10e-6 / 4e10
    assert per_particle(0.3, "ng/ug", 85.5) == pytest.approx(grams_per_particle / 85.5e3 * 6.022e23, rel=1e-4)
    assert per_particle(0.3, "ng/ug", 85.5) == pytest.approx(0.53, abs=0.01)


@pytest.mark.parametrize(
    ("written", "symbol"),
    [
        ("VEGF", "VEGFA"),
        ("vegf-a", "VEGFA"),
        ("VEGF165", "VEGFA"),
        ("TSG-6", "TNFAIP6"),
        ("TIMP-1", "TIMP1"),
        ("uPA", "PLAU"),
        ("14-3-3ζ", "YWHAZ"),
        ("14-3-3 zeta", "YWHAZ"),
        ("P63104", "YWHAZ"),
        ("14-3-3ε", "14-3-3ε"),
        ("14-3-3", "14-3-3"),
        ("VEGFC", "VEGFC"),
    ],
)
def test_aliases_lead_to_the_gene_and_relatives_do_not(tmp_path: Path, written: str, symbol: str) -> None:
    assert list(read(tmp_path, f"{written},2,copies/particle,")) == [symbol]


def test_masses_are_those_of_a_search_engine_for_the_same_sequences(shared_data: Path) -> None:
    name = "protein_groups_maxquant_breast_line_exosomes_12runs.csv"
    with (shared_data / "cargo" / name).open(encoding="utf-8", newline="") as file:
        listed = {row["Gene names"]: float(row["Mol. weight [kDa]"]) for row in csv.DictReader(file)}
    own = tomllib.loads((files("exotwin.product") / "proteins.toml").read_text(encoding="utf-8"))
    both = {n: entry["mass_kDa"] for n, entry in own.items() if n in listed}
    assert set(both) == {"YWHAZ", "TIMP1", "PLAU"}
    assert both == pytest.approx({n: listed[n] for n in both}, abs=0.06)


def test_none_found_is_a_measurement_and_an_empty_cell_is_not(tmp_path: Path) -> None:
    rows = ["VEGFA,<3.9,pg/mL,surface", "TIMP1,nd,ng/mL,", "PLAU,0,ng/mL,", "YWHAZ,,ng/mL,", "TNFAIP6,NA,ng/mL,"]
    proteins, remarks = read_proteins(table(tmp_path, *rows), name="proteins.csv", vial=VIAL)
    found = {e.name: e for e in proteins.entries}
    assert set(found) == {"VEGFA", "TIMP1", "PLAU"}
    assert all(e.copies_per_vesicle == 0 for e in found.values())
    assert found["VEGFA"].limit == pytest.approx(3.9e-12 / 19.2e3 * AVOGADRO / VIAL.particles_per_mL, rel=1e-6)
    assert math.isnan(found["TIMP1"].limit)
    assert any("2 of 5 rows without an amount" in r and "YWHAZ, TNFAIP6" in r for r in remarks)
    assert any("none was found: VEGFA, TIMP1, PLAU" in r for r in remarks)


def test_unknown_proteins_are_kept_counted_and_shown(tmp_path: Path) -> None:
    rows = ["CD63,20,copies/particle,surface,", "FN1,120,ng/mL,,", "COL6A1,50,ng/mL,,108.5"]
    path = table(tmp_path, *rows, head="gene,value,units,location,Mol. weight [kDa]")
    proteins, remarks = read_proteins(path, name="proteins.csv", vial=VIAL)
    found = {e.name: e.copies_per_vesicle for e in proteins.entries}
    assert proteins.unknown == ("CD63", "FN1", "COL6A1")
    assert found["CD63"] == 20
    assert found["COL6A1"] == pytest.approx(50e-9 / 108.5e3 * AVOGADRO / 4e10, rel=1e-9)
    assert math.isnan(found["FN1"])
    assert any("chain's mass is not known" in r and r.endswith(": FN1") for r in remarks)


def test_one_protein_may_be_looked_for_in_two_places(tmp_path: Path) -> None:
    rows = ("VEGF,<3.9,pg/mL,surface", "VEGF,850,pg/mL,soluble")
    proteins, _ = read_proteins(table(tmp_path, *rows), name="proteins.csv", vial=VIAL)
    assert [(e.name, e.where, e.copies_per_vesicle > 0) for e in proteins.entries] == [
        ("VEGFA", "surface", False),
        ("VEGFA", "soluble", True),
    ]
    assert "VEGFA, surface, again" in str(refused(tmp_path, rows[0], "VEGF-A,1,pg/mL,surface"))


def test_more_than_a_particle_has_room_for_is_said(tmp_path: Path) -> None:
    """A ball of protein of 110 nm weighs 9.4e-16 g: 20 000 chains of 27.7 kDa."""
    _, tight = read_proteins(table(tmp_path, "YWHAZ,19000,copies/particle,lumen"), name="p", vial=VIAL)
    _, full = read_proteins(table(tmp_path, "YWHAZ,22000,copies/particle,lumen"), name="p", vial=VIAL)
    assert not tight
    assert "more than a particle of 110 nm has room for" in full[0]


@pytest.mark.parametrize("dressing", ["bom", "crlf", "tabs", "semicolons", "comments", "upper"])
def test_the_dress_of_a_table_does_not_matter(tmp_path: Path, dressing: str) -> None:
    plain = "protein,amount,unit,where\nTIMP1,12,pg/1e9 particles,surface\n"
    dressed = {
        "bom": "\ufeff" + plain,
        "crlf": plain.replace("\n", "\r\n"),
        "tabs": plain.replace(",", "\t"),
        "semicolons": plain.replace(",", ";"),
        "comments": "# ELISA of May\n" + plain,
        "upper": "PROTEIN,Amount,UNIT,Where\nTIMP-1,12,PG/1E9 PARTICLES,SURFACE\n",
    }[dressing]
    path = tmp_path / "proteins.csv"
    path.write_bytes(dressed.encode())
    proteins, _ = read_proteins(path, name="proteins.csv", vial=VIAL)
    (entry,) = proteins.entries
    assert (entry.name, entry.where) == ("TIMP1", "surface")
    assert entry.copies_per_vesicle == pytest.approx(12e-12 / 23.2e3 * AVOGADRO / 1e9, rel=1e-9)


@pytest.mark.parametrize(
    ("row", "wording"),
    [
        ("TIMP1,-3,ng/mL,", "a number of zero or more"),
        ('TIMP1,"1,5",ng/mL,', "a number of zero or more"),
        ("TIMP1,inf,ng/mL,", "a number of zero or more"),
        ("TIMP1,twelve,ng/mL,", '"twelve"'),
        ("TIMP1,12,IU/mL,", 'the unit "IU/mL"'),
        ("TIMP1,12,,", 'the unit ""'),
        ("TIMP1,12,pg/0 particles,", "above zero"),
        ("TIMP1,12,ng/1e9 cells,", "the unit"),
        ("TIMP1,1200,ng/ug,", "no more of one protein than there is"),
        ("TIMP1,1e308,mg/fl,", "the unit"),
        ("TIMP1,12,ng/mL,lumem", '"lumem"'),
        (",12,ng/mL,", "an empty cell"),
        ("TIMP1,12,ng/mL", "3 cells"),
        ("TIMP1,1e305,copies/1e-300 particles,", "the unit"),
    ],
)
def test_a_row_that_cannot_be_right_is_refused_with_its_line(tmp_path: Path, row: str, wording: str) -> None:
    said = str(refused(tmp_path, row))
    assert wording in said
    assert "proteins.csv, line 2" in said


def test_an_amount_per_protein_needs_the_protein_of_the_vial(tmp_path: Path) -> None:
    said = str(refused(tmp_path, "TIMP1,12,ng/ug,", vial=Vial(4e10, None, 110.0, "product.toml, vesicles.protein")))
    assert "product.toml, vesicles.protein" in said


@pytest.mark.parametrize("name", REAL)
def test_tables_of_other_kinds_are_refused(shared_data: Path, name: str) -> None:
    with pytest.raises(ProductError) as fault:
        read_proteins(shared_data / "cargo" / name, name=name, vial=VIAL)
    assert str(fault.value).count("expected") == 1
    assert any(word in str(fault.value) for word in ("no column", "run over lines", "fewer than two"))


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=400))
def test_noise_gives_a_table_or_a_message(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    path = tmp_path_factory.mktemp("noise") / "proteins.csv"
    path.write_bytes(b"protein,amount,unit\n" + body)
    said = ""
    try:
        proteins, _ = read_proteins(path, name="proteins.csv", vial=VIAL)
    except ProductError as fault:
        said = str(fault)
    assert "proteins.csv" in said if said else proteins.entries


def with_proteins(lot: Path, *rows: str) -> Product:
    table(lot.parent / "vesicles", *rows)
    text = lot.read_text(encoding="utf-8")
    lot.write_text(text.replace("[vesicles]\n", '[vesicles]\nproteins = "vesicles/proteins.csv"\n'), encoding="utf-8")
    return Product.from_toml(lot)


def test_a_product_shows_its_proteins_everywhere(lot: Path) -> None:
    product = with_proteins(lot, "TIMP1,12,pg/1e9 particles,surface", "VEGF,<3.9,pg/mL,", "CD63,20,copies/particle,")
    held = product.as_dict()["vesicles"]["proteins"]
    assert [e["name"] for e in held["entries"]] == ["TIMP1", "VEGFA", "CD63"]
    assert [p.name for p in product.proteins()] == ["TIMP1", "VEGFA", "CD63"]  # with a known effect first
    for shown in (product.summary(), product._repr_html_()):
        assert "TIMP1" in shown
        assert "12 pg/1e9 particles" in shown
        assert "none found, below" in shown
        assert "3 names, 1 of them without a known effect here" in shown
    assert any(f.kind == "protein amounts" and f.path == "vesicles/proteins.csv" for f in product.files)


def test_a_long_table_is_shown_by_its_first_rows_and_a_count(lot: Path) -> None:
    product = with_proteins(lot, *(f"P{k},{k},copies/particle," for k in range(1, 31)), "TIMP1,1,copies/particle,")
    assert [p.name for p in product.proteins()][:2] == ["TIMP1", "P30"]
    assert len(product.proteins()) == 31
    for shown in (product.summary(), product._repr_html_()):
        assert "and 23 more" in shown
        assert "P24" in shown
        assert "P23" not in shown.split("emarks")[0]


def test_a_product_without_such_a_table_says_nothing_of_proteins(lot: Path) -> None:
    product = Product.from_toml(lot)
    assert product.vesicles is not None
    assert product.vesicles.proteins is None
    assert product.proteins() == ()
    assert "<th" in product._repr_html_()
    assert ">protein</th>" not in product._repr_html_()
