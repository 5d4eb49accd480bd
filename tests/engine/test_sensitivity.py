"""Sensitivities against derivatives of closed forms, another integrator, and differences of plain runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from engine_tools import sbml
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.linalg import expm_frechet

from exotwin.engine import CompiledModel, Dose, load
from exotwin.errors import ModelError, NotBuiltYet

Floats = NDArray[np.float64]
Compile = Callable[..., CompiledModel]
DAYS = np.linspace(0, 5, 11)


def differences(
    plain: CompiledModel,
    times: Floats,
    by: str,
    outputs: Sequence[str],
    *,
    parameters: Mapping[str, Any] | None = None,
    initial: Mapping[str, Any] | None = None,
    doses: Sequence[Dose] = (),
) -> Floats:
    """(patient, time, output) by five-point differences of plain runs at 1e-12; exact to some 1e-8 of their size."""
    own = {"parameters": dict(parameters or {}), "initial": dict(initial or {})}
    kind = "parameters" if by in plain.parameters and by not in own["initial"] else "initial"
    values = plain.parameters if kind == "parameters" else plain.states
    middle = np.asarray(own[kind].get(by, values[by].value), float)
    step = np.where(middle == 0, 1e-3, 1e-3 * np.abs(middle))

    def run(shift: int) -> Floats:
        changed = {**own, kind: {**own[kind], by: middle + shift * step}}
        result = plain.simulate(times, outputs=outputs, rtol=1e-12, doses=doses, n_threads=1, **changed)
        assert np.all(result["outcome"] == "ok")
        return np.stack([result[name].values for name in outputs], axis=-1)

    return (8 * (run(1) - run(-1)) - (run(2) - run(-2))) / (12 * step.reshape(-1, 1, 1))


def found(result: xr.Dataset, outputs: Sequence[str], by: str) -> Floats:
    """(patient, time, output)."""
    assert np.all(result["outcome"] == "ok")
    return np.stack([result[f"sensitivity({name})"].sel(wrt=by).values for name in outputs], axis=-1)


def assert_agreement(
    text: str, wrt: Sequence[str], outputs: Sequence[str], *, times: Floats = DAYS, **options: Any
) -> None:
    """Sensitivities at 1e-9 are those of differences, each compared with its largest value in time."""
    document = sbml(text)
    plain, model = load(document), load(document, sensitivities=wrt)
    result = model.simulate(times, outputs=outputs, rtol=1e-9, n_threads=1, **options)
    for by in wrt:
        expected = differences(plain, times, by, outputs, **options)
        size = np.abs(expected).max(axis=1, keepdims=True)
        # where nothing depends on it, differences leave the rounding of values of order one
        deviation = np.abs(found(result, outputs, by) - expected)
        assert np.all(deviation < 2e-7 * size + 2e-9), f"{by}: {deviation.max(axis=(0, 1))} of {size.max(axis=0)}"


def test_a_linear_network_follows_the_derivative_of_the_matrix_exponential(compiled: Compile) -> None:
    pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
    names = ", ".join(f"x{i}" for i in range(4))
    reactions = "\n".join(f"x{i} -> x{j}; k{i}{j}*x{i}; k{i}{j} = {1 + 0.3 * i - 0.2 * j}" for i, j in pairs)
    text = f"model net\n substanceOnly species {names}\n {reactions}\n x0 = 5; x1 = 0; x2 = 0; x3 = 0\nend"
    wrt = [*(f"k{i}{j}" for i, j in pairs), "x1"]
    outputs, times = [f"x{i}" for i in range(4)], np.linspace(0, 2, 5)
    result = compiled(text, sensitivities=wrt).simulate(times, rtol=1e-10)
    matrix = np.zeros((4, 4))
    for i, j in pairs:
        rate = 1 + 0.3 * i - 0.2 * j
        matrix[i, i] -= rate
        matrix[j, i] += rate
    for by, (i, j) in zip(wrt, [*pairs, (1, 1)], strict=True):
        direction = np.zeros((4, 4))
        direction[i, i], direction[j, i] = -1.0, 1.0
        for k, time in enumerate(times):
            flow, slope = expm_frechet(matrix * time, direction * time)
            expected = flow[:, 1] if by == "x1" else slope @ [5.0, 0, 0, 0]
            # some hundred local errors of values up to five
            np.testing.assert_allclose(found(result, outputs, by)[0, k], expected, atol=1e-8)


LOGISTIC = "model l\n x = 0.1; r = 1.3; K = 2; x' = r*x*(1 - x/K)\nend"


def logistic(time: Floats, x: float, r: float, K: float) -> dict[str, Floats]:
    """Derivatives of K / (1 + (K/x − 1) exp(−r t))."""
    decay = np.exp(-r * time)
    below = 1 + (K / x - 1) * decay
    return {
        "x": (K / x) ** 2 * decay / below**2,
        "r": K * (K / x - 1) * time * decay / below**2,
        "K": 1 / below - K * decay / x / below**2,
    }


@pytest.mark.parametrize("atol", [None, 1e-12])
def test_the_error_of_sensitivities_follows_the_tolerance(compiled: Compile, atol: float | None) -> None:
    model, times = compiled(LOGISTIC, sensitivities=["x", "r", "K"]), np.linspace(0, 12, 25)
    expected = logistic(times, 0.1, 1.3, 2.0)
    errors = []
    for rtol in (1e-4, 1e-6, 1e-8, 1e-10):
        result = model.simulate(times, rtol=rtol, atol=atol)
        deviations = [np.abs(found(result, ["x"], by)[0, :, 0] - expected[by]) / expected[by].max() for by in expected]
        errors.append(max(deviation.max() for deviation in deviations))
        assert errors[-1] < 30 * rtol
    # a hundredth of the tolerance is worth at least a tenth of the error
    assert all(fine < coarse / 10 for coarse, fine in pairwise(errors))


def test_sensitivities_are_of_the_order_of_the_method(compiled: Compile) -> None:
    model, times = compiled(LOGISTIC, sensitivities=["r", "K"]), np.linspace(0, 12, 13)
    expected, work = logistic(times, 0.1, 1.3, 2.0), []
    for rtol in (1e-7, 1e-11):
        result = model.simulate(times, rtol=rtol)
        error = max(np.abs(found(result, ["x"], by)[0, :, 0] - expected[by]).max() for by in ("r", "K"))
        work.append((np.log(error), np.log(float(result["steps"][0]))))
    order = (work[0][0] - work[1][0]) / (work[1][1] - work[0][1])
    # local errors are held at the tolerance with a step of order five and an estimate of order four
    assert order > 4.2


def test_a_stiff_system_agrees_with_scipy_on_the_larger_system(compiled: Compile) -> None:
    model = compiled(
        "model r\n a=1; b=0; c=0; k=0.04; l=1e4; m=3e7; a'=-k*a+l*b*c; b'=k*a-l*b*c-m*b^2; c'=m*b^2\nend",
        sensitivities=["k", "l", "m", "a"],
    )
    values = np.array([0.04, 1e4, 3e7])

    def rates(_: float, z: Floats) -> Floats:
        (k, c, m), y, s = values, z[:3], z[3:].reshape(4, 3)
        jacobian = np.array([[-k, c * y[2], c * y[1]], [k, -c * y[2] - 2 * m * y[1], -c * y[1]], [0, 2 * m * y[1], 0]])
        flows = np.array([[-y[0], y[0], 0], [y[1] * y[2], -y[1] * y[2], 0], [0, -(y[1] ** 2), y[1] ** 2], [0, 0, 0]])
        slope = np.array([-k * y[0] + c * y[1] * y[2], k * y[0] - c * y[1] * y[2] - m * y[1] ** 2, m * y[1] ** 2])
        return np.concatenate([slope, (s @ jacobian.T + flows).ravel()])

    times = np.concatenate([[0.0], 4 * 10.0 ** np.arange(-1, 4)])
    start = np.concatenate([[1.0, 0, 0], np.zeros(9), [1.0, 0, 0]])
    scale = np.concatenate([[1, 1e-5, 1], np.repeat(1 / np.array([*values, 1.0]), 3)])
    oracle = solve_ivp(rates, (0, times[-1]), start, "Radau", times, rtol=1e-9, atol=1e-15 * scale).y
    result = model.simulate(times, rtol=1e-8)
    for p, by in enumerate(model.wrt):
        expected = oracle[3 + 3 * p : 6 + 3 * p].T
        deviation = np.abs(found(result, ["a", "b", "c"], by)[0] - expected)
        assert np.all(deviation < 1e-5 * np.abs(expected).max(axis=0)), by


MICHAELIS = """model m
  compartment cell; cell = 2; species S in cell, P in cell, E in cell; S = 3; P = 0.1; E = 0.5;
  vmax = 1.3; km = 0.7; n = 1.8; kd = 0.2; half = vmax/2; total := S + 2*P; unused = 3;
  S -> P; cell*E*vmax*S^n/(km^n + S^n); P -> ; cell*kd*P; E -> ; cell*0.1*half*E
end"""


def test_parameters_sizes_and_starts_reach_states_observables_and_amounts() -> None:
    wrt = ["vmax", "km", "n", "kd", "cell", "S", "E", "half"]
    assert_agreement(MICHAELIS, wrt, ["S", "P", "E", "total", "amount(S)"])


def test_a_given_value_of_a_computed_parameter_no_longer_depends_on_others() -> None:
    values = {"half": np.array([0.2, 0.9]), "km": np.array([0.5, 0.6])}
    assert_agreement(
        MICHAELIS, ["vmax", "km", "half", "S"], ["S", "P", "E"], parameters=values, initial={"S": np.array([2.0, 4])}
    )


def test_a_given_concentration_is_an_amount_that_grows_with_the_compartment() -> None:
    assert_agreement(
        MICHAELIS, ["cell", "S", "P"], ["S", "P", "concentration(S)", "amount(P)"], initial={"S": 2.0, "P": 0.3}
    )


BOUNDARY = """model s
  compartment c; c = 1.5; species $B in c, A in c, $D in c; B = 2; A = 0; k = 0.4; q = 0.3; D = 1.1*k;
  -> A; c*k*B*D; A -> ; c*q*A^2
end"""


def test_doses_change_states_and_not_their_derivatives() -> None:
    doses = [Dose("A", 1.0, 2.0), Dose("B", 2.0, 1.0), Dose("A", 2.5, 3.0, duration=1.0)]
    assert_agreement(BOUNDARY, ["B", "A", "D", "k", "c", "q"], ["A", "B", "D"], doses=doses)


def test_states_that_do_not_move_have_starts_that_matter() -> None:
    assert_agreement(BOUNDARY, ["B", "D", "k", "c"], ["A", "B", "D", "amount(B)"], initial={"B": 1.0, "D": 0.4})


def test_rates_may_depend_on_time_and_jump_with_it() -> None:
    text = """model t
      x = 1; y = 0; w = 2; k = 0.5; tau = 2; x' = -k*x*(1 + sin(w*time)) + piecewise(1, time > 1.5 && time < 2.5, 0);
      y' = x^2*exp(-time/tau) - k*y
    end"""
    assert_agreement(text, ["x", "y", "w", "k", "tau"], ["x", "y"])


@pytest.mark.parametrize("options", [{}, {"parameters": {"V": 1.5}, "initial": {"A": 1.0}}])
def test_compartments_may_grow(options: dict[str, Any]) -> None:
    text = """model g
      compartment V; V = 1; V' = 0.1*V*growth; growth = 0.7; species A in V, B in V; A = 2; B = 0; k = 0.3;
      A -> B; k*A*V; r := A/(A + B)
    end"""
    assert_agreement(text, ["V", "growth", "A", "k"], ["A", "B", "V", "r", "amount(A)"], **options)


def test_powers_of_zero_have_derivatives_by_their_exponent() -> None:
    text = """model h
      a = 1; b = 0; n = 1.5; m = 2; k = 0.3; K = 0.5; a' = -k*a; b' = k*a - b^n/(K + b^n) - 0.1*b^m
    end"""
    assert_agreement(text, ["n", "k", "K", "m"], ["a", "b"])


def test_a_parameter_that_is_zero_needs_no_size_of_its_own(compiled: Compile) -> None:
    # derivatives of c and d by `extra` are zero but for rounding, as differences of large flows
    text = """model z
      extra = 0; a = 1.1 + extra; b = a*0.3/0.7; c = 0; d = 0; k = 2;
      a->b; 0.3*a - 0.7*b; ->c; 0.3*a - 0.7*b; c->d; k*c; d->; 3*d
    end"""
    result = compiled(text, sensitivities=["extra", "k"]).simulate(np.linspace(0, 730, 3))
    assert int(result["steps"][0]) < 100
    np.testing.assert_allclose(found(result, ["a", "b", "d"], "extra")[0, -1], [1, 3 / 7, 0], atol=1e-12)


@st.composite
def networks(draw: st.DrawFn) -> str:
    """Three species, reactions of all common kinds with powers, saturation and inhibition."""
    rate = st.floats(0.1, 2.0).map(lambda value: round(value, 3))
    species, lines = ("A", "B", "C"), []
    for r in range(draw(st.integers(2, 5))):
        source, target = draw(st.permutations(species))[:2]
        other = draw(st.sampled_from(species))
        law = draw(st.sampled_from(LAWS)).format(k=f"k{r}", a=source, b=other)
        lines.append(f"k{r} = {draw(rate)}; {source} -> {draw(st.sampled_from([target, '']))}; {law}")
    starts = "; ".join(f"{name} = {draw(rate)}" for name in species)
    return "model n\n " + "\n ".join(lines) + f"\n -> A; 0.3\n {starts}\nend"


LAWS = ("{k}*{a}", "{k}*{a}*{b}", "{k}*{a}/(0.4 + {a})", "{k}*{a}*{b}^2/(1 + {b}^2)", "{k}*{a}*exp(-{b})")


@given(networks())
@settings(max_examples=6, deadline=None)
def test_any_network_agrees_with_differences(text: str) -> None:
    assert_agreement(text, ["k0", "k1", "A", "B"], ["A", "B", "C"])


@pytest.mark.parametrize(("name", "count"), [("Boehm_JProteomeRes2014", 6), ("Fiedler_BMCSystBiol2016", 4)])
def test_published_models_agree_with_differences(shared_data: Path, name: str, count: int) -> None:
    path = shared_data / "petab-models" / name / f"model_{name}.xml"
    plain, times = load(path), np.linspace(0, 120, 13)
    wrt = [parameter for parameter, quantity in plain.parameters.items() if quantity.value > 0][-count:]
    result = load(path, sensitivities=wrt).simulate(times)
    outputs = list(plain.states)
    for by in wrt:
        expected = differences(plain, times, by, outputs)
        size = np.abs(expected).max(axis=(0, 1))
        # below that, differences are rounding
        least = 1e-4 * np.array([np.abs(result[n].values).max() for n in outputs]) / plain.parameters[by].value
        deviation = np.abs(found(result, outputs, by) - expected).max(axis=(0, 1))
        assert np.all(deviation < 3e-5 * np.maximum(size, least)), by


def test_any_width_and_number_of_threads_gives_the_same_bits() -> None:
    draws = {"km": np.geomspace(0.1, 3, 23), "n": np.linspace(1, 3, 23)}
    results = []
    for width, threads in ((1, 1), (2, 2), (4, 1), (8, 2)):
        model = load(sbml(MICHAELIS), sensitivities=["km", "n", "S"], width=width)
        results.append(model.simulate(DAYS, parameters=draws, n_threads=threads))
    for other in results[1:]:
        xr.testing.assert_identical(results[0], other)
    one = model.simulate(DAYS, parameters={name: values[7] for name, values in draws.items()})
    np.testing.assert_array_equal(one["sensitivity(P)"][0], results[0]["sensitivity(P)"][7])


def test_results_are_labelled_by_what_they_are_differentiated_by(compiled: Compile, tmp_path: Path) -> None:
    text = """model u
      unit mL = 1e-3 litre; unit per_day = 1/(86400 second); unit uM = 1e-6 mole/litre;
      compartment blood; blood = 5; blood has mL; k = 0.5; k has per_day; x = 2; x has uM; w = 1; x' = -k*x; y := 2*x*w
    end"""
    model = compiled(text, sensitivities=["k", "w"])
    draws = {"k": np.array([0.1, 0.2])}
    result = model.simulate(DAYS, parameters=draws, outputs=["y", "k"])
    assert model.wrt == ("k", "w")
    assert list(result.data_vars) == ["y", "k", "sensitivity(y)", "sensitivity(k)"]
    assert result["sensitivity(y)"].dims == ("patient", "time", "wrt")
    assert list(result["wrt"].values) == ["k", "w"]
    np.testing.assert_array_equal(result["sensitivity(k)"], np.broadcast_to([1.0, 0.0], (2, 11, 2)))
    assert compiled(text, sensitivities=["k"]).simulate(DAYS)["sensitivity(x)"].attrs["units"] == "uM/(per_day)"
    assert list(model.parameters) == list(compiled(text).parameters)
    stored = model.simulate(DAYS, parameters=draws, outputs=["y", "k"], store=tmp_path / "run")
    xr.testing.assert_identical(stored.load(), result)


def test_what_a_name_does_not_influence_is_zero(compiled: Compile) -> None:
    result = compiled(MICHAELIS, sensitivities=["unused", "km"]).simulate(DAYS, outputs=["S", "total", "half"])
    for name in ("S", "total", "half"):
        np.testing.assert_array_equal(result[f"sensitivity({name})"].sel(wrt="unused"), 0.0)
    np.testing.assert_array_equal(result["sensitivity(half)"], 0.0)


def test_a_failed_patient_has_no_sensitivities_behind_its_failure(compiled: Compile) -> None:
    model = compiled("model f\n x = 1; k = 1; x' = k*x^2\nend", sensitivities=["k"])
    result = model.simulate(np.linspace(0, 2, 6), parameters={"k": [0.1, 1.0]})
    assert result["outcome"].values[0] == "ok"
    assert result["outcome"].values[1] != "ok"
    np.testing.assert_array_equal(np.isnan(result["sensitivity(x)"][:, :, 0]), [[False] * 6, [False] * 3 + [True] * 3])


@pytest.mark.parametrize(
    ("wrt", "message"),
    [
        (["kmm"], 'sensitivities "kmm".*no such name in the model.*nearest   "km"'),
        (["total"], 'sensitivities "total".*a name of another kind'),
        (["km", "km"], 'sensitivities "km".*the name twice'),
    ],
)
def test_wrong_names_are_told(compiled: Compile, wrt: list[str], message: str) -> None:
    with pytest.raises(ModelError, match=f"(?s){message}"):
        compiled(MICHAELIS, sensitivities=wrt)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1; k = 1; x' = -k*x; late: at x < 0.5: x = 2", 'event "late"'),
        ("x = 1; k = 1; x' = piecewise(-k, time > k, 0)", 'changes its formula where it depends on "k"'),
        ("x = 1; k = 1; x' = piecewise(-k, x > 0.5, 0)", 'changes its formula where it depends on "x"'),
    ],
)
def test_what_would_make_a_derivative_jump_is_refused(compiled: Compile, text: str, message: str) -> None:
    with pytest.raises(NotBuiltYet, match=message):
        compiled(f"model j\n {text}\nend", sensitivities=["k"])


def test_a_start_that_is_a_parameter_is_given_as_one(compiled: Compile) -> None:
    with pytest.raises(ModelError, match=r'initial "x"(?s:.*)`parameters`'):
        compiled(LOGISTIC, sensitivities=["x"]).simulate(DAYS, initial={"x": 0.2})


def test_the_explicit_method_and_rates_of_reactions_are_refused(compiled: Compile) -> None:
    model = compiled("model e\n species a; a = 1; k = 1; move: a -> ; k*a\nend", sensitivities=["k"])
    with pytest.raises(NotBuiltYet, match='method "tsit5"'):
        model.simulate(DAYS, method="tsit5")
    with pytest.raises(NotBuiltYet, match="rate of a reaction"):
        model.simulate(DAYS, outputs=["move"])


def test_amici_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CVODES on compiled C++: shares nothing with ours. Compiling its model takes most of a minute."""
    importer = pytest.importorskip("amici.importers.sbml", reason="AMICI is not installed")
    import amici
    from amici.sim import sundials

    # cmake looks for swig on the path, where an environment that is not activated does not stand
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    document, wrt, outputs = sbml(MICHAELIS), ["vmax", "km", "n", "kd"], ["S", "P", "E"]
    importer.SbmlImporter(document, from_file=False).sbml2amici("peer", tmp_path, observation_model=[], verbose=False)
    peer = amici.import_model_module("peer", tmp_path).get_model()
    peer.set_timepoints(DAYS.tolist())
    names = list(peer.get_free_parameter_ids())
    peer.set_parameter_list([names.index(by) for by in wrt])
    solver = peer.create_solver()
    solver.set_relative_tolerance(1e-11)
    solver.set_absolute_tolerance(1e-14)
    solver.set_sensitivity_order(sundials.SensitivityOrder.first)
    solver.set_sensitivity_method(sundials.SensitivityMethod.forward)
    expected = np.array(sundials.run_simulation(peer, solver).sx)  # (time, wrt, state), of concentrations
    columns = [list(peer.get_state_ids()).index(name) for name in outputs]
    result = load(document, sensitivities=wrt).simulate(DAYS, rtol=1e-9)
    for p, by in enumerate(wrt):
        np.testing.assert_allclose(found(result, outputs, by)[0], expected[:, p, columns], rtol=1e-7, atol=1e-9)
