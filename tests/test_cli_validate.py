import json

import pytest
from rich.console import Console

from exotwin import console
from exotwin.validation import read_checks

FILE = """
module: toy
dossiers: [ageing]
studies:
  young:
    about: a mouse of three months
    condition: poi
    species: mouse
    modules: [ageing]
    patients: 5
    draws: 0
    arms: {control: {}}
checks:
- id: some-burden
  record: karin2019-burden-ratio
  study: young
  kind: natural history
  sort: "null"
  observable: burden, less itself
  unit: burden
  readings:
    now: {arm: control, output: senescent, at: 1 day}
  value: now - now
  bound: "1"
  bound_why: toy
not testable:
- {record: bmt-partial-null, why: nothing stands for marrow}
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "toy.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_the_scoreboard_is_shown_with_counts_and_what_is_unaccounted(exotwin, file):
    code, told, _ = exotwin("validate", "--file", file)
    assert code == 0
    for words in ("toy: 1 of 1 within", "burden, less itself", "natural history", "unaccounted:", "1 records not test"):
        assert words in told


def test_a_failing_check_is_reported_and_ends_with_code_0(exotwin, file):
    file.write_text(FILE.replace("value: now - now", "value: now / now"), encoding="utf-8")
    code, told, _ = exotwin("validate", "--file", file)
    assert code == 0
    assert "toy: 0 of 1 within" in told
    assert "no reason given" in told
    assert "some-burden" in told


@pytest.mark.parametrize("width", [20, 80, 140, 200])
def test_the_scoreboard_fits_its_terminal_and_breaks_no_id(exotwin, file, monkeypatch, width):
    monkeypatch.setattr(console, "out", Console(highlight=False, width=width))
    long = "burden, less itself, in mice that were told nothing of it beforehand and were none the wiser for it"
    failing = FILE.replace("value: now - now", "value: now / now").replace("burden, less itself", long)
    failing = failing.replace("  bound_why", "  miss: burdens differ from nothing, wherever they are read\n  bound_why")
    file.write_text(failing, encoding="utf-8")
    code, told, _ = exotwin("validate", "--file", file)
    lines = told.splitlines()
    assert code == 0
    assert sum(line.startswith("✗ outside") or " ✗ outside" in line for line in lines) == 1
    assert sum("some-burden" in line for line in lines) == 2
    if width >= 80:
        assert max(map(len, lines)) <= width


@pytest.mark.parametrize("page", ["no/page.html", ".", "/dev/null"])
def test_a_page_that_cannot_be_written_is_refused_before_the_work(exotwin, file, monkeypatch, tmp_path, page):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("exotwin.validation.validate", lambda *_, **__: pytest.fail("it began"))
    code, told, error = exotwin("validate", "--file", file, "--html", page)
    assert (code, told) == (2, "")
    assert page in error


def test_json_holds_checks_and_summary(exotwin, file):
    code, told, _ = exotwin("validate", "--file", file, "--json")
    found = json.loads(told, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert code == 0
    assert [row["verdict"] for row in found["checks"]] == ["within", "not testable"]
    assert found["summary"]["all"]["null"]["predicted"] == {"n": 1, "within": 1, "share": 1.0}


def test_one_check_is_shown_with_readings_and_tolerance(exotwin, file):
    code, told, _ = exotwin("validate", "--file", file, "--check", "some-burden")
    assert code == 0
    for words in ("now - now", "readings", "less than 1 from 0: toy"):
        assert words in told


def test_the_page_is_written_beside_the_table(exotwin, file, tmp_path):
    page = tmp_path / "scoreboard.html"
    code, told, _ = exotwin("validate", "--file", file, "--html", page)
    assert code == 0
    assert str(page) in told
    assert "some-burden" in page.read_text(encoding="utf-8")


def test_the_page_speaks_chinese(exotwin, file, tmp_path):
    page = tmp_path / "scoreboard.html"
    code, _, _ = exotwin("validate", "--file", file, "--html", page, "--lang", "zh")
    text = page.read_text(encoding="utf-8")
    assert code == 0
    assert '<html lang="zh-Hans">' in text
    assert "不构成医疗建议" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("validate", "--html", "page.html", "--lang", "zn"), 'nearest   "zh"'),
        (("validate", "--lang", "zh"), "--html PAGE"),
        (("validate", "agein"), 'nearest   "ageing"'),
        (("validate", "frailt"), 'nearest   "frailty"'),
        (("validate", "nomodule"), "or a part: comparators, frailty"),
        (("validate", "--check", "vesicles-brain-dy"), 'nearest   "vesicles-brain-dye"'),
        (("validate", "cells", "--check", "vesicles-brain-dye"), "a check of vesicles"),
        (("validate", "--file", "none.yaml"), "no such file"),
        (("parameters", "cels"), 'nearest   "cells"'),
        (("parameters", "cells", "--species", "mous"), 'nearest   "mouse"'),
    ],
)
def test_bad_input_ends_with_code_2_and_one_message(exotwin, monkeypatch, tmp_path, words, message):
    monkeypatch.chdir(tmp_path)
    code, told, error = exotwin(*words)
    assert code == 2
    assert not told
    assert message in error


def test_what_a_model_does_not_have_is_told_after_the_scoreboard_with_code_2(exotwin, file):
    file.write_text(FILE.replace("output: senescent", "output: senescnt"), encoding="utf-8")
    code, told, error = exotwin("validate", "--file", file)
    assert code == 2
    assert "toy: 0 of 1 within" in told
    assert error.startswith("error toy.yaml, studies.young, arm control\n")
    assert 'nearest   "senescent"' in error


def test_what_a_record_cannot_say_is_told_before_the_work_and_no_page_is_written(exotwin, file, tmp_path):
    file.write_text(FILE.replace('bound: "1"', 'bound: "v.size"'), encoding="utf-8")
    page = tmp_path / "page.html"
    code, told, error = exotwin("validate", "--file", file, "--html", page)
    assert (code, told) == (2, "")
    assert error.startswith("error toy.yaml, some-burden, bound\n")
    assert not page.exists()


def test_parameters_are_listed_with_the_share_of_each_basis(exotwin):
    code, told, _ = exotwin("parameters", "ageing", "--species", "mouse")
    assert code == 0
    for words in ("removal_half", "burden", "assumed", "%"):
        assert words in told
    code, told, _ = exotwin("parameters", "ageing", "--json")
    found = json.loads(told)
    assert code == 0
    assert abs(sum(found["shares"].values()) - 1) < 1e-12
    assert {"name", "value", "unit", "spread", "basis", "record", "calibration", "note"} <= set(found["parameters"][0])


def test_parameters_fit_a_narrow_terminal_with_whole_names_and_records(exotwin, monkeypatch):
    monkeypatch.setattr(console, "out", Console(highlight=False, width=80))
    code, told, _ = exotwin("parameters", "vesicles", "--species", "rat")
    assert code == 0
    assert max(map(len, told.splitlines())) <= 80
    rows = json.loads(exotwin("parameters", "vesicles", "--species", "rat", "--json")[1])["parameters"]
    words = set(told.replace(",", " ").split())
    assert rows
    assert all({row["name"], *row["record"].split()} <= words for row in rows)


def test_the_modules_that_are_shipped_can_be_named():
    assert {"ageing", "uptake"} <= {file.module for file in read_checks()}
