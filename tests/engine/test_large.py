"""Large models: the step that is written once, against the unrolled one, numbers, and a peer."""

from __future__ import annotations

import re

import numpy as np
import pytest
import xarray as xr
from engine_tools import roadrunner, sbml
from hypothesis import given, settings
from hypothesis import strategies as st
from large_models import cascade, chain, random_network
from scipy.linalg import expm

from exotwin.engine import load
from exotwin.engine.kernels import choice, chunks, factors
from exotwin.engine.kernels.choice import rosenbrock_stepper
from exotwin.engine.kernels.compact import CompactStepper
from exotwin.engine.kernels.compile import Loaded, machine_code, processor
from exotwin.engine.kernels.driver import write_module
from exotwin.engine.kernels.emit import PTR, Code
from exotwin.engine.kernels.equations import Equations
from exotwin.engine.kernels.factors import Factors
from exotwin.engine.kernels.graph import Graph
from exotwin.engine.kernels.rosenbrock import RosenbrockStepper
from exotwin.engine.kernels.sparse import factor_pattern
from exotwin.engine.kernels.tableaux import RODAS5P
from exotwin.engine.kernels.workspace import Workspace
from exotwin.engine.reading.parse import parse
from exotwin.engine.reading.system import build
from exotwin.engine.running import description
from exotwin.engine.running.model import CompiledModel

SMALL = {
    "nonlinear": "a=1;b=2;c=0.5; a->b; k1*a*c; b->c; k2*b/(1+b); c->; k3*c^1.5; ->a; k4; k1=2;k2=0.5;k3=0.1;k4=0.3",
    "seeing time": "a=1;b=0; a->b; k1*a*(1+sin(k2*time)); b->a; k3*b*exp(-time/9); k1=2;k2=3;k3=0.4",
    "choices": "a=1;b=0; a->b; piecewise(k1*a, a < 0.4 && k3 < 1, 0.4*k1); b->a; max(k2*b, k3*a); k1=1;k2=0.3;k3=0.5",
    "constant rates": "a=1; a'=k1; b=2; b'=0*a-k2; k1=1;k2=0.25",
    "algebraic": "a=2; a'=-k1*a*z-k2*a; var z=0.1; b=1; b'=z-b; k1=2;k2=0.5;k3=1",
}


def small(name: str) -> str:
    """The document; Antimony cannot write algebraic rules."""
    import libsbml

    document = libsbml.readSBMLFromString(sbml(f"model m\n {SMALL[name]}\nend"))
    if name == "algebraic":
        document.getModel().createAlgebraicRule().setMath(libsbml.parseL3Formula("a + z - 4*k3 + k2*z^3 - sin(time)/9"))
    return str(libsbml.writeSBMLToString(document))


def simulated(document: str, form: type[RosenbrockStepper], monkeypatch: pytest.MonkeyPatch) -> xr.Dataset:
    """Three patients through one form of the step."""
    monkeypatch.setattr(choice, "rosenbrock_stepper", form)
    stored = description.compiled("a model", document, processor())
    model = CompiledModel(lambda *_: stored)
    spread = np.array([0.7, 1.0, 1.6])
    return model.simulate(
        np.linspace(0, 8, 9),
        parameters={name: spread * model.parameters[name].value for name in ("k1", "k2")},
        method="rodas5p",
    )


@pytest.mark.parametrize("rows", ["written", "in loops"])
@pytest.mark.parametrize("name", SMALL)
def test_the_compact_step_is_the_unrolled_one(name: str, rows: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unrolled = simulated(small(name), RosenbrockStepper, monkeypatch)
    if rows == "in loops":
        monkeypatch.setattr(factors, "_WRITTEN_ROW", 0)
        monkeypatch.setattr(factors, "_WRITTEN_SUM", 0)
    monkeypatch.setattr(chunks, "_LONGEST", 3)  # so that functions leave values for each other
    compact = simulated(small(name), CompactStepper, monkeypatch)
    assert list(unrolled.outcome.values) == ["ok"] * 3
    np.testing.assert_array_equal(compact.steps, unrolled.steps)
    for state in unrolled.data_vars:
        # some hundred roundings, which differ where a product is fused into a sum in one form and not in the other
        np.testing.assert_allclose(compact[state], unrolled[state], rtol=1e-11, atol=1e-14)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 12), st.floats(0.05, 0.9), st.integers(0, 1000), st.booleans(), st.integers(0, 3))
def test_factors_solve_the_linear_system(n: int, density: float, seed: int, loops: bool, algebraic: int) -> None:
    rng = np.random.default_rng(seed)
    jacobian = np.where(rng.uniform(size=(n, n)) < density, rng.uniform(-1, 1, (n, n)), 0.0)
    jacobian[np.arange(min(algebraic, n)), np.arange(min(algebraic, n))] = 3.0 * n  # solvable without 1/(h gamma)
    entries = dict.fromkeys(zip(*(index.tolist() for index in np.nonzero(jacobian)), strict=True), 0)
    fixed = frozenset(range(min(algebraic, n)))
    equations = Equations(Graph(), n, 0, (0,) * n, entries, (0,) * n, (), (), fixed)
    known = dict.fromkeys(entries, 0)
    target = processor(1)
    code = Code(1, fma=target.fma)
    pattern, gamma, width = factor_pattern(n, entries), 0.2, 0.05
    with pytest.MonkeyPatch.context() as patch:
        if loops:
            patch.setattr(factors, "_WRITTEN_ROW", 0)
            patch.setattr(factors, "_WRITTEN_SUM", 0)
        written = Factors(equations, pattern, gamma, known)
        sizes = {
            "jacobian": len(entries),
            "inverse_width": 1,
            "used": 1,
            "uncertain": 3 * n,
            "inherited": n,
            "pivot": n,
        }
        sizes |= {name: sum(map(len, getattr(pattern, name))) for name in ("lower", "upper")}
        workspace = Workspace(1, sizes | written.sizes() | {"x": n})
        written.write(code, workspace)
    with code.function("solved", "void", PTR, local=False) as (block,):
        code.line(f"call void @factorise(ptr {block})")
        code.line(f"call void @solve(ptr {block}, ptr {code.at(block, workspace.place('x'))})")
        code.leave()
    memory = np.zeros(workspace.size // 8 + 8)
    right = rng.uniform(-1, 1, n)
    values = {"jacobian": [jacobian[entry] for entry in sorted(entries)], "inverse_width": [1 / width], "used": [width]}
    for name, numbers in (values | {"x": right}).items():
        start = workspace.place(name) // 8
        memory[start : start + len(numbers)] = numbers
    Loaded(machine_code(code.text(), target)).function("solved")(memory.ctypes.data)
    mass = np.diag([float(i not in fixed) for i in range(n)])
    expected = np.linalg.solve(mass / (width * gamma) - jacobian, right)
    start = workspace.place("x") // 8
    np.testing.assert_allclose(memory[start : start + n], expected, rtol=1e-9, atol=1e-12)


def test_no_function_of_a_large_model_is_long() -> None:
    system = build(parse("a model", cascade(4, 9)).getModel(), "a model")
    text, _ = write_module(rosenbrock_stepper(system.equations, RODAS5P), width=4, fma=True)
    lengths = {m[1]: m[2].count("\n") for m in re.finditer(r"^define [^@]*@(\w+)\((.*?)^\}", text, re.DOTALL | re.M)}
    assert len(lengths) > 50
    assert max(lengths.values()) < 1500


@pytest.mark.parametrize(("document", "form"), [(chain(12), RosenbrockStepper), (random_network(60), CompactStepper)])
def test_the_form_of_the_step_follows_from_the_length_of_the_code(document: str, form: type) -> None:
    equations = build(parse("a model", document).getModel(), "a model").equations
    assert type(rosenbrock_stepper(equations, RODAS5P)) is form


def test_a_cascade_of_150_states_agrees_with_a_peer() -> None:
    document = cascade(4, 12)
    model = load(document)
    assert len(model.states) == 153
    names = list(model.states)
    result = model.simulate(np.linspace(0, 20, 5), outputs=names, rtol=1e-8)
    expected = roadrunner(document, 20, 5, names)
    found = np.stack([result[name][0] for name in names], axis=-1)
    # complexes that have hardly formed are known to the tolerance of the states that they come from
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)


def test_a_chain_of_500_states_follows_the_matrix_exponential() -> None:
    result = load(chain(500)).simulate([0.0, 3.0, 30.0], rtol=1e-8)
    forward = np.array([1.0 + i % 7 for i in range(500)])
    matrix = -np.diag(forward) - 0.3 * np.eye(500)
    matrix += np.roll(np.diag(forward), 1, axis=0) + 0.3 * np.roll(np.eye(500), -1, axis=0)
    start = np.eye(500)[0]
    for k, time in enumerate((3.0, 30.0), 1):
        found = np.array([float(result[f"s{i}"][0, k]) for i in range(500)])
        # what stands at the front of the wave is as exact as the largest state behind it
        np.testing.assert_allclose(found, expm(matrix * time) @ start, rtol=1e-5, atol=1e-9)
        assert abs(found.sum() - 1) < 1e-12


@pytest.mark.slow
def test_a_cascade_of_500_states_keeps_what_it_consists_of() -> None:
    model = load(cascade())
    assert len(model.states) == 499
    draws = np.random.default_rng(0).lognormal(0, 0.2, 64)
    result = model.simulate(np.linspace(0, 50, 6), parameters={"f40": draws})
    assert set(result.outcome.values) == {"ok"}
    for r in range(10):
        parts = [n for n in model.states if re.match(rf"(R|RL|D|P){r}_", n)]
        total = np.sum([(2 if n[0] in "DP" else 1) * result[n].values for n in parts], axis=0)
        np.testing.assert_allclose(total, total[:, :1].repeat(6, axis=1), rtol=1e-11)
