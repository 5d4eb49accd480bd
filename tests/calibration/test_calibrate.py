"""Fits repeated with few animals: the shipped numbers come out again, and the statistics are what they claim to be."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from exotwin.biology import assemble
from exotwin.calibration import Calibration, Comparison, calibrate, calibrations
from exotwin.calibration.ensemble import draw, run
from exotwin.calibration.potency import _standardised
from exotwin.errors import CalibrationError, NotBuiltYet


class _Counted:
    def __init__(self):
        self.total, self.done = 0, 0

    def start(self, task, total):
        self.total += total

    def advance(self, n=1):
        self.done += n


@pytest.fixture(scope="module")
def counted() -> _Counted:
    return _Counted()


@pytest.fixture(scope="module")
def potency(counted) -> Calibration:
    return calibrate("poi-animal-potency", n_animals=128, seed=3, progress=counted)


def test_an_unknown_fit_says_which_exist():
    with pytest.raises(NotBuiltYet, match="PEtab") as fault:
        calibrate("poi-animal-potancy")
    assert all(name in str(fault.value) for name in calibrations())
    assert fault.value.nearest == "poi-animal-potency"


# ---- the animal potency


def test_the_shipped_scale_comes_out_again(potency):
    scale = potency["animal_scale"]
    # 128 animals of another seed leave the logarithm uncertain by about 0.08, an eighth of the error of the pools
    assert abs(math.log(scale.value / scale.shipped)) < 0.2


def test_the_shipped_spread_is_the_error_of_the_fit(potency):
    shipped = assemble("poi", "human").parameters["animal_scale"].spread.a
    assert shipped == pytest.approx(potency["animal_scale"].se / potency["animal_scale"].value, rel=0.25)


def test_human_and_mouse_share_the_scale():
    rows = [assemble("poi", species).parameters["animal_scale"] for species in ("human", "mouse")]
    assert rows[0] == rows[1]
    assert rows[0].basis == "fitted"
    assert "calibration:poi-animal-potency" in rows[0].record


def test_progress_ends_where_it_said_it_would(potency, counted):
    assert counted.done == counted.total > 0
    for name in ("human-markers", "mouse-pool"):
        calibrate(name, progress=counted)
    assert counted.done == counted.total


def test_both_aims_are_met_within_their_limits(potency):
    aims = [c for c in potency.comparisons if c.role == "fit"]
    assert [c.outcome for c in aims] == ["within", "within"]


def test_the_best_scale_lies_in_the_valley_of_its_profile(potency):
    values = np.array(potency.profile)
    lowest = values[values[:, 1].argmin(), 0]
    below, above = values[values[:, 0] < lowest], values[values[:, 0] > lowest]
    assert np.all(np.diff(below[:, 1]) < 0)
    assert np.all(np.diff(above[:, 1]) > 0)
    neighbours = sorted([below[-1, 0], above[0, 0]])
    assert neighbours[0] < potency["animal_scale"].value < neighbours[1]


def test_a_larger_pool_of_resting_follicles_is_what_the_model_cannot_give(potency):
    """ev-meta-2024-follicles has an SMD of 2.86; granulosa-tunel-stage says why granulosa survival is no route."""
    row = next(c for c in potency.comparisons if c.quantity == "vesicles primordial")
    assert row.outcome == "outside"
    assert abs(row.simulated) < 0.2


def test_cells_and_vesicles_act_alike_at_usual_doses(potency):
    """ev-meta-2024-hormones: the two pools overlap."""
    by = {(c.quantity, c.record): c.simulated for c in potency.comparisons}
    cells, vesicles = by["cells e2", "stemcell-meta-2018"], by["vesicles e2", "ev-meta-2024-hormones"]
    assert vesicles == pytest.approx(cells, rel=0.15)


def test_the_table_has_a_row_a_measurement_and_the_summary_names_the_weak_points(potency):
    table = potency.table()
    assert len(table) == len(potency.comparisons)
    assert set(table["outcome"]) <= {"within", "outside"}
    for words in ("spread of hormones between animals", "split between the processes", "lower bound only"):
        assert words in potency.summary()
    assert "stemcell-meta-2018" in potency.records


def test_too_few_animals_are_refused():
    with pytest.raises(CalibrationError, match="16 or more"):
        calibrate("poi-animal-potency", n_animals=3)


# ---- the two fits of natural history


@pytest.mark.parametrize("name", ["human-markers", "mouse-pool"])
def test_shipped_numbers_of_natural_history_come_out_again(name):
    fit = calibrate(name)
    for value in fit.values:
        # the table holds three or four digits
        assert value.value == pytest.approx(value.shipped, rel=5e-3), value.parameter


def test_counts_of_the_mouse_scatter_about_the_fitted_curve_without_trend():
    fit = calibrate("mouse-pool")
    ages = np.array([c.at for c in fit.comparisons])
    rest = np.log([c.simulated / c.observed for c in fit.comparisons])
    # four mice at an age with an SD of the logarithm below 0.3: the mean of an age is known within 0.15
    for age in np.unique(ages):
        assert abs(rest[ages == age].mean()) < 0.15, age
    assert all(c.outcome == "no limits" for c in fit.comparisons)


# ---- statistics and failures


def test_the_standardised_difference_is_that_of_two_shifted_normals():
    rng = np.random.default_rng(2)
    groups = [
        xr.DataArray(rng.normal(shift, 2.0, (4000, 2)), dims=("patient", "time"), coords={"time": [14.0, 28.0]})
        for shift in (3.0, 0.0)
    ]
    # 3 / 2; the standard error of an SMD from 2 x 4000 animals read twice is 0.018
    assert _standardised(*groups) == pytest.approx(1.5, abs=0.06)


def test_animals_are_drawn_from_what_differs_between_animals_alone():
    model = assemble("poi", "mouse")
    animals = draw(model, n=64, seed=1)
    assert set(animals) == {p.name for p in model.parameters.values() if p.level == "patient"}
    for name, values in animals.items():
        middle = float(model.parameters[name].spread.quantile(0.5))
        assert (values < middle).sum() == 32, name  # Sobol points halve every axis


class _Failing:
    def simulate(self, times, *, parameters, doses, outputs):
        return xr.Dataset(
            {"e2": (("patient", "time"), np.zeros((2, len(times))))},
            coords={"outcome": ("patient", ["ok", "not finite"])},
        )


def test_an_animal_whose_integration_fails_stops_the_fit():
    with pytest.raises(CalibrationError, match="1 of 2"):
        run(_Failing(), [0.0, 1.0], {}, ["e2"])


def test_a_measurement_without_limits_cannot_be_missed():
    nan = math.nan
    row = Comparison("primordial", 40, 2150, nan, nan, 99.0, "follicle", "fit", "mouse-pf-counts-c57", "")
    assert row.outcome == "no limits"
