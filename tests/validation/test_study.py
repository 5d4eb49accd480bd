import numpy as np
import pytest

from exotwin.errors import EvidenceError
from exotwin.validation.study import SHARED, Models, simulate


def _run(file, study, root):
    plan = file.studies[study]
    checks = [c for c in file.checks if c.study == study]
    return simulate(plan, checks, Models(root).of(plan), lambda: None)


def test_a_dose_leaves_each_patient_by_his_own_rate(read, tiny_root):
    found = _run(read(), "one-dose", tiny_root)
    early, late = (found.at("treated", "drug", [day], found.groups[0])[:, 0] for day in (1.0, 2.0))
    rates = np.log(early / late)
    assert early.size == 40
    assert np.std(np.log(rates)) == pytest.approx(np.sqrt(np.log1p(0.3**2)), rel=0.15)  # 40 even draws of a lognormal
    assert np.median(rates) == pytest.approx(0.5, rel=0.05)
    np.testing.assert_allclose(early, 100 * np.exp(-rates), rtol=1e-4)  # the run's tolerance, over two days


def test_draws_of_what_is_not_known_hold_the_same_patients(read, tiny_root):
    file = read(
        ("value: late / early - 1", "value: shown + late / early - 1"),
        (
            "    early: {arm: treated, output: drug, at: 0}",
            "    early: {arm: treated, output: drug, at: 0}\n    shown: {arm: treated, output: effect, at: 0}",
        ),
    )
    found = _run(file, "one-dose", tiny_root)
    assert len(found.groups) == 1 + 8
    gains = [found.at("treated", "effect", [0.0], group) / 100 for group in found.groups]
    assert np.all(gains[0] == 2)
    spread = np.array([np.unique(gain) for gain in gains[1:]])
    assert spread.shape == (8, 1)  # all patients of a draw share it
    assert np.all((spread >= 1) & (spread <= 4))
    assert np.ptp(spread) > 1.5  # a Latin hypercube of eight reaches near both ends
    for group in found.groups[1:]:
        np.testing.assert_array_equal(
            found.at("treated", "drug", [2.0], group), found.at("treated", "drug", [2.0], slice(0, SHARED))
        )


def test_patients_are_the_same_in_all_arms_even_where_an_arm_sets_what_differs(read, tiny_root):
    file = read(
        ("heavy:", "slow:"),
        ("        parameters: {body_weight: 40 g}", "        parameters: {lifespan: 9}"),
        ("    late: {arm: treated, output: drug, at: 48 hour}", "    late: {arm: slow, output: drug, at: 48 hour}"),
        ("amount: 5e3 particle/kg, at: [0 hour, 24 hour]", "amount: 200, at: 0"),
    )
    found = _run(file, "one-dose", tiny_root)
    one, other = (found.at(arm, "drug", [2.0], found.groups[0]) for arm in ("treated", "slow"))
    np.testing.assert_allclose(other, 2 * one, rtol=1e-4)  # of the run's tolerance


def test_doses_by_body_weight_and_parameters_with_units_are_converted(read, tiny_root):
    file = read(("    early: {arm: treated, output: drug, at: 0}", "    early: {arm: heavy, output: drug, at: 0}"))
    found = _run(file, "one-dose", tiny_root)
    np.testing.assert_allclose(found.at("heavy", "drug", [0.0], found.groups[0]), 5e3 * 0.04)


def test_who_cannot_be_simulated_has_no_value_and_it_is_said_why(read, tiny_root):
    file = read(
        ("      control: {}\n      treated:", "      control: {parameters: {loss: -1e9}}\n      treated:"),
        ("amount: 100, at: 0 day}]", "amount: 100, at: 0 day}]\n        parameters: {loss: -1e6}"),
    )
    found = _run(file, "one-dose", tiny_root)
    assert np.all(np.isnan(found.at("treated", "drug", [2.0], found.groups[0])))
    assert found.outcomes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            ("late: {arm: treated, output: drug, at: 2 day}", "late: {arm: treated, output: drag, at: 2 day}"),
            ("drag", '"drug"'),
        ),
        (("{state: drug, amount: 100", "{state: drugs, amount: 100"), ('the state "drugs"', '"drug"')),
        (("parameters: {body_weight: 40 g}", "parameters: {body_wight: 40 g}"), ("body_wight", '"body_weight"')),
        (("parameters: {body_weight: 40 g}", "parameters: {body_weight: 40 day}"), ("body_weight", "40 day")),
        (("amount: 5e3 particle/kg", "amount: 5e3 cell/kg"), ("5000.0 cell/kg", "particle")),
        (("at: 0 day}]", "at: -2 day}]"), ("a dose on day -2", "day -1")),
        (
            ("early: {arm: treated, output: drug, at: 0}", "early: {arm: heavy, output: drug, at: -3}"),
            ("day -3", "day -1"),
        ),
        (("        parameters: {body_weight: 40 g}", "        source: cord"), ('"cord"', "no sources of cells")),
        (("        parameters: {body_weight: 40 g}", "        label: indium"), ('"indium"', "no labels")),
        (
            ("        parameters: {body_weight: 40 g}", "        comparators: [{name: exercise}]"),
            ("exercise", "no module"),
        ),
    ],
)
def test_what_the_model_does_not_have_is_told_with_its_place(read, tiny_root, change, words):
    heavy = ("late: {arm: treated, output: drug, at: 48 hour}", "late: {arm: heavy, output: drug, at: 48 hour}")
    with pytest.raises(EvidenceError) as fault:
        _run(read(change, heavy), "one-dose", tiny_root)
    assert "toy.yaml, " in str(fault.value)
    for word in words:
        assert word in str(fault.value)
