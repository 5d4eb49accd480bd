"""Numbers with their uncertainty: what rooms hand to each other for every measured or computed figure."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z95 = 1.959963984540054
"""97.5 % of the standard normal distribution: half a 95 % interval in standard deviations."""


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval.

    value : in ``unit``.
    low, high : 95 % limits in ``unit``, or None where nothing supports an interval.
    how : one sentence: what the value and its interval rest on.
    """

    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    how: str = ""


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of the share ``hits`` / ``n``, after Wilson: the shares that a score test would not reject.

    Always inside 0-1, and sound for shares near its ends. NaN for n = 0.
    """
    if n == 0:
        return math.nan, math.nan
    share, z2 = hits / n, Z95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # At the ends the interval closes exactly on the share; rounding must not leave it outside.
    return min(max(0.0, centre - half), share), max(min(1.0, centre + half), share)
