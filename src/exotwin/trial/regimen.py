"""Schedules and spans of time as a protocol writes them → days.

    once
    weekly, 4 doses                  days 0, 7, 14, 21
    every 2 weeks for 8 weeks        days 0, 14, 28, 42: each dose falls before the span is over
    days 0, 14, 28                   also weeks 0, 2, 4 and months 0, 3

Day 0 is enrolment. A month is a twelfth of a year of 365.25 days.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise

from exotwin.errors import StudyError, nearest
from exotwin.units import parse_amount

FORMS = '"once", "weekly, 4 doses", "every 2 weeks for 8 weeks" or "days 0, 14, 28"'
MAX_DOSES = 1000

_UNIT_DAYS = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 365.25 / 12, "year": 365.25}
_ADVERBS = {"daily": 1.0, "weekly": 7.0, "monthly": 365.25 / 12, "yearly": 365.25}
_NUMBER = r"\d+(?:\.\d+)?"
_EVERY = rf"every\s+(?:(?P<count>{_NUMBER})\s+)?(?P<unit>[a-z]+)"
_PERIODIC = re.compile(
    rf"^(?:{_EVERY}|(?P<adverb>[a-z]+))"
    rf"(?:\s+for\s+(?P<span>{_NUMBER})\s+(?P<span_unit>[a-z]+)|\s*,\s*(?P<doses>\d+)\s+doses?)$"
)
_LISTED = re.compile(rf"^(?P<unit>[a-z]+)\s+(?P<times>{_NUMBER}(?:\s*(?:,|and)\s*{_NUMBER})*)$")


def parse_span(text: str, *, where: str) -> float:
    """A span of time such as ``"2 years"`` or ``"18 months"``, in days.

    Raises
    ------
    StudyError : no number, no unit of time, or a span of zero.
    """
    days, _ = parse_amount(text, where=where, kinds={"time": "day"}, example="2 years", error=StudyError)
    if not (0 < days < math.inf):
        raise StudyError(where, found=f'"{text}"', expected='a span longer than zero, such as "2 years"')
    return days


def parse_time(text: str, *, where: str) -> float:
    """A time after enrolment such as ``"0 days"`` or ``"6 months"``, in days.

    Raises
    ------
    StudyError : no number or no unit of time.
    """
    days, _ = parse_amount(text, where=where, kinds={"time": "day"}, example="6 months", error=StudyError)
    return days


def dose_days(schedule: str, *, where: str) -> tuple[float, ...]:
    """Days of the doses, rising from 0 or later.

    Raises
    ------
    StudyError : a schedule of no known form, an unknown word, days that do not rise, or more than 1000 doses.
    """
    text = " ".join(schedule.lower().split())
    if text == "once":
        return (0.0,)
    if periodic := _PERIODIC.match(text):
        return _periodic(periodic, schedule, where)
    if listed := _LISTED.match(text):
        return _listed(listed, schedule, where)
    words = re.findall(r"[a-z]+", text)
    known = ["once", "every", "for", "doses", *_ADVERBS, *_UNIT_DAYS, *(f"{u}s" for u in _UNIT_DAYS)]
    strange = next((w for w in words if w not in known), "")
    raise StudyError(where, found=f'"{schedule}"', expected=FORMS, nearest=nearest(strange, known) if strange else None)


def _periodic(found: re.Match[str], schedule: str, where: str) -> tuple[float, ...]:
    if found["adverb"]:
        step = _days_of(found["adverb"], _ADVERBS, where)
    else:
        step = float(found["count"] or 1) * _unit(found["unit"], where)
    if not 0 < step < math.inf:
        raise StudyError(where, found=f'"{schedule}"', expected="an interval longer than zero, and not without end")
    if found["doses"]:
        doses = float(found["doses"])
    else:
        # A span of whole intervals must not gain a dose by rounding.
        doses = float(found["span"]) * _unit(found["span_unit"], where) / step - 1e-9
    number = math.ceil(min(doses, 1e9))
    if not 1 <= number <= MAX_DOSES:
        raise StudyError(where, found=f'"{schedule}", which is {number} doses', expected=f"1 to {MAX_DOSES} doses")
    return tuple(step * i for i in range(number))


def _listed(found: re.Match[str], schedule: str, where: str) -> tuple[float, ...]:
    unit = _unit(found["unit"], where)
    days = tuple(float(t) * unit for t in re.findall(_NUMBER, found["times"]))
    if any(b <= a for a, b in pairwise(days)):
        raise StudyError(where, found=f'"{schedule}"', expected="days that rise, each of them once")
    if len(days) > MAX_DOSES:
        raise StudyError(where, found=f"{len(days)} doses", expected=f"at most {MAX_DOSES} doses")
    return days


def _unit(word: str, where: str) -> float:
    return _days_of(word if word in _UNIT_DAYS else word.removesuffix("s"), _UNIT_DAYS, where, said=word)


def _days_of(word: str, table: dict[str, float], where: str, *, said: str | None = None) -> float:
    if word not in table:
        raise StudyError(where, found=f'"{said or word}"', expected=FORMS, nearest=nearest(word, [*table, "once"]))
    return table[word]
