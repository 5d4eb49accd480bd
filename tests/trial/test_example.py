"""The shipped example, with fewer patients, through all rooms."""

from __future__ import annotations

from importlib.resources import as_file, files

import numpy as np
import pytest
from tiny_trial import differing

from exotwin.trial import COLUMNS, READINGS, Study, TrialResult, simulate_trial


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Study:
    with as_file(files("exotwin") / "examples" / "poi-umbilical.toml") as shipped:
        text = shipped.read_text(encoding="utf-8")
        product = shipped.parent / "umbilical" / "product.toml"
        assert "n_patients = 1000\nn_draws = 50" in text
        text = text.replace("n_patients = 1000\nn_draws = 50", "n_patients = 40\nn_draws = 10")
        path = tmp_path_factory.mktemp("example") / "study.toml"
        path.write_text(text.replace("umbilical/product.toml", product.as_posix()), encoding="utf-8")
        return Study.from_toml(path)


@pytest.fixture(scope="module")
def result(example: Study) -> TrialResult:
    return simulate_trial(example, n_threads=1)


class StopInTheSecondChunk:
    """Ctrl-C after the first of two chunks."""

    def __init__(self) -> None:
        self.left: float = float("inf")

    def start(self, task: str, total: int) -> None:
        self.left = total * 0.6 if task == "treating" else float("inf")

    def advance(self, n: int = 1) -> None:
        self.left -= n
        if self.left < 0:
            raise KeyboardInterrupt


def test_the_shipped_study_is_a_whole_one():
    with as_file(files("exotwin") / "examples" / "poi-umbilical.toml") as shipped:
        study = Study.from_toml(shipped)
    assert study.population.n_patients == 1000
    assert list(study.arms) == ["untreated", "msc", "exosomes"]


def test_the_study_of_both_forms_gives_equal_starting_material():
    with as_file(files("exotwin") / "examples" / "cells-against-exosomes.toml") as shipped:
        study = Study.from_toml(shipped)
    assert study.condition == "frailty"
    assert study.arms["msc"].amount == (1e6, "cells/kg")
    assert study.arms["exosomes"].amount == (1e6, "cell equivalents/kg")
    assert study.arms["msc"].product == study.arms["exosomes"].product


def test_interruption_and_threads_do_not_move_a_bit(example, result, tmp_path, monkeypatch):
    monkeypatch.setattr("exotwin.trial.run.CHUNK", 20)
    with pytest.raises(KeyboardInterrupt):
        simulate_trial(example, out=tmp_path / "out", n_threads=2, progress=StopInTheSecondChunk())
    assert differing(result, simulate_trial(example, out=tmp_path / "out", n_threads=2)) == []


def test_screening_counts_add_up(result):
    screening = result.screening
    assert screening.n_enrolled == 40
    assert screening.n_screened == 40 + screening.n_failed + sum(n for _, _, n in screening.left_out)
    assert (result.dataset["fsh"].isel(time=0) > 25).all()
    assert (result.population.sel(quantity="age_start") < 40).all()


def test_arms_are_paired_and_the_untreated_course_is_one(result):
    start = result.dataset.isel(time=0)
    for name in ("amh", "fsh", "primordial"):
        untreated = start[name].sel(arm="untreated")
        for arm in ("msc", "exosomes"):
            # Same numbers up to enrolment; only step sizes may differ by what comes after it.
            np.testing.assert_allclose(start[name].sel(arm=arm), untreated, rtol=1e-4)
    history = result.dataset.sel(arm="untreated")
    assert all(
        history.sel(reading=r).drop_vars("reading").equals(history.sel(reading="copies").drop_vars("reading"))
        for r in READINGS
    )


def test_the_table_holds_every_endpoint_arm_and_reading(result):
    table = result.endpoints
    assert list(table.columns) == list(COLUMNS)
    times = sum(len(rule.days) for rule in result.model.endpoints)
    assert len(table) == times * 3 * 3
    assert (table["n"] + table["n_failed"] + table["n_undefined"] == 40).all()
    compared = table[table["comparator"] != ""]
    assert (compared["low"] <= compared["low_patients"]).all()
    assert (compared["high"] >= compared["high_patients"]).all()
    assert compared["p_better"].between(0, 1).all()


def test_vesicles_reach_the_blood_and_cells_the_lung(result):
    exposure = result.exposure
    assert exposure["vesicles_blood"].sel(arm="exosomes").isel(time=0).min() > 1e10
    assert exposure["cells_lung"].sel(arm="msc").max() > 1e7
    assert (exposure["vesicles_blood"].sel(arm="untreated") == 0).all()
    assert {p.mediator for p in result.plausibility["exosomes"]} == set(result.model.mediators)
