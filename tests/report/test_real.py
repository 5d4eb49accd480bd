"""The shipped example, with few patients, through the real rooms: nothing of the page may rest on made-up results."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from exotwin.report import write_report, write_tables
from exotwin.report.wording import LANGUAGES
from exotwin.trial import Study, TrialResult, simulate_trial


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> TrialResult:
    examples = Path(str(files("exotwin") / "examples"))
    text = (examples / "poi-umbilical.toml").read_text(encoding="utf-8")
    for old, new in (
        ("n_patients = 1000", "n_patients = 32"),
        ("n_draws = 50", "n_draws = 8"),
        ('"umbilical/product.toml"', f'"{examples.as_posix()}/umbilical/product.toml"'),
    ):
        assert old in text
        text = text.replace(old, new)
    path = tmp_path_factory.mktemp("study") / "study.toml"
    path.write_text(text, encoding="utf-8")
    return simulate_trial(Study.from_toml(path))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_example_gives_a_whole_report(real, tmp_path, language):
    page = write_report(real, tmp_path / "report.html", language=language).read_text(encoding="utf-8")
    assert len(page.encode()) < 3e6
    assert page.rstrip().endswith("</html>")
    assert not re.search(r"(?i)\bnan\b", re.sub(r"<pre>.*?</pre>|<[^>]*>", "", page, flags=re.DOTALL))
    # the model's numbers all name records that the evidence has
    assert "no source found in this version" not in page
    shown = page.replace("<wbr>", "")
    assert all(p.name in shown for p in real.model.parameters.values() if p.basis != "input")
    for figure in ("curves", "readings", "exposure", "copies", "obstruction", "sizes-umbilical"):
        assert f'id="figure-{figure}"' in page


def test_every_module_of_the_example_says_what_it_misses(real, tmp_path):
    write_tables(real, tmp_path)
    lines = (tmp_path / "misses.csv").read_text(encoding="utf-8").splitlines()
    modules = [f for f in real.model.files if f.endswith(".ant")]
    assert len(lines) - 1 == len(modules)
