from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from exotwin.product import Product
from exotwin.product.example import write_example
from exotwin.product.fcs import read_fcs

SHIPPED = Path(str(files("exotwin"))) / "examples" / "umbilical"


@pytest.fixture(scope="module")
def umbilical() -> Product:
    return Product.from_toml(SHIPPED / "product.toml")


def test_the_shipped_files_are_those_that_the_generator_writes(tmp_path: Path) -> None:
    written = write_example(tmp_path)
    names = {str(p.relative_to(tmp_path)) for p in written}
    assert names == {str(p.relative_to(SHIPPED)) for p in SHIPPED.rglob("*") if p.is_file()}
    for path in written:
        assert path.read_bytes() == (SHIPPED / path.relative_to(tmp_path)).read_bytes(), path.name


def test_every_shipped_file_says_inside_that_it_is_synthetic() -> None:
    shipped = [p for p in SHIPPED.rglob("*") if p.is_file()]
    assert len(shipped) == 7
    assert all(b"SYNTHETIC" in p.read_bytes()[:2000] for p in shipped)
    assert sum(p.stat().st_size for p in shipped) < 1_500_000


def test_the_shipped_tubes_need_no_repair() -> None:
    for path in (SHIPPED / "cells").glob("*.fcs"):
        assert read_fcs(path).remarks == ()


def test_the_example_lot_meets_isct_by_its_own_tubes(umbilical: Product) -> None:
    assert umbilical.verdict("ISCT 2006").outcome == "met"
    assert umbilical.cells is not None
    shares = {m.marker: m.positive.value for m in umbilical.cells.markers}
    assert set(shares) == {"CD73", "CD90", "CD105", "CD45", "CD34", "CD14", "CD19", "HLA-DR"}
    # what the generator put in, within the sampling of some 3500 cells (4 SE) and the 1 % that the control leaves
    assert shares["CD73"] == pytest.approx(0.98965, abs=0.008)
    assert shares["CD90"] == pytest.approx(0.9775, abs=0.011)
    assert all(shares[m] < 0.02 for m in ("CD45", "CD34", "CD14", "CD19", "HLA-DR"))


def test_the_example_vesicles_look_like_the_records_that_they_follow(umbilical: Product) -> None:
    vesicles = umbilical.vesicles
    assert vesicles is not None
    size = vesicles.size
    assert size.n_captures == 5
    assert size.reported["mode"] == pytest.approx(100, abs=6)  # bm-msc-sev-nta: 109 ± 6
    assert vesicles.fraction_30_150.value == pytest.approx(0.9, abs=0.03)  # nta-share-30-150
    assert 0.07 < size.cv < 0.17  # nta-capture-cv
    for name in ("d10", "d50", "d90"):
        assert size.reported[name] == pytest.approx(getattr(size, name), abs=2)


def test_the_example_cargo_follows_its_records(umbilical: Product) -> None:
    assert umbilical.vesicles is not None
    cargo = umbilical.vesicles.cargo
    assert cargo is not None
    assert len(cargo.mediators) >= 300
    assert len(cargo.samples) == 3
    assert cargo.n_reads > 3e6
    assert cargo.unknown == ()
    # bm-msc-ev-mirna-percent, bm-msc-ev-mirna-rare: three samples that scatter by 12 % each
    for name, percent in (("miR-22-3p", 0.816), ("miR-29a-3p", 0.623), ("miR-100-5p", 0.281), ("miR-155-5p", 0.0071)):
        assert cargo.mediators[name].share * 100 == pytest.approx(percent, rel=0.35), name
    ranked = sorted((m.share for m in cargo.mediators.values()), reverse=True)
    assert sum(ranked[:12]) == pytest.approx(0.69, abs=0.05)  # msc-ev-mirna-concentration


def test_the_example_is_remarked_as_synthetic_first_and_as_nothing_else(umbilical: Product) -> None:
    assert umbilical.synthetic
    assert len(umbilical.remarks) == 1
    assert umbilical.remarks[0].startswith("SYNTHETIC")
