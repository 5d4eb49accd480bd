"""Within or outside: the simulated number against the published one, by the sort of the check.

value      inside the published 95 % interval, or ± 2 standard errors; where the record has no spread, ± a fifth of the
           published effect (its distance from neutral). How the patients differ does not count.
direction  the right sign, and at least a tenth of the untreated value.
null       the effect stays under the bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
_ROUNDING = 1e-9  # must not decide over a number that lies on a limit


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
    EvidenceError : a formula that does not resolve, an interval that does not enclose the value, an error of zero, a
        logarithm of what is not above zero, a bound that nothing or everything keeps, numbers that disagree in length.
    """

    def number(text: str, key: str) -> Floats:
        found = np.asarray(evaluate(text, values, where=f"{check.where}, {key}"), float)
        if found.ndim > 1:
            raise EvidenceError(
                f"{check.where}, {key}", found=f"{found.ndim} dimensions", expected="a number, or a list of them"
            )
        return np.atleast_1d(found)

    value = number(check.published, "published") if check.published else None
    if check.sort == "null":
        bound = number(check.bound, "bound")
        if not np.all((bound > 0) & np.isfinite(bound)):
            raise EvidenceError(f"{check.where}, bound", found=_shown(bound), expected="a number above zero")
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
    if found.log and not (np.all(value > 0) and np.all(found.low > 0)):
        raise EvidenceError(
            f"{check.where}, spread",
            found=f"{_shown(found.low)} to {_shown(found.high)} around {_shown(value)}, on a logarithmic scale",
            expected="numbers above zero",
        )
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


def _limits(check: Check, spread: SpreadPlan, value: Floats, read: Callable[[str, str], Floats]) -> Published:
    def number(text: str, key: str) -> Floats:
        """One for all points of a curve, or one for each."""
        found = read(text, key)
        if found.size not in (1, value.size):
            raise EvidenceError(
                f"{check.where}, {key}", found=f"{found.size} numbers", expected=f"1 or {value.size}, as are published"
            )
        return np.broadcast_to(found, value.shape)

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
                with np.errstate(all="ignore"):
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
    if spread.log:
        factor = np.exp(ERRORS * error)
        return Published(value, value / factor, value * factor, error, True, words + " of the logarithm")
    return Published(value, value - ERRORS * error, value + ERRORS * error, error, False, words)


def judge(check: Check, simulated: Floats, said: Published) -> Verdict:
    """The verdict on a simulated number, or on the points (time,) of a curve; what is no finite number is outside.

    Raises
    ------
    EvidenceError : as many points published as were not simulated.
    """
    if check.sort == "direction":
        change = check.sign * (simulated - check.neutral)
        right = np.isfinite(change) & (change >= LEAST * (1 - _ROUNDING))
        return Verdict(WITHIN if np.all(right) else OUTSIDE, None)
    assert said.low is not None
    assert said.high is not None
    null = check.sort == "null"
    if simulated.size != said.low.size and not (null and said.low.size == 1):
        raise EvidenceError(
            f"{check.where}, {'bound' if null else 'published'}",
            found=f"{said.low.size} numbers against {simulated.size} simulated",
            expected="as many as times of the readings",
        )
    if null:
        return Verdict(WITHIN if np.all((simulated > said.low) & (simulated < said.high)) else OUTSIDE, None)
    assert said.value is not None
    assert said.error is not None
    with np.errstate(all="ignore"):
        if said.log:
            off = (np.log(simulated) - np.log(said.value)) / said.error
        else:
            off = (simulated - said.value) / said.error
    room = _ROUNDING * np.maximum(np.abs(said.low), np.abs(said.high))
    inside = (simulated >= said.low - room) & (simulated <= said.high + room)
    return Verdict(WITHIN if np.all(inside) else OUTSIDE, off)


def _shown(values: Floats) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
