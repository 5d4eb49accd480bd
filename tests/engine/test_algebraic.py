"""States that follow from algebraic rules: consistent at the start, on the way, and after everything that happens."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from engine_tools import sbml
from scipy.integrate import solve_ivp

from exotwin.engine import CompiledModel, Dose, load

Compile = Callable[..., CompiledModel]
MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'


def with_rule(text: str, *rules: str) -> str:
    """The SBML of an Antimony model and algebraic rules (formulas that are to be zero), which Antimony cannot write."""
    import libsbml

    document = libsbml.readSBMLFromString(sbml(text))
    for formula in rules:
        rule = document.getModel().createAlgebraicRule()
        assert rule.setMath(libsbml.parseL3Formula(formula)) == libsbml.LIBSBML_OPERATION_SUCCESS
    return str(libsbml.writeSBMLToString(document))


def test_a_conserved_total_gives_the_missing_partner() -> None:
    text = "model c\n A -> ; k*A; k = 0.7; A = 3; var B = 0; T = 5\nend"
    result = load(with_rule(text, "A + B - T")).simulate(np.linspace(0, 4, 9), rtol=1e-8)
    np.testing.assert_allclose(result["A"][0], 3 * np.exp(-0.7 * result["time"].values), rtol=1e-6)
    np.testing.assert_allclose(result["A"][0] + result["B"][0], 5.0, rtol=1e-13)


def test_a_nonlinear_rule_is_solved_at_the_start_from_the_value_of_the_model() -> None:
    text = "model n\n x = 4; x' = -x; var z = {}\nend"
    for guess, sign in (("1", 1), ("-1", -1)):
        result = load(with_rule(text.format(guess), "z^2 - x")).simulate(np.linspace(0, 3, 7), rtol=1e-8)
        expected = sign * 2 * np.exp(-result["time"].values / 2)
        np.testing.assert_allclose(result["z"][0], expected, rtol=1e-7)


def test_rules_that_depend_on_each_other_are_solved_together() -> None:
    text = "model m\n x = 1; x' = -u; var u = 0; var w = 0\nend"
    # u = x + w/2 and w = u/3 give u = 6/5 x
    result = load(with_rule(text, "u - x - w/2", "3*w - u")).simulate(np.linspace(0, 2, 5), rtol=1e-9)
    np.testing.assert_allclose(result["x"][0], np.exp(-1.2 * result["time"].values), rtol=1e-7)
    np.testing.assert_allclose(result["w"][0], 0.4 * result["x"][0], rtol=1e-12)


def test_robertsons_problem_agrees_with_its_differential_form() -> None:
    text = "model r\n a = 1; a' = -0.04*a + 1e4*b*c; b = 0; b' = 0.04*a - 1e4*b*c - 3e7*b^2; var c = 0\nend"
    model = load(with_rule(text, "a + b + c - 1"))
    times = np.array([0.0, 0.4, 4, 40, 400, 4e3, 4e4])

    def rates(_: float, y: np.ndarray) -> list[float]:
        fast, slow = 0.04 * y[0] - 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
        return [-fast, fast - slow, slow]

    expected = solve_ivp(rates, (0, 4e4), [1, 0, 0], method="Radau", t_eval=times, rtol=1e-10, atol=1e-14).y
    result = model.simulate(times, rtol=1e-7)
    for name, row in zip("abc", expected, strict=True):
        np.testing.assert_allclose(result[name][0], row, rtol=1e-5, atol=1e-12)
    assert result["steps"][0] < 500


def test_the_error_goes_with_the_tolerance() -> None:
    # x' = -z with z + z^3 = x: t = -(ln z + 3 z^2/2) + const
    model = load(with_rule("model o\n x = 2; x' = -z; var z = 1\nend", "z + z^3 - x"))
    end = 1.0

    def time_of(z: float) -> float:
        return -(np.log(z) + 1.5 * z**2) + 1.5

    low, high = 0.1, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if time_of(middle) > end else (low, middle)
    errors = [abs(float(model.simulate([0.0, end], rtol=rtol)["z"][0, -1]) - low) for rtol in (1e-4, 1e-6, 1e-8)]
    assert errors[0] < 1e-3
    assert errors[1] < 1e-5
    assert errors[2] < 1e-7


def test_doses_and_events_are_followed_by_consistent_values() -> None:
    text = "model e\n A -> ; k*A; k = 1; A = 1; var B = 0; T = 10; at time >= 2: k = 0.5\n at B > 9.8: A = 4\nend"
    result = load(with_rule(text, "A + B - T")).simulate([0.0, 0.5, 1.0, 3.0, 5.0], doses=[Dose("A", 0.5, 2.0)])
    np.testing.assert_allclose(result["A"][0] + result["B"][0], 10.0, rtol=1e-12)
    np.testing.assert_allclose(result["A"][0, 1], np.exp(-0.5) + 2, rtol=1e-6)
    assert result["outcome"][0] == "ok"


def test_patients_without_a_consistent_start_are_marked_and_others_go_on() -> None:
    text = "model i\n x = 1; x' = -x; var z = 1; low = 0\nend"
    result = load(with_rule(text, "z^2 - x + low")).simulate([0.0, 0.1], parameters={"low": [0.0, 2.0]})
    assert list(result["outcome"].values) == ["ok", "no consistent values"]
    assert result["failed_at"][1] == 0
    assert np.isnan(result["x"][1]).all()


def test_a_rule_that_loses_its_solution_on_the_way_ends_the_patient_there() -> None:
    # z^2 = x has no solution once x falls below zero at time 1
    model = load(with_rule("model l\n x = 1; x' = -1; var z = 1\nend", "z^2 - x"))
    result = model.simulate([0.0, 0.5, 2.0])
    assert result["outcome"][0] != "ok"
    np.testing.assert_allclose(result["failed_at"][0], 1.0, rtol=1e-3)
    np.testing.assert_allclose(result["z"][0, 1], np.sqrt(0.5), rtol=1e-5)


@pytest.mark.parametrize("width", [1, 4, 8])
def test_lanes_do_not_disturb_each_other(width: int) -> None:
    text = with_rule("model w\n x = 1; x' = -k*z; var z = 1; k = 1; at x < 0.4: x = x + 0.5\nend", "z + z^3 - x")
    draws = {"k": np.linspace(0.2, 3.0, 30)}
    times = np.linspace(0, 5, 6)
    together = load(text, width=width).simulate(times, parameters=draws, n_threads=1)
    alone = [load(text, width=2).simulate(times, parameters={"k": k}) for k in draws["k"][[0, 13, 29]]]
    for patient, result in zip((0, 13, 29), alone, strict=True):
        assert np.array_equal(together["z"][patient], result["z"][0])
