from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from exotwin.biology import Spread
from exotwin.errors import StudyError
from exotwin.progress import Silent
from exotwin.trial.population import Candidates, Drawn, draw_knowledge, enrol, what_is_drawn
from exotwin.trial.study import Age

UNIFORM = Spread("uniform", 0.5, 0.0, 1.0)


def uniforms(n: int) -> Drawn:
    return Drawn({f"p{k}": UNIFORM for k in range(n)}, {"k": UNIFORM}, {})


def everyone(numbers: Mapping[str, np.ndarray], candidate: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """FSH is what the drawn scale says; nobody's integration fails."""
    n = numbers["fsh_scale"].size
    return {"fsh": numbers["fsh_scale"] / 1000, "age_start": numbers["age_start"]}, np.full(n, "ok")


def enrolled(study, model, run_in=everyone, **changes):
    drawn = what_is_drawn(model, age=study.population.age, fixed={}, products={}, **changes)
    knowledge = draw_knowledge(drawn, n_draws=study.population.n_draws, seed=study.seed)
    return enrol(study, model, drawn, knowledge, run_in, Silent())


def test_knowledge_fills_every_slice_of_its_range_once():
    drawn = draw_knowledge(uniforms(1), n_draws=50, seed=3)["k"]
    assert sorted(np.floor(drawn * 50)) == list(range(50))


def test_a_further_product_does_not_move_the_draws_of_the_others():
    one = draw_knowledge(Drawn({}, {"a": UNIFORM}, {}), n_draws=20, seed=3)
    two = draw_knowledge(Drawn({}, {"0": UNIFORM, "a": UNIFORM}, {}), n_draws=20, seed=3)
    np.testing.assert_array_equal(one["a"], two["a"])
    assert not np.allclose(two["a"], two["0"])


def test_candidates_of_each_draw_are_spread_evenly_by_themselves():
    candidates = Candidates(uniforms(5), n_draws=50, seed=3)
    for draw in (0, 1, 49):
        taken = candidates.take(np.full(32, draw), np.arange(32))
        for values in taken.values():
            # A turned sequence of 32 points misses a slice of a sixteenth at most where the turn cuts it.
            counts = np.histogram(values, bins=16, range=(0, 1))[0]
            assert counts.min() >= 1
            assert counts.max() <= 3


def test_a_candidate_depends_on_draw_and_position_alone():
    one, other = (Candidates(uniforms(4), n_draws=8, seed=5) for _ in range(2))
    draw, position = np.repeat(np.arange(8), 300), np.tile(np.arange(300), 8)
    whole = one.take(draw, position)
    order = np.random.default_rng(1).permutation(draw.size)
    for start in range(0, draw.size, 700):
        some = order[start : start + 700]
        for name, values in other.take(draw[some], position[some]).items():
            np.testing.assert_array_equal(values, whole[name][some])


def test_screening_counts_add_up_and_name_the_first_unmet_criterion(study_of, tiny_model):
    found = enrolled(study_of(), tiny_model)
    screening = found.screening
    assert screening.n_enrolled == found.n == 40
    assert screening.n_screened == 40 + sum(n for _, _, n in screening.left_out)
    assert screening.left_out[0] == ("younger than 40", "poi-eshre2024-criteria", 0)
    assert screening.left_out[1][2] > 0
    assert np.all(found.parameters["fsh_scale"] > 10_000)
    assert np.all(found.parameters["age_start"] < 40)
    assert screening.flow()[0] == f"{screening.n_screened} candidates screened"
    assert screening.flow()[-1] == "40 enrolled"


def test_patient_i_belongs_to_draw_i_modulo_the_number_of_draws(study_of, tiny_model):
    found = enrolled(study_of(), tiny_model)
    np.testing.assert_array_equal(found.draw, np.arange(40) % 8)
    translation = found.parameters["translation"]
    for draw in range(8):
        assert np.unique(translation[found.draw == draw]).size == 1
    assert np.unique(translation).size == 8
    assert np.unique(found.parameters["loss"]).size == 40


def test_failed_integrations_are_counted_and_not_enrolled(study_of, tiny_model):
    def some_fail(numbers, candidate):
        values, outcome = everyone(numbers, candidate)
        outcome = np.where(numbers["loss"] > 0.001, "step limit", "ok")
        return {k: np.where(outcome == "ok", v, np.nan) for k, v in values.items()}, outcome

    found = enrolled(study_of(), tiny_model, some_fail)
    assert found.screening.failed == {"step limit": found.screening.n_failed}
    assert found.screening.n_failed > 10
    assert np.all(found.parameters["loss"] <= 0.001)
    counted = found.screening.n_failed + sum(n for _, _, n in found.screening.left_out) + 40
    assert found.screening.n_screened == counted


def test_who_is_enrolled_does_not_depend_on_the_size_of_the_batches(study_of, tiny_model, monkeypatch):
    one = enrolled(study_of(), tiny_model)
    monkeypatch.setattr("exotwin.trial.population._BATCH", 7)
    other = enrolled(study_of(), tiny_model)
    assert one.screening == other.screening
    np.testing.assert_array_equal(one.candidate, other.candidate)
    for name, values in one.parameters.items():
        np.testing.assert_array_equal(values, other.parameters[name])


def test_a_patient_keeps_the_number_that_it_had_as_a_candidate(study_of, tiny_model):
    seen = {}

    def remember(numbers, candidate):
        seen.update(zip(candidate.tolist(), numbers["loss"], strict=True))
        return everyone(numbers, candidate)

    found = enrolled(study_of(), tiny_model, remember)
    assert np.unique(found.candidate).size == 40
    np.testing.assert_array_equal(found.candidate % 8, found.draw)
    np.testing.assert_array_equal([seen[k] for k in found.candidate], found.parameters["loss"])


def test_criteria_that_nobody_meets_end_with_the_counts(study_of, tiny_model):
    def nobody(numbers, candidate):
        values, outcome = everyone(numbers, candidate)
        return values | {"fsh": np.zeros(outcome.size)}, outcome

    with pytest.raises(StudyError, match=r"[2-9]\d\d\d left out: not fsh > 10 IU/L"):
        enrolled(study_of(), tiny_model, nobody)


def test_the_study_sets_the_ages(study_of, tiny_model):
    ages = enrolled(study_of(("n_patients = 40\nn_draws = 8", "n_patients = 1000")), tiny_model).parameters["age_start"]
    assert 18 <= ages.min() < ages.max() < 40
    # Normal(33, 4) cut at 18 and 40: mean 32.6, SD 3.7; evenly spread points do better than 1 / sqrt(1000).
    assert ages.mean() == pytest.approx(32.64, abs=0.15)
    assert ages.std() == pytest.approx(3.60, abs=0.15)


def test_an_age_without_spread_and_fixed_numbers_are_the_same_for_all(tiny_model):
    age = Age(mean=30.0, sd=0.0, min=20.0, max=40.0)
    drawn = what_is_drawn(tiny_model, age=age, fixed={"translation": 0.2}, products={})
    assert drawn.fixed == {"translation": 0.2, "age_start": 30.0}
    assert "age_start" not in drawn.patient
    assert "translation" not in drawn.knowledge
