"""What a search gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Evaluate = Callable[[Floats], tuple[float, Floats, Floats]]
"""(p,) point on the scale of the parameters → value, gradient (p,), information (p, p); inf, NaN, NaN where it failed.

A call may block until other searches have asked too (see `together`)."""


@dataclass(frozen=True)
class Found:
    """Where one local search ended.

    point, gradient : (p,) on the scale of the parameters. value : minus log posterior. evaluations : asked for.
    failed : of these, without a value. outcome : "converged"; "creeping" (ended, since it hardly came on any
    more), "iteration limit"; or "failed: …" (then value may be infinite).
    """

    point: Floats
    value: float
    gradient: Floats
    evaluations: int
    failed: int
    outcome: str


@dataclass(frozen=True)
class Start:
    """One local search from one starting point.

    number : of the start, from 0. begin : (p,) starting point; begin_value : the objective there. seconds : between its
    first and last evaluation, on the clock; searches run side by side, so they do not add up.
    """

    number: int
    begin: Floats
    begin_value: float
    found: Found
    seconds: float
