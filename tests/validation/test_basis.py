import shutil

import pytest

from exotwin.biology import SHIPPED, assemble
from exotwin.calibration import calibrations
from exotwin.errors import EvidenceError
from exotwin.validation.basis import Uses


def test_a_record_in_a_row_of_the_tables_is_used_unless_the_row_is_input(tiny_root):
    used = Uses(tiny_root).by(assemble("tiny", "mouse", modules=["tiny"], root=tiny_root))
    assert used["karin2019-halflife"] == ("loss",)
    assert "sr-mouse-ml" not in used


def test_what_a_calibration_was_fitted_to_is_used_and_so_is_what_fed_it():
    uses = Uses()
    model = assemble("poi", "human")
    used = uses.by(model)
    fits = {p.calibration for p in model.parameters.values() if p.calibration}
    assert fits
    for fit in fits:
        for name in uses.measured(fit):
            assert f"calibration {fit}" in used[name], name
    named = {name for p in model.parameters.values() if p.basis != "input" for name in p.records}
    assert named <= used.keys()


def test_the_potency_in_animals_carries_its_records_into_the_human_model():
    used = Uses().by(assemble("poi", "human"))
    assert any("poi-animal-potency" in use for use in used["msc-meta-2023-e2"])


def test_what_nothing_uses_is_used_by_nothing():
    assert "bmt-partial-null" not in Uses().by(assemble("poi", "mouse", modules=["ageing"]))


def test_a_source_of_cells_counts_where_an_arm_takes_it():
    uses, model = Uses(), assemble("poi", "mouse")
    source = next(iter(model.sources))
    rows = [row for row in model.sources[source].values() if row.basis != "input" and row.records]
    own = {name for p in model.parameters.values() for name in p.records}
    new = {name for row in rows for name in row.records} - own
    assert new <= uses.by(model, [source]).keys()
    assert rows


def test_a_label_counts_where_an_arm_takes_it():
    uses, model = Uses(), assemble("healthy", "mouse", modules=["physiology", "vesicles", "label"])
    (particle,) = {r for row in model.labels["particle"].values() for r in row.records}
    assert particle not in uses.by(model)
    assert uses.by(model, labels=["particle"])[particle] == ("label_stay",)
    assert particle not in uses.by(model, labels=["luciferase"])


def test_every_calibration_says_which_records_it_is_fitted_to():
    uses = Uses()
    for name in calibrations():
        assert uses.measured(name), name


def test_measurements_without_records_are_refused(tmp_path):
    name = calibrations()[0]
    shutil.copytree(SHIPPED / "calibrations" / name, tmp_path / "calibrations" / name)
    path = tmp_path / "calibrations" / name / "measurements.tsv"
    path.write_text(path.read_text(encoding="utf-8").replace("\trecord", "\trecords", 1), encoding="utf-8")
    with pytest.raises(EvidenceError, match="no column record"):
        Uses(tmp_path).measured(name)
