"""Axes of small figures that are written as SVG by hand: positions, round ticks, numbers as the text has them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_WIDE = 50.0  # positive values that span more than this are read on a logarithmic axis
_ROOM = 0.06  # left free at both ends


@dataclass(frozen=True)
class Axis:
    """A stretch of an axis in pixels, ``start`` to ``end``, for values from ``low`` to ``high``."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Position of a value; beyond the ends of the axis, that of the end."""
        low, high, v = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, v = math.log(low), math.log(high), math.log(v)
        return self.start + (self.end - self.start) * (v - low) / (high - low)

    def shows(self, value: float) -> bool:
        """Whether a value lies on the axis and not beyond it."""
        return self.low <= value <= self.high

    def ticks(self, most: int = 5) -> tuple[float, ...]:
        """At most ``most`` round values."""
        if self.log:
            return self._log_ticks(most)
        span = self.high - self.low
        power = 10.0 ** math.floor(math.log10(span / most))
        step = next(s * power for s in (*_STEPS, 20.0, 50.0) if span / (s * power) <= most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(k * step for k in range(first, last + 1))

    def _log_ticks(self, most: int) -> tuple[float, ...]:
        low, high = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        for factors in ((1, 2, 5), (1, 3), (1,)):
            found = [f * 10.0**e for e in range(low, high + 1) for f in factors]
            found = [v for v in found if self.shows(v)]
            if len(found) <= most:
                return tuple(found)
        return tuple(found[:: -(-len(found) // most)])


def fitting(values: Iterable[float], start: float, end: float, *, log: bool | None = None) -> Axis:
    """An axis that holds all finite ``values``, with room at both ends; logarithmic if they are positive and far apart.

    log : decides that instead, where all values are positive.
    """
    finite = [v for v in values if math.isfinite(v)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    positive = low > 0
    if positive and (high / low > _WIDE if log is None else log):
        room = (high / low) ** _ROOM
        return Axis(low / room, high * room, start, end, log=True)
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        half = abs(high) / 2 or 1.0
        low, high = low - half, high + half
    room = (high - low) * _ROOM
    return Axis(low - room, high + room, start, end)
