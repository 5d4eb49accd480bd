"""Proteins that vesicles bring: inside and outside a cell against closed forms, activity above the own level."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exotwin.biology import assemble
from exotwin.biology.assemble import SHIPPED
from exotwin.engine import Dose, load
from exotwin.errors import BiologyError

BROUGHT = {"YWHAZ": "inside", "VEGFA": "outside"}
DAYS = np.array([0.0, 0.01, 0.05, 0.5, 2.0, 9.0])


@pytest.fixture(scope="module")
def model():
    return assemble("poi", "mouse", proteins=BROUGHT)


@pytest.fixture(scope="module")
def plain():
    return assemble("poi", "mouse")


def value(model, *names):
    return [model.parameters[n].value for n in names]


def test_without_proteins_the_model_is_the_same_to_the_letter(plain):
    again = assemble("poi", "mouse", proteins={})
    assert again.sbml == plain.sbml
    assert "activity_" not in plain.sbml
    assert "modules/proteins.ant" not in plain.files


def test_proteins_add_their_own_symbols_and_change_no_number_of_the_others(model, plain):
    assert dict(model.mediators) == {**plain.mediators, "YWHAZ": "ywhaz", "VEGFA": "vegfa"}
    assert {n: p.value for n, p in plain.parameters.items()}.items() <= {
        n: p.value for n, p in model.parameters.items()
    }.items()
    new = set(model.parameters) - set(plain.parameters)
    assert all("ywhaz" in n or "vegfa" in n for n in new)
    assert set(model.states) - set(plain.states) == {"copies_ywhaz", "copies_vegfa"}
    assert "modules/proteins.ant" in model.files


def test_each_site_has_its_own_loss(model, run):
    found = run(model, DAYS, ["copies_ywhaz", "copies_vegfa"], start={"copies_ywhaz": 300.0, "copies_vegfa": 40.0})
    inside, outside = value(model, "protein_half_life", "half_life_vegfa")
    # absolute tolerance of the solver is 1e-9
    np.testing.assert_allclose(found["copies_ywhaz"], 300 * 0.5 ** (DAYS / inside), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found["copies_vegfa"], 40 * 0.5 ** (DAYS / outside), rtol=1e-6, atol=1e-6)


def test_what_comes_inside_is_what_was_opened_and_what_comes_outside_all_that_was_met(model, run):
    """Without loss: copies in the end = vesicles taken up * copies, inside * share that stays * share that opens."""
    times = np.concatenate([[0.0], np.geomspace(1e-5, 60, 800)])
    found = run(
        model,
        times,
        ["copies_ywhaz", "copies_vegfa", "vesicles_per_cell_day_ovary"],
        start={"vesicles_blood": 1e10},
        copies_per_vesicle_ywhaz=30.0,
        copies_per_vesicle_vegfa=2.0,
        protein_half_life=1e9,
        half_life_vegfa=1e9,
    )
    taken = np.trapezoid(found["vesicles_per_cell_day_ovary"], times)
    recycled, escape = value(model, "recycled_share", "endosomal_escape")
    # the trapezium in steps of 2 % is good to better than a thousandth
    assert found["copies_vegfa"][-1] == pytest.approx(2 * taken, rel=1e-3)
    assert found["copies_ywhaz"][-1] == pytest.approx(30 * taken * (1 - recycled) * escape, rel=1e-3)
    assert taken > 0


def test_escape_matters_inside_and_not_outside(model, run):
    def peak(escape):
        found = run(
            model,
            np.linspace(0, 3, 60),
            ["copies_ywhaz", "copies_vegfa"],
            start={"vesicles_blood": 1e10},
            copies_per_vesicle_ywhaz=1.0,
            copies_per_vesicle_vegfa=1.0,
            endosomal_escape=escape,
        )
        return found["copies_ywhaz"].max(), found["copies_vegfa"].max()

    low, high = peak(0.01), peak(0.1)
    assert high[0] == pytest.approx(10 * low[0], rel=1e-3)
    assert high[1] == pytest.approx(low[1], rel=1e-3)
    assert low[1] > low[0]


@settings(deadline=None, max_examples=40)
@given(
    copies=st.floats(1e-2, 1e8),
    half=st.floats(10, 1e7),
    over=st.floats(0.01, 100),
    protein=st.sampled_from(["ywhaz", "vegfa"]),
)
def test_activity_is_the_share_at_work_above_the_cells_own(model, run, copies, half, over, protein):
    found = run(
        model,
        [0],
        [f"activity_{protein}"],
        start={f"copies_{protein}": copies},
        **{f"half_copies_{protein}": half, f"own_over_half_{protein}": over},
    )[f"activity_{protein}"][0]
    own = over * half
    # the oracle subtracts two numbers below 1, so it is good to 1e-15
    assert found == pytest.approx((own + copies) / (own + copies + half) - own / (own + half), rel=1e-6, abs=1e-14)
    assert 0 < found < 1 - own / (own + half) + 1e-12


def test_a_millionth_of_a_copy_is_not_lost_in_rounding(model, run):
    small, large = (
        run(model, [0], ["activity_ywhaz"], start={"copies_ywhaz": c})["activity_ywhaz"][0] for c in (1e-6, 1)
    )
    assert large == pytest.approx(1e6 * small, rel=1e-5)


def test_own_and_half_together_take_half_of_what_the_cell_leaves(model, run):
    half, over = value(model, "half_copies_vegfa", "own_over_half_vegfa")
    found = run(model, [0], ["activity_vegfa"], start={"copies_vegfa": half * (1 + over)})["activity_vegfa"][0]
    assert found == pytest.approx((1 - over / (1 + over)) / 2)


def test_a_protein_moves_its_process_by_its_gain_in_the_reading_by_copies_alone(model, run):
    start = {"copies_vegfa": 1e4, "repression_mir_21_5p": 0.5}
    given = {"gain_vegfa_angiogenesis": 0.4, "gain_mir_21_5p_angiogenesis": -0.2}
    outputs = ["angiogenesis", "activity_vegfa", "copies_part_angiogenesis"]
    copies = run(model, [0], outputs, start=start, reading_copies=1.0, **given)
    animal = run(model, [0], outputs, start=start, reading_animal=1.0, **given)
    expected = 0.4 * copies["activity_vegfa"][0] - 0.2 * 0.5
    assert copies["copies_part_angiogenesis"][0] == pytest.approx(expected)
    assert copies["angiogenesis"][0] == pytest.approx(math.exp(expected))
    assert animal["angiogenesis"][0] == 1


def test_proteins_and_mirna_combine_by_the_rule_of_the_study(run):
    model = assemble("poi", "mouse", proteins=BROUGHT, combination="highest single")
    start = {"copies_vegfa": 1e4, "repression_mir_21_5p": 0.5}
    given = {"gain_vegfa_angiogenesis": 0.4, "gain_mir_21_5p_angiogenesis": 0.6, "reading_copies": 1.0}
    assert run(model, [0], ["angiogenesis"], start=start, **given)["angiogenesis"][0] == pytest.approx(math.exp(0.3))


def test_proteins_of_one_site_alone_leave_no_trace_of_the_other():
    outside = assemble("poi", "human", proteins={"VEGFA": "outside"})
    assert "copies_vegfa" in outside.states
    assert not any("cellular" in name for name in (*outside.states, *outside.parameters))


def test_a_row_of_one_protein_takes_the_place_of_the_common_one_and_hinders_no_other(toy_root):
    table = toy_root / "modules" / "proteins.csv"
    row = "half_copies_vegfa, 900, copy/cell, , fixed, fixed, all, assumed, , , , , for a test\n"
    table.write_text(table.read_text(encoding="utf-8") + row, encoding="utf-8")

    def halves(proteins):
        built = assemble("toy", "mouse", proteins=proteins, root=toy_root)
        return {n: p.value for n, p in built.parameters.items() if n.startswith("half_copies")}

    assert halves(BROUGHT) == {"half_copies_ywhaz": 1e6, "half_copies_vegfa": 900}
    assert halves({"YWHAZ": "inside"}) == {"half_copies_ywhaz": 1e6}


def test_the_page_of_uptake_gives_what_arrives():
    """With one copy a vesicle, at middle values, as printed."""
    page = (SHIPPED / "modules" / "uptake.md").read_text(encoding="utf-8")
    rows = (
        ("mouse, 10¹⁰ vesicles by vein", "mouse", "intravenous", 1e10),
        ("woman, 10¹¹ vesicles by vein", "human", "intravenous", 1e11),
        ("woman, 3·10¹⁰ vesicles into the ovaries", "human", "intra-ovarian", 3e10),
    )
    times = np.concatenate([[0.0], np.geomspace(1e-4, 20, 400)])
    for label, species, route, dose in rows:
        model = assemble("poi", species, proteins=BROUGHT)
        given = {"copies_per_vesicle_ywhaz": 1.0, "copies_per_vesicle_vegfa": 1.0}
        outputs = [f"{what}_{p}" for p in ("ywhaz", "vegfa") for what in ("copies", "activity")]
        doses = [Dose(model.dosing["vesicles", route].state, 0.0, dose)]
        found = load(model.sbml).simulate(times, parameters=given, doses=doses, outputs=outputs)
        printed = " | ".join(_figure(float(found[o].values.max()), 1 + o.startswith("copies")) for o in outputs)
        assert f"| {label} | {printed} |" in page


def _figure(value, digits):
    mantissa, power = f"{value:.{digits - 1}e}".split("e")
    if int(power) >= -3:
        return f"{value:.{digits}g}"
    return f"{mantissa}·10" + str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def test_a_site_that_is_none_is_refused():
    with pytest.raises(BiologyError, match="inside or outside"):
        assemble("poi", "human", proteins={"VEGFA": "outsid"})
