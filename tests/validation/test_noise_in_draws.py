"""Noise and knowledge side by side: a draw of what is not known holds the first patients with their own luck."""

import numpy as np
import pytest

from exotwin.validation import read_checks
from exotwin.validation.study import SHARED, Models, simulate


@pytest.fixture(scope="module")
def old_mice():
    """Burden of senescent cells in mice of two years, five days on: the study of one dose of a senolytic."""
    file = next(file for file in read_checks() if "mouse-senolytic" in file.studies)
    plan = file.studies["mouse-senolytic"]
    checks = [check for check in file.checks if check.study == "mouse-senolytic"]
    found = simulate(plan, checks, Models().of(plan), lambda: None)
    return {arm: [found.at(arm, "senescence", [5.0], g)[:, 0] for g in found.groups] for arm in ("control", "treated")}


def test_patients_of_a_draw_have_the_noise_of_the_first_patients(old_mice):
    everyone, *draws = old_mice["control"]
    assert len(draws) == 24
    for burden in draws:
        assert burden.size == SHARED
        # between mice the burden differs by half of its mean; what is not known moves a mouse's own by far less
        assert np.corrcoef(burden, everyone[:SHARED])[0, 1] > 0.9
    assert np.std(everyone) > 0.4 * np.mean(everyone)


def test_draws_differ_by_what_is_not_known(old_mice):
    """How long a senolytic acts is not known within fourfold: the fall of the burden differs between draws."""
    falls = [
        1 - treated.mean() / control.mean()
        for treated, control in zip(old_mice["treated"], old_mice["control"], strict=True)
    ]
    assert np.all(np.array(falls) > 0)
    assert max(falls[1:]) > 1.2 * min(falls[1:])
