"""The table of measurements says what the records say."""

from __future__ import annotations

import math

import pytest

from exotwin import evidence
from exotwin.calibration import calibrations
from exotwin.calibration.measurements import measurements

POOLED = {
    ("msc-meta-2023-e2", "fixed"): ("cells e2", "fit"),
    ("msc-meta-2023-fsh", "fixed"): ("cells fsh", "fit"),
    ("msc-meta-2023-fsh", "mice"): ("cells fsh", "check"),
    ("stemcell-meta-2018", "E2"): ("cells e2", "check"),
    ("stemcell-meta-2018", "FSH"): ("cells fsh", "check"),
    ("stemcell-meta-2018", "follicle_count"): ("cells growing", "check"),
    ("ev-meta-2024-hormones", "E2"): ("vesicles e2", "check"),
    ("ev-meta-2024-hormones", "FSH"): ("vesicles fsh", "check"),
    ("ev-meta-2024-hormones", "AMH"): ("vesicles amh", "check"),
    ("ev-meta-2024-follicles", "antral"): ("vesicles antral", "check"),
    ("ev-meta-2024-follicles", "primordial"): ("vesicles primordial", "check"),
}


@pytest.mark.parametrize("name", calibrations())
def test_every_fit_has_something_to_fit_and_every_record_was_read(name):
    rows = measurements(name)
    assert any(m.role == "fit" for m in rows)
    for m in rows:
        assert not m.record or evidence.record(m.record).seen
        assert m.record or "assumption" in m.note


@pytest.mark.parametrize(("place", "row"), POOLED.items(), ids=lambda p: " ".join(p))
def test_pooled_effects_are_those_of_the_record(place, row):
    stated = evidence.record(place[0]).value[place[1]]
    found = [m for m in measurements("poi-animal-potency") if (m.quantity, m.role) == row and m.record == place[0]]
    assert len(found) == 1
    assert (found[0].value, [found[0].low, found[0].high]) == (stated["smd"], stated["ci95"])
    assert found[0].unit == "SMD"


def test_every_pooled_row_is_held_against_its_record_here():
    assert len(measurements("poi-animal-potency")) == len(POOLED)


@pytest.mark.parametrize("record", ["msc-meta-2023-e2", "msc-meta-2023-fsh"])
def test_the_error_of_the_fit_is_that_of_the_random_effects_value(record):
    low, high = evidence.record(record).value["ci95"]
    row = next(m for m in measurements("poi-animal-potency") if m.record == record and m.role == "fit")
    assert row.error == pytest.approx((high - low) / 3.92, rel=2e-3)  # three digits in the table


def test_counts_of_mice_are_all_those_of_the_record():
    stated = [tuple(pair) for pair in evidence.record("mouse-pf-counts-c57").value]
    assert [(m.at, m.value) for m in measurements("mouse-pool")] == stated


def test_amh_by_age_is_the_formula_of_the_record():
    b = evidence.record("amh-quadratic-lee2012").value
    rows = [m for m in measurements("human-markers") if m.quantity == "amh"]
    assert len(rows) == 4
    for m in rows:
        # 1.1648 at 40 y and its like stand in the table with three digits
        assert m.value == pytest.approx(math.exp(b["b0"] + b["b1"] * m.at + b["b2"] * m.at**2), rel=5e-3)


def test_slopes_of_the_antral_count_are_those_of_the_record():
    stated = evidence.record("afc-slopes").value
    rows = [m for m in measurements("human-markers") if m.quantity == "afc_slope"]
    assert [rows[0].value, rows[0].low, rows[0].high] == [
        stated["subfertile_Singapore"]["slope"],
        *stated["subfertile_Singapore"]["ci95"],
    ]
    assert (rows[1].low, rows[1].high) == (stated["general_Turkey"], stated["subfertile_Singapore"]["slope"])
