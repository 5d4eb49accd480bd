"""Copies, repression and signal against closed forms, and the size of what arrives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

DAYS = np.array([0.0, 0.25, 1.0, 3.0, 7.0, 14.0, 28.0, 90.0])


def test_copies_and_signal_fade_with_their_half_lives(toys, run):
    model = toys["human"]
    start = {"copies_mir_21_5p": 500.0, "signal": 2.0}
    found = run(model, DAYS, ["copies_mir_21_5p", "copies_mir_22_3p", "signal"], start=start)
    half = {n: model.parameters[n].value for n in ("half_life_mir_21_5p", "signal_half_life")}
    # local tolerance 1e-9, absolute 1e-9: relative errors count down to a millionth of a copy
    np.testing.assert_allclose(found["copies_mir_21_5p"], 500 * 0.5 ** (DAYS / half["half_life_mir_21_5p"]), atol=1e-5)
    np.testing.assert_allclose(found["signal"], 2 * 0.5 ** (DAYS / half["signal_half_life"]), rtol=1e-6)
    assert np.all(found["copies_mir_22_3p"] == 0)


@settings(deadline=None)
@given(copies=st.floats(0, 1e7))
def test_repression_is_half_at_the_threshold_and_rises_towards_one(toys, run, copies):
    model = toys["human"]
    found = run(model, [0], ["repression_mir_21_5p"], start={"copies_mir_21_5p": copies})["repression_mir_21_5p"][0]
    assert 0 <= found < 1
    # half at 1000 copies and linear below it: log odds are log(copies / 1000)
    assert found / (1 - found) == pytest.approx(copies / 1000, rel=1e-6, abs=1e-12)


def test_each_mediator_has_its_own_half_life_and_cargo(toys, run):
    model = toys["mouse"]
    found = run(
        model,
        [0, 0.2],
        ["copies_mir_21_5p", "copies_mir_22_3p"],
        start={"vesicles_blood": 1e10},
        copies_per_vesicle_mir_21_5p=0.02,
        copies_per_vesicle_mir_22_3p=0.01,
        half_life_mir_21_5p=1e6,
        half_life_mir_22_3p=1e6,
    )
    assert found["copies_mir_21_5p"][1] == pytest.approx(2 * found["copies_mir_22_3p"][1], rel=1e-6)


@pytest.mark.parametrize(("species", "dose"), [("mouse", 1e10), ("human", 1e11)])
def test_a_usual_dose_by_vein_brings_a_ten_thousandth_of_a_copy_where_a_thousand_are_needed(toys, run, species, dose):
    """The finding that the bottom-up reading rests on: six decades or more are missing."""
    times = np.linspace(0, 2, 400)
    cargo = {"copies_per_vesicle_mir_21_5p": 0.00825}  # copies-per-exosome
    found = run(toys[species], times, ["copies_mir_21_5p"], start={"vesicles_blood": dose}, **cargo)
    assert 1e-7 < found["copies_mir_21_5p"].max() < 1e-3


def test_a_usual_rodent_dose_lies_on_the_flat_part_of_the_response(toys, run):
    """msc-meta-2023-e2-dose, ev-meta-2024-hormones: no effect of dose from 1e5 cells on, nor of vesicles."""
    peaks = {}
    for state, dose in (("cells_venous", 1e5), ("cells_venous", 1e6), ("vesicles_blood", 1e10)):
        found = run(toys["mouse"], DAYS, ["animal_response"], start={state: dose})
        peaks[state, dose] = found["animal_response"].max()
    assert min(peaks.values()) > 0.75
    assert peaks["cells_venous", 1e6] / peaks["cells_venous", 1e5] < 1.25


def test_cells_in_the_lung_and_the_vesicles_that_they_release_both_count(toys, run):
    model = toys["mouse"]
    start = {"cells_venous": 1e6}
    both = run(model, DAYS, ["signal"], start=start)["signal"].max()
    vesicles_alone = run(model, DAYS, ["signal"], start=start, cell_potency=0.0)["signal"].max()
    factors_alone = run(model, DAYS, ["signal"], start=start, secretion_rate=0.0)["signal"].max()
    assert both == pytest.approx(vesicles_alone + factors_alone, rel=0.02)  # linear, but the peaks differ by hours
    assert 0.2 < vesicles_alone / factors_alone < 5
