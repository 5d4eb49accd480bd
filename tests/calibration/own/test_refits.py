"""Refits of calibrations that take seconds, against closed forms and the tables; what is written, and what not."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pytest

from exotwin.biology import assemble
from exotwin.calibration import calibrate, calibrations, check
from exotwin.calibration.own.documents import replace_text
from exotwin.errors import CalibrationError, NotBuiltYet


@pytest.fixture(scope="module")
def dose():
    return calibrate("cyclophosphamide-mouse")


def test_a_calibration_that_does_not_exist_says_which_do():
    with pytest.raises(NotBuiltYet, match="exotwin fit") as fault:
        calibrate("mouse-pol")
    assert all(name in str(fault.value) for name in calibrations())
    assert fault.value.nearest == "mouse-pool"


def test_two_studies_that_contradict_each_other_give_their_geometric_mean_and_that_contradiction_as_error(dose):
    found = dose["cpa_ed50"]
    assert found.value == pytest.approx(math.sqrt(49 * 122), rel=1e-3)
    # SD of the two logarithms over the root of two, half their distance
    assert found.relative_se == pytest.approx(math.log(122 / 49) / 2, rel=1e-2)  # the SD stands there with three digits
    half_width = 1.96 * found.relative_se
    assert math.log(found.high / found.low) / 2 == pytest.approx(half_width, rel=0.02)  # quadratic in the logarithm


def test_what_is_not_known_of_the_dose_is_the_rows_spread_in_knowledge(dose):
    row = assemble("poi", "mouse").parameters["cpa_ed50"]
    assert row.level == "knowledge"
    assert row.spread.a == pytest.approx(dose["cpa_ed50"].relative_se, rel=1e-3)
    assert row.se == pytest.approx(dose["cpa_ed50"].se, rel=1e-2)  # three digits
    assert row.calibration == row.spread_calibration == "cyclophosphamide-mouse"


def test_a_refit_shows_values_errors_measurements_and_what_holds_them(dose):
    text = dose.summary()
    for words in (
        "cpa_ed50 (mouse)",
        "identifiable (",
        "1 check; of 1 with 95 % limits, the model lies within 1",
        "contradict each other",
    ):
        assert words in text
    table = dose.table()
    assert list(table["role"]) == ["fit", "fit", "check"]
    assert dose.records == ("cpa-ed50-shiromizu1984", "cpa-ed50-plowchalk1992")
    assert "<table" in dose._repr_html_()


@pytest.mark.parametrize("name", calibrations())
def test_the_tables_hold_what_a_refit_finds(name):
    assert check(names=(name,)) == ()


def test_counts_of_the_mouse_scatter_about_the_fitted_curve_without_trend():
    fitted = calibrate("mouse-pool", starts=2)
    times = np.array([c.time for c in fitted.comparisons])
    rest = np.log([c.simulated / c.observed for c in fitted.comparisons])
    for time in np.unique(times):
        # four mice at an age; scatter about the curve is 0.06 to 0.25 on the logarithm
        assert abs(rest[times == time].mean()) < 0.16, time


def test_the_fall_of_the_antral_count_is_that_of_the_simulated_course():
    """The observable writes the rate out; here it is a difference of counts a month before and after."""
    from exotwin.engine import load

    fitted = calibrate("human-markers", starts=1)
    model = load((fitted.definition.folder / "model.xml").read_text(encoding="utf-8"))
    woman = {
        "age_start": 22.0,
        "pool_survival": 1.0,
        "growing_survival": 1.0,
        "damage_after_injury": 0.0,
        "run_in": 0.0,
    }
    found = dict(zip(fitted.fit.problem.names, fitted.fit.values, strict=True))
    woman |= {name: found[name] for name in ("competition", "amh_reference_follicles", "amh_exponent")}
    at = 13 * 365.25
    antral = model.simulate([0, at - 30, at + 30], parameters=woman, outputs=["antral"], rtol=1e-9)[
        "antral"
    ].to_numpy()[0]
    slope = (antral[1] - antral[2]) / 60 * 365.25
    simulated = next(c.simulated for c in fitted.comparisons if c.observable == "afc_fall")
    assert simulated == pytest.approx(slope, rel=1e-3)  # the third derivative over a month


# ---- writing


def test_writing_restores_a_table_that_was_changed_and_leaves_all_else_as_it_was(root):
    tables = {path: path.read_text(encoding="utf-8") for path in root.rglob("*.csv")}
    poi = root / "conditions" / "poi.csv"
    line = next(line for line in tables[poi].splitlines() if line.startswith("cpa_ed50"))
    poi.write_text(tables[poi].replace(line, line.replace(line.split(", ")[1], "90", 1)), encoding="utf-8")
    drifts = check(names=("cyclophosphamide-mouse",), root=root)
    assert {d.what for d in drifts} == {"model.xml", "cpa_ed50 (mouse)"}
    assert "90, refitted 77.3" in str(drifts[1])
    written = calibrate("cyclophosphamide-mouse", root=root).write()
    assert poi in written
    assert {path: path.read_text(encoding="utf-8") for path in tables} == tables
    assert check(names=("cyclophosphamide-mouse",), root=root) == ()


@pytest.mark.parametrize(
    ("cell", "said"),
    [(r"log10 sd [\d.]+", "log10 sd 0.05"), (r"identifiable \((\S+) to", "identifiable (20 to")],
    ids=["spread", "limit"],
)
def test_a_spread_or_a_limit_that_was_typed_in_by_hand_is_drift_too(root, cell, said):
    poi = root / "conditions" / "poi.csv"
    text = poi.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("cpa_ed50"))
    other = re.sub(cell, said, line)
    assert other != line
    poi.write_text(text.replace(line, other), encoding="utf-8")
    found = {d.what for d in check(names=("cyclophosphamide-mouse",), root=root)}
    assert found == {"cpa_ed50 (mouse), spread" if "sd" in said else "cpa_ed50 (mouse), identifiability"}


def test_a_new_number_brings_the_models_of_all_calibrations_up_to_date(root):
    poi = root / "conditions" / "poi.csv"
    text = poi.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("cpa_ed50"))
    poi.write_text(text.replace(line, line.replace(line.split(", ")[1], "90", 1)), encoding="utf-8")
    stale_before = {d.calibration for d in check(names=("mouse-pool",), starts=1, root=root)}
    assert stale_before == {"mouse-pool"}  # its model holds that number too
    written = calibrate("cyclophosphamide-mouse", root=root).write()
    assert not [path for path in written if path.name == "model.xml"]  # all are as committed again
    assert check(names=("mouse-pool",), starts=1, root=root) == ()


def test_a_number_that_the_data_do_not_hold_is_not_written(root):
    found = calibrate("cyclophosphamide-mouse", root=root)
    loose = dataclasses.replace(found.estimates[0], verdict="only a lower limit")
    before = (root / "conditions" / "poi.csv").read_text(encoding="utf-8")
    with pytest.raises(CalibrationError, match="only a lower limit"):
        dataclasses.replace(found, estimates=(loose,)).write()
    assert (root / "conditions" / "poi.csv").read_text(encoding="utf-8") == before


def test_a_row_that_does_not_name_the_calibration_is_not_overwritten(root):
    poi = root / "conditions" / "poi.csv"
    text = poi.read_text(encoding="utf-8").replace("calibration:cyclophosphamide-mouse", "calibration:mouse-pool")
    poi.write_text(text, encoding="utf-8")
    with pytest.raises(CalibrationError, match="calibration:cyclophosphamide-mouse in it"):
        calibrate("cyclophosphamide-mouse", root=root).write()


def test_a_table_that_cannot_be_written_gives_a_clear_error_and_no_half_of_a_file(tmp_path):
    with pytest.raises(CalibrationError, match="checked-out repository"):
        replace_text(tmp_path / "no such folder" / "poi.csv", "text")
    assert list(tmp_path.iterdir()) == []
