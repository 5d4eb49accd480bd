"""Compiled formulas hold against arithmetic with many digits, and at the places where formulas have edges."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exotwin.calibration.objective.formulas import compiled
from exotwin.errors import CalibrationError, NotBuiltYet

mpmath = pytest.importorskip("mpmath", reason="fits need the extra packages named 'fit'")
sympy = pytest.importorskip("sympy", reason="fits need the extra packages named 'fit'")
formula = pytest.importorskip("petab.v1.math", reason="fits need the extra packages named 'fit'").sympify_petab

NAMES = ("time", "lambda", "E", "I", "S", "beta", "x", "y", "n", "K", "v0", "t1", "np", "inf1")
SMOOTH = {  # formula -> where its names may lie
    "x + 2*y - 3": (-2.0, 2.0),
    "x - x + 2.5": (-1.0, 1.0),
    "100 * x^n / (K^n + x^n)": (0.2, 3.0),
    "1 / (1 + (K / x)^n)": (0.2, 3.0),
    "lambda * E + I / S - beta * time": (0.2, 3.0),
    "v0 * t1 + np / inf1": (0.2, 3.0),
    "x^2 * y^3 * n^-2 / (x * y^0.5)": (0.2, 3.0),
    "x^2.7 + y^-1.3 + n^4 + K^-0.5 + x^(1/3)": (0.2, 3.0),
    "2^x + x^y + (x*y)^(n*x)": (0.2, 2.0),
    "exp(-x*y) + ln(x) + log(x) + log10(y) + log2(y) + log(x, 3)": (0.2, 3.0),
    "sqrt(x^2 + (y*S)^2)": (0.2, 3.0),
    "abs(x - 5) * sign(y) + abs(log(x)) + abs(x^n - 9)": (1.2, 2.0),
    "sin(x) + cos(x*y) + tan(x/2) + sec(x) + csc(x) + cot(x)": (0.2, 0.9),
    "sinh(x) + cosh(x*y) + tanh(x) + sech(x) + csch(x) + coth(x)": (0.2, 2.0),
    "arcsin(x) + arccos(x*y) + arctan(x) + arccot(y) + arctanh(x) + arcsech(x)": (0.1, 0.8),
    "arcsec(x) + arccsc(x*y) + arccosh(x) + arcsinh(x) + arccsch(x) + arccoth(x)": (1.2, 3.0),
    "arcsec(x) + arccsc(x) + arccoth(x)": (-3.0, -1.2),
    "arccsch(x) + arccot(x)": (-3.0, -0.2),
    "min(x, y) * max(x, 2) + max(min(x, n), K)": (-3.0, 3.0),
    "piecewise(x^2, x > y, y*x, x > 0 && !(n < 0), exp(K))": (-3.0, 3.0),
    "piecewise(x, (x > 0 || y > 0) && n != 7, K)": (-3.0, 3.0),
    "piecewise(x, true, y)": (-3.0, 3.0),
    "piecewise(true, x > 0, false) + 0": (-3.0, 3.0),
    "5": (0.0, 1.0),
    "e1 * 1e-300 * 1e300": (0.0, 1.0),
}


def function(text, names=None):
    expression = formula(text)
    return compiled(
        expression, sorted({*NAMES, *(s.name for s in expression.free_symbols)}) if names is None else names
    )


def exact(expression, names):
    """Value and slopes with 40 digits: sympy's own functions, and differences that lose half of the digits at most."""
    arguments = [next(s for s in expression.free_symbols if s.name == n) for n in names]
    f = sympy.lambdify(arguments, expression, "mpmath")

    def at(values):
        with mpmath.workdps(40):
            values = [mpmath.mpf(float(v)) for v in values]
            slopes = [
                mpmath.diff(
                    lambda z, i=i: mpmath.mpf(f(*values[:i], z, *values[i + 1 :])), values[i], h=mpmath.mpf(10) ** -18
                )
                for i in range(len(values))
            ]
            return float(f(*values)), [float(s) for s in slopes]

    return at


@pytest.mark.parametrize("text", SMOOTH)
def test_values_and_slopes_are_those_of_arithmetic_with_many_digits(text):
    low, high = SMOOTH[text]
    found = function(text)
    points = np.random.default_rng(0).uniform(low, high, (6, len(found.names)))
    value, slopes = found.with_slopes(points.T)
    assert np.array_equal(np.broadcast_to(value, 6), np.broadcast_to(found.value(points.T), 6))
    oracle = exact(formula(text), found.names)
    for i, point in enumerate(points):
        expected, by_name = oracle(point)
        # a handful of roundings, of terms that are up to a thousand times the sum
        assert np.broadcast_to(value, 6)[i] == pytest.approx(expected, rel=1e-12, abs=1e-12)
        assert [s[i] for s in slopes] == pytest.approx(by_name, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("text", SMOOTH)
def test_a_formula_that_was_not_simplified_is_worth_the_same(text):
    low, high = SMOOTH[text]
    found = function(text)
    plain = formula(text, evaluate=False)
    whole = compiled(plain, sorted({*NAMES, *(s.name for s in plain.free_symbols)}))
    by_name = dict(zip(whole.names, np.random.default_rng(2).uniform(low, high, (len(whole.names), 5)), strict=True))
    value, slopes = found.with_slopes([by_name[n] for n in found.names])
    other, others = whole.with_slopes([by_name[n] for n in whole.names])
    # as many roundings, in another order
    assert np.broadcast_to(value, 5) == pytest.approx(np.broadcast_to(other, 5), rel=1e-11, abs=1e-11)
    for name, slope in zip(whole.names, others, strict=True):
        expected = slopes[found.names.index(name)] if name in found.names else np.zeros(5)
        assert slope == pytest.approx(expected, rel=1e-11, abs=1e-11)


@pytest.mark.parametrize(
    "model",
    [
        "Bachmann_MSB2011",
        "Boehm_JProteomeRes2014",
        "Brannmark_JBC2010",
        "Crauste_CellSystems2017",
        "Fiedler_BMCSystBiol2016",
        "Lucarelli_CellSystems2018",
        "Zheng_PNAS2012",
    ],
)
def test_formulas_of_published_problems_have_the_slopes_that_symbolic_derivatives_have(model, shared_data):
    table = pd.read_csv(shared_data / "petab-models" / model / f"observables_{model}.tsv", sep="\t")
    texts = sorted({str(t) for column in ("observableFormula", "noiseFormula") for t in table[column]}, key=len)
    assert texts
    rng = np.random.default_rng(1)
    for text in texts[-6:]:
        expression = formula(text)
        found = function(text, sorted(s.name for s in expression.free_symbols))
        values = rng.uniform(0.5, 2.0, len(found.names))
        point = {s: values[found.names.index(s.name)] for s in expression.free_symbols}
        value, slopes = found.with_slopes(values)
        assert value == pytest.approx(float(expression.evalf(subs=point)), rel=1e-13)
        for name, slope in zip(found.names, slopes, strict=True):
            symbol = next(s for s in point if s.name == name)
            # differences of products lose two digits here
            assert slope == pytest.approx(float(expression.diff(symbol).evalf(subs=point)), rel=1e-12, abs=1e-12)


SHAPES = [
    "({} + {})",
    "({} - {})",
    "({} * {})",
    "({} / (1 + {}^2))",
    "exp(-({})^2) * {}",
    "min({}, 2 * {})",
    "piecewise({}, x > 1, {})",
    "(1 + ({})^2)^({} / 9)",
    "ln(2 + ({})^2) / {}",
]


@st.composite
def _formulas(draw, depth=3):
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(["x", "y", "n", "2.5", "0.3"]))
    inner = [draw(_formulas(depth=depth - 1)) for _ in range(2)]
    return draw(st.sampled_from(SHAPES)).format(*inner)


@settings(deadline=None)
@given(text=_formulas(), seed=st.integers(0, 2**32 - 1))
def test_slopes_of_any_formula_are_those_of_small_differences(text, seed):
    found = function(text)
    point = np.random.default_rng(seed).uniform(0.6, 1.6, len(found.names))
    value, slopes = found.with_slopes(point)
    h = 1e-6
    for i, slope in enumerate(slopes):
        step = h * np.eye(len(point))[i]
        up, down = (found.value(point + sign * step) for sign in (1.0, -1.0))
        rise = np.array([up - value, value - down]) / h
        smooth = np.isfinite(rise).all() and abs(rise[0] - rise[1]) < 1e-3 * (1.0 + abs(rise[0]))  # no kink between
        if smooth and abs(value) < 1e3 and np.ptp(rise) < 1e-3:
            # differences over 1e-6 of numbers up to 1e3 are good to about 1e-7 · 1e3, curvature adds its step
            assert slope == pytest.approx(rise.mean(), rel=1e-4, abs=1e-3)


def test_names_are_those_that_the_formula_uses_in_the_order_given():
    assert function("y * x + 0 * K", ("K", "x", "n", "y")).names == ("x", "y")
    assert function("y * x", ("y", "x")).names == ("y", "x")
    assert function("x - x", ("x",)).names == ()


def test_a_symbol_counts_by_its_name_whatever_is_assumed_of_it():
    plain, real = sympy.Symbol("x"), sympy.Symbol("x", real=True)
    found = compiled(abs(plain) * real, ["x"])
    assert found.names == ("x",)
    value, (slope,) = found.with_slopes([np.array([-2.0, 3.0])])
    assert value.tolist() == [-4.0, 9.0]
    assert slope.tolist() == [4.0, 6.0]


def test_values_broadcast_and_everything_returned_has_the_full_shape():
    found = function("x + 2 * y", ("x", "y"))
    value, slopes = found.with_slopes([np.arange(3.0)[:, None], np.arange(4.0)])
    assert value.shape == (3, 4) == found.value([np.arange(3.0)[:, None], np.arange(4.0)]).shape
    assert [s.shape for s in slopes] == [(3, 4), (3, 4)]
    assert (slopes[0] == 1.0).all()
    assert (slopes[1] == 2.0).all()
    alone = function("piecewise(1, x > 0, 1) * 2 + 0 * y", ("x", "y"))
    assert alone.value([]).shape == ()
    assert alone.value([]) == 2.0


def test_whole_numbers_as_values_are_numbers():
    value, slopes = function("x / y", ("x", "y")).with_slopes([np.array([1, 2]), 4])
    assert value.tolist() == [0.25, 0.5]
    assert slopes[1].tolist() == [-0.0625, -0.125]


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 1.5, 2.0, 3.7])
def test_a_power_of_zero_has_the_slopes_of_its_limit(exponent):
    value, (by_base, by_exponent) = function("x^n", ("x", "n")).with_slopes([0.0, exponent])
    assert value == 0.0**exponent
    assert by_exponent == 0.0
    assert by_base == {0.0: 0.0, 0.5: np.inf, 1.0: 1.0}.get(exponent, 0.0)


def test_a_saturating_formula_has_finite_slopes_at_zero():
    value, slopes = function("x^n / (K^n + x^n)", ("x", "n", "K")).with_slopes([0.0, np.array([1.0, 2.0, 4.5]), 3.0])
    assert (value == 0.0).all()
    assert slopes[0] == pytest.approx([1.0 / 3.0, 0.0, 0.0])
    assert (slopes[1] == 0.0).all()
    assert (slopes[2] == 0.0).all()


def test_a_whole_power_of_a_negative_number_changes_with_its_exponent_as_its_size_does():
    value, (by_base, by_exponent) = function("x^n", ("x", "n")).with_slopes([-2.0, 3.0])
    assert (value, by_base) == (-8.0, 12.0)
    assert by_exponent == pytest.approx(-8.0 * np.log(2.0))


@pytest.mark.parametrize(
    "text", ["piecewise(1 / x, x > 0, 7)", "piecewise(log(x), x > 0, 7)", "piecewise(x^n, x > 0, 7)"]
)
def test_the_branch_that_is_not_taken_leaves_no_trace(text):
    found = function(text)
    value, slopes = found.with_slopes([{"x": 0.0, "n": -1.0}[name] for name in found.names])
    assert value == 7.0
    assert [float(s) for s in slopes] == [0.0] * len(found.names)


def test_a_kink_has_the_slope_of_a_side():
    assert function("abs(x)", ("x",)).with_slopes([0.0])[1][0] == 0.0
    for text in ("max(x, y)", "min(x, y)"):
        by_x, by_y = function(text, ("x", "y")).with_slopes([1.0, 1.0])[1]
        assert float(by_x + by_y) == 1.0


def test_truth_is_one_or_zero():
    assert function("x > 1", ("x",)).value([np.array([0.0, 1.0, 2.0])]).tolist() == [0.0, 0.0, 1.0]
    assert function("x > 1", ("x",)).with_slopes([3.0])[1][0] == 0.0
    assert function("piecewise(5, x, 6)", ("x",)).value([np.array([0.0, -2.0])]).tolist() == [6.0, 5.0]
    assert function("piecewise(5, !x, 6)", ("x",)).value([np.array([0.0, -2.0])]).tolist() == [5.0, 6.0]
    assert function("true", ("x",)).value([]) == 1.0


def test_an_if_then_else_between_truths_is_one():
    a, b, c = sympy.symbols("a b c", real=True)
    choice = sympy.Piecewise((2.0, sympy.ITE(a > 0, b > 0, c > 0)), (3.0, True))
    points = np.array([[1, 1, -1], [1, -1, 1], [-1, -1, 1], [-1, 1, -1]], float)
    assert compiled(choice, ["a", "b", "c"]).value(points.T).tolist() == [2.0, 3.0, 2.0, 3.0]
    either = sympy.Piecewise((2.0, sympy.Xor(a > 0, b > 0)), (3.0, True))
    assert compiled(either, ["a", "b"]).value(points[:, :2].T).tolist() == [3.0, 2.0, 3.0, 2.0]


@pytest.mark.parametrize(
    ("text", "x"), [("ln(x)", -1.0), ("x^0.5", -1.0), ("1 / x - 1 / x^2", 0.0), ("arcsin(x)", 2.0)]
)
def test_what_is_not_defined_is_no_number_and_no_warning(text, x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, (slope,) = function(text, ("x",)).with_slopes([np.array([x, 0.5])])
    assert np.isnan(value[0])
    assert np.isfinite([value[1], slope[1]]).all()


def test_without_a_branch_for_a_place_there_is_no_number():
    x = sympy.Symbol("x", real=True)
    assert np.isnan(compiled(sympy.Piecewise((1.0, x > 0)), ["x"]).value([-1.0]))


def test_numbers_that_do_not_exist_stay_so():
    x = sympy.Symbol("x", real=True)
    assert function("piecewise(x, x < 1, -inf)", ("x",)).value([1.0]) == -np.inf
    assert np.isnan(compiled(sympy.zoo, ["x"]).value([]))
    assert compiled(1 / sympy.log(sympy.Integer(1), evaluate=False), ["x"]).value([]) == np.inf
    assert compiled(sympy.pi * x, ["x"]).value([2.0]) == pytest.approx(2 * np.pi)


def test_formulas_that_differ_in_names_alone_share_their_code():
    one, other = function("noise1 * 2 + x"), function("noise2 * 2 + y")
    assert one.names != other.names
    assert one._functions[0] is other._functions[0]
    assert function("x * y + 3") is function("x * y + 3")


def test_a_formula_can_be_sent_to_another_process():
    found = pickle.loads(pickle.dumps(function("x / (y + x)", ("x", "y"))))
    assert found.value([1.0, 3.0]) == 0.25


def test_equal_terms_are_computed_once():
    assert function("exp(x) * y + n * ln(exp(x) + 1) + K^exp(x)").source.split("def ")[2].count("exp(") == 1


def test_a_name_that_is_not_known_is_refused():
    with pytest.raises(CalibrationError, match='the name "beta1"') as refused:
        compiled(formula("x * beta1"), ["x", "beta"])
    assert refused.value.nearest == "beta"


def test_a_function_that_petab_does_not_have_is_refused():
    with pytest.raises(NotBuiltYet, match="gamma"):
        compiled(sympy.gamma(sympy.Symbol("x")), ["x"])
