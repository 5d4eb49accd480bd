from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exotwin.errors import StudyError
from exotwin.trial.regimen import MAX_DOSES, dose_days, parse_span

WHERE = "study.toml, arms.exosomes.schedule"
DAYS = {"days": 1.0, "weeks": 7.0}


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        ("once", (0,)),
        ("Once", (0,)),
        ("weekly, 4 doses", (0, 7, 14, 21)),
        ("weekly, 1 dose", (0,)),
        ("every 2 weeks for 8 weeks", (0, 14, 28, 42)),
        ("every  2 weeks  for 9 weeks", (0, 14, 28, 42, 56)),
        ("every week for 3 weeks", (0, 7, 14)),
        ("every 36 hours, 3 doses", (0, 1.5, 3)),
        ("monthly for 1 year", tuple(i * 365.25 / 12 for i in range(12))),
        ("days 0, 14, 28", (0, 14, 28)),
        ("day 3", (3,)),
        ("weeks 0, 2 and 4", (0, 14, 28)),
    ],
)
def test_a_schedule_gives_the_days_that_a_protocol_means(schedule, days):
    assert dose_days(schedule, where=WHERE) == pytest.approx(days)


@given(step=st.integers(1, 30), unit=st.sampled_from(sorted(DAYS)), span=st.integers(1, 400))
def test_every_step_for_a_span_falls_before_its_end_and_leaves_no_room_for_another(step, unit, span):
    days = dose_days(f"every {step} {unit} for {span} days", where=WHERE)
    gap = step * DAYS[unit]
    assert days[0] == 0
    assert days[-1] < span <= days[-1] + gap
    assert all(b - a == pytest.approx(gap) for a, b in pairwise(days))


@given(step=st.floats(0.1, 60), doses=st.integers(1, MAX_DOSES))
def test_a_number_of_doses_is_kept_exactly(step, doses):
    assert len(dose_days(f"every {step:.3f} days, {doses} doses", where=WHERE)) == doses


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=40, unique=True).map(sorted))
def test_listed_days_come_back_as_they_were_written(days):
    assert dose_days("days " + ", ".join(map(str, days)), where=WHERE) == tuple(days)


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("onse", 'nearest   "once"'),
        ("every 2 weaks for 8 weeks", 'nearest   "week"'),
        ("every 2 weeks", "every 2 weeks for 8 weeks"),
        ("every 0 days, 3 doses", "longer than zero"),
        ("weekly, 0 doses", "1 to 1000 doses"),
        ("daily for 9 years", "3288 doses"),
        ("days 0, 14, 14", "days that rise"),
        ("days 14, 0", "days that rise"),
        ("fortnightly, 3 doses", "fortnightly"),
        ("", "once"),
        ("every -2 weeks for 8 weeks", "every 2 weeks for 8 weeks"),
    ],
)
def test_a_schedule_that_cannot_be_meant_names_place_and_remedy(schedule, message):
    with pytest.raises(StudyError) as caught:
        dose_days(schedule, where=WHERE)
    assert str(caught.value).startswith(WHERE)
    assert message in str(caught.value)


@given(st.text(max_size=40))
def test_any_text_is_a_schedule_or_a_study_error(text):
    try:
        days = dose_days(text, where=WHERE)
    except StudyError:
        return
    assert days
    assert days[0] >= 0


@pytest.mark.parametrize(
    ("text", "days"), [("2 years", 730.5), ("18 months", 547.875), ("1 week", 7), ("90 days", 90), ("1 year", 365.25)]
)
def test_a_span_is_read_in_calendar_units(text, days):
    assert parse_span(text, where=WHERE) == pytest.approx(days)


@pytest.mark.parametrize("text", ["2", "years", "2 yeers", "0 days", "-1 year", "2 kg", ""])
def test_a_span_that_is_no_span_of_time_is_refused(text):
    with pytest.raises(StudyError, match="2 years"):
        parse_span(text, where=WHERE)
