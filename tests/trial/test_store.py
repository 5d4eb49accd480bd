from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import xarray as xr

from exotwin.errors import StudyError
from exotwin.trial.result import Screening
from exotwin.trial.store import held, open_folder

KEY = {"study": "a", "model": "b"}


def chunk(start: int, stop: int, outcome: str = "ok"):
    patient = np.arange(start, stop)
    grid = np.add.outer(patient, np.arange(3.0))
    times = ("time", np.arange(3.0) * 7, {"units": "day"})
    seen = {"amh": (("patient", "time"), grid.astype("f4"), {"units": "ng/mL", "label_zh": "抗缪勒管激素"})}
    coords = {"patient": patient, "time": times, "outcome": ("patient", np.full(patient.size, outcome, "<U16"))}
    values = xr.Dataset({"values": (("endpoint", "patient"), grid.T)}, coords={"patient": patient})
    return {"": xr.Dataset(seen, coords=coords), "exposure": xr.Dataset(seen, coords=coords), "patients": values}


def filled(path, *numbers):
    folder = open_folder(path, KEY)
    path.mkdir(exist_ok=True)
    folder.begin(Screening(12, 10, (("younger than 40", "record", 1),), {"step limit": 1}))
    for number in numbers:
        start = 4 * number
        folder.write_chunk(number, chunk(start, min(10, start + 4), "step too small" if number else "ok"))
    return folder


def test_chunks_join_to_one_store_that_xarray_opens_without_warnings(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        filled(tmp_path / "out", 0, 1, 2).close(10, 3)
        opened = xr.open_zarr(tmp_path / "out" / "results.zarr")
    whole = xr.concat([chunk(0, 10)[""]], dim="patient")
    np.testing.assert_array_equal(opened["amh"].values, whole["amh"].values)
    assert opened["amh"].dtype == np.float32
    assert opened["amh"].attrs == {"units": "ng/mL", "label_zh": "抗缪勒管激素"}
    assert opened["time"].values.tolist() == [0, 7, 14]
    assert opened["outcome"].values.tolist() == ["ok"] * 4 + ["step too small"] * 6
    assert xr.open_zarr(tmp_path / "out" / "results.zarr", group="exposure")["patient"].size == 10
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["manifest.json", "results.zarr"]


def test_a_run_goes_on_where_it_stopped(tmp_path):
    filled(tmp_path, 0, 2)
    again = open_folder(tmp_path, KEY)
    assert again.done == [0, 2]
    assert not again.finished
    again.write_chunk(1, chunk(4, 8))
    again.close(10, 3)
    assert open_folder(tmp_path, KEY).finished


def test_a_chunk_that_the_manifest_does_not_name_is_not_trusted(tmp_path):
    filled(tmp_path, 0, 1)
    state = json.loads((tmp_path / "manifest.json").read_text())
    state["chunks"] = [0]
    (tmp_path / "manifest.json").write_text(json.dumps(state))
    again = open_folder(tmp_path, KEY)
    assert again.done == [0]
    again.write_chunk(1, chunk(4, 8))
    assert open_folder(tmp_path, KEY).done == [0, 1]


def test_a_store_that_was_not_finished_is_written_anew(tmp_path):
    filled(tmp_path)
    (tmp_path / "chunks" / ".00000.zarr.part").mkdir(parents=True)
    (tmp_path / "chunks" / ".00000.zarr.part" / "junk").write_text("half a chunk")
    filled(tmp_path, 0)
    assert not (tmp_path / "chunks" / "00000.zarr" / "junk").exists()


def test_unfinished_chunks_of_another_run_are_not_touched(tmp_path):
    filled(tmp_path, 0)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(StudyError, match="what differs: study") as caught:
        open_folder(tmp_path, KEY | {"study": "other"})
    assert "another folder" in caught.value.expected
    assert sorted(tmp_path.rglob("*")) == before


def test_a_finished_folder_starts_afresh_for_another_study_and_keeps_its_results_meanwhile(tmp_path):
    filled(tmp_path, 0, 1, 2).close(10, 3)
    other = open_folder(tmp_path, KEY | {"study": "other"})
    assert not other.finished
    assert other.done == []
    other.write_chunk(0, chunk(0, 3))
    assert xr.open_zarr(tmp_path / "results.zarr")["patient"].size == 10
    other.close(3, 1)
    assert xr.open_zarr(tmp_path / "results.zarr")["patient"].size == 3


def test_screening_survives_in_the_manifest(tmp_path):
    written = filled(tmp_path, 0).screening
    assert open_folder(tmp_path, KEY).screening == written


@pytest.mark.parametrize("text", ["", "{}", '{"key": 3}', "[1]"])
def test_a_manifest_that_cannot_be_read_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StudyError, match="no readable manifest"):
        open_folder(tmp_path, KEY)


@pytest.mark.parametrize("name", ["chunks", "results.zarr"])
def test_what_no_run_has_left_there_is_not_taken_for_chunks_or_results(tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "precious").write_text("mine")
    with pytest.raises(StudyError, match=f"{name} without a manifest"):
        open_folder(tmp_path, KEY)


def test_a_finished_manifest_without_its_screening_is_not_trusted(tmp_path):
    filled(tmp_path, 0, 1, 2).close(10, 3)
    state = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(state | {"screening": None}))
    assert not open_folder(tmp_path, KEY).finished


def test_damaged_results_are_told_by_their_place(tmp_path):
    filled(tmp_path, 0, 1, 2).close(10, 3)
    for file in (tmp_path / "results.zarr").rglob(".z*"):
        file.write_text("{")
    with pytest.raises(StudyError, match="a damaged store"):
        open_folder(tmp_path, KEY).results()


def test_a_folder_that_one_run_writes_to_is_refused_to_another(tmp_path):
    out = tmp_path / "new" / "out"
    with held(out):
        with pytest.raises(StudyError, match="another run that writes there"), held(out):
            pytest.fail("two runs hold one folder")
        (out / "kept").write_text("")
    with held(out):
        assert sorted(p.name for p in out.iterdir()) == [".lock", "kept"]
    assert [p.name for p in out.iterdir()] == ["kept"]


def test_a_folder_that_stays_empty_is_removed_with_the_parents_it_needed(tmp_path):
    with pytest.raises(KeyboardInterrupt), held(tmp_path / "new" / "out"):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["file", "file/out", "x" * 300, "a\0b"])
def test_a_path_that_can_be_no_folder_is_refused(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(StudyError, match="a folder that can be written to"), held(tmp_path / name):
        pytest.fail("held what is no folder")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]
