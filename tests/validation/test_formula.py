import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exotwin.errors import EvidenceError
from exotwin.validation.formula import evaluate, names_in

_NAMES = {"a": 2.5, "b": -3.0, "c": 0.25}


def _trees(children):
    pairs = st.tuples(children, st.sampled_from(["+", "-", "*", "/"]), children)
    return pairs.map(lambda t: f"({t[0]} {t[1]} {t[2]})") | children.map(lambda t: f"(-{t})")


_TEXTS = st.recursive(st.sampled_from(["a", "b", "c", "1", "2.5", "1e-3"]), _trees, max_leaves=12)


@given(text=_TEXTS)
def test_arithmetic_is_that_of_python(text):
    try:
        expected = eval(text, {}, dict(_NAMES))  # an independent reading of text that the strategy wrote
    except ZeroDivisionError:
        assert not math.isfinite(evaluate(text, _NAMES, where="here"))
        return
    assert evaluate(text, _NAMES, where="here") == pytest.approx(expected, rel=1e-12)
    assert names_in(text, where="here") == {name for name in _NAMES if name in text}


@given(text=st.text(max_size=60))
def test_any_text_is_a_formula_or_one_error(text):
    try:
        found, told = evaluate(text, {"v": 1.0}, where="here"), "here"
    except EvidenceError as fault:
        found, told = 0.0, str(fault)
    assert isinstance(found, float | np.ndarray)
    assert "here" in told


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("v.half_life_h", {"half_life_h": 24}, 24.0),
        ("v['1e6'] / 2", {"1e6": 3.0}, 1.5),
        ("v[0][1]", [[3, 5], [22, 25]], 5.0),
        ("v[-1][0]", [[3, 5], [22, 25]], 22.0),
        ("v.ratio[0] - 1", {"ratio": [1.4, 2]}, pytest.approx(0.4)),
        ("number(v, 1)", "5-7 d of 20", 7.0),
        ("number(v.t, 0)", {"t": "about -2.5 %"}, -2.5),
        ("mean(v)", [1, 2, 6], 3.0),
        ("median(v)", [1, 2, 6], 2.0),
        ("max(v) - min(v)", [1, 2, 6], 5.0),
        ("max(v, 2)", 1, 2.0),
        ("log(exp(v)) + log10(100) + log2(8) + sqrt(16) + abs(-v)", 1.0, 11.0),
        ("2 ** v", 10, 1024.0),
    ],
)
def test_records_are_read_by_key_and_place(text, value, expected):
    assert evaluate(text, {"v": value}, where="here") == expected


def test_lists_count_as_arrays():
    np.testing.assert_allclose(evaluate("[v[0], v[1]] * 2", {"v": [1, 3]}, where="here"), [2, 6])
    np.testing.assert_allclose(evaluate("column(v, 1) / 5", {"v": [[3, 5], [22, 25]]}, where="here"), [1, 5])
    np.testing.assert_allclose(evaluate("log(v)", {"v": np.array([1.0, -1.0])}, where="here"), [0, np.nan])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("__import__('os')", "__import__"),
        ("v.__class__", "__class__"),
        ("(lambda: 1)()", "lambda"),
        ("[x for x in v]", "for x in v"),
        ("1 if v else 2", "if v else"),
        ("v < 2", "v < 2"),
        ("v; 2", "v; 2"),
        ("v // 2", "v // 2"),
        ("f'{v}'", "f'{v}'"),
        ("log(x=1)", "log(x=1)"),
        ("open(v)", 'the function "open"'),
        ("sqr(v)", '"sqrt"'),
        ("'text'", "'text'"),
        ("True", "True"),
        ("v['key']", "a key of a mapping"),
        ("", '""'),
        ("v" * 501, "501 characters"),
        ("(" * 240 + "v" + ")" * 240, "arithmetic"),
        ("w", 'the name "w"'),
        ("number(v, 0)", "a text"),
    ],
)
def test_all_else_that_python_can_do_is_refused(text, words):
    with pytest.raises(EvidenceError) as fault:
        evaluate(text, {"v": 1.0}, where="toy.yaml, check, value")
    assert "toy.yaml, check, value" in str(fault.value)
    assert words in str(fault.value)


def test_a_key_that_is_misspelled_is_told_with_the_nearest():
    with pytest.raises(EvidenceError, match='nearest   "half_life"'):
        evaluate("v.halflife", {"v": {"half_life": 1, "n": 2}}, where="here")
    with pytest.raises(EvidenceError, match="a place in a list of 2"):
        evaluate("v[2]", {"v": [1, 2]}, where="here")
    with pytest.raises(EvidenceError, match='which is "lower, significant"'):
        evaluate("v + 1", {"v": "lower, significant"}, where="here")


def test_a_reading_is_not_made_one_number_by_accident():
    with pytest.raises(EvidenceError, match="statistic"):
        evaluate("max(early)", {"early": np.ones((3, 1))}, where="here")
