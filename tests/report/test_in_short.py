from __future__ import annotations

import dataclasses

import pytest
from synthetic import synthetic_result

from exotwin.report.in_short import in_short
from exotwin.report.wording import Words

EN = Words("en")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Results by the size of their effects."""
    return {effect: synthetic_result(tmp_path_factory.mktemp("study"), effect=effect) for effect in (1.0, 0.0)}


def test_an_effect_of_more_than_very_little_is_named_with_its_arm(made):
    said = in_short(made[1.0], EN)
    assert "exosomes better on" in said
    assert "surely better or worse" not in said


def test_no_effect_is_said_to_be_none_at_the_end_and_before(made):
    said = in_short(made[0.0], EN)
    assert "no arm is surely better or worse than no treatment" in said
    assert "Nor is any at an earlier time" in said


def test_an_effect_that_has_passed_is_told_with_its_time(made):
    table = made[1.0].endpoints.copy()
    compared = table["comparator"] != ""
    last = table["day"] == table["day"].max()
    assert (compared & ~last).any()
    for name in ("effect", "low", "high"):
        table.loc[compared & last, name] = table.loc[compared & last, "no_effect"]
    said = in_short(dataclasses.replace(made[1.0], endpoints=table), EN)
    assert "no arm is surely better" in said
    assert "exosomes better on" in said


def test_that_the_direction_is_an_assumption_is_told_where_it_is_one(made):
    result = made[1.0]
    assert "carried over from animal studies" in in_short(result, EN)
    known = dataclasses.replace(result.model.parameters["translation"], basis="measured")
    model = dataclasses.replace(result.model, parameters={**result.model.parameters, "translation": known})
    assert "carried over" not in in_short(dataclasses.replace(result, model=model), EN)
