"""exotwin calibrate, as a user types it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from exotwin.biology import SHIPPED
from exotwin.calibration import calibrations

Run = Callable[..., tuple[int, str, str]]

QUICK = "cyclophosphamide-mouse"


@pytest.fixture
def untouched():
    """Holds that no file of the biology has changed behind the test."""

    def digests() -> dict[Path, str]:
        kept = [p for p in Path(SHIPPED).rglob("*") if p.suffix in (".csv", ".tsv", ".xml", ".toml", ".yaml")]
        return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in kept}

    before = digests()
    yield
    assert digests() == before


def test_the_list_names_each_calibration_with_what_is_fitted_and_its_numbers(exotwin: Run) -> None:
    code, words, complaint = exotwin("calibrate")
    assert code == 0, complaint
    assert all(name in words for name in calibrations())
    assert "Pool of resting follicles of the mouse" in words
    assert "cpa_ed50" in words


def test_the_list_as_json_has_one_entry_a_calibration_in_their_order(exotwin: Run) -> None:
    code, words, complaint = exotwin("calibrate", "--json")
    assert code == 0, complaint
    told = json.loads(words)
    assert tuple(entry["name"] for entry in told) == calibrations()
    assert {"title", "writes"} <= told[0].keys()


@pytest.mark.usefixtures("untouched")
def test_a_dry_run_shows_the_numbers_of_the_table_and_writes_none(exotwin: Run, tmp_path: Path) -> None:
    code, words, complaint = exotwin("calibrate", QUICK, "--dry-run", "-o", tmp_path / "out")
    assert code == 0, complaint
    assert "(table: 77.32)" in words
    assert "identifiable" in words
    assert "written" not in words
    assert {"fit.html", "parameters.csv"} <= {path.name for path in (tmp_path / "out").iterdir()}


@pytest.mark.usefixtures("untouched")
def test_a_dry_run_as_json_has_estimates_and_each_comparison_with_its_record(exotwin: Run) -> None:
    code, words, complaint = exotwin("calibrate", QUICK, "--dry-run", "--json")
    assert code == 0, complaint
    told = json.loads(words)
    value = {entry["target"]["name"]: entry["value"] for entry in told["estimates"]}
    assert value == pytest.approx({"cpa_ed50": 77.32}, rel=2e-3)
    assert all(comparison["record"] for comparison in told["comparisons"])
    assert told["written"] == []


@pytest.mark.usefixtures("untouched")
def test_a_check_of_one_says_that_its_table_holds(exotwin: Run) -> None:
    code, words, complaint = exotwin("calibrate", QUICK, "--check")
    assert code == 0, complaint
    assert "every fitted number is what its calibration gives" in words
    code, words, _ = exotwin("calibrate", QUICK, "--check", "--json")
    assert (code, json.loads(words)) == (0, [])


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["mousepool"], ["a calibration that exotwin does not have", 'nearest   "mouse-pool"']),
        (["mousepool", "--check"], ["a calibration that exotwin does not have", 'nearest   "mouse-pool"']),
        (["--dry-run"], ["no name of a calibration"]),
        ([QUICK, "--check", "-o", "OUT"], ["it writes nothing"]),
        ([QUICK, "--dry-run", "-o", "FILE"], ["a file", "a folder, or a new name"]),
        ([QUICK, "--dry-run", "-o", "FILE/below"], ["FILE, which is a file"]),
    ],
)
def test_wrong_words_are_one_message_and_nothing_is_fitted_for_them(
    exotwin: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], words: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("FILE").write_text("")
    code, said, complaint = exotwin("calibrate", *options)
    assert code in (1, 2)
    assert said == ""
    assert "Traceback" not in complaint
    assert all(word in complaint for word in words), complaint
    assert [path.name for path in tmp_path.iterdir()] == ["FILE"]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(("work", "options"), [("calibrate", [QUICK]), ("check", ["--check"])])
def test_what_is_stopped_says_that_nothing_was_written(
    exotwin: Run, monkeypatch: pytest.MonkeyPatch, work: str, options: list[str]
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"exotwin.calibration.{work}", stopped)
    code, said, complaint = exotwin("calibrate", *options)
    assert (code, said) == (130, "")
    assert "stopped; nothing was written" in complaint
