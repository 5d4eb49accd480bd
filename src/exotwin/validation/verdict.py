"""Within or outside: the simulated number against the published one, by the sort of the check.

value      inside the published 95 % interval, or ± 2 standard errors; where the record has no spread, ± a fifth of the
           published effect (its distance from neutral). How the patients differ does not count.
direction  the right sign, and at least a tenth of the untreated value.
null       the effect stays under the bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from exotwin.errors import EvidenceError
from exotwin.quantities import Z95
from exotwin.validation.check import Check, SpreadPlan
from exotwin.validation.formula import evaluate
from exotwin.validation.scored import OUTSIDE, WITHIN

Floats = npt.NDArray[np.float64]

ERRORS = 2.0
"""Standard errors that a value may lie off."""
SHARE = 0.2
"""Of the published effect, that a value may lie off where the record has no spread."""
LEAST = 0.1
"""Of the untreated value, that a change in the right direction must reach."""


@dataclass(frozen=True)
class Published:
    """What a record says: ``value`` (time,) with limits ``low`` and ``high`` of what counts as within, and ``error``.

    error : (time,), one unit of deviation, of the natural logarithm if ``log``. words : the tolerance, for readers.
    All but words are None where a direction or a null was published without a number.
    """

    value: Floats | None
    low: Floats | None
    high: Floats | None
    error: Floats | None
    log: bool
    words: str


@dataclass(frozen=True)
class Verdict:
    """verdict : within or outside. deviations : (time,), or None where deviation is not measured in errors."""

    verdict: str
    deviations: Floats | None


def published(check: Check, values: Mapping[str, Any]) -> Published:
    """What the records of a check say, with the tolerance of its sort.

    values : ``v`` (and ``v1``, ``v2`` …) -> the value of a record.

    Raises
    ------
    EvidenceError : a formula that does not resolve, an interval that does not enclose the value, an error of zero.
    """

    def number(text: str, key: str) -> Floats:
        return np.atleast_1d(np.asarray(evaluate(text, values, where=f"{check.where}, {key}"), float))

    value = number(check.published, "published") if check.published else None
    if check.sort == "null":
        bound = number(check.bound, "bound")
        words = f"less than {bound[0]:.3g} from {check.neutral:.4g}: {check.bound_why}"
        return Published(value, check.neutral - bound, check.neutral + bound, None, False, words)
    if check.sort == "direction":
        words = f"{'up' if check.sign > 0 else 'down'} by at least {LEAST:.0%} of the untreated value"
        return Published(value, None, None, None, False, words)
    assert value is not None
    assert check.spread is not None
    found = _limits(check, check.spread, value, number)
    assert found.low is not None
    assert found.high is not None
    assert found.error is not None
    if not (np.all(np.isfinite(value)) and np.all(found.error > 0) and np.all(np.isfinite(found.error))):
        raise EvidenceError(
            f"{check.where}, spread",
            found=f"an error of {_shown(found.error)} around {_shown(value)}",
            expected="a number above zero; an effect of zero is a null",
        )
    if not (np.all(found.low <= value) and np.all(value <= found.high)):
        raise EvidenceError(
            f"{check.where}, spread",
            found=f"{_shown(found.low)} to {_shown(found.high)}",
            expected=f"limits that enclose the published {_shown(value)}",
        )
    return found


def _limits(check: Check, spread: SpreadPlan, value: Floats, number: Any) -> Published:
    if spread.none:
        error = SHARE / ERRORS * np.abs(value - check.neutral)
        words = f"± {SHARE:.0%} of the published effect: {spread.none}"
        return Published(value, value - ERRORS * error, value + ERRORS * error, error, False, words)
    if spread.low:
        low, high = number(spread.low, "spread.interval"), number(spread.high, "spread.interval")
        z = NormalDist().inv_cdf(0.5 + spread.level / 200)
        if spread.log:
            with np.errstate(all="ignore"):
                error = (np.log(high) - np.log(low)) / (2 * z)
        else:
            error = (high - low) / (2 * z)
        words = f"{spread.level:g} % interval{', logarithmic' if spread.log else ''}"
        if spread.level != 95:
            words, wider = f"95 % interval from that of {spread.level:g} %", Z95 / z
            if spread.log:
                low, high = value * (low / value) ** wider, value * (high / value) ** wider
            else:
                low, high = value + wider * (low - value), value + wider * (high - value)
        return Published(value, low, high, error, spread.log, words)
    error = number(spread.se, "spread.se") if spread.se else number(spread.sd, "spread.sd")
    words = "± 2 standard errors"
    if spread.sd:
        n = number(spread.n, "spread.n")
        if not np.all(n >= 1):
            raise EvidenceError(f"{check.where}, spread.n", found=_shown(n), expected="how many were measured")
        error = error / np.sqrt(n)
        words += " (SD / √n)"
    error = np.broadcast_to(error, value.shape) if error.size == 1 else error
    if spread.log:
        factor = np.exp(ERRORS * error)
        return Published(value, value / factor, value * factor, error, True, words + " of the logarithm")
    return Published(value, value - ERRORS * error, value + ERRORS * error, error, False, words)


def judge(check: Check, simulated: Floats, said: Published) -> Verdict:
    """The verdict on a simulated number, or on the points (time,) of a curve; what is NaN is outside."""
    if check.sort == "direction":
        right = np.all((check.sign * (simulated - check.neutral) > 0) & (np.abs(simulated - check.neutral) >= LEAST))
        return Verdict(WITHIN if right else OUTSIDE, None)
    assert said.low is not None
    assert said.high is not None
    if check.sort == "null":
        return Verdict(WITHIN if np.all((simulated > said.low) & (simulated < said.high)) else OUTSIDE, None)
    assert said.value is not None
    assert said.error is not None
    if simulated.size != said.value.size:
        raise EvidenceError(
            f"{check.where}, published",
            found=f"{said.value.size} numbers against {simulated.size} simulated",
            expected="as many as times of the readings",
        )
    with np.errstate(all="ignore"):
        if said.log:
            off = (np.log(simulated) - np.log(said.value)) / said.error
        else:
            off = (simulated - said.value) / said.error
    # rounding must not decide over a number that lies on a limit
    room = 1e-9 * np.maximum(np.abs(said.low), np.abs(said.high))
    inside = (simulated >= said.low - room) & (simulated <= said.high + room)
    return Verdict(WITHIN if np.all(inside) else OUTSIDE, off)


def _shown(values: Floats) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
