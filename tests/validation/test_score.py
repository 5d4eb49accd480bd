"""One check on courses written down by hand: who counts, and what is made of those without a value."""

from types import SimpleNamespace

import numpy as np
import pytest

from exotwin.validation.check import ArmPlan, Check, ReadingPlan, SpreadPlan, StudyPlan
from exotwin.validation.score import score
from exotwin.validation.study import Simulated


def _study(patients, **courses):
    """A study of one arm. courses : output -> (patient, time), read on days 0, 1, …"""
    plan = StudyPlan("by-hand", "toy.yaml", "toy", "mouse", {"only": ArmPlan("only")}, patients=patients)
    values = {("only", name): np.array(course, float) for name, course in courses.items()}
    times = {"only": np.arange(float(next(iter(values.values())).shape[1]))}
    return Simulated(plan, SimpleNamespace(digest="0"), times, values, (slice(0, patients),), ())


def _scored(study, value="x", *, at=(0.0,), sort="null", **reading):
    """A null around zero with a bound of 100, or of another sort, on the reading x of the output "size"."""
    reading = {"output": "size", "curve": len(at) > 1, **reading}
    more = {
        "null": {"bound": "100", "bound_why": "toy"},
        "direction": {"sign": 1},
        "value": {"published": "v[0][1]", "spread": SpreadPlan(none="toy")},
    }[sort]
    check = Check(
        id="toy",
        module="toy",
        records=("karin2019-halflife",),
        kind="safety",
        where="toy.yaml, toy",
        study="by-hand",
        sort=sort,
        unit="day",
        readings=(ReadingPlan("x", "only", at=at, **reading),),
        value=value,
        **more,
    )
    return score(check, study, basis="predicted", fits=())


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("statistic", ["", "median", "share above"])
def test_patients_without_a_value_are_counted_whoever_takes_the_statistic(statistic):
    study = _study(5, size=[[1], [2], [NAN], [3], [NAN]])
    reading = {"statistic": statistic, "than": 1.5} if statistic == "share above" else {"statistic": statistic}
    found = _scored(study, **reading)
    assert found.failed == 2
    assert found.why == "2 of 5 patients without a value: the value is not defined"
    assert found.simulated == pytest.approx(2 / 3 if statistic == "share above" else 2)
    assert found.verdict == "within"


@pytest.mark.parametrize("statistic", ["", "median"])
def test_what_more_than_half_of_the_patients_lack_is_outside_whatever_the_others_say(statistic):
    found = _scored(_study(5, size=[[1], [2], [NAN], [NAN], [NAN]]), statistic=statistic)
    assert (found.simulated, found.failed, found.verdict) == (1.5, 3, "outside")


def test_who_lacks_one_point_of_a_curve_is_left_out_of_all_and_counted_once():
    found = _scored(_study(3, size=[[1, 1], [NAN, 9], [3, NAN]]), at=(0.0, 1.0))
    assert (found.simulated, found.failed) == ((1.0, 1.0), 2)


def test_an_infinite_value_is_no_missing_one_and_the_middle_is_of_all():
    study = _study(5, size=[[1], [2], [0], [0], [0]])
    found = _scored(study, "1 / x")
    assert (found.simulated, found.failed, found.verdict) == (None, 0, "outside")
    assert found.why == "the population has no such number"
    found = _scored(_study(5, size=[[1], [2], [4], [0], [0]]), "1 / x")
    assert (found.simulated, found.failed, found.verdict) == (1.0, 0, "within")
    assert found.interval[1] == INF


def test_an_infinite_change_has_no_direction():
    assert _scored(_study(2, size=[[0], [0]]), "1 / x", sort="direction").verdict == "outside"
    assert _scored(_study(2, size=[[2], [2]]), "1 / x", sort="direction").verdict == "within"


def test_a_population_of_one_is_judged_by_its_one_patient():
    found = _scored(_study(1, size=[[5.0]]), sort="value")
    assert (found.simulated, found.interval, found.verdict, found.deviation) == (5.0, None, "within", 0.0)
    found = _scored(_study(1, size=[[5.0]]), statistic="sd")
    assert (found.simulated, found.verdict) == (None, "outside")
    found = _scored(_study(1, size=[[NAN]]), sort="value")
    assert (found.simulated, found.failed, found.verdict, found.deviation) == (None, 1, "outside", None)


def test_who_has_neither_died_nor_been_seen_alive_is_no_life_and_is_counted():
    lives = {"age": [[80], [80], [80], [NAN], [80]], "dead": [[1], [0], [1], [NAN], [1]]}
    study = _study(5, **lives, age_at_death=[[60], [0], [70], [NAN], [NAN]])
    found = _scored(study, output="", statistic="median life")
    assert (found.simulated, found.failed) == (70.0, 2)  # deaths at 60 and 70, one alive at 80
    assert found.verdict == "within"
