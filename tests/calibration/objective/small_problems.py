"""Small problems as files, written by hand in a few lines, and derivatives that no formula of ours gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from engine_tools import sbml
from numpy.typing import NDArray

from exotwin.calibration.objective import SimulatedObjective
from exotwin.calibration.problem import Problem, read

Floats = NDArray[np.float64]

PARAMETERS = "parameterId|parameterScale|lowerBound|upperBound|nominalValue|estimate"
OBSERVABLES = "observableId|observableFormula|noiseFormula"
MEASUREMENTS = "observableId|simulationConditionId|measurement|time"

CONVERSION = "compartment c = 1; species A in c, B in c; A = 1; B = 0; k1 = 0.8; k2 = 0.6; J: A -> B; k1*A - k2*B"
"""A <-> B, whose sum is conserved: A(t) = s + (A0 − s) exp(−(k1 + k2) t), s = k2 (A0 + B0) / (k1 + k2)."""


def conversion(t: Any, k1: float, k2: float, a0: float = 1.0, b0: float = 0.0) -> Any:
    """A at times t, numbers or arrays."""
    rest = k2 * (a0 + b0) / (k1 + k2)
    return rest + (a0 - rest) * np.exp(-(k1 + k2) * t)


def problem(
    folder: Path,
    model: str,
    *,
    parameters: str,
    observables: str,
    measurements: str,
    conditions: str = "conditionId\nc0",
    population: str | None = None,
    individuals: int = 64,
) -> Problem:
    """A problem from an Antimony model and tables with | between cells; the first line of each is its header."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"parameters": parameters, "observables": observables, "measurements": measurements}
    tables["conditions"] = conditions
    yaml = (
        "format_version: 1\nparameter_file: parameters.tsv\nproblems:\n- sbml_files: [model.xml]\n"
        "  condition_files: [conditions.tsv]\n  measurement_files: [measurements.tsv]\n"
        "  observable_files: [observables.tsv]\n"
    )
    if population is not None:
        tables["population"] = population
        yaml += (
            "extensions:\n  exotwin_population: {version: 1.0.0, required: true, "
            f"individuals: {individuals}, seed: 3, population_file: population.tsv}}\n"
        )
    for name, text in tables.items():
        (folder / f"{name}.tsv").write_text(text.strip().replace("|", "\t") + "\n")
    (folder / "model.xml").write_text(sbml(model))
    (folder / "problem.yaml").write_text(yaml)
    return read(folder / "problem.yaml")


def differences(aim: SimulatedObjective, point: Floats, step: float = 1e-4) -> Floats:
    """(p,) gradient by five-point differences of the objective's values."""
    shifts = step * np.eye(len(point))
    rows = [aim.evaluate(point + k * shifts).value for k in (-2, -1, 1, 2)]
    return np.asarray((rows[0] - 8 * rows[1] + 8 * rows[2] - rows[3]) / (12 * step))
