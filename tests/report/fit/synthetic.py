"""Made-up fits with every part that a real one has. The numbers are of no model; parts differ visibly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from types import MappingProxyType

import numpy as np
import pandas as pd

from exotwin.calibration.fit import Fit
from exotwin.calibration.objective import Evaluation
from exotwin.calibration.problem import (
    Condition,
    Measurements,
    Observable,
    Parameter,
    Problem,
    Simulation,
)
from exotwin.calibration.search import Found, Start
from exotwin.calibration.uncertainty import Curvature, Profile, Samples

HOSTILE = "<script>alert('x')</script> & \"co\" $5_{a}"
THRESHOLD = 1.920729410347062


def small_fit(*, samples: bool = True, name: str = "small", label: str = "Reporter") -> Fit:
    """2 observables, 1 condition, 4 parameters; every kind of profile, one missing; failed starts; a bound."""
    rng = np.random.default_rng(1)
    parameters = (
        Parameter("k_on", "log10", 1e-4, 1e2, 0.3, label=label),
        Parameter("k_off", "log", 1e-3, 1e3, float("nan")),
        Parameter("offset", "lin", -10.0, 10.0, 0.0),
        Parameter("sd_reporter", "log10", 1e-3, 1e1, 0.1),
    )
    observables = (
        Observable("reporter", "scale * A", "sd_reporter", label=label),
        Observable("dimer", "AA", "0.1", transformation="log10", distribution="laplace"),
    )
    conditions = {"c0": Condition("c0", {}, {})}
    time = np.tile([0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 20.0], 2)
    at = np.repeat([0, 1], 7)
    noise = np.where(at == 0, 4.0, 0.1)
    simulated = np.where(at == 0, 100 * (1 - np.exp(-time / 5)), 0.1 + 10 * np.exp(-time / 6))
    drawn = np.where(at == 0, simulated + 4 * rng.standard_normal(14), simulated * 10 ** rng.laplace(0, 0.1, 14))
    alone = (Simulation("c0"),)
    problem = _problem(name, parameters, observables, conditions, alone, at, np.zeros(14, int), time, drawn)
    point = np.array([np.log10(0.3), np.log(20.0), 10.0, np.log10(0.1)])
    begins = rng.uniform(problem.lower, problem.upper, (12, 4))
    values = [-20.0 + d for d in (3.2, 0.0, 0.0004, 0.02, 0.5, 11.0, 0.00001, 40.0, 0.09, 0.11)] + [np.inf, np.inf]
    outcomes = ["converged"] * 8 + ["iteration limit", "failed: step too small", *["failed: too many steps, c0"] * 2]
    began = [np.nan if i == 10 else 5.0 + i for i in range(12)]
    starts = tuple(_start(i, begins[i], began[i], point + 0.01 * i, values[i], outcomes[i]) for i in range(12))
    starts = (*starts[:1], _start(1, begins[1], 6.0, point, -20.0, "converged"), *starts[2:])
    se = np.array([0.05, 0.4, np.nan, np.inf])
    correlation = np.full((4, 4), np.nan)
    correlation[:2, :2] = [[1, -0.93], [-0.93, 1]]
    free = np.array([True, True, False, True])
    profiles = (
        _profile("k_on", 0, point, -20.0, 0.05, "identifiable", problem),
        _profile("k_off", 1, point, -20.0, 0.4, "only an upper limit", problem),
        _profile("offset", 2, point, -20.0, 3.0, "failed", problem),
    )
    drawn_points = point + rng.standard_normal((400, 4)) * [0.05, 0.4, 0.5, 0.3]
    draws = Samples(
        np.clip(drawn_points, problem.lower, problem.upper), -20 + rng.gamma(2, 0.5, 400), 0.31,
        np.array([21.0, 25.0, np.nan, 30.0]), ("The chain is 19 autocorrelation times long; 50 are usual.",),
    )  # fmt: skip
    return Fit(
        problem, starts, _evaluation(simulated, noise, -20.0, 21.5),
        Curvature(se, correlation, np.array([1.0, 40.0]), free), profiles, draws if samples else None,
        {"optimiser": "fides", "starts": 12, "seed": 1, "gtol": 1e-6},
        {"search": 1.5, "profiles": 3.25}, ("One remark on this fit.",),
    )  # fmt: skip


def large_fit(*, n_parameters: int = 100, n_starts: int = 300) -> Fit:
    """20 observables, 36 conditions, many parameters; courses, doses, replicates, scales, steady states."""
    rng = np.random.default_rng(2)
    parameters = tuple(
        Parameter(f"{kind}_{i:03}_of_a_process_with_a_name", ("log10", "lin")[i % 7 == 6], 1e-5, 1e3, 1.0)
        for i, kind in zip(range(n_parameters), cycle(("k", "scale", "sd")), strict=False)
    )
    observables = tuple(
        Observable(f"observable_{i:02}_total_protein", "A", "sd", transformation, label=f"Protein {i}")
        for i, transformation in zip(range(20), cycle(("log10", "lin", "log")), strict=False)
    )
    conditions = {f"model1_data{i}": Condition(f"model1_data{i}", {}, {}) for i in range(1, 37)}
    simulations = tuple(Simulation(c, "model1_data1" if i % 5 == 4 else None) for i, c in enumerate(conditions))
    rows: list[tuple[int, int, float, tuple[str, ...]]] = []
    for o in range(20):
        if o % 4 == 0:  # courses under many conditions
            chosen = range(0, min(36, 4 * (1 + o // 2)), 2)
            rows += [(o, s, t, ()) for s in chosen for t in (0.0, 5, 10, 20, 40, 60, 120)]
        elif o % 4 == 1:  # doses, at one time, three replicates
            rows += [(o, s, 10.0, ()) for s in range(3 + o) for _ in range(3)]
        elif o % 4 == 2:  # one course, on two scales
            rows += [(o, 3, t, (f"scale_gel{g}",)) for g in (1, 2) for t in (0.0, 30, 60, 90)]
        else:  # steady states, and a course
            rows += [(o, s, np.inf, ()) for s in range(5)] + [(o, 7, t, ()) for t in (0.0, 60.0, 180.0)]
    at, sim, time = (np.array([r[k] for r in rows]) for k in range(3))
    finite = np.where(np.isfinite(time), time, 300)
    simulated = 10 ** (0.02 * at) * (1 + sim / 6) * (0.2 + 1 - np.exp(-finite / (10 + 3 * sim)))
    scales = np.array([2.0 if r[3] == ("scale_gel2",) else 1.0 for r in rows])
    simulated = simulated * scales
    noise = np.where(at % 3 == 1, 0.2, 0.08)
    standard = rng.standard_normal(len(rows))
    standard[7] = 8.5
    drawn = np.where(
        at % 3 == 1, simulated + noise * standard,
        np.where(at % 3 == 0, simulated * 10 ** (noise * standard), simulated * np.exp(noise * standard)),
    )  # fmt: skip
    problem = _problem(
        "large", parameters, observables, conditions, simulations, at, sim, time, drawn, tuple(r[3] for r in rows)
    )
    point = rng.uniform(0.1, 0.9, n_parameters) * (problem.upper - problem.lower) + problem.lower
    point[3], point[4] = problem.lower[3], problem.upper[4]
    excess = np.concatenate([[0.0], np.sort(rng.gamma(0.5, 4, n_starts - 1)) ** 3 / 10])
    excess[n_starts - n_starts // 12 :] = np.inf
    starts = tuple(
        _start(
            i, rng.uniform(problem.lower, problem.upper), 1e4 + i, point, -400 + excess[i],
            "failed: steps too small" if np.isinf(excess[i]) else "iteration limit" if i % 3 == 2 else "converged",
        )
        for i in range(n_starts)
    )  # fmt: skip
    verdicts = ("identifiable", "identifiable", "only an upper limit", "only a lower limit", "not identifiable")
    profiles = tuple(
        _profile(p.name, i, point, -400.0, 0.04 * (1 + i % 9), verdicts[i % 5], problem)
        for i, p in enumerate(parameters)
        if i % 10
    )
    factor = rng.standard_normal((n_parameters, 6))
    covariance = factor @ factor.T + np.diag(rng.uniform(0.2, 3, n_parameters))
    sd = np.sqrt(np.diag(covariance))
    free = np.ones(n_parameters, bool)
    free[[3, 4]] = False
    correlation = covariance / np.outer(sd, sd)
    correlation[~free], correlation[:, ~free] = np.nan, np.nan
    return Fit(
        problem, starts, _evaluation(simulated, noise, -400.0, 400.0),
        Curvature(np.where(free, 0.05 * sd, np.nan), correlation, np.linspace(0, 50, n_parameters - 2), free),
        profiles, None, {"optimiser": "fides", "starts": n_starts, "seed": 2}, {"search": 90.0},
    )  # fmt: skip


def hopeless_fit() -> Fit:
    """No start ever gave a value."""
    fit = small_fit(samples=False)
    nothing = np.full(4, np.nan)
    starts = tuple(
        Start(i, s.begin, np.inf, Found(s.begin, np.inf, nothing, 3, 3, "failed: model does not move"), 0.1)
        for i, s in enumerate(fit.starts)
    )
    row = np.full((1, 14), np.nan)
    evaluation = Evaluation(np.array([np.inf]), np.array([-np.inf]), ("failed",), row, row)
    return Fit(fit.problem, starts, evaluation, None, (), None, fit.settings, fit.seconds)


def _problem(
    name: str,
    parameters: tuple[Parameter, ...],
    observables: tuple[Observable, ...],
    conditions: dict[str, Condition],
    simulations: tuple[Simulation, ...],
    at: np.ndarray,
    simulation: np.ndarray,
    time: np.ndarray,
    value: np.ndarray,
    filled: Sequence[tuple[str, ...]] = (),
) -> Problem:
    filled = tuple(filled) or ((),) * len(at)
    table = pd.DataFrame(
        {
            "observableId": [observables[k].name for k in at],
            "preequilibrationConditionId": [simulations[k].before for k in simulation],
            "simulationConditionId": [simulations[k].condition for k in simulation],
            "measurement": value,
            "time": time,
            "observableParameters": [";".join(f) for f in filled],
            "datasetId": [f"d{k}" for k in at],
        }
    )
    integers = at.astype(np.int64), simulation.astype(np.int64)
    measurements = Measurements(*integers, time.astype(float), value, tuple(filled), ((),) * len(at), table)
    digest = "ab12" * 16
    return Problem(
        name, "<sbml/>", parameters, MappingProxyType({}), observables, conditions, simulations, measurements, digest
    )


def _evaluation(simulated: np.ndarray, noise: np.ndarray, value: float, log_likelihood: float) -> Evaluation:
    return Evaluation(np.array([value]), np.array([log_likelihood]), ("ok",), simulated[None], noise[None])


def _start(number: int, begin: np.ndarray, begin_value: float, end: np.ndarray, value: float, outcome: str) -> Start:
    found = Found(end, value, np.zeros(len(end)), 40 + number, number % 3, outcome)
    return Start(number, begin, begin_value, found, 0.5 * number)


def _profile(name: str, i: int, point: np.ndarray, best: float, se: float, verdict: str, problem: Problem) -> Profile:
    lower, upper = float(problem.lower[i]), float(problem.upper[i])
    left, right = verdict in ("identifiable", "only a lower limit"), verdict in ("identifiable", "only an upper limit")
    low, high = max(lower, point[i] - (2.6 * se if left else 9)), min(upper, point[i] + (2.6 * se if right else 9))
    grid = np.unique(np.concatenate([np.linspace(low, high, 17), [point[i]]]))
    z = (grid - point[i]) / se
    flat = np.where(z < 0, not left, not right)
    value = best + np.where(flat, 1.2 * (1 - np.exp(-np.abs(z) / 8)), z**2 / 2 + 0.04 * np.abs(z) ** 3)
    if verdict == "failed":
        value = np.full(len(grid), np.inf)
    points = np.tile(point, (len(grid), 1))
    points[:, i] = grid
    width = se * 1.86
    return Profile(
        name, grid, value, points,
        point[i] - width if left else -np.inf, point[i] + width if right else np.inf, verdict,
    )  # fmt: skip
