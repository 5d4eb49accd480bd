from __future__ import annotations

from dataclasses import replace

import pytest

from exotwin.errors import ReportError
from exotwin.report import write_fit
from exotwin.report.fit.figures import residuals


def _files(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_a_fit_writes_all_that_it_holds(folders):
    assert _files(folders["small"]) == {
        "fit.json", "fit.html", "parameters.csv", "correlations.csv", "simulation.tsv", "starts.parquet",
        "profiles.parquet", "samples.parquet", "figures/waterfall.svg", "figures/fits.svg", "figures/residuals.svg",
        "figures/profiles.svg", "figures/correlations.svg",
    }  # fmt: skip


def test_a_fit_without_a_value_still_writes_its_starts_and_its_page(folders):
    assert _files(folders["hopeless"]) == {"fit.json", "fit.html", "parameters.csv", "simulation.tsv", "starts.parquet"}


def test_the_same_fit_gives_the_same_bytes(folders, small, tmp_path):
    write_fit(small, tmp_path / "again")
    for name in _files(folders["small"]):
        assert (tmp_path / "again" / name).read_bytes() == (folders["small"] / name).read_bytes(), name


def test_nothing_is_left_where_a_figure_fails(small, tmp_path, monkeypatch):
    def fail(comparison):
        raise RuntimeError("no figure today")

    monkeypatch.setattr(residuals, "draw", fail)
    with pytest.raises(RuntimeError, match="today"):
        write_fit(small, tmp_path / "fit")
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_fit_stays_whole_where_a_later_one_fails(small, hopeless, tmp_path, monkeypatch):
    folder = tmp_path / "fit"
    write_fit(hopeless, folder)
    before = {p: (folder / p).read_bytes() for p in _files(folder)}
    monkeypatch.setattr(residuals, "draw", lambda comparison: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_fit(small, folder)
    assert {p: (folder / p).read_bytes() for p in _files(folder)} == before
    assert [p.name for p in tmp_path.iterdir()] == ["fit"]


def test_a_fit_removes_what_an_earlier_one_left_and_nothing_else(small, tmp_path):
    folder = tmp_path / "fit"
    write_fit(small, folder)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    (folder / "figures" / "mine.svg").write_text("mine", encoding="utf-8")
    write_fit(replace(small, samples=None, profiles=()), folder)
    left = _files(folder)
    assert {"notes.txt", "figures/mine.svg"} <= left
    assert not left & {"samples.parquet", "profiles.parquet", "figures/profiles.svg"}


def test_what_a_killed_run_left_is_no_obstacle(small, tmp_path):
    (tmp_path / ".fit.part").mkdir()
    (tmp_path / ".fit.part" / "old").write_text("", encoding="utf-8")
    write_fit(small, tmp_path / "fit")
    assert [p.name for p in tmp_path.iterdir()] == ["fit"]
    assert not (tmp_path / "fit" / "old").exists()


def test_a_folder_that_cannot_be_made_is_named(small, tmp_path):
    with pytest.raises(ReportError, match="no folder"):
        write_fit(small, tmp_path / "none" / "fit")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ReportError, match="a file of that name"):
        write_fit(small, tmp_path / "file")
