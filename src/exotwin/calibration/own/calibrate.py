"""One of exotwin's own calibrations, refitted."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from exotwin.biology import SHIPPED
from exotwin.calibration.fit import Fit, fit
from exotwin.calibration.objective import objective
from exotwin.calibration.own.definition import Definition, Target, read_definition
from exotwin.calibration.own.result import Comparison, Estimate, OwnCalibration
from exotwin.calibration.own.tables import shipped
from exotwin.calibration.problem import Problem, read
from exotwin.errors import CalibrationError
from exotwin.progress import Progress, Silent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from exotwin.calibration.uncertainty import Profile


def calibrate(
    name: str, *, starts: int | None = None, seed: int = 1, root: Path = SHIPPED, progress: Progress | None = None
) -> OwnCalibration:
    """Refit a calibration with the committed problem. Changes no table; see `OwnCalibration.write`.

    Parameters
    ----------
    name : one of `calibrations`.
    starts, seed : of the searches; by default as many starts as the calibration says.
    root : folder of the biology with ``calibrations`` and the tables; by default the package's own.
    progress : told how far the fit has come.

    Raises
    ------
    NotBuiltYet : a calibration that does not exist. InputError : files that are broken. CalibrationError : a fit that
        finds nothing, a target that the problem does not estimate.
    """
    definition = read_definition(name, root=root)
    problem = read(definition.problem)
    unknown = [t.parameter for t in definition.targets if t.parameter not in problem.names]
    if unknown:
        where = f"{name}/calibration.toml, writes"
        raise CalibrationError(where, found=f'"{unknown[0]}"', expected="one of " + ", ".join(problem.names))
    wanted = list(dict.fromkeys(t.parameter for t in definition.targets))
    found = fit(
        problem,
        starts=starts or definition.starts,
        seed=seed,
        profiles=wanted,
        rtol=definition.rtol,
        progress=progress or Silent(),
    )
    if not math.isfinite(found.best.found.value):
        raise CalibrationError(f"calibration {name}", found="no start with a value", expected="at least one")
    return OwnCalibration(
        definition=definition,
        fit=found,
        estimates=tuple(_estimate(found, target, root) for target in definition.targets),
        comparisons=(*_fitted(found), *_checks(definition, found)),
    )


def _estimate(found: Fit, target: Target, root: Path) -> Estimate:
    import numpy as np

    problem, point = found.problem, found.best.found.point
    place = problem.names.index(target.parameter)
    scale = problem.parameters[place].scale
    value = float(problem.unscaled(point)[place])
    step = {"lin": 1.0, "log": value, "log10": value * math.log(10)}[scale]
    se = math.nan if found.curvature is None else float(found.curvature.se[place]) * step
    profile: Profile = next(p for p in found.profiles if p.parameter == target.parameter)

    def back(end: float) -> float:
        if not math.isfinite(end):
            return end
        moved = np.array(point, float)
        moved[place] = end
        return float(problem.unscaled(moved)[place])

    now = shipped(root, target)
    return Estimate(
        target=target,
        value=value,
        se=se,
        relative_se=se / abs(value),
        error_as_spread=se if now.distribution == "normal" else se / abs(value),
        low=back(profile.low),
        high=back(profile.high),
        verdict=profile.verdict,
        unit=now.unit if target.column == "value" else "",
        shipped=now.value,
        shipped_se=now.se,
        shipped_identifiability=now.identifiability,
        shipped_spread=now.spread,
    )


def _fitted(found: Fit) -> Iterator[Comparison]:
    return _compared(found.problem, found.evaluation.simulation[0], found.evaluation.noise[0], "fit")


def _checks(definition: Definition, found: Fit) -> Iterator[Comparison]:
    if definition.checks is None:
        return iter(())
    problem = read(definition.checks)
    if problem.names != found.problem.names:
        names = ", ".join(problem.names)
        raise CalibrationError(str(definition.checks), found=names, expected=", ".join(found.problem.names))
    at = objective(problem, rtol=definition.rtol).evaluate(found.best.found.point[None, :])
    return _compared(problem, at.simulation[0], at.noise[0], "check")


def _compared(
    problem: Problem, simulated: NDArray[np.float64], noise: NDArray[np.float64], role: str
) -> Iterator[Comparison]:
    measured, table = problem.measurements, problem.measurements.table
    for k in range(len(measured)):
        observable = problem.observables[measured.observable[k]]
        observed, row = float(measured.value[k]), table.iloc[k]
        if role == "fit":
            low, high = _limits(observed, 1.96 * float(noise[k]), observable.transformation)
        else:
            low, high = (float(row[end]) if str(row[end]).strip() else math.nan for end in ("low", "high"))
        yield Comparison(
            observable=observable.name,
            label=observable.label or observable.name,
            condition=problem.simulations[measured.simulation[k]].label,
            time=float(measured.time[k]),
            observed=observed,
            low=low,
            high=high,
            simulated=float(simulated[k]),
            role=role,
            record=str(row["record"]),
            needs=str(row.get("needs", "")),
            note=str(row["note"]),
        )


def _limits(observed: float, width: float, transformation: str) -> tuple[float, float]:
    if transformation == "lin":
        return observed - width, observed + width
    fold = math.exp(width) if transformation == "log" else 10**width
    return observed / fold, observed * fold
