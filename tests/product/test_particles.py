from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from exotwin.product.nta import SizeDistribution, particles_in_vial, vesicle_fraction
from exotwin.product.particles import judge_purity, judge_reporting
from exotwin.product.parts import Verdict, VesicleLot

FACTS = {
    "starting_material": "medium of 1e8 cells",
    "separation": "size exclusion",
    "preanalytics": "stored at -80 C",
    "imaging": "cryo-TEM",
    "detection_limits": "1e7 particles/mL",
}
TRANSMEMBRANE = "transmembrane marker"
PROTEINS = {"CD9": "present", "CD63": "present", "TSG101": "present", "calnexin": "absent"}


def lot(*, protein: float | None = 10.0, per_mL: float = 4e11, volume: float | None = 1.5) -> VesicleLot:
    captures = np.array([[0.0, 0.95, 0.0], [0.0, 1.05, 0.0]]) * per_mL / 1000
    size = SizeDistribution(np.array([20.0, 100.0, 400.0]), captures, 1000.0, {}, "tracker")
    return VesicleLot(volume, protein, size, particles_in_vial(size), vesicle_fraction(size), None)


def reporting(proteins: dict[str, str] | None = None, of: VesicleLot | None = None, **facts: Any) -> Verdict:
    return judge_reporting(of or lot(), {**FACTS, "proteins": PROTEINS if proteins is None else proteins, **facts})


def outcome_of(verdict: Verdict, name: str) -> str:
    return next(c.outcome for c in verdict.criteria if c.name == name)


def test_a_preparation_with_everything_reported_is_met() -> None:
    verdict = reporting()
    assert verdict.outcome == "met"
    assert all(c.records for c in verdict.criteria)


@pytest.mark.parametrize("key", FACTS)
def test_a_fact_that_is_not_declared_leaves_the_verdict_open(key: str) -> None:
    declared = {**{k: v for k, v in FACTS.items() if k != key}, "proteins": PROTEINS}
    assert judge_reporting(lot(), declared).outcome == "cannot be judged"


def test_two_quantities_are_needed_and_protein_is_one() -> None:
    verdict = reporting(of=lot(protein=None))
    assert outcome_of(verdict, "quantity by two methods") == "not measured"
    assert outcome_of(verdict, "ratio of the two") == "not measured"


@pytest.mark.parametrize(
    ("proteins", "open_items"),
    [
        ({}, {"transmembrane marker", "cytosolic marker", "three markers", "purity control"}),
        ({"CD9": "present", "CD63": "present", "CD81": "present"}, {"cytosolic marker", "purity control"}),
        ({"CD9": "present", "TSG101": "present", "ALB": "present"}, {"three markers"}),
        (
            {"CD9": "absent", "TSG101": "present", "SDCBP": "present", "ANXA2": "present", "CANX": "absent"},
            {TRANSMEMBRANE},
        ),
        ({"CD73": "present", "CD9": "present", "TSG101": "present", "CANX": "absent"}, {"three markers"}),
    ],
)
def test_proteins_are_counted_by_kind_under_any_of_their_names(proteins: dict[str, str], open_items: set[str]) -> None:
    verdict = reporting(proteins)
    assert {c.name for c in verdict.criteria if c.outcome != "met"} == open_items


def test_a_protein_of_no_listed_kind_is_named_and_not_counted() -> None:
    criterion = next(c for c in reporting({"CD73": "present"}).criteria if c.name == "three markers")
    assert "not counted, of no listed kind: CD73" in criterion.measured


@pytest.mark.parametrize(
    ("protein", "proteins", "outcome"),
    [
        (10.0, {"ALB": "absent"}, "met"),  # 4e10 particles/ug
        (10.0, {"ALB": "present"}, "not met"),
        (10.0, {"CD9": "present"}, "cannot be judged"),  # a high ratio alone may be lipoprotein
        (20.0, {"ALB": "absent"}, "not met"),  # 2e10 particles/ug
        (None, {"ALB": "absent"}, "cannot be judged"),
    ],
)
def test_purity_needs_ratio_and_contaminant(protein: float | None, proteins: dict[str, str], outcome: str) -> None:
    verdict = judge_purity(lot(protein=protein), {"proteins": proteins})
    assert verdict.outcome == outcome
    assert set(verdict.records) == {"purity-ratio-method", "purity-threshold-culture", "purity-ratio-fooled"}


def test_a_ratio_whose_interval_spans_the_limit_says_so() -> None:
    # captures differ by 10 %, so two of them give an interval of some 64 % to either side
    assert "spans the limit" in judge_purity(lot(protein=10), {}).criteria[0].measured
    assert "spans" not in judge_purity(lot(protein=1000), {}).criteria[0].measured


def test_particles_of_a_vial_and_per_protein_are_products_and_quotients() -> None:
    assert lot().particles_per_vial == pytest.approx(6e11)
    assert lot().particles_per_ug == pytest.approx(4e10)
    assert lot(volume=None).particles_per_vial is None
    assert lot(protein=None).particles_per_ug is None
