"""What the tutorial of fits shows, carried out with fewer starts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

Run = Callable[..., tuple[int, str, str]]

PAGE = (Path(__file__).parents[1] / "docs" / "tutorials" / "fit.md").read_text(encoding="utf-8")
COMMANDS = [line.split()[1:] for line in re.findall(r"^exotwin fit .*$", PAGE, re.MULTILINE)]
STARTS = 6  # of seed 1: the fewest of which one ends in the best optimum


@pytest.fixture
def folder(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The problem in a folder of its own, in which the page's commands are typed."""
    there = shared_data / "petab-models" / "Boehm_JProteomeRes2014"
    if not there.is_dir():
        pytest.skip(f"the published problem is not here ({there})")
    shutil.copytree(there, tmp_path / "boehm-problem")
    monkeypatch.chdir(tmp_path / "boehm-problem")
    return tmp_path / "boehm-problem"


def _fewer(command: list[str]) -> list[str]:
    """The same command with fewer starts and draws."""
    words = list(command)
    for option, number in (("--starts", STARTS), ("--samples", 64)):
        if option in words:
            words[words.index(option) + 1] = str(number)
    return words


def test_the_commands_of_the_page_do_what_it_says(exotwin: Run, folder: Path) -> None:
    evaluated, fitted, sampled = COMMANDS
    code, words, complaint = exotwin(*evaluated)
    assert code == 0, complaint
    assert re.search(r"prints `(.*?)`", PAGE)[1] == words.strip()
    assert (folder / "nominal" / "simulation.tsv").is_file()

    code, words, complaint = exotwin(*_fewer(fitted))
    assert code == 0, complaint
    listed = re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE)
    names = {name.rstrip("/") for cell in listed for name in re.findall(r"`(.*?)`", cell)}
    written = {path.name for path in (folder / "boehm").iterdir()}
    assert names == {name for name in written if not re.fullmatch(r"profiles-[1-9].jsonl", name)}  # of better valleys
    assert "minus log posterior 138.222," in words

    table = pd.read_csv(folder / "boehm" / "parameters.csv").set_index("parameter")
    verdicts = table["identifiability"]
    assert verdicts["k_exp_hetero"] == "only an upper limit"
    assert verdicts["k_imp_homo"] == "only a lower limit"
    told = re.search(r"(\w+) of (\w+) parameters are `identifiable`", PAGE).groups()
    numbers = {"Seven": 7, "nine": 9}
    assert [numbers[word] for word in told] == [(verdicts == "identifiable").sum(), len(verdicts)]
    assert table["at_bound"].dropna().to_dict() == {"k_exp_hetero": "lower", "k_imp_homo": "upper"}
    assert table.loc["k_exp_hetero", "profile_high"] == pytest.approx(0.0009, abs=5e-5)
    assert table.loc["k_imp_homo", "profile_low"] == pytest.approx(1.4, abs=0.05)

    code, words, complaint = exotwin(*_fewer(sampled))
    assert code == 0, complaint
    assert "samples: the chain is" in words  # 64 draws are too few, and the fit says so
    assert len(pd.read_parquet(folder / "boehm" / "samples.parquet")) >= 64


def test_the_python_of_the_page_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = "\n".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    assert "starts=30, seed=1" in source
    found: dict[str, object] = {}
    exec(source.replace("starts=30, seed=1", 'starts=2, seed=1, profiles=["k_exp_hetero"]'), found)
    said = capsys.readouterr().out
    assert "48 measurements" in said
    assert said.count("k_exp_hetero") == 2  # in the summary and among the profiles
