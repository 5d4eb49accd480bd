"""Compiled models on disk: found again, never trusted blindly, safe for two processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from engine_tools import sbml

from exotwin.engine import load
from exotwin.engine.running import cache

TEXT = sbml("model c\n x = 1; x' = -k*x; k = 0.5; y := 2*x\nend")
# the value of an observable comes from the machine code itself; a whole run would import xarray, which takes longer
RUN = "import sys; from exotwin.engine import load; print(load(sys.argv[1]).observables['y'].value)"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EXOTWIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def run_elsewhere(folder: Path, code: str = RUN) -> subprocess.Popen[str]:
    """The model in a process of its own."""
    environment = {**os.environ, "EXOTWIN_CACHE": str(folder)}
    command = [sys.executable, "-c", code, TEXT]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_cold_and_warm_give_the_same_bits_and_one_file(folder: Path) -> None:
    cold = load(TEXT).simulate([0.0, 1.0])
    (file,) = folder.iterdir()
    written = file.stat().st_mtime_ns
    warm = load(TEXT).simulate([0.0, 1.0])
    assert warm.identical(cold)
    assert file.stat().st_mtime_ns == written


def test_a_stored_model_needs_neither_casadi_nor_libsbml(folder: Path) -> None:
    load(TEXT)
    blocked = "import sys; sys.modules['casadi'] = sys.modules['libsbml'] = None\n" + RUN
    process = run_elsewhere(folder, blocked)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert float(out) == 2.0


def test_two_processes_at_once_both_come_through(folder: Path) -> None:
    processes = [run_elsewhere(folder) for _ in range(2)]
    results = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], results
    assert [float(out) for out, _ in results] == [2.0, 2.0]
    assert [file.suffix for file in folder.iterdir()] == [".model"]


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b""])
def test_a_damaged_file_is_made_again(folder: Path, damage: object) -> None:
    first = load(TEXT).simulate([0.0, 1.0])
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert load(TEXT).simulate([0.0, 1.0]).identical(first)
    assert file.read_bytes() == whole


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EXOTWIN_CACHE", str(tmp_path / "file" / "cache"))
    assert float(load(TEXT).simulate([0.0])["x"][0, 0]) == 1.0


def test_what_code_depends_on_is_part_of_the_key() -> None:
    assert cache.key("a", "bc") != cache.key("ab", "c")
    widths = [load(TEXT, width=width).width for width in (1, 2)]
    assert widths == [1, 2]
