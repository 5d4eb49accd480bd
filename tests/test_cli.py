import errno
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

import exotwin as ex
from exotwin import console
from exotwin.trial import held

EXAMPLES = Path(ex.__file__).parent / "examples"
LOT = EXAMPLES / "umbilical" / "product.toml"


@pytest.fixture
def study(tmp_path):
    """The example, small enough for a test."""
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    path = tmp_path / "examples" / "poi-umbilical.toml"
    text = path.read_text(encoding="utf-8")
    small = text.replace("n_patients = 1000", "n_patients = 24").replace("n_draws = 50 ", "n_draws = 4 ")
    assert small.count("n_patients = 24") == small.count("n_draws = 4 ") == 1
    path.write_text(small, encoding="utf-8")
    return path


def test_a_run_leaves_all_it_promises_and_fits_a_narrow_terminal(exotwin, study, tmp_path, monkeypatch):
    monkeypatch.setattr(console, "out", Console(highlight=False, width=80))
    out = tmp_path / "out"
    code, told, _ = exotwin("run", study, "-o", out)
    assert code == 0
    assert str(out / "report.html") in told
    assert "not medical advice" in told
    lines = told.splitlines()
    assert max(map(len, (line for line in lines if str(tmp_path) not in line))) <= 80
    amh = lines.index("AMH  higher is better")
    assert [line.split()[:1] for line in lines[amh + 1 : amh + 7 : 3]] == [["msc"], ["exosomes"]]
    assert all("day" in line and line.endswith("%") for line in lines[amh + 1 : amh + 7])
    promised = {"results.zarr", "endpoints.csv", "report.html", "figures", "tables", "study.lock.toml"}
    assert promised <= {p.name for p in out.iterdir()}
    assert not list(out.glob(".*part*")) + list(out.glob(".exotwin-*"))


def test_a_run_as_json_gives_the_endpoints_and_no_nan(exotwin, study, tmp_path):
    code, told, _ = exotwin("run", study, "-o", tmp_path / "out", "--json")
    given = json.loads(told, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert code == 0
    assert {row["arm"] for row in given["endpoints"]} == {"untreated", "msc", "exosomes"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('dose = "1e11 particles"', 'dose = "-1 particles"', "arms.exosomes.dose"),
        ('dose = "1e11 particles"', 'dose = "1e11 particels"', 'nearest   "particles"'),
        ("seed =", "sead =", 'nearest   "seed"'),
        ('product = "umbilical"', 'product = "umbilcal"', 'nearest   "umbilical"'),
        ("umbilical/product.toml", "umbilical/prodct.toml", 'nearest   "product.toml"'),
        ('file = "umbilical/product.toml"', 'file = "umbilical/vesicles/mirna_counts.csv"', "mirna_counts.csv"),
    ],
)
def test_bad_input_ends_with_code_2_one_message_and_nothing_left(exotwin, study, tmp_path, old, new, message):
    text = study.read_text(encoding="utf-8")
    assert old in text
    study.write_text(text.replace(old, new), encoding="utf-8")
    code, told, error = exotwin("run", study, "-o", tmp_path / "out")
    assert code == 2
    assert told == ""
    assert message in error
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_an_instrument_file_of_another_kind_is_told_by_what_it_looks_like(exotwin, study, tmp_path):
    lot = study.parent / "umbilical" / "product.toml"
    text = lot.read_text(encoding="utf-8")
    assert "vesicles/nta-ExperimentSummary.csv" in text
    lot.write_text(text.replace("vesicles/nta-ExperimentSummary.csv", "vesicles/mirna_counts.csv"), encoding="utf-8")
    code, _, error = exotwin("run", study, "-o", tmp_path / "out")
    assert code == 2
    assert "mirna_counts.csv" in error
    assert "NanoSight" in error
    assert not (tmp_path / "out").exists()


def test_an_unknown_language_is_refused_before_the_work(exotwin, study, tmp_path):
    code, _, error = exotwin("run", study, "-o", tmp_path / "out", "--language", "zn")
    assert code == 2
    assert 'nearest   "zh"' in error
    assert not (tmp_path / "out").exists()


def test_results_never_replace_what_no_run_has_left(exotwin, study, tmp_path):
    mine = tmp_path / "project" / "figures" / "mine.svg"
    mine.parent.mkdir(parents=True)
    mine.write_text("precious")
    code, _, error = exotwin("run", study, "-o", tmp_path / "project")
    assert code == 2
    assert "figures, which no run has left there" in error
    assert [p for p in (tmp_path / "project").rglob("*") if p.is_file()] == [mine]


@pytest.mark.parametrize(
    ("place", "found"), [("file", "a file"), ("file/out", "Not a directory"), ("x" * 300, "too long")]
)
def test_an_output_that_can_be_no_folder_is_refused(exotwin, study, tmp_path, place, found):
    (tmp_path / "file").write_text("")
    code, _, error = exotwin("run", study, "-o", tmp_path / place)
    assert code == 2
    assert found in error
    assert sorted(p.name for p in tmp_path.iterdir()) == ["examples", "file"]


def test_two_runs_do_not_write_to_one_folder_at_once(exotwin, study, tmp_path):
    with held(tmp_path / "out"):
        code, _, error = exotwin("run", study, "-o", tmp_path / "out")
    assert code == 2
    assert "another run that writes there" in error
    assert not (tmp_path / "out").exists()


def test_names_that_look_like_markup_are_shown_as_they_are(exotwin, study, tmp_path):
    text = study.read_text(encoding="utf-8")
    assert text.count('title = "') == text.count("[arms.msc]") == 1
    text = text.replace('title = "', 'title = "[/b] [red]').replace("[arms.msc]", '[arms."[/i]"]')
    study.write_text(text, encoding="utf-8")
    code, told, _ = exotwin("run", study, "-o", tmp_path / "out")
    assert code == 0
    assert told.startswith("[/b] [red]")
    assert "[/i]" in told


def test_what_the_system_refuses_is_told_without_traceback(exotwin, monkeypatch, tmp_path):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "start"))

    monkeypatch.setattr(shutil, "copytree", full)
    code, _, error = exotwin("example", tmp_path / "start")
    assert code == 1
    assert "No space left on device" in error
    assert str(tmp_path / "start") in error.replace("\n", "")


def test_the_product_command_shows_verdicts_as_table_and_as_json(exotwin):
    lot = EXAMPLES / "umbilical" / "product.toml"
    code, told, _ = exotwin("product", lot)
    assert code == 0
    assert "ISCT 2006: met" in told
    code, told, _ = exotwin("product", lot, "--json")
    verdicts = {v["standard"]: v["outcome"] for v in json.loads(told)["verdicts"]}
    assert verdicts["ISCT 2006"] == "met"


def test_copies_are_counted_as_text_as_json_and_on_a_page(exotwin, tmp_path):
    code, told, _ = exotwin("stoichiometry", LOT, "--dose", "1e11 particles", "-o", tmp_path / "page.html")
    assert code == 0
    assert "implausible at this dose" in told
    assert told.splitlines()[-1] == f"Page: {tmp_path / 'page.html'}"
    assert "miR-21-5p" in (tmp_path / "page.html").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    code, told, _ = exotwin("stoichiometry", LOT, "--condition", "frailty", "--json")
    counted = json.loads(told, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert code == 0
    assert (counted["condition"], counted["route"]) == ("frailty", "intravenous")
    lot = ex.Product.from_toml(LOT).vesicles
    assert counted["dose"] == lot.volume_mL * lot.particles_per_mL.value


def test_counting_copies_that_is_stopped_says_so_and_writes_nothing(exotwin, monkeypatch, tmp_path):
    def stopped(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("exotwin.report.stoichiometry.stoichiometry", stopped)
    code, told, error = exotwin("stoichiometry", LOT, "-o", tmp_path / "page.html")
    assert (code, told) == (130, "")
    assert "stopped; nothing was written" in error
    assert not list(tmp_path.iterdir())


def test_the_model_is_written_as_sbml_or_antimony_and_listed_with_records(exotwin, tmp_path):
    assert exotwin("model", "poi", "--species", "mouse", "-o", tmp_path / "poi.xml")[0] == 0
    assert "<sbml" in (tmp_path / "poi.xml").read_text(encoding="utf-8")
    assert exotwin("model", "poi", "-o", tmp_path / "poi.ant")[0] == 0
    assert "model" in (tmp_path / "poi.ant").read_text(encoding="utf-8")
    code, told, _ = exotwin("model", "poi", "--json")
    rows = {row["name"]: row for row in json.loads(told)["parameters"]}
    assert code == 0
    assert rows["pool_loss_floor"]["record"] == "faddy-gosden-1996-ode"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("model", "pio"), 'nearest   "poi"'),
        (("model", "poi", "--species", "humn"), 'nearest   "human"'),
        (("model", "poi", "-o", "no/such/poi.xml"), "no folder"),
        (("model", "poi", "-o", "."), "a folder"),
        (("claims", "POI2"), 'nearest   "POI-2"'),
        (("record", "mirna-treshold-cell"), 'nearest   "mirna-threshold-cell"'),
        (("product", "prodct.toml"), "no such file"),
        (("run", "study.toml", "-o", "out"), "no such file"),
        (("calibrate", "poi-animal-potncy"), 'nearest   "poi-animal-potency"'),
        (("fit", "problem.yaml"), "the YAML file of a PEtab problem"),
        (("app", "nowhere"), "no results.zarr"),
        (("stoichiometry", LOT, "--dose", "1e11 particels"), 'nearest   "particles"'),
        (("stoichiometry", LOT, "--dose", "0 mL"), "above zero"),
        (("stoichiometry", LOT, "--route", "intravenus"), 'nearest   "intravenous"'),
        (("stoichiometry", LOT, "--condition", "pio"), 'nearest   "poi"'),
        (("stoichiometry", LOT, "--species", "mose"), 'nearest   "mouse"'),
        (("stoichiometry", LOT, "-o", "no/page.html"), "no folder"),
        (("stoichiometry", LOT, "-o", "."), "a folder"),
        (("stoichiometry", LOT, "-o", "/dev/null"), "a pipe or a device"),
        (("stoichiometry", "prodct.toml"), "no such file"),
        (("stoichiometry", "nowhere/product.toml"), "no folder nowhere"),
        (("stoichiometry", LOT.with_name("prodct.toml")), 'nearest   "product.toml"'),
        (("product", LOT.parent), 'nearest   "product.toml"'),
        (("run", EXAMPLES / "poi-umbilicl.toml", "-o", "out"), 'nearest   "poi-umbilical.toml"'),
        (("run", EXAMPLES, "-o", "out"), "a folder"),
        (("validate", "--file", "."), "a YAML file of checks"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_message(exotwin, monkeypatch, tmp_path, words, message):
    monkeypatch.chdir(tmp_path)
    code, told, error = exotwin(*words)
    assert code == 2
    assert told == ""
    assert message in error
    assert not list(tmp_path.iterdir())


def test_all_claims_are_listed_and_some_are_honestly_not_modelled(exotwin):
    code, told, _ = exotwin("claims", "--json")
    listed = json.loads(told)
    assert code == 0
    assert len(listed) == 29
    assert {"not modelled yet", "partly held"} <= {c["status"] for c in listed}
    assert "29 have a module" in exotwin("claims")[1]


def test_one_claim_shows_its_records(exotwin):
    told = exotwin("claims", "POI-2")[1]
    assert "mir22-3p-klf6" in told
    assert "miR-22-3p" in told


def test_a_record_shows_its_source(exotwin):
    assert "10.1186/s13287-017-0641-z" in exotwin("record", "mir21-msc-pten-pdcd4")[1]


def test_the_example_is_written_once_and_never_over_something(exotwin, tmp_path):
    told = exotwin("example", tmp_path / "st art")[1]
    commands = [shlex.split(line) for line in told.splitlines() if line.startswith("  exotwin run")]
    studies = [tmp_path / "st art" / name for name in ("poi-umbilical.toml", "cells-against-exosomes.toml")]
    assert [command[:4] for command in commands] == [["exotwin", "run", str(study), "-o"] for study in studies]
    assert len({command[4] for command in commands}) == 2
    assert all(study.is_file() for study in studies)
    assert "premature ovarian insufficiency" in told
    assert "which tissue" in told
    assert (tmp_path / "st art" / "umbilical" / "product.toml").exists()
    code, _, error = exotwin("example", tmp_path / "st art")
    assert code == 2
    assert "exists already" in error


def test_a_terminal_without_our_letters_is_shown_the_rest():
    command = [sys.executable, "-c", "from exotwin.cli import main; main()", "stoichiometry", str(LOT)]
    told = subprocess.run(command, env=os.environ | {"PYTHONIOENCODING": "ascii"}, capture_output=True, check=False)
    assert (told.returncode, told.stderr) == (0, b"")
    assert b"implausible at this dose" in told.stdout


def test_version_and_help_are_there(exotwin):
    assert exotwin("--version")[1].startswith("exotwin 0.")
    assert "not medical advice" in exotwin("--help")[1]
