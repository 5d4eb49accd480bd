"""A fit: starts, the best of them, and how well it holds the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from exotwin.calibration.objective import Evaluation
from exotwin.calibration.problem import Problem
from exotwin.calibration.search import Start
from exotwin.calibration.uncertainty import Curvature, Profile, Samples


@dataclass(frozen=True)
class Fit:
    """What `fit` finds.

    starts : in the order of their numbers. evaluation : at the best point alone (n = 1), with slopes. curvature : None
    where no start succeeded in giving a value. profiles : of the parameters asked for. samples : None if not asked for.
    settings : all that decides the numbers beside the problem (optimiser, starts, seed, tolerances, versions). seconds :
    by stage, on the clock. remarks : what a careful reader should be told.
    """

    problem: Problem
    starts: tuple[Start, ...]
    evaluation: Evaluation
    curvature: Curvature
    profiles: tuple[Profile, ...]
    samples: Samples | None
    settings: Mapping[str, str | int | float]
    seconds: Mapping[str, float]
    remarks: tuple[str, ...] = ()

    @cached_property
    def best(self) -> Start:
        """The start with the smallest value, the first of equals."""
        return min(self.starts, key=lambda start: (start.found.value, start.number))
