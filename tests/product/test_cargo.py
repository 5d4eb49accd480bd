from __future__ import annotations

import re
from math import log, log10
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exotwin.errors import ProductError
from exotwin.product.cargo import BASIS, COPIES_MEDIAN, REFERENCE_SHARE, SHALLOW_READS, cargo_of
from exotwin.product.cargo_table import CountTable, read_counts
from exotwin.product.parts import Cargo

COUNT_TABLES = [
    "mirna_counts_cell_line_exosomes_31samples.csv",
    "mirna_counts_no_species_prefix_16samples.csv",
    "mirna_counts_blood_exosomes_healthy_26samples.csv",
    "mirna_counts_serum_exosomes_glioma_38samples.txt",
    "mirna_counts_msc_cells_12samples.csv",
    "mirna_counts_plasma_pool_protocols_64libraries.csv",
]


def table(rows: dict[str, list[float]]) -> CountTable:
    n = len(next(iter(rows.values())))
    return CountTable(tuple(rows), tuple(f"s{i}" for i in range(n)), np.array(list(rows.values()), dtype=float))


def cargo(rows: dict[str, list[float]], species: str = "human") -> tuple[Cargo, tuple[str, ...]]:
    return cargo_of(table(rows), species=species, where="counts.csv")


def real(shared_data: Path, name: str) -> tuple[CountTable, Cargo, tuple[str, ...]]:
    read = read_counts(shared_data / "cargo" / name, samples=None, species="human", name=name)
    return read, *cargo_of(read, species="human", where=name)


@pytest.mark.parametrize("name", COUNT_TABLES)
def test_a_count_table_reads_as_the_reference(shared_data: Path, readings: dict[str, Any], name: str) -> None:
    expected = readings[f"cargo/{name}"]
    read, counted, _ = real(shared_data, name)
    assert read.counts.shape == (expected["rows"], expected["samples"])
    assert read.counts.sum() == pytest.approx(expected["sum_of_counts"], rel=1e-9)
    per_sample = dict(zip(read.samples, read.counts.sum(axis=0), strict=True))
    assert per_sample == pytest.approx({k: float(v) for k, v in expected["sum_per_sample"].items()}, abs=0.02)
    for mirna in ("miR-21-5p", "miR-146a-5p", "miR-22-3p", "miR-100-5p"):
        row = read.counts[read.names.index(expected[mirna]["name"])]
        np.testing.assert_allclose(row, expected[mirna]["per_sample"], atol=0.01)
        assert counted.mediators[mirna].measured


@pytest.mark.parametrize(
    ("name", "wording"),
    [
        (COUNT_TABLES[0], "miR-101-3p holds 49% of all reads"),
        (
            "mirna_counts_cell_line_exosomes_31samples.csv",
            "miR-21-5p, miR-26a-5p, found in nearly every cell, are below",
        ),
        (
            "mirna_counts_cell_line_exosomes_31samples.csv",
            r"1 of 31 samples below 5000 reads: SRR8733334.count \(3753\)",
        ),
        ("mirna_counts_no_species_prefix_16samples.csv", "miR-6126 among the three leaders: a signal of probe assays"),
        ("mirna_counts_blood_exosomes_healthy_26samples.csv", "6 of 26 samples below 5000 reads"),
        ("mirna_counts_blood_exosomes_healthy_26samples.csv", "looks like serum or blood, not like MSC"),
        ("mirna_counts_plasma_pool_protocols_64libraries.csv", "80 rows left out, hairpin"),
    ],
)
def test_what_is_odd_in_a_real_table_is_remarked(shared_data: Path, name: str, wording: str) -> None:
    assert re.search(wording, "\n".join(real(shared_data, name)[2]))


def test_a_sane_table_of_msc_gives_no_remark(shared_data: Path) -> None:
    assert real(shared_data, "mirna_counts_msc_cells_12samples.csv")[2] == ()


@pytest.mark.parametrize(
    ("name", "wording"),
    [
        ("mirna_qpcr_ct_human_serum_exosomes.csv", r"a table of Ct \(Cq\) cycles, where less is more"),
        ("mirna_percent_bm_msc_ev_htg_edgeseq.csv", "percentages: rows that are left out"),
        ("ev_mirna_background.csv", "columns of logarithms"),
        ("protein_groups_maxquant_breast_line_exosomes_12runs.csv", "it looks like proteins or genes"),
        ("protein_log2_sec_fractions_vesicles_9runs.csv", "it looks like proteins or genes"),
        ("protein_areas_ev_vs_plasma_6runs.csv", "as in tables of proteins"),
        ("exocarta_protein_mrna_2024-06-18.csv.gz", "a binary file"),
        ("mirna_counts_msc_cells.csv", 'nearest   "mirna_counts_msc_cells_12samples.csv"'),
    ],
)
def test_a_table_of_another_kind_is_refused_by_name(shared_data: Path, name: str, wording: str) -> None:
    with pytest.raises(ProductError, match=wording):
        read_counts(shared_data / "cargo" / name, samples=None, species="human")


def test_the_constants_follow_from_their_records() -> None:
    # copies-per-exosome: a lognormal with mean 0.00825 and SD 0.02 has this median
    assert pytest.approx(0.00825 / np.sqrt(1 + (0.02 / 0.00825) ** 2)) == COPIES_MEDIAN
    # msc-ev-mirna-concentration: between 1 % and a twelfth of 69.15 %
    assert pytest.approx(np.sqrt(0.01 * 0.6915 / 12)) == REFERENCE_SHARE
    for record in ("copies-per-exosome", "msc-ev-mirna-concentration", "msc-ev-mirna-environment"):
        assert record in BASIS


def test_shares_and_copies_of_a_small_table_are_those_worked_by_hand() -> None:
    counted, remarks = cargo({"hsa-miR-21-5p": [2000, 5000], "hsa-miR-22-3p": [8000, 5000]})
    assert remarks[0].startswith("counts.csv: miR-22-3p holds 65%")
    mir = counted.mediators["miR-21-5p"]
    assert mir.share == pytest.approx(0.35)  # mean of 0.2 and 0.5: samples weigh alike, whatever their depth
    assert mir.copies_per_vesicle == pytest.approx(COPIES_MEDIAN * 0.35 / REFERENCE_SHARE)
    base = log(1 + (0.02 / 0.00825) ** 2) / log(10) ** 2 + log10(0.057625 / 0.01) ** 2 / 12 + 0.3**2
    counting = 1 / (log(10) ** 2 * 7000.5)
    between = (log10(0.5 / 0.2) / np.sqrt(2)) ** 2 / 2
    assert mir.log10_sd == pytest.approx(np.sqrt(base + counting + between))
    assert counted.n_reads == 20000


def test_joined_names_share_one_value_that_counts_once() -> None:
    counted, _ = cargo({"hsa-miR-320a/b": [4000], "hsa-miR-22-3p": [6000]})
    a, b = counted.mediators["miR-320a"], counted.mediators["miR-320b"]
    assert a.share == b.share == pytest.approx(0.4)
    assert a.joined_with == ("miR-320b",)
    alone = cargo({"hsa-miR-320a": [4000], "hsa-miR-22-3p": [6000]})[0].mediators["miR-320a"]
    assert a.log10_sd**2 - alone.log10_sd**2 == pytest.approx(log10(2) ** 2)


def test_what_is_no_mature_mirna_of_the_species_is_counted_and_listed() -> None:
    counted, remarks = cargo(
        {"hsa-miR-21-5p": [8000], "hsa-mir-21": [1000], "mmu-miR-22-3p": [500], "hsa-miR-22-3p": [500], "U6": [90]}
    )
    assert counted.unknown == ("hsa-mir-21", "mmu-miR-22-3p", "U6")
    assert counted.n_reads == 8500
    text = "\n".join(remarks)
    assert "1 rows left out, hairpin (hsa-mir-21; 9.91% of reads)" in text
    assert "other species (mmu-miR-22-3p" in text
    assert "not a miRNA (U6" in text


def test_what_the_table_does_not_hold_is_not_measured_and_never_zero() -> None:
    counted, _ = cargo({"hsa-miR-21-5p": [9000], "hsa-miR-22-3p": [1000], "hsa-miR-9-5p": [0]})
    absent, unseen = counted.mediator("miR-146a-5p"), counted.mediator("miR-9-5p")
    assert not absent.measured
    assert np.isnan(absent.copies_per_vesicle)
    assert unseen.measured
    assert unseen.share == 0
    # nothing in 10000 reads stands for half a read, with the width of a count of one half
    assert unseen.copies_per_vesicle == pytest.approx(COPIES_MEDIAN * 0.5 / 10000 / REFERENCE_SHARE)
    assert unseen.log10_sd > counted.mediator("miR-21-5p").log10_sd


def test_shallow_samples_are_left_out_where_others_remain() -> None:
    rows = {"hsa-miR-21-5p": [9000.0, 10.0], "hsa-miR-22-3p": [1000.0, 90.0]}
    counted, remarks = cargo(rows)
    assert counted.samples == ("s0",)
    assert counted.mediators["miR-21-5p"].share == pytest.approx(0.9)
    assert any(f"below {SHALLOW_READS} reads: s1 (100); left out" in r for r in remarks)
    only, remarks = cargo({name: counts[1:] for name, counts in rows.items()})
    assert only.samples == ("s0",)
    assert any("kept for want of better ones" in r for r in remarks)


@pytest.mark.parametrize("other", ["miR-21-5p", "hsa-miR-21-5p "])
def test_one_mirna_under_two_names_is_refused(other: str) -> None:
    with pytest.raises(ProductError, match=r'"hsa-miR-21-5p" and .* for one miRNA'):
        cargo({"hsa-miR-21-5p": [90_000], other: [10_000]})


def test_a_name_alone_and_in_a_joined_row_has_its_own_counts() -> None:
    lot, _ = cargo({"hsa-miR-320a/b": [30_000], "hsa-miR-320a": [70_000]})
    assert lot.mediators["miR-320a"].share == pytest.approx(0.7)
    assert lot.mediators["miR-320b"].share == pytest.approx(0.3)


def test_a_table_without_a_read_is_refused() -> None:
    with pytest.raises(ProductError, match="no reads of mature human miRNA"):
        cargo({"hsa-miR-21-5p": [0], "hsa-miR-22-3p": [0]})


@settings(deadline=None)
@given(counts=st.lists(st.integers(0, 10**6), min_size=2, max_size=30).filter(lambda c: sum(c) > SHALLOW_READS))
def test_shares_of_single_names_add_up_to_one_and_copies_follow_them(counts: list[int]) -> None:
    counted, _ = cargo({f"hsa-miR-{100 + i}-5p": [float(c)] for i, c in enumerate(counts)})
    mediators = counted.mediators.values()
    assert sum(m.share for m in mediators) == pytest.approx(1)
    for m in mediators:
        assert 0 <= m.share <= 1
        assert m.copies_per_vesicle > 0
        if m.share:
            assert m.copies_per_vesicle / m.share == pytest.approx(COPIES_MEDIAN / REFERENCE_SHARE)


def write(folder: Path, text: str) -> Path:
    path = folder / "counts.csv"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "mirna,a,b\nhsa-miR-21-5p,100,3\nhsa-miR-22-3p,5,6\n",
        "mirna\ta\tb\rhsa-miR-21-5p\t100\t3\rhsa-miR-22-3p\t5\t6\r",
        'mirna;a;b\r\n"hsa-miR-21-5p";100;3\r\n"hsa-miR-22-3p";5;6\r\n',
        '\ufeff"","gene_id","a","b"\n"1","hsa-miR-21-5p",100,3\n"2","hsa-miR-22-3p",5,6\n',
        "# note\na,b\nhsa-miR-21-5p,100,3\nhsa-miR-22-3p,5,6\n",
    ],
)
def test_dialects_of_one_table_read_alike(tmp_path: Path, text: str) -> None:
    read = read_counts(write(tmp_path, text), samples=None, species="human")
    assert read.names == ("hsa-miR-21-5p", "hsa-miR-22-3p")
    assert read.samples == ("a", "b")
    np.testing.assert_array_equal(read.counts, [[100, 3], [5, 6]])


def test_a_sample_may_be_called_as_the_column_of_names_is(tmp_path: Path) -> None:
    path = write(tmp_path, "UC,UC\nmiR-21-5p,90000\nmiR-22-3p,10000\n")
    assert read_counts(path, samples=["UC"], species="human").counts[:, 0].tolist() == [90000, 10000]


def test_chosen_samples_are_used_and_a_wrong_one_is_answered_with_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path, "mirna,EV_1,EV_2\nhsa-miR-21-5p,100,300\n")
    assert read_counts(path, samples=["EV_2"], species="human").counts.tolist() == [[300]]
    with pytest.raises(ProductError, match='nearest   "EV_2"'):
        read_counts(path, samples=["EV2"], species="human")


@pytest.mark.parametrize(
    ("text", "wording"),
    [
        ("mirna,a\nhsa-miR-21-5p,\nhsa-miR-22-3p,600\n", 'line 2, column "a"\n  found     an empty cell'),
        ("mirna,a\nhsa-miR-21-5p,-4\nhsa-miR-22-3p,600\n", "are these logarithms or differences"),
        ("mirna,a\nhsa-miR-21-5p,inf\nhsa-miR-22-3p,600\n", "found     inf"),
        ("mirna,a\nhsa-miR-21-5p,7.1\nhsa-miR-22-3p,12.3\n", "no value above 12.3: logarithms"),
        ("mirna,a\nhsa-miR-21-5p,100\nhsa-miR-21-5p,600\n", 'two rows "hsa-miR-21-5p"'),
        ("mirna,a\nhsa-miR-21-5p,100,4\nhsa-miR-22-3p,600\n", "line 3"),
        ("mirna,a\nhsa-miR-21-5p,31.2\nhsa-miR-22-3p,40\n", r"a table of Ct \(Cq\) cycles"),
        ("mirna,name\nhsa-miR-21-5p,x\n", "no column of numbers"),
        ("mirna\n", "fewer than two lines"),
        ("", "fewer than two lines"),
    ],
)
def test_a_damaged_table_is_refused_with_the_place(tmp_path: Path, text: str, wording: str) -> None:
    with pytest.raises(ProductError, match=wording):
        read_counts(write(tmp_path, text), samples=None, species="human")


@settings(max_examples=200, deadline=None)
@given(
    raw=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda t: f"mirna,a\nhsa-miR-21-5p,{t}".encode()))
)
def test_random_content_gives_a_table_or_a_product_error(raw: bytes, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.csv"
    path.write_bytes(raw)
    try:
        read = read_counts(path, samples=None, species="human")
    except ProductError:
        return
    assert read.counts.shape == (len(read.names), len(read.samples))
    assert np.all(read.counts >= 0)
