"""exotwin fit, as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_problems import CONVERSION, MEASUREMENTS, OBSERVABLES, PARAMETERS, conversion, problem

Run = Callable[..., tuple[int, str, str]]

TIMES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@pytest.fixture
def yaml(tmp_path: Path) -> Path:
    """A <-> B with 12 measurements around k1 = 0.8, k2 = 0.6."""
    rng = np.random.default_rng(7)
    rows = [f"a|c0|{conversion(t, 0.8, 0.6) + rng.normal(0, 0.02)}|{t}" for t in TIMES for _ in range(2)]
    problem(
        tmp_path / "problem",
        CONVERSION,
        parameters=f"{PARAMETERS}\nk1|log10|0.001|100|0.8|1\nk2|log10|0.001|100|0.6|1\nsd|log10|0.001|1|0.02|1",
        observables=f"{OBSERVABLES}\na|A|sd",
        measurements="\n".join([MEASUREMENTS, *rows]),
    )
    return tmp_path / "problem" / "problem.yaml"


def test_evaluate_prints_the_likelihood_and_writes_the_simulation_in_petabs_form(
    exotwin: Run, yaml: Path, tmp_path: Path
) -> None:
    code, words, complaint = exotwin("fit", yaml, "--evaluate", "--json", "-o", tmp_path / "out")
    assert code == 0, complaint
    told = json.loads(words)
    table = pd.read_csv(tmp_path / "out" / "simulation.tsv", sep="\t")
    assert list(table.columns) == ["observableId", "simulationConditionId", "simulation", "time"]
    assert table["simulation"].to_numpy() == pytest.approx(conversion(table["time"].to_numpy(), 0.8, 0.6), rel=1e-7)
    measured = pd.read_csv(yaml.parent / "measurements.tsv", sep="\t")["measurement"]
    residual = (measured - table["simulation"]) / 0.02
    expected = -0.5 * float((residual**2).sum()) - 12 * np.log(0.02 * np.sqrt(2 * np.pi))
    assert told["log_likelihood"] == pytest.approx(expected, rel=1e-7)
    assert told["simulations"] == 1


def test_a_fit_writes_everything_and_finds_what_the_data_hold(exotwin: Run, yaml: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, words, complaint = exotwin("fit", yaml, "-o", out, "--starts", 6, "--seed", 3, "--samples", 200, "--json")
    assert code == 0, complaint
    names = {path.name for path in out.iterdir()}
    assert {"fit.json", "parameters.csv", "starts.parquet", "profiles.parquet", "samples.parquet", "fit.html"} <= names
    assert json.loads(words) == json.loads((out / "fit.json").read_text())
    table = pd.read_csv(out / "parameters.csv").set_index("parameter")
    assert table.loc["k1", "value"] == pytest.approx(0.8, rel=0.1)
    assert len(pd.read_parquet(out / "starts.parquet")) == 6


def test_a_fit_that_was_killed_goes_on_to_the_same_numbers(exotwin: Run, yaml: Path, tmp_path: Path) -> None:
    options = ["--starts", "100", "--seed", "2", "--profiles", "none"]
    code, _, complaint = exotwin("fit", yaml, "-o", tmp_path / "whole", *options)
    assert code == 0, complaint
    command = [sys.executable, "-c", "from exotwin.cli import main; main()", "fit", str(yaml)]
    command += ["-o", str(tmp_path / "torn"), *options]
    kept = tmp_path / "torn" / "starts.jsonl"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ))
    try:
        while process.poll() is None and not (kept.exists() and kept.read_text().count("\n") > 3):
            time.sleep(0.005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    before = kept.read_text().count("\n")
    code, _, complaint = exotwin("fit", yaml, "-o", tmp_path / "torn", *options)
    assert code == 0, complaint
    assert before > 1
    columns = ["number", "value", "begin_value", "evaluations"]
    one, other = (pd.read_parquet(tmp_path / name / "starts.parquet")[columns] for name in ("whole", "torn"))
    assert one.equals(other)


def test_the_folder_of_another_fit_is_refused_by_what_differs(exotwin: Run, yaml: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("fit", yaml, "-o", out, "--starts", 3, "--profiles", "none")
    assert exotwin(*options)[0] == 0
    code, _, complaint = exotwin(*options, "--rtol", 1e-6)
    assert code == 2
    assert "rtol" in complaint


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ["no folder for the results", "-o FOLDER"]),
        (["-o", "OUT", "--profiles", "k3"], ['"k3"', 'nearest   "k']),
        (["-o", "OUT", "--profiles", " , "], ["--profiles", "no name"]),
        (["-o", "FILE"], ["a file"]),
        (["-o", "FILE/below"], ["FILE, which is a file"]),
        (["--evaluate", "-o", "FILE"], ["a file"]),
        (["--evaluate", "--starts", "100", "-o", "OUT"], ["fit --evaluate", "--starts"]),
        (["--evaluate", "--samples", "9", "--seed", "2", "--profiles", "k1"], ["--seed and --profiles and --samples"]),
    ],
)
def test_wrong_options_are_one_message_and_leave_nothing(
    exotwin: Run, yaml: Path, tmp_path: Path, options: list[str], words: list[str]
) -> None:
    (tmp_path / "FILE").write_text("")
    given = [str(tmp_path / option) if option in ("OUT", "FILE", "FILE/below") else option for option in options]
    code, _, complaint = exotwin("fit", yaml, *given)
    assert code == 2
    assert "Traceback" not in complaint
    assert all(word in complaint for word in words), complaint
    assert not (tmp_path / "OUT").exists()


def test_a_problem_without_a_nominal_value_cannot_be_evaluated_and_says_which(
    exotwin: Run, yaml: Path, tmp_path: Path
) -> None:
    table = yaml.parent / "parameters.tsv"
    table.write_text(table.read_text().replace("\t0.6\t", "\t\t"))
    code, _, complaint = exotwin("fit", yaml, "--evaluate")
    assert code == 2
    assert '"k2"' in complaint


@pytest.mark.parametrize("name", ["problm.yaml", ".", "model.xml", "none/problem.yaml"])
def test_what_is_no_problem_is_told_with_the_one_that_lies_beside_it(exotwin: Run, yaml: Path, name: str) -> None:
    code, _, complaint = exotwin("fit", yaml.parent / name, "--evaluate")
    assert code == 2
    assert "Traceback" not in complaint
    if name in ("problm.yaml", "."):
        assert 'nearest   "problem.yaml"' in complaint


def test_a_folder_with_spaces_and_umlauts_is_a_folder(exotwin: Run, yaml: Path, tmp_path: Path) -> None:
    there = yaml.parent.rename(tmp_path / "Größe der Probe")
    code, words, complaint = exotwin("fit", there / yaml.name, "--evaluate", "-o", there / "das Ergebnis" / "heute")
    assert code == 0, complaint
    assert words.endswith(", 1 simulation\n")
    assert (there / "das Ergebnis" / "heute" / "simulation.tsv").is_file()


def test_windows_line_ends_and_byte_order_marks_change_nothing(exotwin: Run, yaml: Path) -> None:
    _, before, _ = exotwin("fit", yaml, "--evaluate")
    for path in (*yaml.parent.glob("*.tsv"), yaml):
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert exotwin("fit", yaml, "--evaluate")[:2] == (0, before)


def test_too_few_draws_are_told_on_the_terminal(exotwin: Run, yaml: Path, tmp_path: Path) -> None:
    options = ("--starts", 4, "--profiles", "none", "--samples", 100)
    code, words, complaint = exotwin("fit", yaml, "-o", tmp_path / "out", *options)
    assert code == 0, complaint
    assert "samples: the chain is" in words
