from __future__ import annotations

from typing import Any

import pytest

from exotwin.product.identity import judge_identity, marker_name, side_of
from exotwin.product.parts import MarkerReading, Verdict
from exotwin.quantities import Estimate, wilson

GOOD = {"CD73": 99, "CD90": 97, "CD105": 98, "CD45": 1.0, "CD34": 0.5, "CD14": 1.1, "CD19": 1.0, "HLA-DR": 1.5}
DECLARED = {"plastic_adherent": True, "differentiation": ["osteoblast", "adipocyte", "chondroblast"]}


def reading(marker: str, percent: float, n: int = 10_000) -> MarkerReading:
    low, high = wilson(round(percent / 100 * n), n)
    positive = Estimate(percent / 100, "1", low, high)
    return MarkerReading(marker, "APC-A", side_of(marker), positive, 100.0, "iso.fcs", n, "a.fcs", "all events", n)


def judge(percents: dict[str, float], declared: dict[str, Any] | None = None, tissue: str = "bone marrow") -> Verdict:
    readings = [reading(m, p) for m, p in percents.items()]
    return judge_identity(readings, DECLARED if declared is None else declared, source_tissue=tissue)


def outcome_of(verdict: Verdict, name: str) -> str:
    return next(c.outcome for c in verdict.criteria if c.name == name)


def test_a_lot_that_meets_every_criterion_is_met_and_says_what_was_only_declared() -> None:
    verdict = judge(GOOD)
    assert verdict.outcome == "met"
    assert verdict.records == ("isct-2006-positive", "isct-marker-genes")
    declared = [c for c in verdict.criteria if c.name in ("adherence", "differentiation")]
    assert all(c.measured.startswith("declared, not measured here") for c in declared)


@pytest.mark.parametrize(
    ("marker", "percent", "outcome"),
    [
        ("CD73", 95.0, "met"),
        ("CD73", 94.9, "not met"),
        ("CD105", 71.0, "not met"),
        ("CD45", 2.0, "met"),
        ("CD45", 2.1, "not met"),
        ("HLA-DR", 40.0, "not met"),
    ],
)
def test_the_limits_are_at_least_95_and_at_most_2_percent(marker: str, percent: float, outcome: str) -> None:
    verdict = judge({**GOOD, marker: percent})
    assert outcome_of(verdict, marker) == outcome
    assert verdict.outcome == outcome


def test_a_share_whose_interval_spans_the_limit_says_so() -> None:
    criterion = judge({**GOOD, "CD73": 95.1}).criteria[0]
    assert "spans the limit" in criterion.measured
    assert "spans" not in judge(GOOD).criteria[0].measured


@pytest.mark.parametrize(("marker", "other"), [("CD14", "CD11b"), ("CD19", "CD79a")])
def test_an_alternative_marker_stands_for_the_other(marker: str, other: str) -> None:
    assert judge({other if m == marker else m: p for m, p in GOOD.items()}).outcome == "met"
    assert judge({**GOOD, other: 30.0}).outcome == "not met"


def test_a_marker_that_nobody_measured_cannot_be_judged_unless_another_fails() -> None:
    without = {m: p for m, p in GOOD.items() if m != "CD105"}
    assert judge(without).outcome == "cannot be judged"
    assert judge(without).summary == "not measured: CD105"
    assert judge({**without, "CD73": 60.0}).outcome == "not met"


def test_nothing_declared_leaves_the_verdict_open_and_a_denial_decides_it() -> None:
    assert judge(GOOD, {}).outcome == "cannot be judged"
    assert judge(GOOD, {**DECLARED, "plastic_adherent": False}).outcome == "not met"
    partly = judge(GOOD, {**DECLARED, "differentiation": ["osteoblast"]})
    assert partly.outcome == "cannot be judged"
    assert "nothing said of adipocyte, chondroblast" in partly.criteria[-1].measured


def test_no_marker_at_all_cannot_be_judged() -> None:
    assert judge({}, {}).outcome == "cannot be judged"
    assert judge({"CD298": 98.0}, {}).outcome == "cannot be judged"


def test_one_bad_tube_is_not_outvoted_by_a_good_one() -> None:
    verdict = judge_identity([reading("CD73", 99), reading("CD73", 80)], DECLARED, source_tissue="")
    assert outcome_of(verdict, "CD73") == "not met"


def test_cd34_in_adipose_lots_is_put_into_context() -> None:
    verdict = judge({**GOOD, "CD34": 9.0}, tissue="adipose")
    assert verdict.outcome == "not met"
    assert "lots-cd34-adipose" in verdict.records
    assert "lots-cd34-adipose" not in judge({**GOOD, "CD34": 9.0}).records


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("NT5E", "CD73"),
        ("thy-1", "CD90"),
        ("HLADR", "HLA-DR"),
        ("CD79α", "CD79a"),
        ("CD298", "CD298"),
        (" cd105 ", "CD105"),
    ],
)
def test_markers_answer_to_their_usual_names(text: str, name: str) -> None:
    assert marker_name(text) == name


def test_a_marker_that_isct_does_not_ask_for_has_no_side() -> None:
    assert side_of("CD298") == "not asked for"
    assert (side_of("CD73"), side_of("CD11b")) == ("positive", "negative")
