"""Endosome, copies, repression and signal against closed forms, and the size of what arrives."""

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


def bound(copies, sites, half):
    """Copies bound to sites, by bisection on free copies: free + sites * free / (half + free) = copies."""
    low, high = 0.0, copies
    for _ in range(200):
        free = (low + high) / 2
        low, high = (free, high) if free + sites * free / (half + free) < copies else (low, free)
    return copies - (low + high) / 2


@settings(deadline=None, max_examples=30)
@given(copies=st.floats(1e-3, 1e6), own=st.floats(1, 1e5), sites=st.floats(100, 1e5), half=st.floats(100, 1e4))
def test_copies_take_their_share_of_the_sites_that_the_cells_own_copies_left(toys, run, copies, own, sites, half):
    found = run(
        toys["human"],
        [0],
        ["occupied_mir_21_5p", "newly_bound_mir_21_5p"],
        start={"copies_mir_21_5p": copies},
        own_copies_mir_21_5p=own,
        binding_sites=sites,
        repression_threshold=half,
    )
    before, after = bound(own, sites, half), bound(own + copies, sites, half)
    # the bisection subtracts numbers of the size of all copies, so it is good to 1e-12 of them
    assert found["newly_bound_mir_21_5p"][0] == pytest.approx(after - before, rel=1e-6, abs=1e-9 * (own + copies))
    assert found["occupied_mir_21_5p"][0] == pytest.approx((after - before) / (sites - before), rel=1e-4, abs=1e-6)
    assert 0 < found["occupied_mir_21_5p"][0] < 1


def test_a_millionth_of_a_copy_is_not_lost_in_rounding(toys, run):
    small, large = (
        run(toys["human"], [0], ["occupied_mir_21_5p"], start={"copies_mir_21_5p": c})["occupied_mir_21_5p"][0]
        for c in (1e-6, 1e-3)
    )
    assert large == pytest.approx(1000 * small, rel=1e-5)


def test_the_more_targets_and_own_copies_a_cell_has_the_less_a_thousand_more_do(toys, run):
    """mirna-competition-bosson, mirna-threshold-titration: titration, so few copies do nothing to an active family."""

    def felt(**numbers):
        start = {"copies_mir_21_5p": 1000.0}
        return run(toys["human"], [0], ["occupied_mir_21_5p"], start=start, **numbers)["occupied_mir_21_5p"][0]

    assert 0.1 < felt() < 0.5  # mirna-threshold-cell: seen
    assert felt(binding_sites=300.0) > felt() > felt(binding_sites=30000.0)
    assert felt(own_copies_mir_21_5p=10.0, binding_sites=3e4) > felt(own_copies_mir_21_5p=3e5, binding_sites=3e4)


def test_proteins_follow_as_fast_as_mrna_and_protein_turn_over(toys, run):
    model = toys["human"]
    found = run(
        model,
        DAYS,
        ["occupied_mir_21_5p", "repression_mir_21_5p"],
        start={"copies_mir_21_5p": 1000.0},
        half_life_mir_21_5p=1e9,
    )
    a, b = (np.log(2) / model.parameters[n].value for n in ("mrna_half_life", "protein_half_life"))
    course = 1 - (a * np.exp(-b * DAYS) - b * np.exp(-a * DAYS)) / (a - b)  # two first-order steps, from textbooks
    np.testing.assert_allclose(
        found["repression_mir_21_5p"], found["occupied_mir_21_5p"] * course, rtol=1e-5, atol=1e-9
    )
    assert found["repression_mir_21_5p"][2] < 0.3 * found["occupied_mir_21_5p"][2]  # not there after a day


def test_every_copy_that_opens_is_taken_up_once_and_in_the_shares_of_the_table(toys, run):
    """Without decay of miRNA: copies in the end = vesicles taken up * share that stays * escape * lumen * cargo."""
    model = toys["mouse"]
    times = np.concatenate([[0.0], np.geomspace(1e-5, 60, 800)])
    found = run(
        model,
        times,
        ["copies_mir_21_5p", "vesicles_per_cell_day_ovary"],
        start={"vesicles_blood": 1e10},
        copies_per_vesicle_mir_21_5p=0.01,
        half_life_mir_21_5p=1e9,
    )
    taken = np.trapezoid(found["vesicles_per_cell_day_ovary"], times)
    value = {n: model.parameters[n].value for n in ("recycled_share", "endosomal_escape", "lumen_share")}
    expected = taken * (1 - value["recycled_share"]) * value["endosomal_escape"] * value["lumen_share"] * 0.01
    # the trapezium in steps of 2 % is good to better than a thousandth
    assert found["copies_mir_21_5p"][-1] == pytest.approx(expected, rel=1e-3)


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
