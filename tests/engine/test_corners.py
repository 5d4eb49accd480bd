"""What a run can get wrong without any sign of it, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from engine_tools import roadrunner, sbml
from numpy.typing import ArrayLike

from exotwin.engine import load
from exotwin.engine.kernels import choice


def courses(antimony: str, *names: str, times: ArrayLike, method: str = "rodas5p") -> np.ndarray:
    """(name, time) at rtol 1e-9."""
    result = load(sbml(f"model m\n{antimony}\nend"), width=1).simulate(times, outputs=names, rtol=1e-9, method=method)
    assert result.outcome.values[0] == "ok"
    return np.stack([result[name][0].values for name in names])


# powers and roots at zero, where they have no derivative

TIMES = np.linspace(0, 4, 9)


@pytest.mark.parametrize("root", ["sqrt(time)", "time^0.5", "time^n"])
def test_a_rate_may_be_a_root_of_time(root: str) -> None:
    (x,) = courses(f"x = 0; x' = {root}; n = 0.5", "x", times=TIMES)
    np.testing.assert_allclose(x, TIMES**1.5 / 1.5, rtol=1e-7)


@pytest.mark.parametrize("unrolled", [True, False])
def test_a_state_may_start_at_zero_under_a_root(unrolled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not unrolled:
        monkeypatch.setattr(choice, "_UNROLLED", 0)
    (x,) = courses(f"x = 0; x' = 1 - x^0.5; unrolled = {int(unrolled)}", "x", times=TIMES)
    # t(x) = −2 (√x + ln(1 − √x))
    np.testing.assert_allclose(-2 * (np.sqrt(x) + np.log1p(-np.sqrt(x))), TIMES, rtol=1e-7, atol=1e-12)


def test_reactions_of_a_fractional_order_start_from_nothing_as_elsewhere() -> None:
    text = sbml("model m\n species S, P; S = 0; P = 0; J0: -> S; 1; J1: S -> P; S^n/(1 + S^n); n = 0.7\nend")
    result = load(text, width=1).simulate(TIMES, outputs=["S", "P"], rtol=1e-9)
    assert result.outcome.values[0] == "ok"
    # the peer itself starts at the singular point and is not more exact there
    np.testing.assert_allclose([result["S"][0], result["P"][0]], roadrunner(text, 4, 9, ["S", "P"]).T, rtol=1e-4)


def test_derivatives_by_the_exponent_of_a_state_that_is_zero_are_those_of_differences() -> None:
    text = sbml("model m\n species S, P; S = 2; P = 0; J: S -> P; k*S/(1 + P^n); k = 0.5; n = 0.6\nend")
    model, plain = load(text, sensitivities=["k", "n"], width=1), load(text, width=1)
    result = model.simulate(TIMES, outputs=["P"], rtol=1e-8)
    assert result.outcome.values[0] == "ok"
    for name, value in (("k", 0.5), ("n", 0.6)):
        around = value * (1 + 1e-4 * np.array([-1, 1]))
        low, high = plain.simulate(TIMES, outputs=["P"], rtol=1e-11, parameters={name: around})["P"].values
        found = result["sensitivity(P)"].sel(wrt=name)[0]
        np.testing.assert_allclose(found, (high - low) / (2e-4 * value), atol=1e-7)


# divisions that are rounded down


@pytest.mark.parametrize("divisor", ["49", "p"])
def test_whole_quotients_are_whole(divisor: str) -> None:
    times = 49.0 * np.arange(100)
    text = f"p = 49; q := quotient(time, {divisor}); f := floor(time/{divisor}); c := ceil(time/{divisor})"
    text += f"; s := piecewise(1, time/{divisor} >= p, 0)"
    *wholes, step = courses(text + "; x = 0; x' = 1", "q", "f", "c", "s", times=times)
    np.testing.assert_array_equal(wholes, np.tile(np.arange(100), (3, 1)))
    np.testing.assert_array_equal(step, np.arange(100) >= 49)


# conditions of time that come back


@pytest.mark.parametrize(
    "phase", ["rem(time, 24)", "time - 24*floor(time/24)", "time - 24*(ceil(time/24 + 1e-12) - 1)"]
)
@pytest.mark.parametrize("method", ["rodas5p", "tsit5"])
def test_no_pulse_of_a_day_is_leapt_over(phase: str, method: str) -> None:
    text = f"x = 0; y = 0; x' = piecewise(1, {phase} < 0.01, 0) - 2*x; y' = piecewise(1, {phase} < 0.01, 0)"
    x, y = courses(text, "x", "y", times=[0, 12, 24.005, 1212, 2412], method=method)
    np.testing.assert_allclose(y, [0, 0.01, 0.015, 0.51, 1.01], rtol=1e-6)
    assert x[2] == pytest.approx((1 - np.exp(-0.01)) / 2, rel=1e-6)


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("sin(time) > 0.5", [2, 16, 160]),
        ("cos(time) < 0.5", [2, 16, 159]),
        ("tan(time) > 1", [3, 32, 319]),
        ("rem(time, 7) > 6.999", [1, 14, 142]),
        ("rem(floor(time), 2) == 1", [5, 50, 500]),
    ],
)
def test_no_event_of_a_period_is_missed(condition: str, count: list[int]) -> None:
    (found,) = courses(f"n = 0; x = 1; x' = -x; at {condition}: n = n + 1", "n", times=[0, 10, 100, 1000])
    np.testing.assert_array_equal(found, [0, *count])


@pytest.mark.parametrize(
    ("condition", "count"),
    [("sin(x) > 0.5", [2, 16, 160]), ("rem(x, 7) > 6.999", [1, 14, 142]), ("y > 0.5", [2, 16, 160])],
)
def test_no_event_of_a_period_of_a_state_is_missed(condition: str, count: list[int]) -> None:
    text = f"n = 0; x = 0; x' = 1; y := sin(x)*1.0; at {condition}: n = n + 1"
    (found,) = courses(text, "n", times=[0, 10, 100, 1000])
    np.testing.assert_array_equal(found, [0, *count])


def test_a_rate_that_jumps_with_the_whole_part_of_time_is_followed_exactly() -> None:
    times = np.linspace(0, 50, 21)
    whole = np.floor(times)
    (x,) = courses("x = 0; x' = floor(time)", "x", times=times)
    np.testing.assert_allclose(x, whole * (whole - 1) / 2 + (times - whole) * whole, rtol=1e-12, atol=1e-12)


def test_a_pulse_may_begin_at_a_time_that_an_event_sets() -> None:
    text = "x = 0; x' = piecewise(1, time > begin && time < begin + 0.001, 0); begin = -5; at time > 1: begin = 900"
    (x,) = courses(text, "x", times=[0, 800, 1000])
    np.testing.assert_allclose(x, [0, 0, 0.001], rtol=1e-6)


def test_what_begins_after_zero_has_not_begun_at_zero() -> None:
    y, z = courses("y = 0; at time >= 0: y = 1; z = 0; at time > 0: z = 1", "y", "z", times=[-1, 0, 1])
    np.testing.assert_array_equal(y, [0, 1, 1])
    np.testing.assert_array_equal(z, [0, 0, 1])


# what rules determine, between the ends of steps


@pytest.mark.parametrize("unrolled", [True, False])
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("0 = q - sin(a)", np.sin),
        ("0 = q - 1/(1 + a)", lambda t: 1 / (1 + t)),
        ("0 = q*(2 + sin(time)) - 1", lambda t: 1 / (2 + np.sin(t))),
    ],
)
def test_algebraic_variables_are_right_where_no_step_ends(
    rule: str, expected: np.ufunc, unrolled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not unrolled:
        monkeypatch.setattr(choice, "_UNROLLED", 0)
    times = np.linspace(0, 100, 401)
    (q,) = courses(f"a = 0; a' = 1; q = 0; {rule}; unrolled = {int(unrolled)}", "q", times=times)
    np.testing.assert_allclose(q, expected(times), rtol=1e-6, atol=1e-8)


def test_events_of_algebraic_variables_are_not_missed() -> None:
    (found,) = courses("a = 0; a' = 1; q = 0; 0 = q - sin(a); n = 0; at q > 0.5: n = n + 1", "n", times=[0, 10, 100])
    np.testing.assert_array_equal(found, [0, 2, 16])
