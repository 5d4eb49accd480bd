"""The animal potency in premature ovarian insufficiency: how strongly a usual dose acts in the mouse with injury.

One number is fitted, `animal_scale`, which multiplies the assumed split between the processes. Two groups of the same
virtual mice get chemotherapy, one of them cells a week later; the standardised difference between the groups, read two
and four weeks after the dose, is held against that of the pooled animal studies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exotwin.calibration.ensemble import draw, run
from exotwin.calibration.measurements import Measurement, measurements
from exotwin.calibration.result import Calibration, Fitted
from exotwin.errors import CalibrationError
from exotwin.progress import Progress

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import xarray as xr

    from exotwin.biology import Model
    from exotwin.engine import CompiledModel

_NAME = "poi-animal-potency"
_READ = (14.0, 28.0)  # days after the dose: msc-meta-2023-protocols
_CELLS = 1e6  # a mouse, intravenous: msc-meta-2023-protocols, msc-meta-2023-e2-dose
_VESICLES = 1.25e10  # a mouse, intravenous: median of ev-dose-literature-mouse
_OUTPUTS = ("e2", "fsh", "amh", "antral", "preantral", "primordial")
_HORMONES = ("amh_reference", "fsh_floor", "fsh_ceiling", "fsh_half", "e2_per_follicle")
_SPREADS = (0.7, 1.4)  # the spread of hormones between animals is assumed: factors tried on its logarithm
_SEARCH = (0.05, 8.0)
_PROFILE = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)


def animal_potency(*, n_animals: int, seed: int, progress: Progress) -> Calibration:
    """Fit `animal_scale` to the pooled SMD of E2 and FSH (``msc-meta-2023-e2``, ``msc-meta-2023-fsh``).

    Random and fixed effects of these pools differ up to twofold with I2 88, a sign of small-study effects; the fixed
    effect is the target, the error is that of the random effect. Other pools are checks. The error of the scale joins
    that of the pools (from the curvature of the fit) and that of the hormones' spread between animals, an assumption.

    Raises
    ------
    CalibrationError : fewer than 16 animals; a search that ends at the edge of its range.
    """
    if n_animals < 16:
        raise CalibrationError(f"calibration {_NAME}", found=f"{n_animals} animals", expected="16 or more")
    from exotwin.biology import assemble
    from exotwin.engine import load

    progress.start(_NAME, 2 + len(_SPREADS) + len(_PROFILE))
    model = assemble("poi", "mouse")
    compiled = load(model.sbml)
    rows = measurements(_NAME)
    aims = [m for m in rows if m.role == "fit"]
    animals = draw(model, n=n_animals, seed=seed)
    groups = _Groups(model, compiled, animals)
    log_scale, curvature_error = _fit(groups, aims)
    progress.advance()
    shifts = []
    for factor in _SPREADS:
        shifts.append(_fit(_Groups(model, compiled, _spread(model, animals, factor)), aims)[0] - log_scale)
        progress.advance()
    spread_error = (max(shifts) - min(shifts)) / 2
    scale, log_error = math.exp(log_scale), math.hypot(curvature_error, spread_error)
    low, high = (scale * math.exp(shift) for shift in shifts)

    after = {arm: groups.effects(scale, arm) for arm in ("cells", "vesicles")}
    progress.advance()
    profile = []
    for tried in _PROFILE:
        profile.append((tried, _misfit(groups, aims, math.log(tried))))
        progress.advance()
    shipped = model.parameters["animal_scale"].value
    return Calibration(
        name=_NAME,
        values=(Fitted("animal_scale", "human and mouse", scale, scale * log_error, "dimensionless", shipped),),
        comparisons=tuple(m.beside(after[m.quantity.split()[0]][m.quantity.split()[1]]) for m in rows),
        identifiability=(
            f"One number, two measurements. SD of its logarithm {log_error:.2f}: {curvature_error:.2f} from the pools, "
            f"{spread_error:.2f} from the spread of hormones between animals (assumed; at {_SPREADS[0]} and "
            f"{_SPREADS[1]} times that spread the scale is {low:.2f} and {high:.2f}). The split between the processes, "
            "how large the injury is and how fast it heals are not held by these data. The response to a usual dose is "
            "nearly full in mice, so the potency of a single cell or vesicle has a lower bound only."
        ),
        settings=(
            f"{n_animals} mice an arm, seed {seed}; {_CELLS:.0e} cells or {_VESICLES:.3g} vesicles into a vein; read "
            f"{' and '.join(f'{d:.0f}' for d in _READ)} days later"
        ),
        profile=tuple(profile),
    )


@dataclass(frozen=True)
class _Groups:
    """The same animals with and without a product."""

    model: Model
    compiled: CompiledModel
    animals: Mapping[str, npt.NDArray[np.float64]]

    def effects(self, scale: float, arm: str) -> dict[str, float]:
        """Standardised difference, treated less untreated, mean over the days of reading."""
        from exotwin.engine import Dose

        product, amount = {"cells": ("cells", _CELLS), "vesicles": ("vesicles", _VESICLES)}[arm]
        dose = Dose(self.model.dosing[product, "intravenous"].state, 0.0, amount)
        times = [-self.model.run_in, 0.0, *_READ]
        acting = {"reading_animal": 1.0, "animal_scale": scale}
        treated = run(self.compiled, times, {**self.animals, **acting}, _OUTPUTS, doses=[dose])
        untreated = run(self.compiled, times, self.animals, _OUTPUTS)
        groups = [group.assign(growing=group["preantral"] + group["antral"]) for group in (treated, untreated)]
        return {name: _standardised(groups[0][name], groups[1][name]) for name in (*_OUTPUTS, "growing")}


def _standardised(treated: xr.DataArray, untreated: xr.DataArray) -> float:
    one, other = treated.sel(time=list(_READ)), untreated.sel(time=list(_READ))
    pooled = ((one.var("patient", ddof=1) + other.var("patient", ddof=1)) / 2) ** 0.5
    return float(((one.mean("patient") - other.mean("patient")) / pooled).mean())


def _spread(
    model: Model, animals: Mapping[str, npt.NDArray[np.float64]], factor: float
) -> dict[str, npt.NDArray[np.float64]]:
    centre = {name: model.parameters[name].value for name in _HORMONES}
    return {n: centre[n] * (v / centre[n]) ** factor if n in centre else v for n, v in animals.items()}


def _misfit(groups: _Groups, aims: list[Measurement], log_scale: float) -> float:
    found = groups.effects(math.exp(log_scale), "cells")
    return sum(((found[m.quantity.split()[1]] - m.value) / m.error) ** 2 for m in aims)


def _fit(groups: _Groups, aims: list[Measurement]) -> tuple[float, float]:
    """Logarithm of the best scale, and its standard error from how steeply the simulated effects rise there."""
    from scipy.optimize import minimize_scalar

    low, high = (math.log(s) for s in _SEARCH)
    best = minimize_scalar(
        lambda x: _misfit(groups, aims, x), bounds=(low, high), method="bounded", options={"xatol": 2e-3}
    )
    if not best.success or not low + 0.02 < best.x < high - 0.02:
        raise CalibrationError(
            f"calibration {_NAME}",
            found=f"a scale of {math.exp(best.x):.3g}",
            expected=f"a best value inside {_SEARCH[0]:g} to {_SEARCH[1]:g}",
        )
    step = 0.05
    up, down = (groups.effects(math.exp(best.x + d), "cells") for d in (step, -step))
    information = sum(((up[k] - down[k]) / (2 * step) / m.error) ** 2 for m in aims for k in [m.quantity.split()[1]])
    return float(best.x), 1 / math.sqrt(information)
