"""Kicks: what they hang on, how large they are, and that a diffusion made of them is the diffusion."""

from __future__ import annotations

import numpy as np
import pytest

from exotwin.biology import assemble
from exotwin.engine import load
from exotwin.errors import StudyError
from exotwin.trial.noise import kicks


@pytest.fixture(scope="module")
def mouse():
    return assemble("poi", "mouse", modules=("ageing", "mortality"))


def _table(doses, state="senescent_signed"):
    return np.array([d.amount for d in doses if d.state == state])


def test_a_patients_kicks_hang_on_seed_and_number_alone(mouse):
    together = _table(kicks(mouse, {}, seed=3, patients=np.arange(6), start=0.0, end=40.0))
    alone = _table(kicks(mouse, {}, seed=3, patients=np.array([4, 2]), start=0.0, end=40.0))
    np.testing.assert_array_equal(alone, together[:, [4, 2]])
    other = _table(kicks(mouse, {}, seed=4, patients=np.arange(6), start=0.0, end=40.0))
    assert not np.any(other == together)


def test_following_a_patient_further_does_not_change_the_kicks_before(mouse):
    short = _table(kicks(mouse, {}, seed=3, patients=np.arange(3), start=-5.0, end=40.0))
    long = _table(kicks(mouse, {}, seed=3, patients=np.arange(3), start=-5.0, end=400.0))
    np.testing.assert_array_equal(long[: len(short)], short)


@pytest.mark.parametrize(("end", "n"), [(2.0, 30), (2.04, 30), (2.06, 31), (-1.0, 0), (-0.96, 0)])
def test_kicks_come_in_the_middle_of_each_interval_and_none_after_the_run(mouse, end, n):
    doses = kicks(mouse, {"noise_interval": 0.1}, seed=1, patients=np.arange(2), start=-1.0, end=end)
    times = [d.time for d in doses if d.state == "senescent_signed"]
    np.testing.assert_allclose(times, -0.95 + 0.1 * np.arange(n), atol=1e-12)
    assert all(time <= end for time in times)


def test_the_switch_is_thrown_once_at_the_start(mouse):
    doses = kicks(mouse, {}, seed=1, patients=np.arange(2), start=-7.0, end=2.0)
    thrown = [(d.time, d.amount) for d in doses if d.state == "noise_running"]
    assert thrown == [(-7.0, 1.0)]


def test_mean_and_variance_are_those_of_the_noise_and_kicks_are_independent(mouse):
    n, strength = 400, 0.5
    numbers = {"noise_strength": np.full(n, strength), "noise_interval": 2.0}
    z = _table(kicks(mouse, numbers, seed=5, patients=np.arange(n), start=0.0, end=1000.0))
    assert z.shape == (500, n)
    count = z.size
    variance = 2 * strength * 2.0
    # four standard errors of a mean and of a variance of 200 000 normal numbers
    assert abs(z.mean()) < 4 * np.sqrt(variance / count)
    assert abs(z.var() / variance - 1) < 4 * np.sqrt(2 / count)
    assert abs(np.mean(z[1:] * z[:-1])) / variance < 4 / np.sqrt(count)
    assert abs(np.mean(z[:, 1:] * z[:, :-1])) / variance < 4 / np.sqrt(count)


def test_each_patient_has_the_strength_of_its_own(mouse):
    numbers = {"noise_strength": np.array([0.0, 1.0, 4.0])}
    z = _table(kicks(mouse, numbers, seed=5, patients=np.array([7, 7, 7]), start=0.0, end=50.0))
    assert not z[:, 0].any()
    np.testing.assert_allclose(z[:, 2], 2 * z[:, 1])


def test_a_model_whose_page_has_no_noise_has_no_kicks():
    model = assemble("poi", "mouse")
    assert kicks(model, {}, seed=1, patients=np.arange(3), start=0.0, end=10.0) == ()


@pytest.mark.parametrize("interval", [np.array([1.0, 2.0]), 0.0, -1.0])
def test_an_interval_is_one_length_above_zero(mouse, interval):
    with pytest.raises(StudyError, match="noise_interval"):
        kicks(mouse, {"noise_interval": interval}, seed=1, patients=np.arange(2), start=0.0, end=10.0)


def test_a_strength_below_zero_is_refused(mouse):
    with pytest.raises(StudyError, match="noise_strength"):
        kicks(mouse, {"noise_strength": -0.1}, seed=1, patients=np.arange(2), start=0.0, end=10.0)


def test_all_arms_of_a_patient_meet_the_same_luck(mouse):
    """Arms that differ downstream of the burden alone have one and the same burden."""
    model, n = load(mouse.sbml), 20
    noise = kicks(mouse, {}, seed=2, patients=np.arange(n), start=0.0, end=120.0)
    numbers = {"age_start": np.full(n, 0.25), "run_in": 0.0}
    found = [
        model.simulate([0.0, 120.0], parameters=numbers | {"sasp_delay": delay}, doses=noise, outputs=["senescent"])
        for delay in (4.0, 7.0)
    ]
    a, b = (f["senescent"].values[:, -1] for f in found)
    np.testing.assert_allclose(a, b, rtol=1e-3)  # the solver's steps differ, the kicks do not
    assert np.ptp(a) > 0.1
