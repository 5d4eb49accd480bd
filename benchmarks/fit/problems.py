"""What is fitted, from how many points, how exactly, and for how long."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from cases import SHARED

RTOL = 1e-8
ATOL = 1e-11
"""Of the peer, for all states. exotwin's own is RTOL times a thousandth of the largest size of each state."""
TOLERANCE = 1e-6
"""Of the objective, at which both sides' searches end. At 1e-8, fides wanders in the error of the integration until its
trust region is empty: twice the evaluations, for the same optima."""
MAX_ITERATIONS = 1000
SEED = 1
REACHED = 0.1
"""A start has converged if its objective is above the best known one by less than this."""
MINUTE = 60.0


@dataclass(frozen=True)
class Fitted:
    """starts : of the Latin hypercube. limit : seconds on the clock for all searches of one way of the peer.

    hessians : ways of the peer (see `peer.HESSIANS`); where an evaluation takes it long, its own choice alone, so that
    the whole stays below two hours.
    """

    starts: int
    limit: float
    hessians: tuple[str, ...] = ("fim", "hybrid")

    def fewer(self, starts: int | None) -> Fitted:
        """With another number of starts."""
        return self if starts is None else replace(self, starts=starts)


PROBLEMS = {
    # of these two, one start in twenty to fifty finds the optimum, whatever the optimiser: fewer would count nothing
    "Boehm_JProteomeRes2014": Fitted(200, 10 * MINUTE),
    "Crauste_CellSystems2017": Fitted(100, 10 * MINUTE),
    "Fiedler_BMCSystBiol2016": Fitted(50, 10 * MINUTE),
    "Brannmark_JBC2010": Fitted(40, 8 * MINUTE, ("hybrid",)),
    "Bachmann_MSB2011": Fitted(4, 8 * MINUTE, ("hybrid",)),
}


def path(name: str) -> Path:
    """The problem's file.

    Raises
    ------
    FileNotFoundError : the shared data are not here.
    """
    found = SHARED / name / f"{name}.yaml"
    if not found.is_file():
        raise FileNotFoundError(found)
    return found
