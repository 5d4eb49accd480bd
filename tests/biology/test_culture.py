"""Expansion in culture: the closed form against growth followed division by division."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from exotwin.biology import assemble

OUTPUTS = ["capacity", "senescent_share", "doublings", "culture_time", "growth_rate", "colony_share", "cell_telomere"]


@pytest.fixture(scope="module")
def culture(run):
    model = assemble("healthy", "human", modules=["culture"])

    def at(**parameters):
        return {name: values[0] for name, values in run(model, [0.0], OUTPUTS, **parameters).items()}

    return at


@pytest.mark.parametrize(("capacity", "passage", "power"), [(7.0, 4.0, 3.0), (21.0, 15.0, 2.0), (8.0, 7.9, 4.0)])
def test_doublings_and_senescent_share_are_those_of_two_populations_followed_in_time(culture, capacity, passage, power):
    per_passage = 2.9
    end = per_passage * capacity

    def grow(division, cells):  # dividing and senescent cells, per division of a dividing cell
        dividing, _ = cells
        share = (division / end) ** power
        turning = np.log(2) * share + power * share / max(division, 1e-12) / (1 - share)
        return [(np.log(2) - turning) * dividing, turning * dividing]

    found = solve_ivp(grow, (0.0, per_passage * passage), [1.0, 0.0], rtol=1e-10, atol=1e-12)
    dividing, senescent = found.y[:, -1]
    given = culture(senescence_passage=capacity, passage=passage, senescence_power=power)
    assert given["senescent_share"] == pytest.approx(senescent / (dividing + senescent), rel=1e-6)
    assert given["doublings"] == pytest.approx(np.log2(dividing + senescent), rel=1e-6)


def test_a_culture_past_its_last_passage_stands_still(culture):
    last, later = culture(senescence_passage=7.0, passage=7.0), culture(senescence_passage=7.0, passage=12.0)
    assert last["senescent_share"] == later["senescent_share"] == pytest.approx(1.0)
    assert later["doublings"] == pytest.approx(last["doublings"])
    assert later["growth_rate"] == pytest.approx(0.0, abs=1e-12)


def test_old_marrow_in_old_serum_stops_after_three_passages(culture):
    old = culture(donor_age=75.0, serum_factor=0.73)  # donor-age-cfuf; early-senescence-case: three
    assert old["capacity"] == pytest.approx(7 * 0.58 * 0.73, rel=0.01)
    assert culture(donor_age=30.0)["capacity"] == pytest.approx(7.0)


def test_each_doubling_costs_telomere_and_so_does_each_year_of_the_donor(culture):
    young, old = culture(passage=2.0, donor_age=20.0), culture(passage=5.0, donor_age=60.0)
    lost = (old["doublings"] - young["doublings"]) * 100 + 40 * 24.7
    assert young["cell_telomere"] - old["cell_telomere"] == pytest.approx(lost)


def test_senescence_builds_from_the_first_passage_on(culture):
    shares = [culture(passage=float(p))["senescent_share"] for p in range(1, 8)]
    assert shares[0] > 0  # passage-lineage-drift: continuously from passage 1
    assert np.all(np.diff(shares) > 0)


def test_age_of_the_mother_does_nothing_to_cells_of_the_cord(culture):
    cord = {n: p.value for n, p in assemble("healthy", "human").sources["umbilical cord"].items()}
    own = {n: v for n, v in cord.items() if n in ("doubling_time", "senescence_passage", "donor_age_loss")}
    assert culture(donor_age=0.0, **own)["capacity"] == culture(donor_age=40.0, **own)["capacity"] == 21.0
