"""Runs that end at a time of their own, and starts that themselves depend on what is differentiated by."""

from __future__ import annotations

import numpy as np
import pytest
from engine_tools import DOSES, draws, sbml

from exotwin.engine import Dose, load
from exotwin.errors import ModelError

_DECAY = sbml("species a in c; compartment c = 2; a = 3; k = 0.4; s = 1; a' = s - k*a; a has substance")
_MODEL = """
compartment c = 1; species a in c, b in c; a = 1; b = 0; k = 1; n = 2
J1: a -> b; k*a^n/(1 + a^n); J2: b -> a; 0.3*b; twice := 2*a
"""
TIMES = np.linspace(0, 10, 11)


def test_a_run_that_ends_early_is_the_whole_run_up_to_there_bit_for_bit() -> None:
    model, rng = load(sbml(_MODEL)), np.random.default_rng(3)
    until = rng.uniform(0, 10, 19)
    until[:3] = 0.0, 10.0, 4.0
    whole = model.simulate(TIMES, parameters=draws(), doses=DOSES, rtol=1e-8)
    short = model.simulate(TIMES, parameters=draws(), doses=DOSES, rtol=1e-8, until=until)
    assert np.all(short["outcome"] == "ok")
    assert np.all(np.isnan(short["failed_at"]))
    seen = until[:, None] >= TIMES
    for name in ("a", "b", "twice"):
        assert np.array_equal(np.isnan(short[name].values), ~seen)
        # a run may have another last step, so that only what lies before that is the same bit for bit
        assert np.allclose(short[name].values[seen], whole[name].values[seen], rtol=1e-6)
    assert np.all(short["steps"] <= whole["steps"] + 1)
    assert int(short["steps"][0]) == 0


def test_doses_behind_the_end_of_a_run_are_not_given_and_those_at_its_end_are() -> None:
    model = load(_DECAY)
    doses = [Dose("a", 4.0, 5.0), Dose("a", 6.0, 100.0)]
    result = model.simulate(TIMES, doses=doses, until=[4.0, 5.0, 10.0], parameters={"k": np.full(3, 0.4)}, rtol=1e-10)
    before = 2.5 + (3 - 2.5) * np.exp(-0.4 * 4)
    assert result["a"].values[0, 4] == pytest.approx(before + 5, rel=1e-8)
    assert np.all(np.isnan(result["a"].values[0, 5:]))
    assert result["a"].values[1, 5] == pytest.approx(2.5 + (before + 5 - 2.5) * np.exp(-0.4), rel=1e-8)
    assert result["a"].values[2, 6] > 100


def test_an_event_behind_the_end_does_not_happen_and_one_before_does() -> None:
    model = load(sbml("x = 0; x' = 1; n = 0; at (x > 2.5): n = n + 1; at (x > 7.5): n = n + 1; k = 1"))
    result = model.simulate(TIMES, until=[2.0, 5.0, 10.0], parameters={"k": np.ones(3)})
    last = [float(result["n"].values[i, t]) for i, t in enumerate((2, 5, 10))]
    assert last == [0, 1, 2]


@pytest.mark.parametrize("until", [-1.0, float("nan"), "soon", [1.0, 2.0, 3.0]])
def test_an_end_before_the_start_or_for_other_patients_is_refused(until: object) -> None:
    with pytest.raises(ModelError) as fault:
        load(_DECAY).simulate(TIMES, until=until, parameters={"k": [0.4, 0.5]})
    assert fault.value.where.startswith(("until", "parameters"))


def test_a_start_that_depends_on_a_parameter_hands_that_on_as_two_runs_in_a_row_do() -> None:
    """a = a0 exp(−kt) in one run is the same as in two, of which the second begins where the first ended."""
    document = sbml("compartment c = 2; species a in c; a = 3; k = 0.4; J: a -> ; k*a*c")
    model = load(document, sensitivities=["k", "a"])
    k = np.array([0.1, 0.4, 1.3])
    whole = model.simulate([0, 2, 5], parameters={"k": k}, outputs=["a"], rtol=1e-10)
    first = model.simulate([0, 2], parameters={"k": k}, outputs=["a"], rtol=1e-10)
    second = model.simulate(
        [2, 5],
        parameters={"k": k},
        outputs=["a"],
        rtol=1e-10,
        initial={"a": first["a"].values[:, -1]},
        initial_slopes={"a": first["sensitivity(a)"].values[:, -1]},
    )
    assert np.allclose(second["a"].values[:, -1], whole["a"].values[:, -1], rtol=1e-8)
    expected = whole["sensitivity(a)"].values[:, -1]
    assert np.allclose(second["sensitivity(a)"].values[:, -1], expected, rtol=1e-7)
    assert np.allclose(expected[:, 0], -5 * 3 * np.exp(-5 * k), rtol=1e-7)


def test_slopes_of_starts_are_refused_where_they_cannot_be_meant() -> None:
    model = load(_DECAY, sensitivities=["k"])
    with pytest.raises(ModelError, match="has a value in `initial`"):
        model.simulate(TIMES, initial_slopes={"a": [1.0]})
    with pytest.raises(ModelError, match="shape"):
        model.simulate(TIMES, initial={"a": 1.0}, initial_slopes={"a": [1.0, 2.0]})
    with pytest.raises(ModelError, match="sensitivities"):
        load(_DECAY).simulate(TIMES, initial={"a": 1.0}, initial_slopes={"a": [1.0]})
    # b is in the model, but nothing moves it
    still = load(
        sbml("compartment c = 1; species a in c, $b in c; a = 1; b = 2; k = 1; J: a -> ; k*a*b"), sensitivities=["k"]
    )
    with pytest.raises(ModelError, match="stays what it is"):
        still.simulate(TIMES, initial={"b": 3.0}, initial_slopes={"b": [0.5]})
    found = still.simulate(TIMES, initial={"b": 3.0}, initial_slopes={"b": [0.0]}, rtol=1e-9)
    assert np.allclose(found["sensitivity(a)"].values[0, :, 0], -3 * TIMES * np.exp(-3 * TIMES), atol=1e-8)
