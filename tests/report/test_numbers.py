from __future__ import annotations

import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exotwin.report.numbers import THIN, number, tick, together

_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
finite = st.floats(min_value=-1e15, max_value=1e15, allow_nan=False).filter(lambda v: abs(v) > 1e-12)


def read_back(text: str) -> float:
    """A shown number as a float, by rules of its own."""
    plain = text.replace(THIN, "").replace("−", "-")
    if plain.lstrip("-").startswith("10") and any(c in plain for c in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"):
        plain = plain.replace("10", "1×10", 1)
    mantissa, _, power = plain.partition("×10")
    return float(mantissa) * 10.0 ** int(power.translate(_SUPERSCRIPTS) or 0)


@given(finite)
def test_a_number_reads_back_to_three_digits(value):
    # half a unit of the third digit, at worst of 1.00: 0.5 %
    assert read_back(number(value)) == pytest.approx(value, rel=0.0051)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.12345, "0.123"),
        (9.996, "10.0"),
        (1000, "1000"),
        (12345, f"12{THIN}345"),
        (1e11, "10¹¹"),
        (2.4e11, f"2.40{THIN}×{THIN}10¹¹"),
        (-3.21e-5, f"−3.21{THIN}×{THIN}10⁻⁵"),
        (-0.5, "−0.500"),
        (math.nan, "–"),
        (None, "–"),
        (math.inf, "∞"),
    ],
)
def test_numbers_are_written_as_a_reader_writes_them(value, shown):
    assert number(value) == shown


@pytest.mark.parametrize(
    ("values", "texts", "power"),
    [
        ((0.123, 0.0512, 0.451), ["0.12", "0.05", "0.45"], ""),
        ((4.23, -1.29, 9.51), ["4.2", "−1.3", "9.5"], ""),
        ((2.4e11, 2.1e11, 2.7e11), ["2.40", "2.10", "2.70"], f"×{THIN}10¹¹"),
        ((0.0071, 0.00074, 0.068), ["0.0071", "0.00074", "0.068"], ""),
        ((2.5e-6, 1.0e-7, 6.1e-5), ["2.5", "0.1", "61"], f"×{THIN}10⁻⁶"),
        ((99.4623, 99.4588, 99.4672), ["99.46", "99.46", "99.47"], ""),
        ((3.0, None, None), ["3.00", "–", "–"], ""),
        ((math.nan, math.nan, math.nan), ["–", "–", "–"], ""),
    ],
)
def test_a_value_and_its_limits_share_the_precision_that_they_have(values, texts, power):
    assert together(values) == (texts, power)


@given(finite, finite, finite)
@example(1.0, 20.0, -0.5)  # a half rounds to the even digit, which is zero
def test_what_is_not_zero_never_looks_like_zero(first, second, third):
    texts, _ = together([first, second, third])
    assert not any(re.fullmatch(r"−?0(\.0*)?", text) for text in texts)


@given(st.floats(min_value=-1e5, max_value=1e5))
def test_a_tick_has_no_idle_zeros(value):
    assert not re.search(r"\.\d*0$", tick(value))
