"""How several mediators on one process combine, against hand calculation."""

from __future__ import annotations

import math

import pytest

from exotwin.biology.effects import COMBINATIONS, FLOOR, effects
from exotwin.errors import BiologyError

HELD = {"mrna_half_life": 1e9, "protein_half_life": 1e9}  # repression stays where it is put
PARTS = {"mir_21_5p": (0.5, -0.8), "mir_22_3p": (0.2, -1.5)}  # repression, gain on growth


def growth(run, model, parts, **numbers):
    """Multiplier of the process with these mediators: (repression, gain) by id."""
    start = {f"repression_{m}": r for m, (r, _) in parts.items()}
    gains = {f"gain_{m}_growth": g for m, (_, g) in parts.items()}
    given = {"reading_copies": 1.0, **HELD, **gains, **numbers}
    return run(model, [0], ["growth"], start=start, **given)["growth"][0]


def test_whole_against_sum_by_each_rule(toys_by_rule, run):
    """SYN-1: what two mediators do together, from what each does alone."""
    one, other = math.exp(-0.8 * 0.5), math.exp(-1.5 * 0.2)
    whole = {rule: growth(run, model, PARTS) for rule, model in toys_by_rule.items()}
    alone = {m: growth(run, toys_by_rule["bliss"], {m: part}) for m, part in PARTS.items()}
    assert alone == pytest.approx({"mir_21_5p": one, "mir_22_3p": other})
    assert whole["bliss"] == pytest.approx(one * other)
    assert 1 - whole["bliss"] == pytest.approx(
        (1 - one) + (1 - other) - (1 - one) * (1 - other)
    )  # Bliss, as he wrote it
    assert whole["highest single"] == pytest.approx(min(one, other))
    assert whole["additive"] == pytest.approx(1 + (one - 1) + (other - 1))
    assert whole["additive"] < whole["bliss"] < whole["highest single"]  # of two that inhibit


@pytest.mark.parametrize("rule", COMBINATIONS)
def test_one_mediator_alone_does_the_same_by_every_rule(toys_by_rule, run, rule):
    for gain in (-0.8, 0.8):
        assert growth(run, toys_by_rule[rule], {"mir_21_5p": (0.5, gain)}) == pytest.approx(math.exp(0.5 * gain))


def test_mediators_that_pull_both_ways(toys_by_rule, run):
    parts = {"mir_21_5p": (0.5, -0.8), "mir_22_3p": (0.5, 1.2)}
    down, up = math.exp(-0.4), math.exp(0.6)
    assert growth(run, toys_by_rule["bliss"], parts) == pytest.approx(down * up)
    assert growth(run, toys_by_rule["highest single"], parts) == pytest.approx(
        down * up
    )  # the strongest of each direction
    assert growth(run, toys_by_rule["additive"], parts) == pytest.approx(1 + (down - 1) + (up - 1))


def test_added_changes_never_turn_a_rate_negative(toys_by_rule, run):
    parts = {"mir_21_5p": (0.9, -3.0), "mir_22_3p": (0.9, -3.0)}
    assert growth(run, toys_by_rule["additive"], parts) == pytest.approx(float(FLOOR))


@pytest.mark.parametrize("rule", COMBINATIONS)
def test_the_rule_is_about_mediators_and_leaves_the_vial_as_a_whole_alone(toys_by_rule, run, rule):
    """The animal reading knows no mediators; both parts are outputs whichever is switched on."""
    start = {"signal": 2.0, "repression_mir_21_5p": 0.5}
    numbers = {"reading_animal": 1.0, "gain_mir_21_5p_growth": -0.8, **HELD}
    outputs = ["growth", "animal_part_growth", "copies_part_growth", "animal_response"]
    found = {k: v[0] for k, v in run(toys_by_rule[rule], [0], outputs, start=start, **numbers).items()}
    scale = toys_by_rule[rule].parameters["animal_effect_growth"].value
    assert found["animal_part_growth"] == pytest.approx(scale * found["animal_response"])
    assert found["growth"] == pytest.approx(math.exp(found["animal_part_growth"]))
    assert found["copies_part_growth"] == pytest.approx(-0.4)


@pytest.mark.parametrize("rule", COMBINATIONS)
def test_without_a_product_every_process_is_exactly_one(toys_by_rule, run, rule):
    for reading in ("reading_animal", "reading_copies"):
        found = run(toys_by_rule[rule], [0, 10], ["growth", "decay"], **{reading: 1.0})
        assert set(found["growth"]) == set(found["decay"]) == {1.0}


def test_a_process_without_mediators_has_a_neutral_part():
    assert "copies_part_p := 0;" in [line.text for line in effects(["p"], [])]


def test_a_rule_that_does_not_exist_is_named_with_the_nearest():
    with pytest.raises(BiologyError) as caught:
        effects(["p"], ["m"], combination="blis")
    assert caught.value.nearest == "bliss"
