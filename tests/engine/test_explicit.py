"""The explicit method in machine code, against closed solutions and against integrators of others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from engine_tools import sbml, simulate_in_order
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from exotwin.engine import CompiledModel, Dose, load
from exotwin.errors import NotBuiltYet

Compile = Callable[..., CompiledModel]
TIMES = np.linspace(0, 12, 25)
# not stiff, driven by time, with every kind of vector function; steps are rejected
TEXT = """model e
  substanceOnly species a, b, c; a = 1; b = 0; c = 0; n = 2.5;
  a -> b; k*a*(1 + exp(-time)); b -> c; 3*b^n/(0.2^n + b^n); c -> ; log(1 + c)*tanh(c) + 0.1*c + c*sin(3*time)^2;
  k = 1; seen := a + sqrt(b); waves := sin(time)*c
end"""


@pytest.fixture(scope="module")
def text() -> str:
    return sbml(TEXT)


@pytest.fixture(scope="module")
def model(text: str) -> CompiledModel:
    return load(text)


def simulate(model: CompiledModel, order: np.ndarray, **options: int) -> xr.Dataset:
    return simulate_in_order(model, TIMES, order, method="tsit5", **options)


def test_the_error_goes_like_the_fifth_power_of_the_number_of_steps(compiled: Compile) -> None:
    # y' = y² cos t, y(0) = 1/2, has the solution 1/(2 − sin t)
    model = compiled("model o\n y = 0.5; y' = y^2*cos(time)\nend")
    errors, steps = [], []
    for rtol in 10.0 ** -np.arange(5, 12):
        result = model.simulate([0.0, 20.0], rtol=rtol, method="tsit5")
        errors.append(abs(float(result["y"][0, -1]) * (2 - np.sin(20.0)) - 1))
        steps.append(int(result["steps"][0]))
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert -5.6 < slope < -4.4  # single errors scatter, since some cancel
    assert errors[-1] < 1e-10


@pytest.mark.parametrize(("rtol", "most"), [(1e-4, 1e-2), (1e-6, 1e-4), (1e-9, 1e-7)])
def test_predators_and_prey_are_those_of_another_integrator(compiled: Compile, rtol: float, most: float) -> None:
    model = compiled("model l\n x = 2; y = 1; x' = 1.1*x - x*y; y' = x*y - 0.9*y\nend")
    peer = solve_ivp(
        lambda _, v: [1.1 * v[0] - v[0] * v[1], v[0] * v[1] - 0.9 * v[1]],
        (0, 12),
        [2, 1],
        method="DOP853",
        t_eval=TIMES,
        rtol=1e-12,
        atol=1e-13,
    )
    result = model.simulate(TIMES, rtol=rtol, method="tsit5")
    # local errors of some hundred steps add up; between steps the solution is of order four
    np.testing.assert_allclose([result["x"][0], result["y"][0]], peer.y, rtol=most)


def test_doses_and_infusions_change_the_rate_at_once(compiled: Compile) -> None:
    # rates outlive the step that they were computed in, but not a dose
    model = compiled("model d\n substanceOnly species s; s = 1; s -> ; 0.5*s\nend")
    doses = [Dose("s", 2.0, 3.0), Dose("s", 4.0, 6.0, duration=3.0), Dose("s", 9.0, 1.0)]
    result = model.simulate(TIMES, doses=doses, rtol=1e-9, method="tsit5")
    decay = np.exp(-0.5 * TIMES)
    for start, amount in ((2.0, 3.0), (9.0, 1.0)):
        decay += np.where(start <= TIMES, amount * np.exp(-0.5 * (TIMES - start)), 0)
    under_way = np.clip(TIMES - 4.0, 0, 3.0)
    infused = 2.0 / 0.5 * (1 - np.exp(-0.5 * under_way)) * np.exp(-0.5 * np.clip(TIMES - 7.0, 0, None))
    np.testing.assert_allclose(result["s"][0], decay + infused, rtol=1e-7)


def test_steps_that_an_event_cuts_are_made_again_from_the_right_rates(compiled: Compile) -> None:
    # a ball that loses half of its speed at every bounce
    model = compiled("model b\n h = 1; v = 0; h' = v; v' = -9.81\n at (h < 0 && v < 0): v = -0.5*v, h = 0\nend")
    times = np.linspace(0, 1, 21)
    result = model.simulate(times, rtol=1e-9, method="tsit5")
    fall = np.sqrt(2 / 9.81)
    speed, start, exact = 9.81 * fall, fall, np.where(times < fall, 1 - 9.81 / 2 * times**2, np.nan)
    while start < times[-1]:
        speed /= 2
        lasts = 2 * speed / 9.81
        here = (times >= start) & (times < start + lasts)
        exact[here] = speed * (times[here] - start) - 9.81 / 2 * (times[here] - start) ** 2
        start += lasts
    np.testing.assert_allclose(result["h"][0], exact, atol=1e-6)


def test_steps_that_end_where_a_condition_changes_go_on_from_the_right_rates(compiled: Compile) -> None:
    # conditions rise and fall, a jump in a rate and a jump in time among them; of the events only some happen
    model = compiled(
        """model w
          x = 1; v = 0; n = 0; c = 0; d = 0
          x' = v; v' = -x; c' = piecewise(1, x > 0.5, -1); d' = piecewise(1, sin(time) > 0.5, 0)
          at (x > 0.5 && v > 0): n = n + 1; at (x < -0.2 && v > 2): n = n + 100
        end"""
    )
    result = model.simulate(TIMES, rtol=1e-9, method="tsit5")
    np.testing.assert_allclose(result["x"][0], np.cos(TIMES), atol=1e-7)
    third = np.pi / 3
    above = [(0, third), (5 * third, 7 * third), (11 * third, 13 * third)]
    spent = sum(np.clip(TIMES, low, high) - low for low, high in above)
    np.testing.assert_allclose(result["c"][0], 2 * spent - TIMES, atol=1e-6)
    high = [(third / 2 + turn, 2.5 * third + turn) for turn in (0, 2 * np.pi)]
    np.testing.assert_allclose(result["d"][0], sum(np.clip(TIMES, a, b) - a for a, b in high), atol=1e-6)
    assert float(result["n"][0, -1]) == 2


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(19)))
def test_a_patient_does_not_depend_on_neighbours_or_lane(model: CompiledModel, order: list[int]) -> None:
    plain, mixed = simulate(model, np.arange(19)), simulate(model, np.array(order))
    assert int(plain["rejected"].sum()) > 19
    xr.testing.assert_identical(mixed.isel(patient=np.argsort(order)), plain)


@pytest.mark.parametrize("n_threads", [2, 3])
def test_threads_change_nothing(model: CompiledModel, n_threads: int) -> None:
    many = np.tile(np.arange(19), 70)  # several chunks for each thread
    xr.testing.assert_identical(simulate(model, many, n_threads=n_threads), simulate(model, many, n_threads=1))


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_the_width_of_vectors_changes_nothing(model: CompiledModel, text: str, width: int) -> None:
    xr.testing.assert_identical(simulate(load(text, width=width), np.arange(19)), simulate(model, np.arange(19)))


@pytest.mark.parametrize("n", [5, 25])
def test_what_begins_to_rise_far_down_a_chain_is_followed(compiled: Compile, n: int) -> None:
    # without an absolute tolerance; the k-th state rises like a power of time: y_k = t^k e^−t / k!
    states = [f"x{i}" for i in range(n)]
    chain = "".join(f" x{i}' = x{i - 1} - x{i};" for i in range(1, n))
    model = compiled("model c\n" + "".join(f" {x} = 0;" for x in states[1:]) + f" x0 = 1; x0' = -x0;{chain}\nend")
    result = model.simulate([0.0, 5.0], method="tsit5")
    exact = [5.0**k * np.exp(-5.0) / float(np.prod(np.arange(1.0, k + 1))) for k in range(n)]
    np.testing.assert_allclose([float(result[x][0, -1]) for x in states], exact, rtol=1e-5)
    assert int(result["steps"][0]) < 500


def test_a_patient_whom_the_method_cannot_follow_is_marked_and_the_others_go_on(compiled: Compile) -> None:
    model = compiled("model s\n y = 0; k = 1; y' = -k*(y - cos(time))\nend")
    result = model.simulate([0.0, 10.0], parameters={"k": [1.0, 1e7, 2.0]}, method="tsit5", max_steps=2000)
    assert list(result["outcome"].values) == ["ok", "step limit", "ok"]
    assert set(result["method"].values) == {"tsit5"}
    assert result.attrs["method"] == "tsit5"


def test_algebraic_states_have_no_rate_to_be_explicit_in() -> None:
    import libsbml

    document = libsbml.readSBMLFromString(sbml("model a\n x = 1; x' = -y; var y = 1\nend"))
    document.getModel().createAlgebraicRule().setMath(libsbml.parseL3Formula("y - 2*x"))
    model = load(str(libsbml.writeSBMLToString(document)))
    with pytest.raises(NotBuiltYet, match="algebraic"):
        model.simulate([0.0, 1.0], method="tsit5")
    result = model.simulate([0.0, 1.0])
    assert list(result["method"].values) == ["rodas5p"]
