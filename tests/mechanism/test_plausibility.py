"""Copies delivered are held against copies needed, mediator by mediator, none left out."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lots import copies, lot

from exotwin.errors import MechanismError
from exotwin.evidence import record
from exotwin.mechanism import mechanism_of, plausibility
from exotwin.mechanism.plausibility import NEEDED, OWN_SUPPLY

PROCESSES = ["granulosa_apoptosis"]


def carried(*entries, asked=("miR-21-5p",)):
    return mechanism_of(lot(*entries), asked, PROCESSES)


def test_the_numbers_needed_are_those_of_the_records():
    assert record("mirna-threshold-cell").value == NEEDED
    assert max(record("mirna-halflife-kingston").value["max_production_copies_per_cell_min"]) == OWN_SUPPLY


@pytest.mark.parametrize(
    ("delivered", "outcome", "verdict"),
    [
        (10.0, "falls short", "falls short by 10^2.0"),
        (1e5, "reaches", "reaches"),
        (0.0, "nothing delivered", "nothing delivered"),
        (500.0, "undecided", "undecided: falls short by 10^0.3, less than what is not known of the copies"),
        (2000.0, "undecided", "undecided: reaches by 10^0.3, less than what is not known of the copies"),
    ],
)
def test_a_verdict_says_by_how_many_decades(delivered, outcome, verdict):
    # log10 SD 0.3: the 95 % interval is a factor of 10^0.588 = 3.87 either way
    (found,) = plausibility(carried(copies("miR-21-5p", log10_sd=0.3)), {"miR-21-5p": delivered})
    assert (found.outcome, found.verdict) == (outcome, verdict)
    # 0.588 is 1.96 x 0.3, and 1.96 is rounded.
    assert found.low == pytest.approx(delivered / 10**0.588, rel=1e-4)
    assert found.high == pytest.approx(delivered * 10**0.588, rel=1e-4)


def test_the_vesicles_that_a_record_says_are_needed_are_just_enough():
    per_vesicle = record("copies-per-exosome").value["mean"]
    vesicles = record("vesicles-needed-per-cell").value["at_mean_0.00825"]
    (found,) = plausibility(carried(copies("miR-21-5p", per_vesicle)), {"miR-21-5p": vesicles * per_vesicle})
    assert found.log10_short == pytest.approx(0, abs=0.01)  # the record rounds to two digits


@given(st.lists(st.floats(1e-6, 1e9), min_size=2, max_size=2).map(sorted), st.floats(0.05, 1))
def test_more_copies_never_make_a_worse_verdict(amounts, log10_sd):
    rank = ["falls short", "undecided", "reaches"]
    mechanism = carried(copies("miR-21-5p", log10_sd=log10_sd))
    less, more = (plausibility(mechanism, {"miR-21-5p": a})[0] for a in amounts)
    assert rank.index(less.outcome) <= rank.index(more.outcome)
    assert less.log10_short >= more.log10_short
    assert less.own_supply_minutes <= more.own_supply_minutes


def test_a_mediator_that_was_not_measured_gets_a_line_without_a_number():
    mechanism = carried(copies("miR-21-5p"), asked=("miR-21-5p", "miR-29a-3p"))
    first, second = plausibility(mechanism, {"miR-21-5p": 1.0})
    assert (first.mediator, second.mediator) == ("miR-21-5p", "miR-29a-3p")
    assert second.outcome == "not measured"
    assert math.isnan(second.delivered)
    assert math.isnan(second.log10_short)


def test_mediators_measured_as_one_say_so():
    (found,) = plausibility(carried(copies("miR-21-5p", joined_with=("miR-590-5p",))), {"miR-21-5p": 1.0})
    assert found.note == "measured as one with miR-590-5p"


@pytest.mark.parametrize(
    ("delivered", "found"),
    [
        ({}, "none for miR-21-5p"),
        ({"miR-21-5p": 1.0, "miR-22-3p": 1.0}, '"miR-22-3p"'),
        ({"miR-21-5p": -1.0}, "-1.0"),
        ({"miR-21-5p": math.nan}, "nan"),
    ],
)
def test_amounts_that_do_not_fit_the_mechanism_are_refused(delivered, found):
    with pytest.raises(MechanismError) as caught:
        plausibility(carried(copies("miR-21-5p")), delivered)
    assert caught.value.found == found


def test_every_verdict_names_records_that_were_read():
    for found in plausibility(carried(copies("miR-21-5p")), {"miR-21-5p": 1.0}):
        assert found.records
        assert all(record(i).seen for i in found.records)
