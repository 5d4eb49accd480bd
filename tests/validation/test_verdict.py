"""Each verdict against numbers worked out by hand."""

import numpy as np
import pytest

from exotwin.errors import EvidenceError
from exotwin.validation.check import Check, SpreadPlan
from exotwin.validation.verdict import judge, published


def _check(sort="value", spread=None, **more):
    told = {"published": "v.x"} if sort == "value" else {}
    return Check("toy", "toy", ("r",), "safety", "toy.yaml, toy", sort=sort, spread=spread, **{**told, **more})


def _judged(check, value, simulated):
    said = published(check, {"v": value})
    found = judge(check, np.atleast_1d(np.asarray(simulated, float)), said)
    return found.verdict, None if found.deviations is None else found.deviations.tolist()


@pytest.mark.parametrize(
    ("simulated", "verdict", "deviation"),
    [(12.0, "within", 2.0), (8.0, "within", -2.0), (12.001, "outside", 2.001), (float("nan"), "outside", None)],
)
def test_two_standard_errors_are_within(simulated, verdict, deviation):
    found, off = _judged(_check(spread=SpreadPlan(se="v.se")), {"x": 10, "se": 1}, simulated)
    assert found == verdict
    assert deviation is None or off == pytest.approx([deviation])


def test_the_spread_between_people_is_divided_by_the_root_of_their_number():
    check = _check(spread=SpreadPlan(sd="v.sd", n="v.n"))
    assert _judged(check, {"x": 10, "sd": 4, "n": 16}, 11.9)[0] == "within"
    found, off = _judged(check, {"x": 10, "sd": 4, "n": 16}, 12.5)
    assert found == "outside"
    assert off == pytest.approx([2.5])


def test_an_interval_that_is_not_symmetric_decides_by_its_limits():
    check = _check(spread=SpreadPlan(low="v.ci[0]", high="v.ci[1]"))
    value = {"x": 10, "ci": [9, 16.84]}
    assert _judged(check, value, 16.8)[0] == "within"
    found, off = _judged(check, value, 8.9)  # nearer than 16.8, yet outside
    assert found == "outside"
    assert off == pytest.approx([-1.1 / (7.84 / 3.92)], rel=1e-4)


def test_ratios_are_judged_on_the_logarithm():
    check = _check(spread=SpreadPlan(low="v.ci[0]", high="v.ci[1]", log=True), neutral=1.0)
    found, off = _judged(check, {"x": 0.5, "ci": [0.25, 1.0]}, 1.0)
    assert found == "within"
    assert off == pytest.approx([np.log(2) / (np.log(4) / 3.92)], rel=1e-4)
    by_se = _check(spread=SpreadPlan(se="v.se", log=True))
    assert _judged(by_se, {"x": 2.0, "se": np.log(2) / 2}, 4.0)[0] == "within"
    assert _judged(by_se, {"x": 2.0, "se": np.log(2) / 2}, 4.01)[0] == "outside"
    assert _judged(by_se, {"x": 2.0, "se": np.log(2) / 2}, -1.0)[0] == "outside"


def test_an_interval_of_another_level_is_made_one_of_95_per_cent():
    check = _check(spread=SpreadPlan(low="v.ci[0]", high="v.ci[1]", level=50.0))
    value = {"x": 0, "ci": [-0.6745, 0.6745]}  # of a standard error of 1
    found, off = _judged(check, value, 1.95)
    assert found == "within"
    assert off == pytest.approx([1.95], rel=1e-3)
    assert _judged(check, value, 1.97)[0] == "outside"


def test_without_a_spread_a_fifth_of_the_effect_is_the_tolerance():
    check = _check(spread=SpreadPlan(none="one study"), neutral=1.0)
    assert _judged(check, {"x": 2.0}, 2.2)[0] == "within"
    assert _judged(check, {"x": 2.0}, 1.8)[0] == "within"  # on the limit
    found, off = _judged(check, {"x": 2.0}, 2.3)
    assert found == "outside"
    assert off == pytest.approx([3.0])  # tenths of the published effect, which is 1


def test_a_curve_is_within_if_every_point_is():
    check = _check(spread=SpreadPlan(se="v.se"))
    value = {"x": [10, 20], "se": [1, 2]}
    assert _judged(check, value, [11, 24])[0] == "within"
    found, off = _judged(check, value, [10, 25])
    assert found == "outside"
    assert off == pytest.approx([0, 2.5])
    with pytest.raises(EvidenceError, match="2 numbers against 3 simulated"):
        _judged(check, value, [1, 2, 3])


@pytest.mark.parametrize(
    ("sign", "simulated", "verdict"),
    [(-1, -0.1, "within"), (-1, -0.0999, "outside"), (-1, 0.5, "outside"), (1, 0.5, "within"), (1, 0.05, "outside")],
)
def test_a_direction_needs_its_sign_and_a_tenth(sign, simulated, verdict):
    assert _judged(_check("direction", sign=sign), "lower", simulated) == (verdict, None)


def test_a_null_stays_under_its_bound_on_both_sides():
    check = _check("null", bound="v.b / 10", bound_why="toy", neutral=1.0)
    for simulated, verdict in ((1.19, "within"), (0.81, "within"), (1.21, "outside"), (0.79, "outside")):
        assert _judged(check, {"b": 2}, simulated) == (verdict, None)


@pytest.mark.parametrize(
    ("spread", "value", "words"),
    [
        (SpreadPlan(se="v.se"), {"x": 1, "se": 0}, "above zero"),
        (SpreadPlan(none="toy"), {"x": 0}, "an effect of zero is a null"),
        (SpreadPlan(low="v.l", high="v.h"), {"x": 5, "l": 1, "h": 3}, "enclose the published 5"),
        (SpreadPlan(low="v.l", high="v.h"), {"x": 2, "l": 3, "h": 1}, "above zero"),
        (SpreadPlan(sd="v.l", n="v.n"), {"x": 2, "l": 3, "n": 0}, "how many were measured"),
        (SpreadPlan(se="v.se", log=True), {"x": 0, "se": 1}, "logarithmic scale"),
        (SpreadPlan(low="v.l", high="v.h", log=True), {"x": 1, "l": -1, "h": 3}, "logarithmic scale"),
        (SpreadPlan(low="v.l", high="v.h", log=True, level=90), {"x": 1, "l": 0, "h": 3}, "logarithmic scale"),
        (SpreadPlan(se="v.se"), {"x": [1, 2], "se": [1, 2, 3]}, "3 numbers"),
        (SpreadPlan(low="v.l", high="v.h"), {"x": [1, 2], "l": [0, 1, 2], "h": [3, 3]}, "3 numbers"),
        (SpreadPlan(sd="v.se", n="v.n"), {"x": [1, 2], "se": 1, "n": [3, 4, 5]}, "3 numbers"),
        (SpreadPlan(se="v.se"), {"x": [[1, 2], [3, 4]], "se": 1}, "2 dimensions"),
        (SpreadPlan(low="v.l", high="v.h"), {"x": 1, "l": 0, "h": float("inf")}, "above zero"),
        (SpreadPlan(none="one of two points is no effect"), {"x": [1, 0]}, "an effect of zero is a null"),
        (SpreadPlan(se="v.wrong"), {"x": 2, "l": 3}, "wrong"),
        (SpreadPlan(se="v.x"), {"x": "text"}, '"text"'),
    ],
)
def test_a_spread_that_cannot_be_is_refused(spread, value, words):
    with pytest.raises(EvidenceError) as fault:
        published(_check(spread=spread), {"v": value})
    assert "toy.yaml, toy" in str(fault.value)
    assert words in str(fault.value)


@pytest.mark.parametrize("log", [False, True])
def test_an_error_for_all_points_of_a_curve_may_stand_once(log):
    check = _check(spread=SpreadPlan(se="v.se", log=log))
    found, off = _judged(check, {"x": [10, 20], "se": 0.5}, [10.9, 20.9])
    assert found == "within"
    assert len(off) == 2


@pytest.mark.parametrize("infinite", [float("inf"), float("-inf"), float("nan")])
def test_what_is_no_finite_number_is_never_within(infinite):
    sign = -1 if infinite < 0 else 1
    checks = (
        (_check("direction", sign=sign), {"b": 2}),
        (_check("null", bound="v.b", bound_why="toy"), {"b": 2}),
        (_check(spread=SpreadPlan(se="v.se")), {"x": 10, "se": 1}),
        (_check(spread=SpreadPlan(se="v.se", log=True)), {"x": 10, "se": 1}),
    )
    for check, value in checks:
        assert _judged(check, value, infinite)[0] == "outside", check.sort


def test_a_direction_of_exactly_a_tenth_is_not_decided_by_rounding():
    assert abs(0.9 - 1.0) < 0.1  # as computers have it
    assert _judged(_check("direction", sign=-1, neutral=1.0), "lower", 0.9) == ("within", None)
    assert _judged(_check("direction", sign=-1, neutral=1.0), "lower", 0.9001) == ("outside", None)


def test_a_null_of_a_curve_holds_each_point_against_its_bound():
    check = _check("null", bound="v.b", bound_why="toy")
    assert _judged(check, {"b": [1, 2]}, [0.5, 1.5])[0] == "within"
    assert _judged(check, {"b": [1, 2]}, [1.5, 0.5])[0] == "outside"
    assert _judged(check, {"b": 1}, [0.5, -0.5])[0] == "within"
    with pytest.raises(EvidenceError, match="2 numbers against 3 simulated"):
        _judged(check, {"b": [1, 2]}, [0, 0, 0])


@pytest.mark.parametrize("bound", [0, -1, float("inf"), float("nan")])
def test_a_bound_that_nothing_or_everything_keeps_is_refused(bound):
    with pytest.raises(EvidenceError, match="above zero"):
        published(_check("null", bound="v.b", bound_why="toy"), {"v": {"b": bound}})
