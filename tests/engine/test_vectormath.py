"""exp, log and pow of the kernels against numpy in extended precision."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exotwin.engine.kernels import vectormath
from exotwin.engine.kernels.compile import Loaded, machine_code, processor
from exotwin.engine.kernels.emit import I64, PTR, Code

Function = Callable[..., np.ndarray]


ROOTS = (2, 4, 5, 6)


def call_of(code: Code, name: str, *values: str) -> str:
    return code.call(name, code.vector, *[(code.vector, v) for v in values])


@pytest.fixture(scope="module", params=[8, 4, 2, 1])
def functions(request: pytest.FixtureRequest) -> dict[str, Function]:
    """name -> the function on arrays, computed with vectors of one width."""
    target = processor(request.param)
    code = Code(target.width, fma=target.fma)
    vectormath.define(code)
    roots = {f"root_{k}": (1, partial(vectormath.rough_inverse_root, code, k=k)) for k in ROOTS}
    known = {
        name: (count, partial(call_of, code, f"vector_{name}")) for name, count in (("exp", 1), ("log", 1), ("pow", 2))
    }
    for name, (count, write) in (known | roots).items():
        with code.function(f"all_{name}", "void", PTR, local=False) as (task,):
            pointers = [code.load(PTR, code.at(task, 8 * i)) for i in range(count + 1)]
            with code.loop(0, code.load(I64, code.at(task, 8 * (count + 1)))) as i:
                places = [code.at(p, i, unit=8 * target.width) for p in pointers]
                values = [code.load(code.vector, place, align=8) for place in places[:-1]]
                code.store(code.vector, write(*values), places[-1], align=8)
            code.leave()
    loaded = Loaded(machine_code(code.text(), target))

    def make(name: str) -> Function:
        function = loaded.function(f"all_{name}")

        def call(*arguments: np.ndarray) -> np.ndarray:
            n = len(arguments[0])
            padded = [np.append(a, np.ones(-n % target.width)) for a in arguments]
            out = np.empty(len(padded[0]))
            task = np.array([*(a.ctypes.data for a in (*padded, out)), len(out) // target.width], np.int64)
            function(task.ctypes.data)
            return out[:n]

        return call

    return {name: make(name) for name in known | roots}


def ulps(found: np.ndarray, exact: np.ndarray) -> float:
    """Largest distance in units of the last place."""
    return float(np.max(np.abs((found - exact) / np.spacing(np.abs(exact).astype(float)))))


def test_results_are_within_about_one_unit_in_the_last_place(functions: dict[str, Function]) -> None:
    rng = np.random.default_rng(1)
    x, small, positive = (
        rng.uniform(-700, 700, 20_000),
        rng.uniform(-1, 1, 20_000),
        np.exp(rng.uniform(-700, 700, 20_000)),
    )
    near_one, y = rng.uniform(0.5, 2, 20_000), rng.uniform(-6, 6, 20_000)
    base = np.exp(rng.uniform(-100, 100, 20_000))
    for value in (x, small):
        assert ulps(functions["exp"](value), np.exp(value.astype(np.longdouble))) < 1.1
    for value in (positive, near_one):
        assert ulps(functions["log"](value), np.log(value.astype(np.longdouble))) < 0.7
    assert ulps(functions["pow"](base, y), base.astype(np.longdouble) ** y) < 1.3


def test_special_values_are_those_of_the_c_library(functions: dict[str, Function]) -> None:
    special = np.array([0.0, 1, -1, 2, -2, 0.5, np.inf, -np.inf, np.nan, 5e-324, 1e-310, 1.7e308, -3, 3, 1e300, 800])
    with np.errstate(all="ignore"):
        for name in ("exp", "log"):
            np.testing.assert_allclose(functions[name](special), getattr(np, name)(special), rtol=1e-15)
        bases, exponents = (grid.ravel() for grid in np.meshgrid(special, special))
        # left out: powers of −∞ and of −1 to ±∞, which no rate law contains
        usual = ~((bases == -np.inf) | ((bases == -1) & np.isinf(exponents)))
        expected = (bases**exponents)[usual]
        np.testing.assert_allclose(functions["pow"](bases[usual], exponents[usual]), expected, rtol=1e-15)


@given(st.floats(-745, 709), st.floats(1e-300, 1e300))
def test_exp_and_log_undo_each_other(functions: dict[str, Function], x: float, y: float) -> None:
    np.testing.assert_allclose(functions["exp"](functions["log"](np.array([y]))), y, rtol=2e-13)  # |ln y| < 700 ulps
    if x > -700:
        np.testing.assert_allclose(functions["log"](functions["exp"](np.array([x]))), x, rtol=1e-13, atol=2e-16)


@pytest.mark.parametrize("k", ROOTS)
def test_the_rough_root_is_within_half_a_percent(functions: dict[str, Function], k: int) -> None:
    x = np.concatenate([np.logspace(-300, 300, 4001), np.linspace(0.5, 2, 4001)])
    np.testing.assert_allclose(functions[f"root_{k}"](x), x ** (-1 / k), rtol=5e-3)
    assert functions[f"root_{k}"](np.zeros(1))[0] > 1e10
