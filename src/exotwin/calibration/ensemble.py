"""A population of one assembled model, simulated for fits: the same individuals in every arm and at every trial."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from exotwin.errors import CalibrationError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import xarray as xr
    from numpy.typing import ArrayLike

    from exotwin.biology import Model
    from exotwin.engine import CompiledModel, Dose


def draw(model: Model, *, n: int, seed: int) -> dict[str, npt.NDArray[np.float64]]:
    """Values of all numbers that differ between individuals, ``(n,)`` each; knowledge stays at its central value.

    Scrambled Sobol points, so that a few hundred individuals already give steady means and SDs.
    """
    from scipy.stats import qmc

    varied = [p for p in model.parameters.values() if p.level == "patient"]
    points = qmc.Sobol(len(varied), scramble=True, rng=seed).random(n)
    return {p.name: p.spread.quantile(points[:, i]) for i, p in enumerate(varied)}


def run(
    compiled: CompiledModel,
    times: Sequence[float] | npt.NDArray[np.float64],
    parameters: Mapping[str, float | npt.NDArray[np.float64]],
    outputs: Sequence[str],
    *,
    doses: Sequence[Dose] = (),
) -> xr.Dataset:
    """Trajectories, dims (patient, time).

    Raises
    ------
    CalibrationError : an individual whose integration failed: a fit must not quietly drop it.
    """
    given: dict[Hashable, ArrayLike] = dict(parameters.items())
    result = compiled.simulate(times, parameters=given, doses=tuple(doses), outputs=list(outputs))
    failed = int((result["outcome"] != "ok").sum())
    if failed:
        raise CalibrationError(
            "simulation of the calibration",
            found=f"{failed} of {result.sizes['patient']} individuals whose integration failed",
            expected="none",
        )
    return result
