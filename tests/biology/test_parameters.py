from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from exotwin.biology import Spread, parse_spread, read_parameters
from exotwin.biology.parameters import COLUMNS, OF_FITS
from exotwin.errors import BiologyError

HEADER = ", ".join(COLUMNS) + "\n"
GOOD = "speed, 2, 1/day, cv 0.5, lognormal, patient, all, measured, phys-general, , spread assumed\n"
SPREADS = [
    ("normal", "sd 3", 10.0, stats.norm(10, 3)),
    ("normal", "cv 0.2", -10.0, stats.norm(-10, 2)),
    ("normal", "sd 3 within 4 12", 10.0, stats.truncnorm(-2, 2 / 3, loc=10, scale=3)),
    ("lognormal", "log10 sd 0.5", 100.0, stats.lognorm(0.5 * math.log(10), scale=100)),
    ("lognormal", "cv 0.5", 2.0, stats.lognorm(math.sqrt(math.log(1.25)), scale=2)),
    ("uniform", "range 2 7", 3.0, stats.uniform(2, 5)),
    ("loguniform", "range 0.001 0.3", 0.02, stats.loguniform(0.001, 0.3)),
    ("beta", "sd 0.1", 0.3, stats.beta(0.3 * 20, 0.7 * 20)),  # mean (1 - mean) / sd^2 - 1 = 20
]


@pytest.mark.parametrize(("distribution", "text", "value", "oracle"), SPREADS)
@given(u=st.floats(0.001, 0.999))
def test_quantiles_are_those_of_the_named_distribution(distribution, text, value, oracle, u):
    spread = parse_spread(text, distribution, value, where="")
    # both sides go through special functions with relative errors of a few 1e-14
    assert spread.quantile(u) == pytest.approx(oracle.ppf(u), rel=1e-9)


@given(
    centre=st.floats(0.1, 10),
    width=st.floats(0.05, 2),
    low=st.floats(0.1, 0.9),
    high=st.floats(1.1, 9),
    u=st.lists(st.floats(0.0001, 0.9999), min_size=2, unique=True),
)
def test_a_truncated_spread_rises_with_u_and_stays_within_its_limits(centre, width, low, high, u):
    spread = Spread("lognormal", centre, width, low=low * centre, high=high * centre)
    values = spread.quantile(np.sort(u))
    assert np.all(np.diff(values) >= 0)
    # the limits themselves come back through ndtri(cdf(limit)), exact to rounding
    assert values.min() >= low * centre * (1 - 1e-9)
    assert values.max() <= high * centre * (1 + 1e-9)


def test_a_fixed_number_has_one_quantile():
    assert np.array_equal(parse_spread("", "fixed", 7.0, where="").quantile([0.1, 0.9]), [7.0, 7.0])


@pytest.mark.parametrize(
    ("distribution", "text", "value"),
    [
        ("fixed", "sd 1", 1.0),
        ("normal", "", 1.0),
        ("normal", "range 0 1", 0.5),
        ("normal", "sd -1", 1.0),
        ("normal", "sd many", 1.0),
        ("normal", "sd 1 within 2 3", 1.0),
        ("lognormal", "sd 1", 1.0),
        ("lognormal", "cv 0.2", -1.0),
        ("uniform", "range 2 1", 1.5),
        ("uniform", "range 0 1", 2.0),
        ("loguniform", "range 0 1", 0.5),
        ("beta", "sd 0.5", 0.5),
        ("beta", "sd 0.1", 1.5),
        ("triangular", "range 0 1", 0.5),
    ],
)
def test_a_spread_that_its_distribution_cannot_have_is_refused(distribution, text, value):
    with pytest.raises(BiologyError, match=r"expected"):
        parse_spread(text, distribution, value, where="here")


def _table(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "numbers.csv"
    path.write_text(HEADER + "".join(rows), encoding="utf-8")
    return path


def test_a_row_is_read_with_unit_spread_and_source(tmp_path):
    speed = read_parameters(_table(tmp_path, GOOD), "human")["speed"]
    assert (speed.value, speed.unit, speed.level, speed.basis) == (2.0, "1/day", "patient", "measured")
    assert speed.records == ("phys-general",)
    assert speed.spread.text == "cv 0.5"
    assert "numbers.csv, line 2" in speed.where


def test_each_species_gets_its_own_row_and_shared_rows_go_to_all(tmp_path):
    rows = [GOOD.replace("all", "human rat"), GOOD.replace("all", "mouse").replace("2, 1/day", "9, 1/day")]
    path = _table(tmp_path, *rows)
    values = {species: read_parameters(path, species)["speed"].value for species in ("human", "mouse", "rat")}
    assert values == {"human": 2.0, "mouse": 9.0, "rat": 2.0}


def test_a_number_twice_for_one_species_is_refused(tmp_path):
    path = _table(tmp_path, GOOD, GOOD.replace("all", "mouse"))
    assert read_parameters(path, "human").keys() == {"speed"}
    with pytest.raises(BiologyError, match=r"line 3.*\n.*twice for mouse"):
        read_parameters(path, "mouse")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("measured, phys-general", "measured, ", "without record"),
        ("measured, phys-general", "fitted, calibration:x", "without record"),
        ("measured, phys-general", "assumed, ", ""),
        ("measured, phys-general, , spread assumed", "assumed, , , ", "without a note"),
        ("phys-general, , spread assumed", "phys-general, , ", "spread without source"),
        ("measured", "guessed", "one of measured"),
        ("measured", "mesured", 'nearest   "measured"'),
        ("patient", "fixed", "level"),
        ("all", "hamster", "one of human"),
        ("1/day", "1/fortnight", "unit"),
        ("2,", "two,", "a number"),
        ("2,", "inf,", "a number"),
        ("speed", "speed of light", "letters"),
        ("phys-general", "phys;general", "ids of evidence records"),
    ],
)
def test_a_row_without_what_its_columns_ask_for_is_refused_with_its_place(tmp_path, old, new, message):
    path = _table(tmp_path, GOOD.replace(old, new))
    if not message:  # the control: an assumption that says why is allowed
        assert read_parameters(path, "human")["speed"].basis == "assumed"
        return
    with pytest.raises(BiologyError, match=r"numbers.csv, line 2") as caught:
        read_parameters(path, "human")
    assert message in str(caught.value)


# ---- fitted rows

FITTED_HEADER = ", ".join((*COLUMNS[:-1], *OF_FITS, COLUMNS[-1])) + "\n"
FITTED = (
    "speed, 2, 1/day, log10 sd 0.1, lognormal, patient, all, fitted, calibration:race phys-general, "
    "calibration:race phys-general, 0.1 spread 0.02, identifiable (1.8 to 2.3), from a race\n"
)


def _fitted(tmp_path, row):
    path = tmp_path / "cells.csv"
    path.write_text(FITTED_HEADER + row, encoding="utf-8")
    return read_parameters(path, "mouse")["speed"]


def test_a_fitted_row_tells_its_calibration_errors_and_identifiability(tmp_path):
    speed = _fitted(tmp_path, FITTED)
    assert speed.calibration == speed.spread_calibration == "race"
    assert (speed.se, speed.spread_se) == (0.1, 0.02)
    assert speed.identifiability == "identifiable (1.8 to 2.3)"
    assert speed.records == ("phys-general",)


def test_a_table_without_fitted_rows_needs_no_columns_for_them(tmp_path):
    path = tmp_path / "cells.csv"
    path.write_text(HEADER + GOOD, encoding="utf-8")
    speed = read_parameters(path, "mouse")["speed"]
    assert (speed.se, speed.spread_se, speed.identifiability, speed.calibration) == (None, None, "", "")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("fitted, calibration:race phys-general", "fitted, phys-general", "0 calibrations"),
        ("fitted, calibration:race", "fitted, calibration:race calibration:walk", "2 calibrations"),
        ("fitted, calibration:race phys-general", "derived, calibration:race phys-general", "none otherwise"),
        ("0.1 spread 0.02", "spread 0.02", "empty cell"),
        ("0.1 spread 0.02", "0.1", "se of the spread"),
        ("0.1 spread 0.02", "about 0.1", '"spread" and a number'),
        ("0.1 spread 0.02", "-0.1 spread 0.02", "above zero"),
        ("identifiable (1.8 to 2.3)", "", "identifiability"),
        (", calibration:race phys-general, 0.1", ", phys-general, 0.1", "cell that is filled"),
    ],
)
def test_a_fitted_row_that_does_not_say_all_that_a_fit_gives_is_refused(tmp_path, old, new, words):
    assert old in FITTED
    with pytest.raises(BiologyError, match=words.replace("(", r"\(")):
        _fitted(tmp_path, FITTED.replace(old, new))
