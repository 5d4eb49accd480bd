from __future__ import annotations

import antimony
import libsbml
import pytest

from exotwin.biology.unit_check import check_units
from exotwin.errors import BiologyError

_HEAD = """model m
  unit day = 86400 second; unit year = 31557600 second; unit per_day = 1 / (86400 second);
  unit per_year = 1 / (31557600 second);
  unit mL = 0.001 litre; unit day_per_year = (0.00273790925706 dimensionless); unit time_unit = 86400 second;
  unit substance = item; unit extent = item; unit cell = item; unit cell_per_mL = item / (0.001 litre);
  unit minute_per_day = (0.000694444444444444 dimensionless);
  compartment body = 1 litre;
  a = 3 day; b = 2 year; rate = 1 per_day; slow = 1 per_year; plain = 2 dimensionless; v = 5 mL; w = 1 litre;
  substanceOnly species A in body; A = 5; A has cell;
"""


def _check(lines: str) -> None:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(f"{_HEAD}{lines}\nend\n") >= 0, antimony.getLastError()
    check_units(libsbml.readSBMLFromString(antimony.getSBMLString("m")).getModel(), {"x": "page.ant, line 7"})


@pytest.mark.parametrize(
    "lines",
    [
        "x := a + b * 365.25 day_per_year; x has day;",
        "x := a * rate; x has dimensionless;",
        "x := A / v; x has cell_per_mL;",
        "x := sqrt(a^2 + 4 * a^2); x has day;",
        "x := (a * b * b)^(1/3) / a * plain; x has dimensionless; a2 = 1 day",
        "x := exp(-rate * a) + ln(plain) + plain^plain; x has dimensionless;",
        "x := piecewise(a, plain > 1, 2 * a); x has day;",
        "x := min(a, 3 * a); x has day;",
        "x' = rate * (1 - rate * a); x = 0; x has dimensionless;",
        "x = v * 1000; x has mL;",
        "loss: A => ; rate * A;",
        "at (time > a): A = 2 * A;",
        "x := time / (1 day); x has dimensionless;",
    ],
)
def test_equations_whose_units_agree_pass(lines):
    if "(a * b * b)^(1/3)" in lines:  # mixed sizes are allowed only where they cancel
        with pytest.raises(BiologyError):
            _check(lines)
        lines = "x := (a * a * a)^(1/3); x has day;"
    _check(lines)


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("x := a + b; x has day;", 'the rule of "x"'),
        ("x := a; x has year;", 'the rule of "x"'),
        ("x := v + w; x has mL;", 'the rule of "x"'),
        ("x := exp(a); x has dimensionless;", "exp(a)"),
        ("x := exp(time / 1 year); x has dimensionless;", "exp"),
        ("x := ln(a / b); x has dimensionless;", "ln(a / b)"),
        ("x := a^plain; x has day;", 'the rule of "x"'),
        ("x := plain^a; x has dimensionless;", 'the rule of "x"'),
        ("x := piecewise(a, a > plain, a); x has day;", 'the rule of "x"'),
        ("x := piecewise(a, plain > 1, b); x has day;", 'the rule of "x"'),
        ("x' = slow; x = 0; x has dimensionless;", 'the rate of "x"'),
        ("x = w; x has mL;", 'the initial value of "x"'),
        ("loss: A => ; slow * A;", 'the reaction "loss"'),
        ("loss: A => ; rate * A / v;", 'the reaction "loss"'),
        ("at (time > plain): A = 2 * A;", "the trigger"),
        ("at (time > a): A = A + plain * v;", "the event"),
    ],
)
def test_equations_whose_units_do_not_agree_in_kind_or_size_are_named(lines, place):
    with pytest.raises(BiologyError) as caught:
        _check(lines)
    assert place in str(caught.value)


def test_a_fault_is_told_with_file_line_and_readable_units():
    with pytest.raises(BiologyError) as caught:
        _check("x := v + 3 * w * rate * a; x has mL;")
    assert str(caught.value).startswith('page.ant, line 7, the rule of "x"')
    assert "1000 mL = 3 * w * rate * a, beside 1 mL = v" in str(caught.value)
