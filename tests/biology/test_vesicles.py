"""Where vesicles go, against a matrix exponential and against measured organs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm

from exotwin import evidence
from exotwin.biology import assemble
from exotwin.engine import Dose, load

MINUTES = np.array([0.0, 2, 5, 15, 30, 60, 120, 240, 360, 1440])
ORGANS = ["liver", "spleen", "lung", "kidney", "rest"]
STATES = ["blood", *ORGANS, "wall", "lung_held", "ip", "airway", "depot_ovary", "ovary", "degraded"]
LASTS = {"vesicle_half_life_in_cells": 1e6}  # a label that stays in cells, or a particle that is not broken down


def _run(run, model, start, minutes=MINUTES, **parameters):
    names = [f"vesicles_{s}" for s in STATES]
    found = run(model, np.asarray(minutes) / 1440, names, start=start, **parameters)
    return {s: found[f"vesicles_{s}"] for s in STATES}


def _rates(p):
    """(from, to) -> rate in 1/day, for a dose far below all capacities: the equations once more, from the tables."""
    flow = {
        organ: p[f"{name}_1kg"] * 1440 * p["body_weight"] ** 0.75
        for organ, name in {
            "liver": "liver_flow",
            "spleen": "spleen_flow",
            "lung": "cardiac_output",
            "kidney": "kidney_flow",
        }.items()
    }
    relative = p["body_weight"] / p["body_weight_reference"]
    mass = p["ovary_mass_reference"] * relative
    ovary = 1440 * p["ovary_perfusion"] * p["ovary_mass_reference"] * relative**0.75
    flow["rest"] = flow["lung"] - flow["liver"] - flow["kidney"] - ovary
    blood = p["plasma_per_kg"] * p["body_weight"] / (1 - p["haematocrit"])
    size = p["diameter_reference"] / p["vesicle_diameter"]
    large = 1 / (1 + (p["diameter_held"] / p["vesicle_diameter"]) ** 4)
    back, ip, airway = (np.log(2) / p[f"{n}_half_life"] for n in ("return", "ip", "airway"))
    breakdown = np.log(2) / p["vesicle_half_life_in_cells"]
    rates = {("blood", organ): p[f"{organ}_extraction"] * flow[organ] / blood for organ in ORGANS}
    rates |= {(organ, "degraded"): breakdown for organ in (*ORGANS, "ovary")}
    return rates | {
        ("blood", "depot_ovary"): size * p["ovary_extraction"] * ovary / blood,
        ("blood", "wall"): p["wall_ratio"] * back,
        ("wall", "blood"): back,
        ("blood", "lung_held"): p["lung_hold"] * large * flow["lung"] / blood,
        ("lung_held", "blood"): np.log(2) / p["lung_hold_half_life"],
        ("depot_ovary", "ovary"): p["cell_uptake_max"]
        * p["ovary_cells_per_g"]
        * mass
        / (p["receptor_half"] * p["ovary_interstitial"] * mass),
        ("depot_ovary", "blood"): size / p["ovary_residence"],
        ("ip", "blood"): ip * p["ip_share_absorbed"],
        ("ip", "degraded"): ip * (1 - p["ip_share_absorbed"]),
        ("airway", "lung"): airway * p["airway_share_taken"],
        ("airway", "degraded"): airway * (1 - p["airway_share_taken"]),
    }


@pytest.mark.parametrize("diameter", [100.0, 300.0])
@pytest.mark.parametrize("species", ["human", "mouse", "rat"])
def test_a_small_dose_follows_the_linear_system(toys, run, species, diameter):
    model = toys[species]
    p = {name: parameter.value for name, parameter in model.parameters.items()} | {"vesicle_diameter": diameter}
    matrix = np.zeros((len(STATES), len(STATES)))
    for (source, to), rate in _rates(p).items():
        matrix[STATES.index(source), STATES.index(source)] -= rate
        matrix[STATES.index(to), STATES.index(source)] += rate
    for route in ("blood", "ip", "airway", "depot_ovary"):
        dose = 100.0  # a millionth of every capacity, so linear within that
        found = _run(run, model, {f"vesicles_{route}": dose}, vesicle_diameter=diameter)
        first = np.eye(len(STATES))[STATES.index(route)] * dose
        expected = np.array([expm(matrix * minutes / 1440) @ first for minutes in MINUTES])
        for k, state in enumerate(STATES):
            np.testing.assert_allclose(found[state], expected[:, k], rtol=1e-4, atol=1e-7 * dose, err_msg=state)


@pytest.fixture(scope="module")
def healthy():
    """A body with all tissues, without cells of the product: vesicles alone, compiled."""
    models = {s: assemble("healthy", s, modules=("physiology", "vesicles")) for s in ("human", "mouse", "rat")}
    return {species: (model, load(model.sbml)) for species, model in models.items()}


@pytest.mark.parametrize("species", ["human", "mouse", "rat"])
def test_the_balance_closes_at_all_times_by_every_route_at_every_size(healthy, species):
    model, compiled = healthy[species]
    states = [s for s in model.states if s.startswith("vesicles_")]
    routes = sorted({d.state for (kind, _), d in assemble("healthy", species).dosing.items() if kind == "vesicles"})
    assert len(routes) == 9
    times = np.concatenate([[0], np.geomspace(1e-5, 60, 80)])
    for diameter in (40.0, 100.0, 800.0):
        for route in routes:
            dose = 4e12  # beyond the capacity of a mouse
            found = compiled.simulate(
                times, outputs=states, doses=[Dose(route, 0.0, dose)], parameters={"vesicle_diameter": diameter}
            )
            total = sum(found[s].to_numpy()[0] for s in states)
            np.testing.assert_allclose(total[1:], dose, rtol=1e-6, err_msg=f"{route}, {diameter} nm")
            assert min(found[s].min().item() for s in states) >= -1e-6 * dose


def test_what_is_put_into_a_tissue_is_found_there_and_in_blood_later(healthy):
    _, compiled = healthy["mouse"]
    for tissue, route in (("brain", "nose"), ("skin", "on_skin"), ("skin", "depot_skin"), ("muscle", "depot_muscle")):
        names = [f"vesicles_in_{tissue}", "vesicles_liver"]
        found = compiled.simulate([0, 0.25], outputs=names, doses=[Dose(f"vesicles_{route}", 0.0, 1e10)])
        assert all(found[name].to_numpy()[0, 1] > 1e3 for name in names), route


def test_large_vesicles_pass_no_wall_as_well_as_small_ones_and_lie_in_the_lung(healthy):
    """ev-review-time-order."""
    _, compiled = healthy["mouse"]
    names = ["vesicles_in_lung", "vesicles_liver", "vesicles_in_muscle"]
    doses = [Dose("vesicles_blood", 0.0, 1e10)]
    small, large = (
        compiled.simulate([0, 1 / 24], outputs=names, doses=doses, parameters={"vesicle_diameter": d})
        for d in (100.0, 500.0)
    )
    assert large["vesicles_in_lung"][0, 1] > large["vesicles_liver"][0, 1]
    assert small["vesicles_in_lung"][0, 1] < 0.1 * small["vesicles_liver"][0, 1]
    assert large["vesicles_in_muscle"][0, 1] < 0.2 * small["vesicles_in_muscle"][0, 1]


def test_blood_of_a_mouse_empties_as_measured(toys, run):
    found = _run(run, toys["mouse"], {"vesicles_blood": 1e10}, [0, 5, 15])
    half_life = 10 * np.log(2) / np.log(found["blood"][1] / found["blood"][2])
    measured = evidence.record("atlas-msc-ev-blood-halflife").value
    # the calibration weighs this record, which rests on two points, with dyes and particles; its SE is a sixth
    assert half_life == pytest.approx(measured, rel=0.16)
    assert half_life < evidence.record("ev-blood-halflife-under-10min").value


def test_the_liver_holds_what_particles_of_this_size_showed(toys, run):
    record = evidence.record("np-100nm-mouse-timecourse").value
    found = _run(run, toys["mouse"], {"vesicles_blood": 1e10}, [0, *record["time_min"]], **LASTS)
    liver = 100 * found["liver"][1:] / 1e10
    # the fit gives the last three an error of 5 % in a body with all tissues, and this one follows the ovary alone;
    # the first, while blood empties, stands against other labels
    np.testing.assert_allclose(liver[1:], record["liver"][1:], rtol=0.08)
    assert liver[0] == pytest.approx(record["liver"][0], rel=0.15)


def test_radiolabel_shares_of_msc_vesicles_are_met(toys, run):
    found = _run(run, toys["mouse"], {"vesicles_blood": 1e10}, [0, 60], **LASTS)
    both = found["liver"][1] + found["spleen"][1]
    low, high = evidence.record("atlas-msc-ev-spread").value["radiolabel_spleen"]
    assert low <= 100 * found["spleen"][1] / both <= high
    low, high = evidence.record("atlas-msc-ev-spread").value["radiolabel_lung"]
    assert low <= 100 * (found["lung"][1] + found["lung_held"][1]) / both <= high
    # by 99mTc; the 16-29 of 111In is not met, which the page says
    kidney = np.mean(evidence.record("atlas-ucmsc-99mTc").value["kidney"])
    assert 100 * found["kidney"][1] / both == pytest.approx(kidney, rel=0.3)


def test_without_macrophages_vesicles_stay_for_hours(toys, run):
    """ev-pk-macrophage-depleted: residence of 3.57 h; nothing was fitted to it."""
    minutes = np.linspace(0, 5760, 2000)
    found = _run(run, toys["mouse"], {"vesicles_blood": 1e10}, minutes, macrophages=0.0)
    free = found["blood"] + found["wall"] + found["lung_held"]
    assert np.trapezoid(free, minutes / 60) / 1e10 == pytest.approx(3.57, rel=0.3)


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


def test_leaky_vessels_let_more_out_in_proportion(toys, run):
    intact, leaky = (
        _run(run, toys["mouse"], {"vesicles_blood": 1e10}, [0, 60], leak_ovary=fold)["ovary"][1] for fold in (1.0, 3.0)
    )
    assert leaky == pytest.approx(3 * intact, rel=0.01)  # the ovary takes too little for blood to notice


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
