"""Steady states by integration: runs over many orders of time, and when nothing moves any more.

Integration keeps conserved sums, needs no start near the solution, and carries derivatives along; an implicit method
with step control passes a rest of any length in a few dozen steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TIMES = np.concatenate([[0.0], 10.0 ** np.arange(-2, 10)])
"""(time,) in the model's unit; ten decades beyond the last, rounding would add up in sums that should stay the same."""

_TOLERANCE = 1e-6


def settled(courses: Floats, size: Floats) -> NDArray[np.int64]:
    """When each run has come to rest.

    Parameters
    ----------
    courses : (lane, time, quantity) at `TIMES`, NaN behind a failure.
    size : (lane, quantity) of what a quantity's changes are to be compared with, beside the quantity itself.

    Returns
    -------
    (lane,) index of a time at which nothing moves any more, −1 where that never comes: all later values that are there,
    and there is one at least, lie within 1e-6 of those one decade before, relative to the value or to a thousandth of
    its size.
    """
    found = np.full(len(courses), -1)
    there = np.all(np.isfinite(courses), axis=2)
    with np.errstate(invalid="ignore", over="ignore"):
        allowed = _TOLERANCE * (np.abs(courses) + 1e-3 * size[:, None])
        for k in range(1, courses.shape[1] - 1):
            moved = np.abs(courses[:, k + 1 :] - courses[:, k : k + 1]) > allowed[:, k + 1 :]
            rests = there[:, k] & there[:, k + 1] & ~np.any(moved & there[:, k + 1 :, None], axis=(1, 2))
            # one decade later what is left has died away altogether
            found[rests & (found < 0)] = k + 1
    return found
