"""Trajectories against closed forms and properties that hold for every model."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import xarray as xr
from engine_tools import sbml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from exotwin.engine import CompiledModel, Dose, load
from exotwin.errors import ModelError

Compile = Callable[..., CompiledModel]
DAYS = np.linspace(0, 28, 57)

ONE_COMPARTMENT = "model pk\n substanceOnly species drug; drug = 0; drug -> ; k*drug; k = 0.3;\nend"


def infusion(time: np.ndarray, k: float, start: float, duration: float, amount: float) -> np.ndarray:
    """One infusion into one compartment: rises towards rate/k, then decays."""
    inside = np.clip(time - start, 0, duration)
    after = np.clip(time - start - duration, 0, None)
    return np.where(time < start, 0.0, amount / duration / k * -np.expm1(-k * inside) * np.exp(-k * after))


def test_decay_follows_the_exponential(compiled: Compile) -> None:
    model = compiled("model d\n x = 3; k = 0.7; x' = -k*x\nend")
    rates = np.array([0.1, 0.7, 2.0])
    result = model.simulate(DAYS, parameters={"k": rates}, rtol=1e-9)
    # some hundred local errors; below a thousandth of the start the tolerance no longer shrinks with the state
    np.testing.assert_allclose(result["x"], 3 * np.exp(-np.outer(rates, DAYS)), rtol=1e-7, atol=3e-10)


def test_repeated_infusions_follow_the_closed_form(compiled: Compile) -> None:
    model = compiled(ONE_COMPARTMENT)
    doses = [Dose("drug", 7.0 * week, 100.0, duration=1.0) for week in range(4)]
    result = model.simulate(DAYS, doses=doses, rtol=1e-9)
    expected = sum(infusion(DAYS, 0.3, dose.time, 1.0, 100.0) for dose in doses)
    # per step 1e-9 of the size, some hundred steps
    np.testing.assert_allclose(result["drug"][0], expected, rtol=1e-6, atol=1e-9)


def test_overlapping_infusions_add_up_and_end_exactly(compiled: Compile) -> None:
    model = compiled("model total\n substanceOnly species drug; drug = 0; k = 0; drug -> ; k*drug\nend")
    doses = [Dose("drug", 0.1, 1 / 3, duration=0.7), Dose("drug", 0.4, 0.1, duration=0.9), Dose("drug", 0.4, 2.0)]
    result = model.simulate([0, 0.1, 0.4, 0.8, 1.3, 2.0, 28.0], doses=doses)
    expected = [
        min(max(t - 0.1, 0), 0.7) / 2.1 + min(max(t - 0.4, 0), 0.9) / 9 + 2.0 * (t >= 0.4) for t in result.time.values
    ]
    np.testing.assert_allclose(result["drug"][0], expected, rtol=1e-13)
    assert result["drug"][0, -1] == result["drug"][0, -2]  # nothing flows in any more


def test_a_dose_shows_at_its_own_time_and_amounts_may_differ_between_patients(compiled: Compile) -> None:
    model = compiled(ONE_COMPARTMENT)
    amounts = np.array([1.0, 5.0, 0.0])
    result = model.simulate([-1.0, 0.0, 2.0], doses=[Dose("drug", 0.0, amounts), Dose("drug", 2.0, 1.0)], rtol=1e-10)
    np.testing.assert_array_equal(result["drug"][:, 0], 0.0)
    np.testing.assert_array_equal(result["drug"][:, 1], amounts)
    np.testing.assert_allclose(result["drug"][:, 2], amounts * np.exp(-0.6) + 1.0, rtol=1e-8)


def test_a_dose_into_a_concentration_is_an_amount(compiled: Compile) -> None:
    model = compiled("model c\n compartment blood = 5; species drug in blood; drug = 1; drug -> ; blood*0.0*drug\nend")
    result = model.simulate([0.0, 1.0], doses=[Dose("drug", 0.5, 10.0)])
    np.testing.assert_allclose(result["drug"][0], [1.0, 3.0], rtol=1e-15)


def test_a_run_continues_from_the_final_states_of_another(compiled: Compile) -> None:
    text = """model c
      compartment v = 2; v' = 0.1; species a in v, b in v; a = 1; b := 3*a; substanceOnly species s; s = 4;
      a -> s; 0.3*a*v; x = 1; x' = sin(time)*x;
    end"""
    model = compiled(text)
    whole = model.simulate([0, 2, 5], rtol=1e-10)
    first = model.simulate([0, 2], rtol=1e-10)
    final = {name: first[name][:, -1] for name in model.states}
    second = model.simulate([2, 5], initial=final, rtol=1e-10)
    for name in [*model.states, *model.observables]:
        np.testing.assert_allclose(second[name][0], whole[name][0, 1:], rtol=1e-8)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_linear_networks_follow_the_matrix_exponential(linear_network: CompiledModel, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rates = np.exp(rng.normal(0, 2, (5, 5)))
    start = rng.uniform(0, 1, 5)
    result = linear_network.simulate(
        [0.0, 0.5, 3.0],
        parameters={f"k{i}{j}": rates[i, j] for i in range(5) for j in range(5) if i != j},
        initial={f"x{i}": start[i] for i in range(5)},
        rtol=1e-9,
    )
    matrix = rates.T - np.diag(np.diag(rates))
    matrix -= np.diag(matrix.sum(axis=0))
    for k, time in enumerate([0.0, 0.5, 3.0]):
        expected = expm(matrix * time) @ start
        found = np.array([result[f"x{i}"][0, k] for i in range(5)])
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)
        assert abs(found.sum() - start.sum()) < 1e-13 * 5  # amounts only move


@pytest.fixture(scope="module")
def linear_network(compiled: Compile) -> CompiledModel:
    """Five states, each turning into each other."""
    pairs = [(i, j) for i in range(5) for j in range(5) if i != j]
    names = ", ".join(f"x{i}" for i in range(5))
    reactions = "\n".join(f"x{i} -> x{j}; k{i}{j}*x{i}; k{i}{j} = 1" for i, j in pairs)
    return compiled(f"model net\n substanceOnly species {names}\n {reactions}\nend")


def test_robertson_agrees_with_scipy_over_eleven_decades(compiled: Compile) -> None:
    from scipy.integrate import solve_ivp

    model = compiled("model r\n a=1; b=0; c=0; a'=-0.04*a+1e4*b*c; b'=0.04*a-1e4*b*c-3e7*b^2; c'=3e7*b^2\nend")
    times = np.concatenate([[0.0], 4 * 10.0 ** np.arange(-1, 11)])
    rates = lambda _, y: [  # noqa: E731
        -0.04 * y[0] + 1e4 * y[1] * y[2],
        0.04 * y[0] - 1e4 * y[1] * y[2] - 3e7 * y[1] ** 2,
        3e7 * y[1] ** 2,
    ]
    oracle = solve_ivp(rates, (0, times[-1]), [1, 0, 0], "Radau", times, rtol=1e-10, atol=1e-17).y.T
    result = model.simulate(times, rtol=1e-8, atol=1e-15)
    found = np.stack([result[name][0] for name in "abc"], axis=-1)
    np.testing.assert_allclose(found, oracle, rtol=1e-6, atol=1e-14)


@pytest.mark.parametrize("atol", [None, 1e-14])
def test_the_error_follows_the_tolerance(compiled: Compile, atol: float | None) -> None:
    model = compiled("model n\n x = 1; y = 0; x' = -x^2*(2 + sin(5*time)); y' = 50*(cos(time) - y)\nend")
    exact_x = 1 / (1 + 2 * 10 + (1 - np.cos(50.0)) / 5)
    exact_y = (2500 * np.cos(10.0) + 50 * np.sin(10.0)) / 2501
    errors = []
    for rtol in (1e-4, 1e-6, 1e-8, 1e-10):
        end = model.simulate([0.0, 10.0], rtol=rtol, atol=atol).isel(patient=0, time=-1)
        errors.append(max(abs(float(end["x"]) / exact_x - 1), abs(float(end["y"]) / exact_y - 1)))
        assert errors[-1] < 30 * rtol
    # a hundredth of the tolerance is worth at least a tenth of the error
    assert all(fine < coarse / 10 for coarse, fine in pairwise(errors))


def test_the_order_of_states_does_not_matter(compiled: Compile) -> None:
    lines = ["a -> b; 2*a*c", "b -> c; 0.5*b", "c -> ; 0.1*c", "-> a; 0.3"]
    results = [
        compiled("model o\n" + "\n".join(order) + "\n a=1;b=2;c=0.5\nend").simulate(DAYS, rtol=1e-9)
        for order in (lines, lines[::-1])
    ]
    for name in "abc":
        np.testing.assert_allclose(results[0][name], results[1][name], rtol=1e-6)


def test_states_of_any_size_stand_side_by_side_without_a_tolerance_of_their_own(compiled: Compile) -> None:
    def text(scale: float) -> str:
        return f"""model s
          big = {1e11 * scale}; small = 0; big' = -0.4*big; small' = 1e-14*big - 3*small
        end"""

    results = [compiled(text(scale)).simulate(DAYS) for scale in (1.0, 2.0**-30)]
    for name in ("big", "small"):
        np.testing.assert_allclose(results[0][name] * 2.0**-30, results[1][name], rtol=1e-12)
    exact = 1e-3 / (3 - 0.4) * (np.exp(-0.4 * DAYS) - np.exp(-3 * DAYS))
    np.testing.assert_allclose(results[0]["small"][0], exact, rtol=1e-4)


def test_a_state_in_which_large_flows_cancel_is_not_asked_for_digits_that_nobody_has(compiled: Compile) -> None:
    # c and d are zero but for rounding in a and b; without care a step would have to resolve that rounding
    model = compiled(
        "model z\n a=1.1; b=a*0.3/0.7; c=0; d=0; a->b; 0.3*a-0.7*b; ->c; 0.3*a-0.7*b; c->d; 2*c; d->; 3*d\nend"
    )
    result = model.simulate(np.linspace(0, 730, 3))
    assert int(result["steps"][0]) < 100
    assert abs(float(result["d"][0, -1])) < 1e-15


def test_a_jump_of_a_rate_in_time_is_stepped_across(compiled: Compile) -> None:
    model = compiled("model j\n x = 0; x' = piecewise(1e6, time > 1 && time < 2, 0) - x\nend")
    result = model.simulate([0.0, 1.0, 1.5, 2.0, 3.0])
    exact = np.array([0, 0, 1 - np.exp(-0.5), 1 - np.exp(-1), (1 - np.exp(-1)) * np.exp(-1)]) * 1e6
    # values asked for inside the step that crosses a jump are interpolated across it: some ten times the tolerance
    np.testing.assert_allclose(result["x"][0], exact, rtol=3e-5, atol=1e-6)


def test_outputs_choose_states_observables_and_parameters_with_their_units(compiled: Compile) -> None:
    text = """model u
      unit mL = 1e-3 litre; unit time_unit = 86400 second; unit per_day = 1/(86400 second);
      compartment blood; blood = 5; blood has mL; species x in blood; x = 2; k = 0.5; k has per_day;
      k2 = 2*k; twice := 2*x; x -> ; k*x*blood
    end"""
    model = compiled(text)
    result = model.simulate([0.0, 1.0], parameters={"k": [0.1, 0.2]}, outputs=["twice", "k", "k2", "blood", "x"])
    assert list(result.data_vars) == ["twice", "k", "k2", "blood", "x"]
    np.testing.assert_array_equal(result["k"], [[0.1, 0.1], [0.2, 0.2]])
    np.testing.assert_array_equal(result["k2"], 2 * result["k"])  # initial assignments follow each patient
    np.testing.assert_allclose(result["twice"], 2 * result["x"])
    assert result["k"].attrs["units"] == "per_day"
    assert result["blood"].attrs["units"] == "mL"
    assert result.time.attrs["units"] == "time_unit"
    assert model.parameters["k"].value == 0.5
    assert model.parameters["k2"].value == 1.0
    assert model.observables["twice"].value == 4.0
    assert model.states["x"].value == 2.0
    given = model.simulate([0.0], parameters={"k2": 7.0}, outputs=["k2"])
    assert float(given["k2"][0, 0]) == 7.0


def test_time_begins_where_the_first_time_stands(compiled: Compile) -> None:
    model = compiled("model t\n x = time; y := time; x' = 1\nend")
    result = model.simulate([-5.0, 0.0, 5.0], rtol=1e-10)
    np.testing.assert_allclose(result["x"][0], result.time, atol=1e-12)
    np.testing.assert_array_equal(result["y"][0], result.time)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parameters": {"kk": 1.0}}, 'parameters "kk".*nearest   "k"'),
        ({"parameters": {"drug": 1.0}}, "a state.*belongs into `initial`"),
        ({"initial": {"drog": 1.0}}, 'initial "drog".*nearest   "drug"'),
        ({"outputs": ["drag"]}, 'outputs "drag".*nearest   "drug"'),
        ({"parameters": {"k": [1.0, np.nan]}}, 'parameters "k".*nan for patient 1'),
        ({"parameters": {"k": [1.0, 2.0]}, "initial": {"drug": [1.0, 2.0, 3.0]}}, "3 patients.*expected  2"),
        ({"doses": [Dose("drug", -1.0, 1.0)]}, "a time within the run"),
        ({"doses": [Dose("drug", 1.0, np.inf)]}, "found     inf.*one finite number"),
        ({"doses": [Dose("k", 1.0, 1.0)]}, "no state of that name"),
        ({"doses": [Dose("drug", 1.0, 1.0, duration=-2.0)]}, "duration.*found     -2"),
        ({"atol": {"k": 1.0}}, 'atol "k"'),
        ({"atol": -1.0}, "atol.*zero or more"),
        ({"rtol": 0.0}, "rtol.*above zero"),
        ({"n_threads": 0}, "n_threads.*above zero"),
    ],
)
def test_wrong_arguments_are_named(compiled: Compile, options: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError, match="(?s)" + message):
        compiled(ONE_COMPARTMENT).simulate([0.0, 1.0, 2.0], **options)


@pytest.mark.parametrize("times", [[], [1.0, 0.0], [0.0, 0.0], [0.0, np.nan], [[0.0, 1.0]]])
def test_times_must_rise(compiled: Compile, times: object) -> None:
    with pytest.raises(ModelError, match=r"(?s)times that rise|a row of times|found     nan"):
        compiled(ONE_COMPARTMENT).simulate(times)


def test_a_value_that_neither_model_nor_caller_gives_is_asked_for() -> None:
    text = sbml("model o\n x = 1; x' = -k*x; k = 2; unused = 3\nend")
    model = load(text.replace(' value="2"', "").replace(' value="3"', ""))
    with pytest.raises(ModelError, match=r'"k"(?s:.*)no value in the model'):
        model.simulate([0.0, 1.0])
    assert float(model.simulate([0.0, 1.0], parameters={"k": 0.0})["x"][0, -1]) == 1.0


def test_parameters_may_come_as_a_dataset(compiled: Compile) -> None:
    draws = xr.Dataset({"k": ("patient", [0.1, 0.2])})
    result = compiled(ONE_COMPARTMENT).simulate([0.0, 1.0], parameters=draws, initial={"drug": 1.0}, rtol=1e-9)
    np.testing.assert_allclose(result["drug"][:, -1], np.exp([-0.1, -0.2]), rtol=1e-7)
