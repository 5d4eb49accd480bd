"""Models written in Antimony, and a peer to compare with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
