"""Results on disk are the results in memory, whatever happens on the way, and never pass for more than they are."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr
from engine_tools import sbml

from exotwin.engine import CompiledModel, Dose, load
from exotwin.engine.running import stream
from exotwin.engine.running.request import Request
from exotwin.errors import ExotwinError, ModelError

TEXT = """model s
  compartment v = 2; species a in v, b in v; a = 1; b = 0; a -> b; k*a*v; b -> ; 0.3*b*v; k = 1; total := a + b
end"""
TIMES = np.linspace(0, 10, 6)
BATCH = 300  # patients
N = 1000
K = np.random.default_rng(3).lognormal(size=N)


class Interrupted(Exception):
    """Raised where a user would press Ctrl-C."""


class Counter:
    """Counts patients and interrupts the work after so many."""

    def __init__(self, limit: float = np.inf) -> None:
        self.limit, self.total, self.done = limit, 0, 0

    def start(self, task: str, total: int) -> None:
        self.total = total

    def advance(self, n: int = 1) -> None:
        self.done += n
        if self.done > self.limit:
            raise Interrupted


@pytest.fixture(scope="module")
def document() -> str:
    return sbml(TEXT)


@pytest.fixture(scope="module")
def model(document: str) -> CompiledModel:
    return load(document)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "batch_size", lambda run: max(1, min(BATCH, run.n_patients)))


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Patients of each batch that machine code is given."""
    from exotwin.engine.running import model as module

    seen: list[int] = []
    real = module.integrate

    def counting(program: Any, defaults: Any, run: Any, *others: Any) -> Any:
        seen.append(run.n_patients)
        return real(program, defaults, run, *others)

    monkeypatch.setattr(module, "integrate", counting)
    return seen


def test_a_store_holds_what_the_same_run_gives_in_memory(model: CompiledModel, tmp_path: Path) -> None:
    options = {"parameters": {"k": K}, "doses": [Dose("b", 2.0, K), Dose("a", 3.0, 1.0, duration=2.0)]}
    stored = model.simulate(TIMES, store=tmp_path / "run.zarr", **options)
    xr.testing.assert_identical(stored.load(), model.simulate(TIMES, **options))
    assert list(stored.data_vars) == [*model.states, *model.observables]
    assert stored["a"].encoding["chunks"] == (BATCH, len(TIMES))


def test_a_store_can_be_opened_by_itself_and_tells_its_units_and_outcomes(tmp_path: Path) -> None:
    text = "model u\n unit days = 86400 second; y = 1; y' = low*y^2; y has days; low = 1\nend"
    low = np.tile([1.0, 0.1, 0.0], 100)
    document = sbml(text).replace('"day"', '"days"')
    found = load(document).simulate([0.0, 2.0], parameters={"low": low}, store=tmp_path / "run.zarr")
    assert found.attrs["outcomes"] == "200 ok, 100 step too small"
    assert "outcomes:  200 ok, 100 step too small" in repr(found)
    assert found["y"].attrs == {"units": "days"}  # which would be a span of time to a reader of climate data
    assert found["y"].dtype == float
    group = zarr.open_group(tmp_path / "run.zarr", mode="r")
    assert group.attrs["outcomes"] == "200 ok, 100 step too small"
    assert list(group["outcome"][:3]) == ["step too small", "ok", "ok"]


def test_nobody_can_be_stored_too(model: CompiledModel, tmp_path: Path) -> None:
    found = model.simulate(TIMES, parameters={"k": []}, store=tmp_path / "run.zarr")
    assert dict(found.sizes) == {"patient": 0, "time": len(TIMES)}
    assert found.attrs["outcomes"] == "0 ok"


def test_an_interrupted_run_keeps_finished_batches_and_goes_on_to_the_same_bits(
    model: CompiledModel, tmp_path: Path, computed: list[int]
) -> None:
    path = tmp_path / "run.zarr"
    with pytest.raises(Interrupted):
        model.simulate(TIMES, parameters={"k": K}, store=path, progress=Counter(2 * BATCH + 10))
    unfinished = xr.open_zarr(path, chunks=None)
    outcome = unfinished["outcome"].values
    assert list(outcome) == ["ok"] * 2 * BATCH + [""] * (N - 2 * BATCH)
    assert bool(unfinished["a"][2 * BATCH :].isnull().all())
    assert "outcomes" not in unfinished.attrs
    computed.clear()
    counter = Counter()
    found = model.simulate(TIMES, parameters={"k": K}, store=path, progress=counter, n_threads=1)
    assert computed == [300, 100]
    assert counter.done == counter.total == N
    xr.testing.assert_identical(found.load(), model.simulate(TIMES, parameters={"k": K}))


def test_a_finished_run_is_not_computed_again(model: CompiledModel, tmp_path: Path, computed: list[int]) -> None:
    first = model.simulate(TIMES, parameters={"k": K}, store=tmp_path / "run.zarr")
    computed.clear()
    again = model.simulate(TIMES, parameters={"k": K}, store=tmp_path / "run.zarr")
    assert computed == []
    xr.testing.assert_identical(first, again)


@pytest.mark.parametrize("keep", [0, -5])
def test_a_batch_whose_outcomes_cannot_be_read_is_computed_anew(
    model: CompiledModel, tmp_path: Path, computed: list[int], keep: int
) -> None:
    path = tmp_path / "run.zarr"
    with pytest.raises(Interrupted):
        model.simulate(TIMES, parameters={"k": K}, store=path, progress=Counter(2 * BATCH + 10))
    torn = path / "outcome" / "1"
    torn.write_bytes(torn.read_bytes()[:keep])
    computed.clear()
    found = model.simulate(TIMES, parameters={"k": K}, store=path)
    assert computed == [300, 300, 100]
    xr.testing.assert_identical(found.load(), model.simulate(TIMES, parameters={"k": K}))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"parameters": {"k": K * (1 + 1e-15)}}, "parameters"),
        ({"parameters": {"k": K[:-1]}}, "n_patients, parameters"),
        ({"parameters": {"k": K}, "initial": {"b": 0.0}}, "initial"),
        ({"parameters": {"k": K}, "doses": [Dose("b", 2.0, 1.0)]}, "schedule"),
        ({"parameters": {"k": K}, "rtol": 1e-7}, "rtol"),
        ({"parameters": {"k": K}, "atol": 1e-9}, "tolerance, fade"),
        ({"parameters": {"k": K}, "max_steps": 10}, "max_steps"),
        ({"parameters": {"k": K}, "outputs": ["a"]}, "recorded, needed_states"),
        ({"parameters": {"k": K}, "times": TIMES * 2}, "times, schedule"),
    ],
)
def test_results_of_other_inputs_are_refused_by_what_differs(
    model: CompiledModel, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    path = tmp_path / "run.zarr"
    first = model.simulate(TIMES, parameters={"k": K}, store=path).load()
    times = change.pop("times", TIMES)
    with pytest.raises(ModelError, match=f"results of other inputs; what differs: {told}\n"):
        model.simulate(times, store=path, **change)
    xr.testing.assert_identical(model.simulate(TIMES, parameters={"k": K}, store=path).load(), first)


def test_results_of_another_model_are_refused(model: CompiledModel, tmp_path: Path) -> None:
    model.simulate(TIMES, store=tmp_path / "run.zarr")
    other = load(sbml(TEXT.replace("0.3", "0.4")))
    with pytest.raises(ModelError, match="what differs: model\n"):
        other.simulate(TIMES, store=tmp_path / "run.zarr")


def test_a_folder_with_anything_else_is_refused_and_left_alone(model: CompiledModel, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("precious")
    (tmp_path / "file").write_text("precious")
    zarr.open_group(tmp_path / "other.zarr", mode="w", zarr_format=2).attrs["made"] = "elsewhere"
    before = sorted(p for p in tmp_path.rglob("*"))
    for name in ("mine", "file", "other.zarr"):
        with pytest.raises(ModelError, match=f"(?s)folder .*{re.escape(name)}.*no simulation has written"):
            model.simulate(TIMES, store=tmp_path / name)
    with pytest.raises(ModelError, match=r"(?s)folder .*inside.*a folder that can be written to"):
        model.simulate(TIMES, store=tmp_path / "file" / "inside")
    assert sorted(p for p in tmp_path.rglob("*")) == before


def test_a_disk_that_gets_full_is_told_and_finished_batches_are_kept(
    model: CompiledModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, computed: list[int]
) -> None:
    real, calls = stream.by_patient, []

    def full(results: Any) -> Any:
        calls.append(1)
        if len(calls) > 2:
            raise OSError(28, "No space left on device")
        return real(results)

    with monkeypatch.context() as patched:
        patched.setattr(stream, "by_patient", full)
        with pytest.raises(ExotwinError, match=r"(?s)run\.zarr.*No space left.*finished batches are kept"):
            model.simulate(TIMES, parameters={"k": K}, store=tmp_path / "run.zarr")
    computed.clear()
    again = model.simulate(TIMES, parameters={"k": K}, store=tmp_path / "run.zarr")
    assert len(computed) == -(-N // BATCH) - 2
    xr.testing.assert_identical(again.load(), model.simulate(TIMES, parameters={"k": K}))


def test_wrong_arguments_leave_no_folder(model: CompiledModel, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"(?s)nan for patient {N - 1}"):
        model.simulate(TIMES, parameters={"k": np.where(np.arange(N) == N - 1, np.nan, K)}, store=tmp_path / "run.zarr")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_takes_a_run(model: CompiledModel, tmp_path: Path) -> None:
    (tmp_path / "run.zarr").mkdir()
    found = model.simulate(TIMES, store=tmp_path / "run.zarr")
    xr.testing.assert_identical(found.load(), model.simulate(TIMES))


def test_numbers_of_patients_may_stand_on_disk(model: CompiledModel, tmp_path: Path, computed: list[int]) -> None:
    np.save(tmp_path / "k.npy", K)
    xr.Dataset({"k": ("patient", K)}).to_zarr(tmp_path / "k.zarr", zarr_format=2)
    kept = {
        "mapped": {"k": np.load(tmp_path / "k.npy", mmap_mode="r")},
        "array": {"k": zarr.open_array(tmp_path / "k.zarr" / "k", mode="r")},
        "dataset": xr.open_zarr(tmp_path / "k.zarr", chunks=None),
    }
    plain = model.simulate(TIMES, parameters={"k": K}, store=tmp_path / "run.zarr").load()
    computed.clear()
    for given in kept.values():
        xr.testing.assert_identical(model.simulate(TIMES, parameters=given), plain)
    assert computed == [N, N, N]
    for given in kept.values():  # the same numbers are the same inputs
        xr.testing.assert_identical(model.simulate(TIMES, parameters=given, store=tmp_path / "run.zarr").load(), plain)
    assert computed == [N, N, N]


def test_a_batch_fits_into_128_megabytes_whatever_is_recorded(
    model: CompiledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    sizes = []
    for n_times in (2, 1000, 100_000, 10_000_000):
        asked = Request(np.arange(float(n_times)), {}, {}, (), ["a", "total"], 1e-6, None, 1)
        run, _ = model._known.run(asked, {}, None)
        sizes.append(stream.batch_size(replace(run, n_patients=10**9)))
        assert sizes[-1] == 1 or sizes[-1] * n_times * 2 * 8 < 128e6
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] % 256 == 0
    assert sizes[-1] == 1


def test_memory_does_not_grow_with_the_number_of_patients(model: CompiledModel, tmp_path: Path) -> None:
    peaks = []
    for factor in (1, 20):
        np.save(tmp_path / "k.npy", np.tile(K, factor))
        tracemalloc.start()
        mapped = np.load(tmp_path / "k.npy", mmap_mode="r")
        model.simulate(TIMES, parameters={"k": mapped}, store=tmp_path / f"{factor}.zarr")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    results = 20 * N * 8 * (3 * len(TIMES) + 3)
    # looking through the numbers of all patients holds one bit each of up to a million of them
    assert peaks[1] - peaks[0] < 20 * N * 2 + results / 10


RUN = """
import sys, numpy as np
from pathlib import Path
from exotwin.engine import load
from exotwin.engine.running import stream
stream.batch_size = lambda run: min({batch}, run.n_patients)
model = load(Path(sys.argv[1]))
print("ready", flush=True)
model.simulate(np.linspace({start}, {end}, 6), parameters={{"k": np.load(sys.argv[2])}}, store={store!r},
    rtol={rtol}, max_steps={max_steps}, n_threads={threads})
"""


@pytest.fixture
def start(tmp_path: Path, own_cache: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts a simulation in a process of its own and waits until it has begun."""
    begun = []

    def begin(document: str, k: np.ndarray, **changed: Any) -> subprocess.Popen[str]:
        options = {"batch": BATCH, "start": 0, "end": 10, "store": None, "rtol": 1e-6, "max_steps": 100_000}
        (tmp_path / "model.xml").write_text(document)
        np.save(tmp_path / "draws.npy", k)
        script = RUN.format(**options | {"threads": 1} | changed)
        words = [sys.executable, "-c", script, str(tmp_path / "model.xml"), str(tmp_path / "draws.npy")]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        begun.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def test_a_run_that_was_killed_goes_on_to_the_same_bits(
    model: CompiledModel,
    document: str,
    tmp_path: Path,
    start: Callable[..., subprocess.Popen[str]],
    computed: list[int],
) -> None:
    path, many = tmp_path / "run.zarr", np.tile(K, 30)
    process = start(document, many, store=str(path))
    deadline = time.monotonic() + 60
    while not (path / "outcome" / "5").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    finished = len(list((path / "outcome").glob("[0-9]*")))
    assert 5 < finished < len(many) / BATCH
    found = model.simulate(TIMES, parameters={"k": many}, store=path)
    assert computed.count(BATCH) == len(many) // BATCH - finished  # beside the pilot's few patients
    xr.testing.assert_identical(found.load(), model.simulate(TIMES, parameters={"k": many}))


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_stops_a_single_slow_patient_at_once(threads: int, start: Callable[..., subprocess.Popen[str]]) -> None:
    # some 1e12 steps: weeks
    slow = sbml("model slow\n y = 1; y' = -k*sin(1e6*time)*1e6*y; k = 1\nend")
    process = start(slow, np.ones(threads), end=1e6, max_steps=10**15, threads=threads)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=10)  # far above what it takes, far below what the patient would
    assert told.rstrip().endswith("KeyboardInterrupt")
