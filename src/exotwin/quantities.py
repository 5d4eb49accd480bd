"""A number with its unit and its uncertainty: what rooms hand to each other for every measured or computed figure."""

from __future__ import annotations

from dataclasses import dataclass


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
