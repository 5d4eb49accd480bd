from __future__ import annotations

from pathlib import Path

import pytest

from exotwin.trial import COLUMNS, READINGS
from exotwin.trial.study import Age, Arm, Endpoint, Population, Solver, Study

PAGE = (Path(__file__).parents[2] / "docs" / "modules" / "trial.md").read_text(encoding="utf-8")


def test_the_page_explains_every_column_of_the_endpoints():
    for column, meaning in COLUMNS.items():
        assert f"| `{column}` | {meaning} |" in PAGE


@pytest.mark.parametrize("table", [Study, Population, Arm, Endpoint, Solver])
def test_the_page_names_every_key_of_the_study_file(table):
    for key in table.model_fields:
        assert f"`{key}`" in PAGE or f"[{key}." in PAGE or f"[{key}]" in PAGE, key


def test_the_page_names_every_part_of_an_age_and_every_reading():
    assert all(f"{key} = " in PAGE for key in Age.model_fields)
    assert all(f"| `{reading}` |" in PAGE for reading in READINGS)
