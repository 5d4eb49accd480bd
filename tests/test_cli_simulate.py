"""The command that simulates any SBML model."""

import csv
import io
import json
import math
import os
import re
import threading

import numpy as np
import pytest
from engine_tools import sbml

DECAY = """model decay
  compartment v = 2; species s in v = 3; substanceOnly species t in v = 0; s -> t; k*s*v; k = 0.5; seen := 2*s; p = 1
end"""


@pytest.fixture
def simulated(exotwin, monkeypatch, tmp_path):
    """Run `exotwin simulate` with a cache of its own."""
    monkeypatch.setenv("EXOTWIN_CACHE", str(tmp_path / "cache"))
    return lambda *words: exotwin("simulate", *words)


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "decay.xml"
    path.write_text(sbml(DECAY))
    return path


def table(text: str) -> tuple[list[str], np.ndarray]:
    header, *rows = list(csv.reader(io.StringIO(text)))
    return header, np.array(rows, float)


def test_columns_are_time_and_the_names_in_their_order(simulated, model):
    numbers = ("--start", 1, "--duration", 2, "--steps", 4, "--rtol", 1e-9, "--atol", 1e-12)
    code, told, _ = simulated(model, *numbers, "-o", "seen,k", "--amount", "s", "--concentration", "t")
    header, rows = table(told)
    assert code == 0
    assert header == ["time", "seen", "k", "s", "t"]
    np.testing.assert_array_equal(rows[:, 0], [1, 1.5, 2, 2.5, 3])
    amount = 6 * np.exp(-0.5 * (rows[:, 0] - 1))
    # local errors of some hundred steps
    np.testing.assert_allclose(rows[:, 1], amount, rtol=1e-7)  # twice the concentration in a volume of 2
    np.testing.assert_array_equal(rows[:, 2], 0.5)
    np.testing.assert_allclose(rows[:, 3], amount, rtol=1e-7)
    np.testing.assert_allclose(rows[:, 4], (6 - amount) / 2, rtol=1e-7, atol=1e-12)


def test_a_name_among_the_outputs_may_be_wanted_as_amount(simulated, model):
    _, told, _ = simulated(model, "--duration", 1, "--steps", 1, "--output", "t, s", "--amount", "s")
    header, rows = table(told)
    assert header == ["time", "t", "s"]
    assert list(rows[0]) == [0, 0, 6]


def test_what_is_no_species_is_taken_as_the_model_means_it(simulated, model):
    words = ("--duration", 1, "--steps", 1, "-o", "p", "--amount", "k,seen", "--concentration", "v")
    code, told, _ = simulated(model, *words)
    assert code == 0
    assert table(told)[0] == ["time", "p", "k", "seen", "v"]
    assert list(table(told)[1][0]) == [0, 1, 0.5, 6, 2]


def test_without_outputs_all_names_are_there_behind_those_that_were_named(simulated, model):
    _, told, _ = simulated(model, "--duration", 1, "--steps", 1, "--concentration", "t", "--amount", "s")
    header, rows = table(told)
    assert header[:4] == ["time", "s", "t", "seen"]
    assert set(header) == {"time", "s", "t", "seen", "v", "k", "p", "_J0"}
    expected = {"time": 0, "s": 6, "t": 0, "seen": 6, "v": 2, "k": 0.5, "p": 1, "_J0": 3}
    assert dict(zip(header, rows[0], strict=True)) == expected


def test_values_can_be_set_and_numbers_are_not_rounded(simulated, model):
    words = ("--duration", 1, "--steps", 1, "-o", "k,s", "--set", "k=0.1", "--set", "s=4.000000000000001")
    _, told, _ = simulated(model, *words)
    assert table(told)[1][0].tolist() == [0.0, 0.1, 4.000000000000001]


def test_a_parameter_called_time_stands_beside_the_time(simulated, tmp_path):
    path = tmp_path / "time.xml"
    path.write_text(sbml("model t\n q = 3; x = 1; x' = q\nend").replace('"q"', '"time"').replace("> q <", "> time <"))
    code, told, _ = simulated(path, "--duration", 2, "--steps", 1, "-o", "time,x")
    assert code == 0
    assert table(told)[0] == ["time", "time", "x"]
    np.testing.assert_allclose(table(told)[1], [[0, 3, 1], [2, 3, 7]], rtol=1e-14)


def test_the_table_goes_to_a_file_and_a_summary_to_json(simulated, model, tmp_path):
    code, told, _ = simulated(model, "--duration", 5, "--csv", tmp_path / "out.csv", "--json")
    given = json.loads(told, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert code == 0
    assert given["outcome"] == "ok"
    assert given["failed_at"] is None
    assert given["steps"] > 3
    assert given["seconds"].keys() == {"load", "simulate"}
    header, rows = table((tmp_path / "out.csv").read_text())
    assert header[1:] == given["columns"]
    assert rows.shape == (101, 8)
    assert not list(tmp_path.glob(".*part*"))


def test_a_link_stays_and_what_it_points_to_is_written(simulated, model, tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    assert simulated(model, "--duration", 1, "--csv", tmp_path / "link.csv")[0] == 0
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text().startswith("time,")


def test_a_pipe_is_written_to_and_not_replaced_by_a_file(simulated, model, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()), daemon=True)
    reader.start()
    code, _, _ = simulated(model, "--duration", 1, "--csv", tmp_path / "pipe")
    reader.join(10)
    assert code == 0
    assert (tmp_path / "pipe").is_fifo()
    assert read[0].startswith("time,")


def test_a_run_that_fails_gives_what_there_is_then_nan_and_says_why_and_when(simulated, tmp_path):
    path = tmp_path / "blow.xml"
    path.write_text(sbml("model b\n y = 1; y' = y^2\nend"))
    code, told, error = simulated(path, "--duration", 2, "--steps", 4, "--csv", tmp_path / "out.csv", "--json")
    assert code == 1
    assert "step too small at time 1" in error
    assert json.loads(told)["outcome"] == "step too small"
    y = table((tmp_path / "out.csv").read_text())[1][:, 1]
    np.testing.assert_allclose(y[:2], [1, 2], rtol=1e-4)
    assert all(math.isnan(value) for value in y[3:])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("-o", "sen"), 'outputs "sen".*nearest   "seen"'),
        (("--amount", "q"), 'outputs "amount\\(q\\)".*no such species'),
        (("--concentration", "tt"), 'nearest   "t"'),
        (("--amount", "s", "--concentration", "s"), "wanted as amount and as concentration"),
        (("--set", "kk=1"), 'parameters "kk".*nearest   "k"'),
        (("--set", "k=fast"), '--set k=fast.*the number "fast"'),
        (("--set", "k=nan"), 'parameters "k".*found     nan'),
        (("--set", "k"), "--set k\n"),
        (("--set", "=3"), "--set =3\n.*no name"),
        (("--rtol", "0"), "rtol.*above zero"),
        (("--atol", "-1"), "atol.*zero or more"),
        (("--duration", "0"), "a duration above zero"),
        (("--duration", "inf"), "a duration above zero"),
        (("--start", "nan"), "a duration above zero"),
        (("--duration", "1e-300", "--start", "1e300"), "times that rise"),
        (("--steps", "0"), "steps"),
        (("--steps", "many"), "steps"),
        (("--csv", "nowhere/out.csv"), "no folder nowhere"),
        (("--csv", "."), "a folder"),
    ],
)
def test_wrong_words_end_with_code_2_and_one_message(simulated, model, words, told):
    code, out, error = simulated(model, "--duration", "1", *words)
    assert code == 2
    assert out == ""
    assert "Traceback" not in error
    assert re.search("(?s)" + told, error)


def test_a_file_that_is_absent_or_no_sbml_is_told(simulated, tmp_path):
    assert "No such file" in simulated(tmp_path / "none.xml", "--duration", 1)[2]
    (tmp_path / "text.xml").write_text("hello")
    code, _, error = simulated(tmp_path / "text.xml", "--duration", 1)
    assert code == 2
    assert "not well formed" in error


def test_what_is_not_checked_is_said(simulated, tmp_path):
    path = tmp_path / "constraint.xml"
    text = sbml("model c\n x = 1; x' = 1\nend")
    constraint = (
        '<listOfConstraints><constraint><math xmlns="http://www.w3.org/1998/Math/MathML"><true/></math></constraint>'
        "</listOfConstraints></model>"
    )
    path.write_text(text.replace("</model>", constraint))
    code, _, error = simulated(path, "--duration", 1)
    assert code == 0
    assert "1 constraint(s) of the model are not checked" in error
