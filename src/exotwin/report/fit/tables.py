"""A fit as tables: parameters, starts, profiles, samples, correlations, the simulation in PEtab's form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from exotwin.report.fit.facts import Floats, estimates

if TYPE_CHECKING:
    import pandas as pd

    from exotwin.calibration.fit import Fit
    from exotwin.calibration.objective import Evaluation
    from exotwin.calibration.problem import Problem

N_FACTS = 7  # columns of the table of starts before their points


def parameters(fit: Fit) -> pd.DataFrame:
    """One row for each estimated parameter; numbers that are infinite or none are NaN."""
    import pandas as pd

    rows = [
        {
            "parameter": e.name,
            "label": e.label,
            "scale": e.scale,
            "value": e.value,
            "value_on_scale": e.scaled,
            "se_on_scale": e.se_scaled,
            "se": e.se,
            "profile_low": e.profile[0],
            "profile_high": e.profile[1],
            "curvature_low": e.curvature[0],
            "curvature_high": e.curvature[1],
            "lower": e.lower,
            "upper": e.upper,
            "at_bound": e.at_bound,
            "identifiability": e.verdict,
        }
        for e in estimates(fit)
    ]
    return pd.DataFrame(rows).replace([np.inf, -np.inf], np.nan)


def starts(fit: Fit) -> pd.DataFrame:
    """One row for each start, with where it began and ended on the scale of the parameters."""
    import pandas as pd

    columns: dict[str, Any] = {
        "number": [s.number for s in fit.starts],
        "begin_value": [s.begin_value for s in fit.starts],
        "value": [s.found.value for s in fit.starts],
        "outcome": [s.found.outcome for s in fit.starts],
        "evaluations": [s.found.evaluations for s in fit.starts],
        "failed": [s.found.failed for s in fit.starts],
        "seconds": [s.seconds for s in fit.starts],
    }
    columns |= _points(fit.problem, np.array([s.begin for s in fit.starts], float), "begin_")
    columns |= _points(fit.problem, np.array([s.found.point for s in fit.starts], float), "end_")
    return pd.DataFrame(columns)


def profiles(fit: Fit) -> pd.DataFrame | None:
    """One row for each point of each profile: its parameter, where that was held, the objective, the whole point."""
    import pandas as pd

    if not fit.profiles:
        return None
    return pd.concat(
        [
            pd.DataFrame(
                {"parameter": p.parameter, "at": p.grid, "value": p.value} | _points(fit.problem, p.points, "point_")
            )
            for p in fit.profiles
        ],
        ignore_index=True,
    )


def samples(fit: Fit) -> pd.DataFrame | None:
    """One row for each draw, parameters on their scale."""
    import pandas as pd

    if fit.samples is None:
        return None
    return pd.DataFrame({"value": fit.samples.value} | _points(fit.problem, fit.samples.points, "point_"))


def correlations(fit: Fit) -> pd.DataFrame | None:
    """The matrix, with the names of its rows as first column."""
    import pandas as pd

    if fit.curvature is None:
        return None
    names = list(fit.problem.names)
    matrix = pd.DataFrame(fit.curvature.correlation, columns=names).replace([np.inf, -np.inf], np.nan)
    matrix.insert(0, "parameter", names, allow_duplicates=True)
    return matrix


def simulation(problem: Problem, evaluation: Evaluation) -> pd.DataFrame:
    """The measurement table with what is simulated at the first point in place of what was measured."""
    table = problem.measurements.table.rename(columns={"measurement": "simulation"})
    simulated = evaluation.simulation[0]
    table["simulation"] = np.where(np.isfinite(simulated), simulated, np.nan)
    return table


def _points(problem: Problem, points: Floats, prefix: str) -> dict[str, Floats]:
    """(row, parameter) → a column for each parameter."""
    return {f"{prefix}{name}": points[:, i] for i, name in enumerate(problem.names)}
