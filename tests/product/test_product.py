from __future__ import annotations

import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from exotwin.errors import InputError, ProductError
from exotwin.product import Product

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same documents, ten times as fast
REAL = """
name = "real files of three unrelated samples"
source_tissue = "not stated"

[cells]
[[cells.tubes]]
file = "{data}/fcs/k562_cd298_apc.fcs"
control = "{data}/fcs/k562_isotype_apc.fcs"
markers = {{ CD298 = "640nm_670/30_APC-A" }}
gate = {{ FSC-A = [50000, 262143], SSC-A = [-1000, 262143] }}

[vesicles]
volume = "500 uL"
nta = {{ file = "{data}/nta/nanosight_nta33_emt1_d200-ExperimentSummary.csv", dilution = 200 }}
cargo = {{ counts = "{data}/cargo/mirna_counts_blood_exosomes_healthy_26samples.csv" }}
"""


@pytest.fixture
def real(shared_data: Path, tmp_path: Path) -> Product:
    path = tmp_path / "product.toml"
    path.write_text(REAL.format(data=shared_data))
    return Product.from_toml(path)


def spoil(lot: Path, old: str, new: str) -> Path:
    text = lot.read_text(encoding="utf-8")
    assert old in text
    lot.write_text(text.replace(old, new, 1), encoding="utf-8")
    return lot


def refusal(lot: Path) -> str:
    with pytest.raises(ProductError) as raised:
        Product.from_toml(lot)
    return str(raised.value)


def test_a_product_of_real_files_is_read_and_judged_honestly(real: Product) -> None:
    assert [v.outcome for v in real.verdicts] == ["cannot be judged"] * 3
    assert real.cells is not None
    reading = real.cells.markers[0]
    assert (reading.marker, reading.side, reading.n_cells) == ("CD298", "not asked for", 9154)
    assert reading.positive.value * 100 == pytest.approx(99.978, abs=0.001)
    assert reading.threshold == pytest.approx(542.774, rel=1e-5)
    assert real.vesicles is not None
    assert real.vesicles.particles_per_mL.value == pytest.approx(4.32e10, rel=0.01)
    assert real.vesicles.volume_mL == pytest.approx(0.5)
    assert real.vesicles.fraction_30_150.value == pytest.approx(0.91902, abs=1e-4)
    cargo = real.vesicles.cargo
    assert cargo is not None
    assert cargo.mediator("miR-21-5p").share == pytest.approx(0.0281, abs=1e-3)
    assert any("looks like serum or blood, not like MSC" in r for r in real.remarks)


def test_every_file_is_listed_with_the_hash_of_its_bytes(lot: Path) -> None:
    product = Product.from_toml(lot)
    assert product.files[0].path == "product.toml"
    assert len(product.files) == 7
    for file in product.files:
        assert file.sha256 == hashlib.sha256((lot.parent / file.path).read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("old", "new", "wording"),
    [
        ('name = "', 'title = "', 'found     the key "title"'),
        ("passage = 4", "pasage = 4", 'nearest   "passage"'),
        ("passage = 4", "passage = 4.5", "a whole number"),
        ("passage = 4", "passage = 4\ndonor_age = 30", 'such as donor_age = "30 years"'),
        ('volume = "1.5 mL"', 'volume = "1.5 mL"\nparticles_per_cell = 0', "such as particles_per_cell = 15000"),
        ("passage = 4", 'passage = "four"', "product.toml, cells.passage"),
        ('viability = "95 %"', "viability = 95", 'a share such as "96 %" or 0.96'),
        ("plastic_adherent = true", 'plastic_adherent = "yes"', "true or false"),
        ('"osteoblast"', '"osteoblasts"', 'nearest   "osteoblast"'),
        ('species = "human"', 'species = "humn"', 'nearest   "human"'),
        ('file = "cells/hladr_cd19.fcs"', 'file = "cells/hladr_cd9.fcs"', 'nearest   "hladr_cd19.fcs"'),
        ('CD19 = "APC-A"', 'CD19 = "APC-H"', 'nearest   "APC-A"'),
        ("markers = {", "marker = {", 'nearest   "markers"'),
        ('volume = "1.5 mL"', 'volume = "1.5 m"', "product.toml, vesicles.volume"),
        ('volume = "1.5 mL"', "volume = 1.5", 'such as volume = "1.5 mL"'),
        ('volume = "1.5 mL"', 'volume = "0 mL"', "an amount above zero"),
        ('protein = "10 ug/mL"', 'protein = "10 ug"', "vesicles.protein"),
        ("dilution = 1000", "", "dilution = 200 (or 1) under [vesicles.nta]"),
        ("dilution = 1000", "dilution = 0", "a number from 1"),
        ("dilution = 1000", "dilution = true", "a number from 1"),
        ("mirna_counts.csv", "mirna_count.csv", 'nearest   "mirna_counts.csv"'),
        ("vesicles/mirna_counts.csv", "vesicles/.", "a folder"),
        ("vesicles/mirna_counts.csv", "vesicles/\\u0000", "null byte"),
        ("cells/hladr_cd19.fcs", "cells/.", "a folder"),
        ("cells/hladr_cd19.fcs", f"cells/{'x' * 300}", "too long"),
        ("vesicles/nta-ExperimentSummary.csv", "vesicles/\\u0000", "null byte"),
        ('counts = "', 'samples = ["UC_EV_1", "UC_EV_1"]\ncounts = "', "each sample once"),
        ('volume = "1.5 mL"', 'volume = "1e999 mL"', "finite"),
        ('CD105 = "PE-A"', 'CD105 = "FITC-A"', "CD105 in FITC-A beside CD90 in FITC-A"),
        ('CD105 = "PE-A"', 'THY1 = "PE-A"', "CD90 in PE-A beside CD90 in FITC-A"),
        ('CD9 = "present"', 'CD9 = "yes"', "one of present, absent"),
        ("[vesicles.reported]", "[vesicles.report]", 'nearest   "reported"'),
        ('separation = "', 'seperation = "', 'nearest   "separation"'),
        ("[cells]", "[cells", "a TOML file"),
    ],
)
def test_a_wrong_entry_is_refused_with_its_place_and_the_nearest(lot: Path, old: str, new: str, wording: str) -> None:
    message = refusal(spoil(lot, old, new))
    assert wording in message
    assert "product.toml" in message or "cells/" in message or "vesicles/" in message


def test_a_product_of_nothing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "product.toml"
    path.write_text('name = "x"\nsource_tissue = "y"\n')
    assert "neither [cells] nor [vesicles]" in refusal(path)
    assert "no such file" in refusal(tmp_path / "produkt.toml")


def test_every_refusal_is_an_input_error_of_exit_code_2(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        Product.from_toml(tmp_path / "none.toml")
    assert raised.value.exit_code == 2


def test_the_donors_age_and_the_yield_of_a_cell_are_read_as_declared(lot: Path) -> None:
    bare = Product.from_toml(lot)
    assert bare.cells is not None
    assert bare.vesicles is not None
    assert (bare.cells.donor_age, bare.vesicles.particles_per_cell) == (None, None)
    declared = 'volume = "1.5 mL"\nparticles_per_cell = 15000'
    product = Product.from_toml(
        spoil(spoil(lot, "passage = 4", 'passage = 4\ndonor_age = "6 months"'), 'volume = "1.5 mL"', declared)
    )
    assert product.cells is not None
    assert product.vesicles is not None
    assert product.cells.donor_age == pytest.approx(0.5)
    assert product.vesicles.particles_per_cell == 15000
    assert "donor 0.5 years (declared)" in product.summary()
    assert "15000 particles per cell of the starting material" in product.summary()


def test_cells_alone_and_vesicles_alone_are_products(lot: Path) -> None:
    text = lot.read_text(encoding="utf-8")
    before, cells, after = re.split(r"(?=\[cells\])|(?=\[vesicles\])", text, maxsplit=2)
    lot.write_text(before + cells, encoding="utf-8")
    product = Product.from_toml(lot)
    assert product.vesicles is None
    assert [v.standard for v in product.verdicts] == ["ISCT 2006"]
    lot.write_text(before + after, encoding="utf-8")
    product = Product.from_toml(lot)
    assert product.cells is None
    assert product.verdict("ISCT 2006").outcome == "cannot be judged"
    assert product.verdict("MISEV2023").outcome == "met"


def test_gate_percentile_and_compensation_can_be_chosen(lot: Path) -> None:
    default = Product.from_toml(lot).cells
    path = lot.parent / "matrix.csv"
    path.write_text("FITC-A,PE-A\n1,0.9\n0,1\n")
    chosen = 'passage = 4\ngate = "none"\nthreshold_percentile = 99.9\ncompensation = "matrix.csv"'
    product = Product.from_toml(spoil(lot, "passage = 4", chosen))
    cells = product.cells
    assert default is not None
    assert cells is not None
    assert all(m.n_cells == m.n_events == 4000 for m in cells.markers)
    assert all("99.9th percentile" in m.positive.how and "matrix.csv" in m.positive.how for m in cells.markers)
    assert all(a.threshold != b.threshold for a, b in zip(cells.markers, default.markers, strict=True))
    assert "matrix.csv" in [f.path for f in product.files]


def test_no_compensation_lets_cd90_leak_into_the_pe_channel(lot: Path) -> None:
    swapped = spoil(lot, 'CD105 = "PE-A"', 'CD45 = "PE-A"')
    spoil(lot, 'file = "cells/cd90_cd105_cd73.fcs"', 'compensation = "none"\nfile = "cells/cd90_cd105_cd73.fcs"')
    product = Product.from_toml(swapped)
    assert any("PE-A is labelled CD105 in the file, and CD45 in product.toml" in r for r in product.remarks)
    assert product.cells is not None
    assert "not compensated" in product.cells.markers[0].positive.how


@pytest.mark.parametrize("gate", ['"cells"', "[1, 2]", "{ FSC-A = [2, 1] }", "{ FSC-A = 5 }", "{ FSC = [1, 2] }"])
def test_a_gate_that_is_none_is_refused(lot: Path, gate: str) -> None:
    message = refusal(spoil(lot, "passage = 4", f"passage = 4\ngate = {gate}"))
    assert "gate" in message or 'the channel "FSC"' in message


def test_a_defect_of_a_tube_reaches_the_remarks(lot: Path) -> None:
    tube = lot.parent / "cells/isotype.fcs"
    raw = tube.read_bytes()
    tube.write_bytes(raw[:26] + b" " * 16 + raw[42:])
    remarks = Product.from_toml(lot).remarks
    assert sum("cells/isotype.fcs: HEADER holds no offsets" in r for r in remarks) == 1


def test_a_tube_is_no_control_of_itself_under_any_name(lot: Path) -> None:
    # each marker would come out at 1 %, and every negative criterion would be met
    cells = lot.parent / "cells"
    (cells / "isotype.fcs").write_bytes((cells / "hladr_cd19.fcs").read_bytes())
    message = refusal(lot)
    assert "cells.tubes 3.control" in message
    assert "the events of the stained tube itself" in message


def test_a_small_control_is_remarked(lot: Path) -> None:
    gate = "{ FSC-A = [110000, 113000] }"
    remarks = Product.from_toml(spoil(lot, "passage = 4", f"passage = 4\ngate = {gate}")).remarks
    assert any(re.search(r"isotype.fcs: the threshold rests on \d+ control cells alone", r) for r in remarks)


def test_a_truncated_tube_refuses_the_product(lot: Path) -> None:
    tube = lot.parent / "cells/isotype.fcs"
    tube.write_bytes(tube.read_bytes()[:-1])
    assert "cells/isotype.fcs" in refusal(lot)


def test_mostly_large_particles_are_remarked(shared_data: Path, tmp_path: Path) -> None:
    path = tmp_path / "product.toml"
    nta = shared_data / "nta/nanosight_nta34_bacterial_mv_0h-ExperimentSummary.csv"
    path.write_text(f'name = "x"\nsource_tissue = "y"\n[vesicles]\nnta = {{ file = "{nta}", dilution = 1 }}\n')
    assert any("only 11% of particles lie between 30 and 150 nm" in r for r in Product.from_toml(path).remarks)


def test_the_dictionary_is_plain_json_with_the_verdicts(lot: Path) -> None:
    held = json.loads(json.dumps(Product.from_toml(lot).as_dict(), allow_nan=False))
    assert held["verdicts"][0]["outcome"] == "met"
    assert held["vesicles"]["cargo"]["mediators"]["miR-21-5p"]["measured"] is True
    assert held["vesicles"]["size"]["n_captures"] == 5


def test_summary_and_page_name_product_verdicts_and_remarks(lot: Path) -> None:
    spoil(lot, 'name = "', 'name = "<b>')
    product = Product.from_toml(lot)
    text, page = product.summary(), product._repr_html_()
    for shown in ("ISCT 2006", "MISEV2023", "Purity", "miR-21-5p", "CD105"):
        assert shown in text
        assert shown in page
    assert "(SYNTHETIC)" in repr(product)
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


def test_an_unknown_standard_is_answered_with_the_nearest(lot: Path) -> None:
    with pytest.raises(ProductError, match='nearest   "MISEV2023"'):
        Product.from_toml(lot).verdict("MISEV 2023")


def test_every_record_that_the_room_names_exists_and_was_seen(shared_data: Path, lot: Path) -> None:
    known: dict[str, Any] = {}
    for path in (shared_data.parent / "evidence").glob("*.yaml"):
        known |= {r["id"]: r for r in yaml.load(path.read_text(encoding="utf-8"), LOADER)}
    source = Path(str(files("exotwin.product")))
    text = "\n".join(p.read_text(encoding="utf-8") for p in source.rglob("*") if p.suffix in (".py", ".toml"))
    named = set(re.findall(r"[A-Za-z0-9_.]+(?:-[A-Za-z0-9_.]+)+", text)) & set(known)
    assert len(named) > 20
    assert [i for i in named if not known[i]["seen"]] == []
    product = Product.from_toml(lot)
    judged = {r for v in product.verdicts for c in v.criteria for r in c.records} | {
        r for v in product.verdicts for r in v.records
    }
    assert judged <= set(known)
    # ids in running text: words with hyphens in brackets behind the word "record" or on their own
    quoted = set(re.findall(r"records? ((?:[a-z0-9]+-)+[a-z0-9]+)", text))
    assert quoted <= set(known), quoted - set(known)
