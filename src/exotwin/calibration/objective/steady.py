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

_RESTS = 1e-6  # relative change of a state over any later time
_SLOPE_RESTS, _SLOPE_DRIFTS = 1e-5, 1e-2  # of a derivative over the next decade, and over any later time


def settled(courses: Floats) -> NDArray[np.int64]:
    """When the states of each run have come to rest.

    Parameters
    ----------
    courses : (lane, time, state) at `TIMES`, NaN behind a failure.

    Returns
    -------
    (lane,) index of a time at which nothing moves any more, −1 where that never comes: all later values that are there,
    and there is one at least, lie within 1e-6 of those one decade before, relative to the value or to a thousandth of
    its largest size.
    """
    found = np.full(len(courses), -1)
    there = np.all(np.isfinite(courses), axis=2)
    with np.errstate(invalid="ignore", over="ignore"):
        allowed = _RESTS * (np.abs(courses) + 1e-3 * largest(courses)[:, None])
        for k in range(1, courses.shape[1] - 1):
            moved = np.abs(courses[:, k + 1 :] - courses[:, k : k + 1]) > allowed[:, k + 1 :]
            rests = there[:, k] & there[:, k + 1] & ~np.any(moved & there[:, k + 1 :, None], axis=(1, 2))
            # one decade later what is left has died away altogether
            found[rests & (found < 0)] = k + 1
    return found


def slopes_settled(courses: Floats, size: Floats, since: NDArray[np.int64]) -> NDArray[np.int64]:
    """When also the derivatives of the states have, which may move while the states do not.

    Behind that, rounding adds up in them, the faster the longer the steps; so the quietest decade counts.

    Parameters
    ----------
    courses : (lane, time, derivative). size : (lane, derivative) of a derivative that would be felt.
    since : (lane,) where the states rest, −1 where they do not.

    Returns
    -------
    (lane,) index of the time, −1 where derivatives keep moving.
    """
    found = np.full(len(courses), -1)
    there = np.all(np.isfinite(courses), axis=2)
    quietest = np.full(len(courses), _SLOPE_RESTS)
    with np.errstate(invalid="ignore", over="ignore"):
        far = _SLOPE_DRIFTS * (np.abs(courses) + 1e-3 * size[:, None])
        for k in range(1, courses.shape[1] - 1):
            change = np.abs(courses[:, k + 1] - courses[:, k]) / (np.abs(courses[:, k + 1]) + 0.1 * size)
            change = np.max(np.where(courses[:, k + 1] == courses[:, k], 0.0, change), axis=1)
            drifted = np.abs(courses[:, k + 1 :] - courses[:, k : k + 1]) > far[:, k + 1 :]
            stays = there[:, k] & there[:, k + 1] & ~np.any(drifted & there[:, k + 1 :, None], axis=(1, 2))
            quieter = stays & (since >= 0) & (k + 1 >= since) & (change < quietest)
            found[quieter], quietest[quieter] = k + 1, change[quieter]
    return found


def largest(courses: Floats) -> Floats:
    """(lane, quantity) largest size in time, where a value is there."""
    return np.asarray(np.max(np.where(np.isfinite(courses), np.abs(courses), 0.0), axis=1))
