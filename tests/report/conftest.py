"""A made-up result and the pages made of it."""

from __future__ import annotations

import pytest
from synthetic import HOSTILE, synthetic_result

from exotwin.report.html import render
from exotwin.trial import TrialResult


@pytest.fixture(scope="session")
def result(tmp_path_factory: pytest.TempPathFactory) -> TrialResult:
    return synthetic_result(tmp_path_factory.mktemp("study"), title=f"Trial {HOSTILE}")


@pytest.fixture(scope="session")
def pages(result: TrialResult) -> dict[str, str]:
    return {language: render(result, language=language) for language in ("en", "zh")}
