"""One lot as cells and as vesicles: the arithmetic against closed forms, the section on the shipped study."""

from __future__ import annotations

import dataclasses
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from exotwin.report.html import render
from exotwin.report.page import Page
from exotwin.report.sections import forms
from exotwin.report.tables import Tables
from exotwin.report.tables.forms import _area, _falls_below
from exotwin.report.wording import LANGUAGES, Words
from exotwin.trial import Study, TrialResult, both_forms, simulate_trial

MORE = """
[arms.training]
comparators = [{ name = "exercise", start = "0 days", stop = "6 months" }, { name = "rapamycin" }]
"""
DAYS = np.array([0.0, 0.01, 0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 28.0])


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> TrialResult:
    examples = Path(str(files("exotwin") / "examples"))
    text = (examples / "cells-against-exosomes.toml").read_text(encoding="utf-8")
    for old, new in (
        ("n_patients = 1000", "n_patients = 24"),
        ("n_draws = 50 ", "n_draws = 12 "),
        ('"umbilical/product.toml"', f'"{examples.as_posix()}/umbilical/product.toml"'),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("study") / "study.toml"
    path.write_text(text + MORE, encoding="utf-8")
    return simulate_trial(Study.from_toml(path), n_threads=1)


def test_the_area_under_an_exponential_is_exact_on_any_grid():
    rates = np.array([[0.1], [3.0]])
    found = _area(DAYS, 5 * np.exp(-rates * DAYS))
    np.testing.assert_allclose(found, 5 * (1 - np.exp(-rates[:, 0] * 28)) / rates[:, 0], rtol=1e-9)
    np.testing.assert_allclose(_area(DAYS, np.full((1, DAYS.size), 2.0)), 56.0)
    np.testing.assert_allclose(_area(DAYS, np.zeros((1, DAYS.size))), 0.0)


def test_an_exponential_falls_to_half_after_its_half_life():
    halves = np.array([[0.3], [1.7], [50.0]])
    course = 0.5 ** (DAYS / halves)
    found, censored = _falls_below(DAYS, course, np.full((3, 1), 0.5))
    np.testing.assert_allclose(found, [0.3, 1.7, 28.0], rtol=1e-9)
    assert censored == pytest.approx(1 / 3)


def test_what_is_never_there_is_gone_at_once_and_a_failed_patient_is_left_out():
    course = np.stack([np.zeros(DAYS.size), np.where(DAYS > 1, np.nan, 1.0)])
    found, censored = _falls_below(DAYS, course, np.full((2, 1), 0.5))
    assert found[0] == 0
    assert np.isnan(found[1])
    assert censored == 0


def test_equal_starting_material_is_given_in_both_forms(real):
    assert both_forms(real.study) == {"umbilical": ("msc", "exosomes")}
    weight = real.drawn().get("body_weight", real.model.parameters["body_weight"].value)
    viability = real.drawn()["umbilical:viability"]
    np.testing.assert_allclose(real.starting_cells("exosomes"), 1e6 * weight)
    np.testing.assert_allclose(real.starting_cells("msc"), 1e6 * weight * viability)
    assert (real.given("untreated") == 0).all()
    # what a cell released, by the model's own rule, for two days
    drawn = real.drawn()
    per_cell = real.given("exosomes") / (1e6 * weight)
    assert (per_cell < 2 * drawn["secretion_rate"] * drawn["umbilical:source:vesicle_source"]).all()
    np.testing.assert_allclose(per_cell, drawn["umbilical:particles_per_cell"])


def test_shares_of_the_dose_are_shares_and_follow_the_trajectories(real):
    table = Tables(real)["tissues"]
    assert list(table["tissue"]) == list(real.model.tissues)
    assert list(table["tissue"][table["target"]]) == [real.model.target]
    assert (table[["cells", "vesicles"]] > 0).all(axis=None)
    stays = Tables(real)["forms"].set_index(["form", "quantity", "of"])["median"]
    # what is taken up by the tissues and held by liver and spleen cannot be more than what was given
    assert table["vesicles"].sum() + stays["vesicles", "liver_spleen", ""] < 100
    assert table["cells"].sum() + stays["cells", "lung", ""] < 100 + 1e-6
    most = 100 * real.exposure["obstruction_index"].sel(arm="msc").max("time")
    assert stays["cells", "obstruction", ""] == pytest.approx(float(most.median()), rel=1e-6)
    assert stays["vesicles", "obstruction", ""] == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_section_judges_every_part_of_the_claim_with_records(real, language):
    words, page = Words(language), render(real, language=language)
    section = re.search(r'<section id="forms".*?</section>', page, re.DOTALL)
    assert section is not None
    for part in ("embolism", "rejection", "penetration", "lesion", "persistence", "outcome"):
        assert words(f"forms.{part}") in section[0]
    assert words("forms.verdict_in_part") in section[0]
    assert words("forms.verdict_cannot") in section[0]
    assert 'id="figure-forms-umbilical"' in section[0]
    assert "no source found in this version" not in page
    assert not re.search(r"(?i)\bnan\b", re.sub(r"<[^>]*>", "", section[0]))
    assert all(words.known(f"process.{p}", p) != p for p in real.model.processes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_comparators_of_an_arm_stand_in_the_answer_and_in_the_doses(real, language):
    page = render(real, language=language)
    words, added = Words(language), real.added["training"]
    assert [h.comparator.name for h in added] == ["exercise", "rapamycin"]
    for held in added:
        named = words.label(held.comparator)
        for section in ("answer", "given", "sources"):
            found = re.search(rf'<section id="{section}".*?</section>', page, re.DOTALL)
            assert found is not None
            assert named in found[0], (section, named)
    doses = Tables(real)["doses"]
    held = doses[(doses["arm"] == "training") & (doses["product"] == "exercise")].iloc[0]
    assert (held["form"], held["days"], held["amount"]) == ("held", "0 182.625", 1)


def test_readings_are_of_products_alone(real):
    ratio = real.endpoints.set_index("arm")["ratio_to_copies"]
    assert ratio["training"].isna().all()
    rows = real.endpoints[(real.endpoints["arm"] == "training") & (real.endpoints["endpoint"] == "walk")]
    assert rows.groupby("day")["effect"].nunique().eq(1).all()


def test_what_a_model_does_not_follow_is_said_and_not_judged(result):
    shown = re.sub(r"<[^>]*>", " ", render(result))
    # rejection, penetration, lesion, persistence: the made-up model has the plugged capillaries alone
    assert shown.count("The model of this condition does not follow it.") == 4


def test_a_study_of_one_form_has_no_such_section(result):
    arms = {name: arm for name, arm in result.study.arms.items() if arm.give != "cells"}
    one = dataclasses.replace(result, study=result.study.model_copy(update={"arms": arms}))
    assert both_forms(one.study) == {}
    assert forms.build(Page(one, "en")) is None
