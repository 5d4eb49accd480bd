from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exotwin.errors import ProductError
from exotwin.product.compensation import compensate, read_spill, spill_of
from exotwin.product.example_files import fcs_bytes
from exotwin.product.fcs import FcsFile, parse_fcs, read_fcs
from exotwin.product.gating import gate_all, gate_box, gate_default, threshold_of

POINTS = 0.5  # percentage points that the reference table allows
CELLS = {"FSC-A": (50000.0, 262143.0), "SSC-A": (float("-inf"), 262143.0)}


def percent_above(values: np.ndarray[Any, Any], threshold: float) -> float:
    return float(np.mean(values > threshold) * 100)


def compensated(tube: FcsFile) -> np.ndarray[Any, Any]:
    spill, _ = spill_of(tube.keywords, tube.file)
    assert spill is not None
    return compensate(tube, spill)


@pytest.mark.parametrize(
    ("name", "is_compensated"),
    [
        ("fcs/facsdiva_cd45_cd34_cd19_marrow.fcs", True),
        ("fcs/aria3_index_sorted.fcs", True),
        ("fcs/lsrii_phospho_offset.fcs", False),
        ("fcs/facscalibur_gate_ref.fcs", False),
        ("fcs/macsquant_duplicate_names.fcs", False),
    ],
)
def test_positive_shares_agree_with_the_reference_table(
    shared_data: Path, readings: dict[str, Any], name: str, is_compensated: bool
) -> None:
    tube = read_fcs(shared_data / name)
    values = compensated(tube) if is_compensated else tube.stored
    gates = [g for g in readings[name]["gating"]["gates"] if "channel" in g]
    for gate in gates:
        threshold = float(gate["rule"].removeprefix("value > "))
        share = percent_above(values[:, tube.column(gate["channel"])], threshold)
        assert share == pytest.approx(gate["percent_of_all"], abs=POINTS), gate["gate"]
    assert gates


def test_the_first_marrow_event_is_compensated_as_by_the_reference(shared_data: Path, readings: dict[str, Any]) -> None:
    name = "fcs/facsdiva_cd45_cd34_cd19_marrow.fcs"
    tube = read_fcs(shared_data / name)
    values = compensated(tube)
    for channel, expected in readings[name]["gating"]["compensated_first_event"].items():
        # seven digits are printed, and cancellation in dim channels costs some of them
        assert values[0, tube.column(channel)] == pytest.approx(expected, rel=1e-4, abs=1e-3), channel


def test_marrow_cells_are_those_of_the_reference_gate(shared_data: Path) -> None:
    tube = read_fcs(shared_data / "fcs/facsdiva_cd45_cd34_cd19_marrow.fcs")
    assert gate_box(tube, CELLS).n_cells == 55441


def test_k562_with_its_isotype_control_reads_as_the_reference(shared_data: Path, readings: dict[str, Any]) -> None:
    expected = readings["fcs/k562_cd298_apc.fcs"]["control_set"]
    stained, isotype = (read_fcs(shared_data / f"fcs/k562_{n}_apc.fcs") for n in ("cd298", "isotype"))
    channel = stained.column(expected["channel"])
    threshold = threshold_of(isotype.scaled[gate_all(isotype).inside, channel])
    assert threshold == pytest.approx(expected["threshold_isotype_99"]["value"], rel=1e-5)
    assert percent_above(stained.scaled[:, channel], threshold) == pytest.approx(98.07, abs=0.005)
    cells = {t.file: gate_box(t, CELLS).inside for t in (stained, isotype)}
    threshold = threshold_of(isotype.scaled[cells[isotype.file], channel])
    assert threshold == pytest.approx(expected["cells_only"]["threshold_isotype_99"], rel=1e-5)
    assert percent_above(stained.scaled[cells[stained.file], channel], threshold) == pytest.approx(99.978, abs=0.0005)


def test_the_default_gate_on_k562_stays_near_the_hand_drawn_one(shared_data: Path) -> None:
    stained, isotype = (read_fcs(shared_data / f"fcs/k562_{n}_apc.fcs") for n in ("cd298", "isotype"))
    channel = stained.column("640nm_670/30_APC-A")
    threshold = threshold_of(isotype.scaled[gate_default(isotype).inside, channel])
    share = percent_above(stained.scaled[gate_default(stained).inside, channel], threshold)
    assert share == pytest.approx(99.978, abs=POINTS)


@pytest.mark.parametrize(
    ("channel", "plain", "after"),
    [("Alexa Fluor 647-A", 70.494, 71.138), ("Alexa Fluor 700-A", 52.658, 16.880), ("APC-Cy7-A", 37.538, 8.456)],
)
def test_one_dye_in_three_channels_is_told_apart_by_compensation(
    shared_data: Path, channel: str, plain: float, after: float
) -> None:
    stained, control = (read_fcs(shared_data / f"fcs/lsrii_mouse_cells_{n}.fcs") for n in ("apc_only", "unstained"))
    at = stained.column(channel)
    threshold = threshold_of(control.scaled[:, at])
    assert percent_above(stained.scaled[:, at], threshold) == pytest.approx(plain, abs=0.01)
    threshold = threshold_of(compensated(control)[:, at])
    assert percent_above(compensated(stained)[:, at], threshold) == pytest.approx(after, abs=0.01)


def test_single_stains_agree_with_the_reference_under_a_given_matrix(
    shared_data: Path, readings: dict[str, Any]
) -> None:
    spill = read_spill(shared_data / "fcs/compset_spillover_matrix.txt")
    expected = readings["fcs/compset_060909.001"]["single_stain_set"]
    tubes = {"unstained": "001", "FITC": "002", "PE": "003", "APC": "004", "7AAD": "005"}
    values = {dye: compensate(read_fcs(shared_data / f"fcs/compset_060909.{n}"), spill) for dye, n in tubes.items()}
    names = read_fcs(shared_data / "fcs/compset_060909.001").names
    for channel in spill.channels:
        at = names.index(channel)
        threshold = threshold_of(values["unstained"][:, at])
        assert threshold == pytest.approx(expected["threshold_compensated_linear"][channel], rel=1e-4)
        for dye in tubes:
            share = percent_above(values[dye][:, at], threshold)
            assert share == pytest.approx(expected["compensated_percent"][dye][channel], abs=0.02), (dye, channel)


def test_a_spill_keyword_without_numbers_is_told_and_not_used(shared_data: Path) -> None:
    tube = read_fcs(shared_data / "fcs/macsquant_fcs31_offset.fcs")
    spill, remarks = spill_of(tube.keywords, tube.file)
    assert spill is None
    assert "6 channels and holds no numbers" in remarks[0]


def test_an_identity_matrix_is_known_as_one(shared_data: Path) -> None:
    tube = read_fcs(shared_data / "fcs/lsrii_phospho_offset.fcs")
    spill, _ = spill_of(tube.keywords, tube.file)
    assert spill is not None
    assert spill.is_identity


def test_compensation_undoes_the_spill_that_was_put_in() -> None:
    true = np.array([[1000.0, 0.0], [0.0, 500.0], [300.0, 400.0]])
    matrix = np.array([[1.0, 0.3], [0.1, 1.0]])
    raw = fcs_bytes(true @ matrix, ["A", "B"], ["", ""], spill_channels=["A", "B"], spill=matrix, sample="t")
    tube = parse_fcs(raw, "tube")
    np.testing.assert_allclose(compensated(tube), true, rtol=1e-5, atol=1e-3)  # the file holds float32


def test_a_matrix_for_another_panel_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "matrix.csv"
    path.write_text("FITC-A,PE-A\n1,0.2\n0,1\n")
    raw = fcs_bytes(np.ones((2, 2)), ["FITC-A", "PE-H"], ["", ""], spill_channels=["A"], spill=np.eye(1), sample="t")
    with pytest.raises(ProductError, match='nearest   "PE-H"'):
        compensate(parse_fcs(raw, "tube"), read_spill(path))


@pytest.mark.parametrize("text", ["", "A,B\n1,0\n", "A,B\n1,x\n0,1\n", "1,0\n0,1\n"])
def test_a_file_without_a_square_matrix_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "matrix.csv"
    path.write_text(text)
    with pytest.raises(ProductError, match="a square of numbers"):
        read_spill(path)


def scatter(area: list[float], height: list[float], side: list[float]) -> FcsFile:
    events = np.column_stack([area, height, side])
    names = ["FSC-A", "FSC-H", "SSC-A"]
    return parse_fcs(fcs_bytes(events, names, [""] * 3, spill_channels=["X"], spill=np.eye(1), sample="t"), "tube")


def test_the_default_gate_leaves_out_debris_saturation_and_doublets() -> None:
    #             cell     cell     debris  saturated  side saturated  doublet
    area = [100000.0, 120000.0, 20000.0, 262143.0, 100000.0, 200000.0]
    height = [72000.0, 85000.0, 15000.0, 190000.0, 72000.0, 75000.0]
    side = [50000.0, 60000.0, 9000.0, 50000.0, 262143.0, 60000.0]
    gated = gate_default(scatter(area, height, side))
    assert gated.inside.tolist() == [True, True, False, False, False, False]
    assert "singlets" in gated.rule


def test_a_gate_that_keeps_few_events_is_remarked_and_an_empty_one_refused() -> None:
    tube = scatter([100000.0, 20000.0, 20000.0], [72000.0, 15000.0, 15000.0], [5e4, 5e4, 5e4])
    assert "keeps 33% of 3 events" in gate_default(tube).remarks[0]
    with pytest.raises(ProductError, match="no event inside the gate"):
        gate_box(tube, {"FSC-A": (1.0, 2.0)})
