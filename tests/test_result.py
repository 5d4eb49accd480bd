from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from exotwin.errors import StudyError
from exotwin.result import Result


@pytest.fixture
def result(monkeypatch):
    """A result whose report is two files, so that what happens to the folder can be seen alone."""

    def write(trial, folder, *, language):
        (folder / "report.html").write_text(f"report, {language}")
        (folder / "figures").mkdir()
        (folder / "figures" / "new.svg").write_text("")

    monkeypatch.setattr("exotwin.report.write_folder", write)
    return Result(SimpleNamespace(endpoints=pd.DataFrame({"effect": [1.0]}), lock={"exotwin": "0"}))


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_a_result_is_saved_into_a_new_folder_and_again_over_itself(result, tmp_path):
    folder = tmp_path / "new" / "out"
    assert result.save(folder) == folder / "report.html"
    (folder / "figures" / "of an older study.svg").write_text("")
    result.save(folder, language="zh")
    assert files(folder) == ["endpoints.csv", "figures/new.svg", "report.html", "study.lock.toml"]
    assert (folder / "report.html").read_text() == "report, zh"


@pytest.mark.parametrize("name", ["figures", "tables"])
def test_a_result_is_not_saved_over_somebodys_own_work(result, tmp_path, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "precious").write_text("mine")
    with pytest.raises(StudyError, match=f"{name}, which no run has left"):
        result.save(tmp_path)
    assert files(tmp_path) == [f"{name}/precious"]


def test_other_things_in_the_folder_stay(result, tmp_path):
    (tmp_path / "study.toml").write_text("mine")
    result.save(tmp_path)
    assert (tmp_path / "study.toml").read_text() == "mine"


def test_a_report_that_fails_leaves_the_folder_as_it_was(result, tmp_path, monkeypatch):
    result.save(tmp_path)
    before = files(tmp_path)

    def fail(trial, folder, *, language):
        (folder / "half.html").write_text("")
        raise KeyboardInterrupt

    monkeypatch.setattr("exotwin.report.write_folder", fail)
    with pytest.raises(KeyboardInterrupt):
        result.save(tmp_path)
    assert files(tmp_path) == before


def test_what_a_killed_run_left_half_made_is_removed(result, tmp_path):
    (tmp_path / ".exotwin-killed").mkdir()
    (tmp_path / ".exotwin-killed" / "half.html").write_text("")
    result.save(tmp_path)
    assert not (tmp_path / ".exotwin-killed").exists()
