"""Where vesicles go, against a matrix exponential and against measured organs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from exotwin import evidence

MINUTES = np.array([0.0, 2, 5, 15, 30, 60, 120, 240, 360, 1440])
ORGANS = ["liver", "spleen", "lung", "kidney", "rest", "ovary"]
STATES = ["blood", *ORGANS, "ip", "depot_ovary", "degraded"]


def _run(run, model, start, minutes=MINUTES, **parameters):
    names = [f"vesicles_{s}" for s in STATES]
    found = run(model, np.asarray(minutes) / 1440, names, start=start, **parameters)
    return {s: found[f"vesicles_{s}"] for s in STATES}


@pytest.mark.parametrize("species", ["human", "mouse", "rat"])
def test_a_small_dose_follows_the_linear_system(toys, run, species):
    """Far below all capacities the equations are linear; the matrix is written here a second time, from the tables."""
    model = toys[species]
    p = {name: parameter.value for name, parameter in model.parameters.items()}
    flow = {
        organ: p[f"{name}_1kg"] * 1440 * p["body_weight"] ** 0.75
        for organ, name in {
            "liver": "liver_flow",
            "spleen": "spleen_flow",
            "lung": "cardiac_output",
            "kidney": "kidney_flow",
        }.items()
    }
    mass = p["ovary_mass_reference"] * p["body_weight"] / p["body_weight_reference"]
    scale = (p["body_weight"] / p["body_weight_reference"]) ** 0.75
    flow["ovary"] = 1440 * p["ovary_perfusion"] * p["ovary_mass_reference"] * scale
    flow["rest"] = flow["lung"] - flow["liver"] - flow["kidney"] - flow["ovary"]
    blood = p["plasma_per_kg"] * p["body_weight"] / (1 - p["haematocrit"])
    matrix = np.zeros((len(STATES), len(STATES)))

    def move(source, to, rate):
        matrix[STATES.index(source), STATES.index(source)] -= rate
        matrix[STATES.index(to), STATES.index(source)] += rate

    for organ in ORGANS:
        move("blood", organ, p[f"{organ}_extraction"] * flow[organ] / blood)
        move(organ, "degraded", np.log(2) / p["vesicle_half_life_in_cells"])
    move("rest", "blood", np.log(2) / p["return_half_life"])
    peritoneum = np.log(2) / p["ip_half_life"]
    move("ip", "blood", peritoneum * p["ip_share_absorbed"])
    move("ip", "degraded", peritoneum * (1 - p["ip_share_absorbed"]))
    volume = p["interstitial_share"] * mass
    move("depot_ovary", "ovary", p["cell_uptake_max"] * p["ovary_cells_per_g"] * mass / (p["receptor_half"] * volume))
    move("depot_ovary", "blood", 1 / p["depot_residence"])
    for route in ("blood", "ip", "depot_ovary"):
        dose = 100.0  # a millionth of every capacity, so linear within that
        found = _run(run, model, {f"vesicles_{route}": dose})
        first = np.eye(len(STATES))[STATES.index(route)] * dose
        expected = np.array([expm(matrix * minutes / 1440) @ first for minutes in MINUTES])
        for k, state in enumerate(STATES):
            np.testing.assert_allclose(found[state], expected[:, k], rtol=1e-4, atol=1e-7 * dose)


def test_blood_of_a_mouse_empties_as_measured(toys, run):
    found = _run(run, toys["mouse"], {"vesicles_blood": 1e10}, [0, 5, 10])
    half_life = 5 * np.log(2) / np.log(found["blood"][1] / found["blood"][2])
    measured = evidence.record("atlas-msc-ev-blood-halflife").value
    # the calibration weighs this record, which rests on two points, with dyes and particles; its SE is a sixth
    assert half_life == pytest.approx(measured, rel=0.16)
    assert half_life < evidence.record("ev-blood-halflife-under-10min").value


def test_the_liver_holds_what_particles_of_this_size_showed(toys, run):
    record = evidence.record("np-100nm-mouse-timecourse").value
    found = _run(run, toys["mouse"], {"vesicles_blood": 1e10}, [0, *record["time_min"]])
    liver = 100 * found["liver"][1:] / 1e10
    # particles stay, vesicles are broken down: only the first half hour compares, and the model may lie a fifth below
    assert np.all(np.abs(liver[:2] / np.array(record["liver"][:2]) - 1) < 0.2)


def test_radiolabel_shares_of_msc_vesicles_are_met(toys, run):
    found = _run(run, toys["mouse"], {"vesicles_blood": 1e10}, [0, 60])
    both = found["liver"][1] + found["spleen"][1]
    spleen, lung, kidney = (100 * found[o][1] / both for o in ("spleen", "lung", "kidney"))
    low, high = evidence.record("atlas-msc-ev-spread").value["radiolabel_spleen"]
    assert low <= spleen <= high
    low, high = evidence.record("atlas-msc-ev-spread").value["radiolabel_lung"]
    assert low <= lung <= high
    # by 99mTc; the 16-29 of 111In is not met, which the page says
    assert kidney == pytest.approx(np.mean(evidence.record("atlas-ucmsc-99mTc").value["kidney"]), rel=0.3)


def test_four_hours_later_the_liver_holds_the_measured_share(toys, run):
    record = evidence.record("ev-b16-125I-4h").value
    found = _run(run, toys["mouse"], {"vesicles_blood": 1e10}, [0, 240])
    # 28 % of dose set the speed of breakdown with a spleen that pulls the other way, each uncertain by a third;
    # the 7 % in lung are not met, which the page says
    assert 100 * found["liver"][1] / 1e10 == pytest.approx(record["liver"], rel=0.33)
    assert 100 * found["spleen"][1] / 1e10 == pytest.approx(record["spleen"], rel=0.3)
    assert 100 * found["lung"][1] / 1e10 < record["lung"]


def test_the_human_half_life_that_scaling_gives_agrees_with_endogenous_vesicles(toys, run):
    """plasma-endogenous-turnover: 3e13 vesicles over 1.5e12 a minute, 20 min; the model was not told."""
    found = _run(run, toys["human"], {"vesicles_blood": 1e11}, [0, 20], body_weight=70.0)
    residence = 20 / np.log(found["blood"][0] / found["blood"][1])
    assert residence == pytest.approx(20, rel=0.3)


def test_above_the_threshold_dose_the_liver_lets_vesicles_pass(toys, run):
    """np-liver-threshold-1e12: linear below, longer circulation above."""
    left = {
        d: _run(run, toys["mouse"], {"vesicles_blood": d}, [0, 15])["blood"][1] / d for d in (1e9, 1e10, 1e11, 4e12)
    }
    assert left[1e10] == pytest.approx(left[1e9], rel=0.02)
    assert left[1e11] == pytest.approx(left[1e9], rel=0.2)
    assert left[4e12] > 3 * left[1e9]


def test_the_target_gets_a_few_ten_thousandths_from_blood_and_most_of_a_local_dose(toys, run):
    for species, dose in (("mouse", 1e10), ("human", 1e11)):
        by_vein = _run(run, toys[species], {"vesicles_blood": dose}, [0, 60])
        local = _run(run, toys[species], {"vesicles_depot_ovary": dose / 1e3}, [0, 60])
        assert 1e-4 < by_vein["ovary"][1] / dose < 1e-3
        assert local["ovary"][1] / (dose / 1e3) > 0.3


def test_vesicles_per_cell_add_up_to_what_the_target_took(toys, run):
    model = toys["mouse"]
    days = np.linspace(0, 0.5, 20001)
    found = run(model, days, ["vesicles_per_cell_day_ovary", "signal"], start={"vesicles_blood": 1e10})
    total = np.trapezoid(found["vesicles_per_cell_day_ovary"], days)
    # signal fades with a half-life of 14 days: within half a day by at most 2.5 %
    assert total * np.exp(-np.log(2) / 14 * 0.5) <= found["signal"][-1] <= total * (1 + 1e-4)
