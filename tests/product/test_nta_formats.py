from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exotwin.errors import ProductError
from exotwin.product.example_files import nanosight_text
from exotwin.product.nta import NtaReading
from exotwin.product.nta_formats import read_nta

NANOSIGHT = [
    "nanosight_nta32_beads_12captures.csv",
    "nanosight_nta33_emt1_d20-ExperimentSummary.csv",
    "nanosight_nta33_emt1_d200-ExperimentSummary.csv",
    "nanosight_nta33_mpc28_nostretch_d200-ExperimentSummary.csv",
    "nanosight_nta34_bacterial_mv_0h-ExperimentSummary.csv",
    "nanosight_nta34_bacterial_mv_six_weightings-ExperimentSummary.csv",
    "nanosight_nta32_placenta_explant_vesicles_d1000-ExperimentSummary.csv",
    "nanosight_nta32_mouse_plasma_vesicles_d1000-ExperimentSummary.csv",
]
ZETAVIEW = "ZetaView\nSize / nm\tConcentration / cm-3\n"
SMALL = nanosight_text(np.array([[0, 4, 9, 3], [0, 5, 8, 2]], dtype=float) * 1e6, sample="s", diluent="PBS")


def read(text: str, folder: Path, dilution: float | None = 10) -> NtaReading:
    path = folder / "nta.csv"
    path.write_bytes(text.encode("latin-1"))
    return read_nta(path, dilution=dilution, name="nta.csv")


@pytest.mark.parametrize("name", NANOSIGHT)
def test_a_nanosight_summary_reads_as_the_reference(shared_data: Path, readings: dict[str, Any], name: str) -> None:
    expected = readings[f"nta/{name}"]
    size = read_nta(shared_data / "nta" / name, dilution=100).size
    assert size.n_captures == expected["captures"]
    # the export prints three digits
    np.testing.assert_allclose(size.per_capture(), expected["concentration_per_capture"], rtol=6e-3)
    assert size.cv * 100 == pytest.approx(expected["concentration_cv_percent"], abs=0.2)
    assert size.fraction_between(30, 150) == pytest.approx(
        expected["number_fraction_30_150nm"]["average_column"], abs=2e-5
    )
    per_capture = expected["number_fraction_30_150nm"].get("per_capture")
    if per_capture:
        np.testing.assert_allclose(size.fractions_between(30, 150), per_capture, atol=1e-4)
    percentiles = expected["percentiles_of_average_curve"]
    for percent, key in ((10, "d10"), (50, "d50"), (90, "d90")):
        assert size.percentile(percent) == pytest.approx(percentiles[key], abs=0.06), key  # printed with one digit
        assert size.reported[key] == expected[key]["average"]
    for key in ("mean", "mode", "sd"):
        assert size.reported[key] == expected[key]["average"]
    assert size.reported["concentration"] == expected["concentration_average"]
    # our mean is that of the average curve, the instrument's the average of the captures' means
    assert size.mean == pytest.approx(expected["mean"]["average"], rel=0.02)


@pytest.mark.parametrize(
    ("name", "wording"),
    [
        ("nanosight_nta33_emt1_d20-ExperimentSummary.csv", '1 of 5 captures: "Be cautious of data due to noise"'),
        ("nanosight_nta34_bacterial_mv_six_weightings-ExperimentSummary.csv", "5 of 5 captures"),
        ("nanosight_nta32_beads_12captures.csv", r"different camera levels \(10, 15\)"),
        ("nanosight_nta32_placenta_explant_vesicles_d1000-ExperimentSummary.csv", "falls from capture to capture"),
    ],
)
def test_what_the_instrument_doubts_is_passed_on(shared_data: Path, name: str, wording: str) -> None:
    remarks = read_nta(shared_data / "nta" / name, dilution=20).remarks
    assert any(re.search(wording, r) for r in remarks), remarks


def test_zetaview_reads_as_the_instrument(shared_data: Path) -> None:
    path = shared_data / "nta/zetaview_8_05_16_qev_pool_decimal_comma.txt"
    reading = read_nta(path, dilution=None)
    size = reading.size
    assert size.total() == pytest.approx(8.616e7, rel=1e-3)
    assert size.total() * size.dilution == pytest.approx(4.308e11, rel=1e-3)
    assert size.d50 == pytest.approx(size.reported["d50"], abs=0.01)
    assert (size.d10, size.d90) == pytest.approx((65.53, 164.51), abs=0.02)
    assert (size.mode, size.mean) == pytest.approx((97.5, 111.68), abs=0.01)
    assert size.fraction_between(30, 150) == pytest.approx(0.83624, abs=1e-4)
    assert any('drift check result is "too high"' in r for r in reading.remarks)
    with pytest.raises(ProductError, match="100 in the product file, 5000 recorded"):
        read_nta(path, dilution=100)


def test_viewsizer_reads_every_diameter_and_needs_a_dilution(shared_data: Path, readings: dict[str, Any]) -> None:
    folder, expected = shared_data / "nta/viewsizer3000_150nm", readings["nta/viewsizer3000_150nm"]
    reading = read_nta(folder, dilution=1e5)
    size = reading.size
    assert size.n_captures == 30
    assert size.total() == pytest.approx(expected["concentration_per_mL"], rel=1e-5)
    assert size.total() * size.dilution == pytest.approx(expected["concentration_times_dilution"], rel=1e-5)
    assert size.cv * 100 == pytest.approx(expected["concentration_cv_percent"], abs=1e-3)
    sizes = expected["from_particle_sizes"]
    assert size.fraction_between(30, 150) == pytest.approx(sizes["number_fraction_30_150nm"], abs=1e-5)
    # bins of 1 nm against the diameters themselves
    for got, key in ((size.mean, "mean"), (size.sd, "sd"), (size.d10, "d10"), (size.d50, "d50"), (size.d90, "d90")):
        assert got == pytest.approx(sizes[key], abs=0.5), key
    assert any("says dilution 1" in r for r in reading.remarks)
    with pytest.raises(ProductError, match="as if nobody had entered it"):
        read_nta(folder, dilution=None)


@pytest.mark.parametrize(
    ("name", "wording"),
    [
        ("nta/nanosight_bins_only_cytotrophoblast_vesicles_d25.csv", "a table of bins alone"),
        ("nta/processed_particle_distribution_mean_sd.csv", "a table of bins alone"),
        ("nta/viewsizer3000_150nm/WideBinsTable.dat", "one table of a ViewSizer run; give the folder"),
        ("nta/viewsizer3000_150nm/recording.xml", "an XML or HTML file"),
        ("fcs/k562_unstained.fcs", r"a flow cytometry file \(FCS\)"),
        ("cargo/mirna_counts_msc_cells_12samples.csv", 'text that begins "mirna,adipose'),
        ("cargo", "a folder without Videos.dat"),
        ("nta/nanosight_nta33_emt1_d20.csv", 'nearest   "nanosight_nta33_emt1_d20-ExperimentSummary.csv"'),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_it_looks_like(shared_data: Path, name: str, wording: str) -> None:
    with pytest.raises(ProductError, match=wording):
        read_nta(shared_data / name, dilution=10)


def test_a_recorded_dilution_has_been_applied_already(tmp_path: Path) -> None:
    plain = read(SMALL, tmp_path).size
    recorded = read(SMALL.replace("Not recorded", "50"), tmp_path, None).size
    assert recorded.dilution == 50
    assert recorded.total() * recorded.dilution == pytest.approx(plain.total())
    assert recorded.reported["concentration"] * 50 == pytest.approx(plain.reported["concentration"])
    with pytest.raises(ProductError, match="10 in the product file, 50 recorded"):
        read(SMALL.replace("Not recorded", "50"), tmp_path)


def test_captures_of_different_dilution_are_no_product(tmp_path: Path) -> None:
    with pytest.raises(ProductError, match="one dilution for all captures"):
        read(SMALL.replace("Not recorded", "50", 1), tmp_path)


def test_an_empty_capture_is_left_out_and_told(tmp_path: Path) -> None:
    text = nanosight_text(np.array([[1, 4, 9], [1, 5, 8]], dtype=float) * 1e6, sample="s", diluent="PBS")
    lines = [re.sub(r"^(\d\.5),\d+,", r"\1,0,", line) for line in text.split("\n")]
    reading = read("\n".join(lines), tmp_path)
    assert reading.size.n_captures == 1
    assert reading.size.total() == 14e6
    assert any("s 00 is empty and was left out" in r for r in reading.remarks)


@pytest.mark.parametrize(
    ("old", "new", "wording"),
    [
        ("[Size Data]", "[Sizes]", r"no section \[Size Data\]"),
        ("Weighting,Number", "Weighting,Volume", "Number first"),
        ("Bin centre (nm)", "Centre", "no graph data"),
        ("1.5,4000000", "1.5,four", "graph data"),
        ("1.5,4000000,5000000,4500000,500000,", "1.5,4000000", "a bin and 2 captures"),
        ("Filename:,s 00,s 01,", "Filename:,", "no capture"),
        ("Filename:,s 00,s 01,", "Filename:,s 00,s 01,s 02,", "2 columns of captures"),
    ],
)
def test_a_damaged_summary_is_refused_with_the_place(tmp_path: Path, old: str, new: str, wording: str) -> None:
    text = (
        SMALL.replace(old, new).replace("1.5,4000000,4500000,500000,", "1.5,4000000,")
        if "3 cells" in wording
        else SMALL
    )
    text = text.replace(old, new)
    if wording == "2 captures":
        text = re.sub(r"^1\.5,4000000.*$", "1.5,4000000", text, flags=re.M)
    with pytest.raises(ProductError, match=wording):
        read(SMALL.replace(old, new), tmp_path)


@settings(max_examples=150, deadline=None)
@given(
    raw=st.one_of(
        st.binary(max_size=300),
        st.text(max_size=200).map(lambda t: f"NTA Experiment Summary File,\n{t}".encode("latin-1", "replace")),
        st.text(max_size=200).map(
            lambda t: f"ZetaView\nSize / nm\tConcentration / cm-3\n{t}".encode("latin-1", "replace")
        ),
    )
)
def test_random_content_gives_a_product_error_and_nothing_else(raw: bytes, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.csv"
    path.write_bytes(raw)
    with pytest.raises(ProductError):
        read_nta(path, dilution=10)


@settings(max_examples=100, deadline=None)
@given(length=st.integers(0, SMALL.index("Percentile") - 30))
def test_a_summary_cut_off_before_its_last_bin_is_refused_or_says_so(length: int, tmp_path_factory: Any) -> None:
    path = tmp_path_factory.getbasetemp() / "cut.csv"
    path.write_text(SMALL[:length])
    try:
        reading = read_nta(path, dilution=10)
    except ProductError:
        return
    assert any("the bins add up to" in r for r in reading.remarks)
