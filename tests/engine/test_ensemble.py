"""A patient is the same whoever sits beside it, and one patient's failure is nobody else's."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from engine_tools import sbml, simulate_in_order
from hypothesis import given, settings
from hypothesis import strategies as st

from exotwin.engine import CompiledModel, Dose, load

Compile = Callable[..., CompiledModel]
TIMES = np.linspace(0, 40, 11)
# stiff, driven by time, with every kind of vector function
TEXT = """model e
  substanceOnly species a, b, c; a = 1; b = 0; c = 0; n = 2.5;
  a -> b; k*a*(1 + exp(-time)); b -> c; 300*b^n/(0.2^n + b^n); c -> ; log(1 + c)*tanh(c) + 0.1*c;
  k = 1; seen := a + sqrt(b); waves := sin(time)*c
end"""


@pytest.fixture(scope="module")
def text() -> str:
    return sbml(TEXT)


@pytest.fixture(scope="module")
def model(text: str) -> CompiledModel:
    return load(text)


def simulate(model: CompiledModel, order: np.ndarray, **options: int) -> xr.Dataset:
    return simulate_in_order(model, TIMES, order, **options)


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(19)))
def test_a_patient_does_not_depend_on_neighbours_or_lane(model: CompiledModel, order: list[int]) -> None:
    plain, mixed = simulate(model, np.arange(19)), simulate(model, np.array(order))
    xr.testing.assert_identical(mixed.isel(patient=np.argsort(order)), plain)


def test_a_patient_alone_is_the_same_as_in_a_crowd(model: CompiledModel) -> None:
    crowd = simulate(model, np.arange(19))
    for patient in (0, 7, 18):
        alone = simulate(model, np.array([patient]))
        xr.testing.assert_identical(alone, crowd.isel(patient=[patient]).assign_attrs(outcomes="1 ok"))


@pytest.mark.parametrize("n_threads", [2, 3])
def test_threads_change_nothing(model: CompiledModel, n_threads: int) -> None:
    many = np.tile(np.arange(19), 70)  # several chunks for each thread
    xr.testing.assert_identical(simulate(model, many, n_threads=n_threads), simulate(model, many, n_threads=1))


def test_one_number_for_all_holds_in_every_chunk(model: CompiledModel) -> None:
    alone = model.simulate(TIMES, parameters={"k": 0.5, "n": 2.0}, initial={"a": 3.0}, doses=[Dose("a", 1.0, 2.0)])
    many = model.simulate(
        TIMES, parameters={"k": np.full(700, 0.5), "n": 2.0}, initial={"a": 3.0}, doses=[Dose("a", 1.0, 2.0)]
    )
    for name in alone:
        np.testing.assert_array_equal(many[name], np.repeat(alone[name].values, 700, axis=0))


def test_nobody_is_an_ensemble_too(model: CompiledModel) -> None:
    result = model.simulate(TIMES, parameters={"k": []})
    assert dict(result.sizes) == {"patient": 0, "time": len(TIMES)}


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_the_width_of_vectors_changes_nothing(model: CompiledModel, text: str, width: int) -> None:
    xr.testing.assert_identical(simulate(load(text, width=width), np.arange(19)), simulate(model, np.arange(19)))


def test_the_width_can_be_set_from_outside(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("EXOTWIN_WIDTH", "1")
    assert os.environ["EXOTWIN_WIDTH"] == "1"
    assert load(text).width == 1


def test_a_patient_that_fails_is_marked_and_the_others_go_on(compiled: Compile) -> None:
    # y' = y² reaches infinity at t = 1/y(0)
    model = compiled("model f\n y = 1; y' = y^2; z = 1; z' = -z; sum := y + z; one := 1\nend")
    result = model.simulate(np.linspace(0, 2, 9), initial={"y": [0.1, 1.0, 0.2, 0.8]})
    assert list(result["outcome"].values) == ["ok", "step too small", "ok", "step too small"]
    # some hundred steps of 1e-6 each lead there
    np.testing.assert_allclose(result["failed_at"], [np.nan, 1.0, np.nan, 1.25], rtol=1e-5)
    np.testing.assert_allclose(result["z"][[0, 2]], np.exp(-np.array([result.time.values] * 2)), rtol=1e-5)
    for name in ("y", "z", "sum", "one"):
        behind = result.time > result["failed_at"].fillna(np.inf)
        assert result[name].isnull().equals(behind.transpose("patient", "time"))


def test_a_patient_whose_rates_are_no_numbers_is_marked_so(compiled: Compile) -> None:
    model = compiled("model f\n y = 1; y' = -sqrt(y - low)\n low = 0\nend")
    result = model.simulate([0.0, 1.0], parameters={"low": [-100.0, 2.0, 0.0]})
    assert list(result["outcome"].values) == ["ok", "not finite", "ok"]
    assert float(result["failed_at"][1]) == 0.0
    assert list(result["y"][1].isnull().values) == [False, True]


def test_a_patient_that_needs_too_many_steps_is_marked_so(compiled: Compile) -> None:
    model = compiled("model f\n y = 1; y' = cos(w*time)\n w = 1\nend")
    result = model.simulate([0.0, 100.0], parameters={"w": [0.01, 100.0]}, max_steps=200)
    assert list(result["outcome"].values) == ["ok", "step limit"]
    assert int(result["steps"][1] + result["rejected"][1]) == 200
    assert 0 < float(result["failed_at"][1]) < 100


def test_progress_counts_patients_and_may_stop_the_work(model: CompiledModel) -> None:
    class Counter:
        def __init__(self, limit: int) -> None:
            self.limit, self.total, self.done = limit, 0, 0

        def start(self, task: str, total: int) -> None:
            self.total = total

        def advance(self, n: int = 1) -> None:
            self.done += n
            if self.done > self.limit:
                raise KeyboardInterrupt

    many = np.tile(np.arange(19), 70)
    counter = Counter(10_000)
    simulate(model, many, progress=counter)
    assert counter.done == counter.total == len(many)
    with pytest.raises(KeyboardInterrupt):
        simulate(model, many, progress=Counter(100), n_threads=2)
