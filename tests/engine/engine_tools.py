"""Models written in Antimony, and a peer to compare with."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from exotwin.engine import CompiledModel, Dose

DOSES = (Dose("a", 3.0, np.linspace(0, 2, 19)), Dose("b", 5.0, 1.0, duration=2.5))


def sbml(antimony_text: str) -> str:
    """The SBML document of an Antimony model."""
    import antimony

    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(antimony_text) >= 0, antimony.getLastError()
    return str(antimony.getSBMLString())


def roadrunner(document: str, end: float, points: int, names: list[str]) -> NDArray[np.float64]:
    """(point, name) by libRoadRunner (CVODE) at even times from 0, far more exact than what is compared with it."""
    import roadrunner as rr

    peer = rr.RoadRunner(document)
    peer.integrator.relative_tolerance, peer.integrator.absolute_tolerance = 1e-11, 1e-15
    peer.integrator.maximum_num_steps = 1_000_000
    peer.timeCourseSelections = names
    return np.array(peer.simulate(0, end, points))


def draws() -> dict[str, NDArray[np.float64]]:
    """Parameters of 19 patients: no multiple of any lane width."""
    rng = np.random.default_rng(5)
    return {"k": np.exp(rng.normal(0, 1, 19)), "n": rng.uniform(1.5, 4, 19)}


def simulate_in_order(
    model: CompiledModel, times: ArrayLike, order: NDArray[np.int64], **options: object
) -> xr.Dataset:
    """Some of the 19 patients, with their doses, in an order of their own."""
    doses = [Dose(d.state, d.time, d.amount if np.ndim(d.amount) == 0 else d.amount[order], d.duration) for d in DOSES]
    return model.simulate(times, parameters={n: v[order] for n, v in draws().items()}, doses=doses, **options)
