"""A product with a table of proteins in a whole trial: delivered, judged and drawn, while miRNA feel nothing of it."""

from __future__ import annotations

import numpy as np
import pytest

from exotwin.product.example import write_example
from exotwin.trial import Study, TrialResult, simulate_trial

STUDY = """
title = "Proteins"
condition = "poi"
species = "human"
horizon = "190 days"
seed = 3
potency = "copies"
comparator = "untreated"
[population]
n_patients = 8
n_draws = 4
age = { mean = 33, sd = 3, min = 20, max = 40 }
[products.lot]
file = "lot/product.toml"
[arms.untreated]
[arms.exosomes]
product = "lot"
give = "vesicles"
route = "intra-ovarian"
dose = "1e11 particles"
"""
ROWS = """protein,amount,unit,where
VEGF,40,copies/particle,surface
14-3-3 zeta,500,copies/particle,lumen
CD63,9,copies/particle,
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrialResult, TrialResult]:
    """The same study of the same lot, without and with a table of proteins."""
    folder = tmp_path_factory.mktemp("proteins")
    product = write_example(folder / "lot")[0]
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    study = folder / "study.toml"
    plain = simulate_trial(Study.from_toml(study))
    (folder / "lot" / "vesicles" / "proteins.csv").write_text(ROWS, encoding="utf-8")
    text = product.read_text(encoding="utf-8")
    product.write_text(
        text.replace("[vesicles]\n", '[vesicles]\nproteins = "vesicles/proteins.csv"\n'), encoding="utf-8"
    )
    return plain, simulate_trial(Study.from_toml(study))


def test_proteins_are_judged_beside_the_mirna(results: tuple[TrialResult, TrialResult]) -> None:
    plain, rich = results
    judged = {p.mediator: p for p in rich.plausibility["exosomes"]}
    assert judged.keys() - {p.mediator for p in plain.plausibility["exosomes"]} == {"VEGFA", "YWHAZ"}
    assert judged["VEGFA"].delivered > judged["YWHAZ"].delivered > 0
    assert (judged["VEGFA"].needed, judged["YWHAZ"].needed) == (1e4, 2e6)
    assert ("VEGFA", "angiogenesis") in rich.mechanisms["lot"].gains


def test_the_mirna_are_delivered_as_without_proteins(results: tuple[TrialResult, TrialResult]) -> None:
    plain, rich = ({p.mediator: p.delivered for p in r.plausibility["exosomes"]} for r in results)
    # the solver steps differently with more states: rtol 1e-6 a step
    assert {m: rich[m] for m in plain} == pytest.approx(plain, rel=1e-3)


def test_patients_are_the_same_with_and_without_proteins(results: tuple[TrialResult, TrialResult]) -> None:
    plain, rich = results
    for name in ("age_start", "body_weight", "lot:copies:miR-21-5p"):
        np.testing.assert_array_equal(
            rich.population.sel(quantity=name).values, plain.population.sel(quantity=name).values, err_msg=name
        )
    new = set(rich.population["quantity"].values) - set(plain.population["quantity"].values)
    assert {"half_copies_vegfa", "lot:copies:VEGFA", "lot:gain:VEGFA:angiogenesis"} <= new
    assert all(rich.population["level"].sel(quantity=n) == "knowledge" for n in new)


def test_a_model_without_proteins_has_none(results: tuple[TrialResult, TrialResult]) -> None:
    plain, rich = results
    assert "activity_" not in plain.model.sbml
    assert "activity_vegfa" in rich.model.sbml
    assert not any("VEGFA" in name for name in plain.population["quantity"].values)
