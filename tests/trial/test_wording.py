from __future__ import annotations

import math

import pandas as pd
import pytest

from exotwin.trial.wording import comparisons, effects, summary

FSH = {
    "main": True,
    "endpoint": "fsh",
    "label": "FSH",
    "arm": "msc",
    "comparator": "untreated",
    "better": "lower",
    "day": 182.625,
    "effect_kind": "ratio of geometric means",
    "effect_unit": "dimensionless",
    "no_effect": 1.0,
    "effect": 0.8,
    "low": 0.612,
    "high": 1.25,
    "p_better": 0.934,
}
RISE = {"effect_kind": "difference of means", "effect_unit": "ng/mL", "no_effect": 0.0}
CYCLING = {"effect_kind": "risk difference", "no_effect": 0.0, "endpoint": "cycling", "label": "Cycles"}


def cells(*changes: dict[str, object]) -> pd.DataFrame:
    return effects(pd.DataFrame([FSH | change for change in changes]))


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, "x 0.8 (0.612 to 1.25) 93%"),
        ({"effect": 12.34, "low": 1.234, "high": 123.4}, "x 12.3 (1.23 to 123) 93%"),
        ({"effect": 1.002, "low": 1.0004, "high": 1.01}, "x 1.002 (1.000 to 1.010) 93%"),
        ({"effect": 1.0, "low": 1.0, "high": 1.0, "p_better": 0.0}, "x 1.000 (1.000 to 1.000) 0%"),
        (RISE | {"effect": 0.456, "low": -0.0123, "high": 10}, "+0.46 ng/mL (-0.012 to +10) 93%"),
        (RISE | {"effect_unit": "dimensionless", "effect": 0.5, "low": 0.1, "high": 1}, "+0.5 (+0.1 to +1) 93%"),
        (RISE | {"effect_unit": "m", "effect": 99.7, "low": -123.4, "high": 12345}, "+100 m (-120 to +12 000) 93%"),
        (CYCLING | {"effect": 0.042, "low": -0.001, "high": 0.16}, "+4.2 points (-0.1 to +16) 93%"),
        (CYCLING | {"effect": -0.0, "low": -0.003, "high": 0.003}, "+0 points (-0.3 to +0.3) 93%"),
        ({"effect": math.nan, "low": math.nan, "high": math.nan, "p_better": math.nan}, "no statement"),
    ],
)
def test_an_effect_is_told_in_its_unit_with_interval_and_probability(change, text):
    assert cells(change).loc[("FSH" if "label" not in change else "Cycles", "msc"), "day 183"] == text


def test_the_main_reading_against_the_comparator_is_a_row_an_endpoint_and_arm_and_a_column_a_day():
    table = cells(
        {"day": 730.5},
        {"day": 182.625},
        {"arm": "exosomes", "day": 365.25},
        {"main": False, "arm": "of another reading"},
        {"arm": "untreated", "comparator": ""},
        CYCLING | {"day": 30.0},
    )
    assert list(table.columns) == ["day 30", "day 183", "day 365", "day 730"]
    assert list(table.index) == [("FSH", "msc"), ("FSH", "exosomes"), ("Cycles", "msc")]
    assert table.loc[("FSH", "msc"), "day 30"] == ""
    assert table.loc[("FSH", "msc"), "day 730"] == "x 0.8 (0.612 to 1.25) 93%"


def test_days_that_differ_by_hours_have_columns_of_their_own():
    table = cells({"day": 1.0}, {"day": 1.25, "effect": 0.9})
    assert list(table.columns) == ["day 1", "day 1.25"]
    assert table.iloc[0, 1].startswith("x 0.9 ")


def test_endpoints_that_share_a_label_have_rows_of_their_own():
    assert cells({}, {"endpoint": "fsh change"}).shape == (2, 1)


def test_a_study_with_nothing_to_compare_has_an_empty_table():
    assert cells({"comparator": ""}).empty


def test_comparisons_are_a_row_an_endpoint_arm_and_day_with_the_days_of_an_arm_together():
    rows = [
        {"day": 182.625},
        {"arm": "exosomes", "day": 182.625},
        CYCLING | {"day": 30.0, "effect": math.nan},
        {"day": 30.0, "arm": "untreated", "comparator": ""},
        {"day": 730.5},
        {"main": False, "day": 1.0},
    ]
    found = comparisons(pd.DataFrame([FSH | row for row in rows]))
    assert [(one.endpoint, one.arm, one.day) for one in found] == [
        ("FSH", "msc", "day 183"),
        ("FSH", "msc", "day 730"),
        ("FSH", "exosomes", "day 183"),
        ("Cycles", "msc", "day 30"),
    ]
    assert found[0][1:] == ("lower", "msc", "day 183", "x 0.8", "0.612 to 1.25", "93%")
    assert found[3][4:] == ("no statement", "", "")


def test_the_summary_says_who_was_followed_how_and_what_to_know(study_of):
    first, second, *notes, last = summary(study_of(), 109, 40, ("mind this",))
    assert first == "A small study"
    assert "40 enrolled of 109 virtual patients screened" in second
    assert "730.5 days" in second
    assert "8 draws" in second
    assert second.endswith("reading: animal")
    assert notes == ["note: mind this"]
    assert "not medical advice" in last
