"""Agreement with libRoadRunner (CVODE), an implementation that shares nothing with ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from engine_tools import roadrunner, sbml
from hypothesis import given, settings
from hypothesis import strategies as st

from exotwin.engine import load

PUBLISHED = (
    "Bachmann_MSB2011",
    "Boehm_JProteomeRes2014",
    "Brannmark_JBC2010",
    "Fiedler_BMCSystBiol2016",
    "Zheng_PNAS2012",
)


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("atol", [None, 1e-11])
def test_published_models_run_the_same(shared_data: Path, name: str, atol: float | None) -> None:
    path = shared_data / "petab-models" / name / f"model_{name}.xml"
    model = load(path)
    states = list(model.states)
    expected = roadrunner(str(path), 120, 25, [f"[{s}]" for s in states])
    result = model.simulate(np.linspace(0, 120, 25), outputs=states, rtol=1e-7, atol=atol)
    found = np.stack([result[s][0] for s in states], axis=-1)
    # some hundred steps of 1e-7 each, relative to the largest value of each state
    assert np.all(np.abs(found - expected) < 1e-5 * np.abs(expected).max(axis=0) + 1e-12)


RATES = (
    "{k}*{a}",
    "{k}*{a}*{b}",
    "{k}*{a}/(0.5 + {a})",
    "{k}*{a}/(1 + (0.1 + abs({b}))^1.5)",
    "{k}*{a}*exp(-{b})",
    "{k}*{a}*(1 + sin(time))",
)
REACTION = st.tuples(
    st.integers(0, 3), st.integers(0, 3), st.integers(0, 3), st.sampled_from(RATES), st.floats(0.01, 20)
)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(st.lists(REACTION, min_size=2, max_size=7), st.floats(0.2, 5))
def test_random_networks_run_the_same(reactions: list[tuple[int, int, int, str, float]], volume: float) -> None:
    lines = [
        f"J{i}: s{a} -> s{b}; v*" + rate.format(k=f"k{i}", a=f"s{a}", b=f"s{c}") + f"; k{i} = {k!r}"
        for i, (a, b, c, rate, k) in enumerate(reactions)
    ]
    species = "\n".join(f"species s{i} in v; s{i} = {0.3 * i + 0.1}" for i in range(4))
    text = sbml(
        f"model n\n compartment v = {volume!r}\n {species}\n" + "\n".join(lines) + "\n total := s0 + s1 + s2 + s3\nend"
    )
    expected = roadrunner(text, 5, 6, [*(f"[s{i}]" for i in range(4)), "total"])
    result = load(text, width=1).simulate(np.linspace(0, 5, 6), rtol=1e-8)
    found = np.stack([result[n][0] for n in ("s0", "s1", "s2", "s3", "total")], axis=-1)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)


FORMULAS = {
    "powers": "x^3 + x^0.5 + sqrt(x) + root(3, x) + x^(-2) + pow(x, p)",
    "logs": "ln(x) + log10(x) + log(2, x) + exp(-x)",
    "circles": "sin(x) + cos(x)*tan(x/3) + arcsin(x/10) + arccos(x/10) + arctan(x) + sec(x/9) + csc(x) + cot(x)",
    "hyperbolas": "sinh(x) + cosh(x) + tanh(x) + arcsinh(x) + arccosh(1 + x) + arctanh(x/10)",
    "corners": "abs(x - 2) + floor(x) + ceil(x) + piecewise(x, x < 2, 2*x, x < 3, 7) + max(x, 2, p) + min(x, p)",
    "truths": "piecewise(1, x < 2 && p > 1 || !(x >= 1), 0) + piecewise(3, xor(x > 1, p > 1), 5)",
    "constants": "pi*x + exponentiale + factorial(4) + quotient(7, 2) + rem(x + 7, 2)",
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_mean_the_same(name: str) -> None:
    text = sbml(f"model f\n x = 0.3137; x' = 1; p = 1.7; y := {FORMULAS[name]}; z = 0; z' = y\nend")
    expected = roadrunner(text, 3, 31, ["y", "z"])
    result = load(text, width=2).simulate(np.linspace(0, 3, 31), rtol=1e-9)
    np.testing.assert_allclose(result["y"][0], expected[:, 0], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(result["z"][0], expected[:, 1], rtol=1e-5, atol=1e-5)
