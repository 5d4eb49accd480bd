"""Numbers of a population: of values, one a patient, and of lifetimes with patients still alive.

A lifetime is an age (year), known where ``dead`` is true, else the age at which the patient was last seen alive. NaN
is no value and is left out; infinity is one, above or below all others, that only statistics of order can take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_LATE = 0.1  # the share that still lives at what is called maximum life


@dataclass(frozen=True)
class Lives:
    """age : (patient,), year. dead : (patient,), whether the age is that of death."""

    age: Floats
    dead: npt.NDArray[np.bool_]


def of_people(statistic: str, values: Floats, than: float = float("nan")) -> Floats:
    """A statistic over patients (first axis), those with NaN left out: (patient, …) -> (…).

    statistic : median, mean, sd (n - 1), cv, "share above" or "share below" ``than``, quantile ``than``. Mean, sd and
    cv of an infinite value are none: NaN or infinite.
    """
    functions: Mapping[str, Callable[[Floats], Floats]] = {
        "median": lambda x: quantile(x, 0.5),
        "mean": lambda x: np.mean(x, axis=0),
        "sd": lambda x: np.std(x, axis=0, ddof=1),
        "cv": lambda x: np.std(x, axis=0, ddof=1) / np.mean(x, axis=0),
        "share above": lambda x: np.mean(x > than, axis=0),
        "share below": lambda x: np.mean(x < than, axis=0),
        "quantile": lambda x: quantile(x, than),
    }
    whole = values[~missing(values)]
    if not whole.shape[0] or (statistic in ("sd", "cv") and whole.shape[0] < 2):
        return np.full(values.shape[1:], np.nan)
    with np.errstate(all="ignore"):
        return np.asarray(functions[statistic](whole), dtype=float)


def missing(values: Floats) -> npt.NDArray[np.bool_]:
    """Who has no value somewhere: (patient, …) -> (patient,)."""
    found: npt.NDArray[np.bool_] = np.any(np.isnan(values), axis=tuple(range(1, values.ndim)))
    return found


def quantile(values: Floats, share: float | tuple[float, ...]) -> Floats:
    """Quantiles over patients, linear between neighbours; infinite where a neighbour that counts is."""
    low, high = (np.quantile(values, share, axis=0, method=side) for side in ("lower", "higher"))
    with np.errstate(invalid="ignore"):
        between = np.quantile(values, share, axis=0)
        # at or beside an infinite neighbour numpy has NaN
        return np.asarray(np.where(np.isfinite(between), between, np.where(low == high, low, low + high)))


def alive(lives: Lives, age: float) -> float:
    """Share that lives beyond an age (Kaplan-Meier); NaN beyond the last age that is known of the last who live."""
    if not np.all(lives.dead[lives.age == np.max(lives.age, initial=-np.inf)]) and age > np.max(lives.age):
        return float("nan")
    ages, survival = survival_curve(lives)
    k = int(np.searchsorted(ages, age, side="right"))
    return float(survival[k - 1]) if k else 1.0


def survival_curve(lives: Lives) -> tuple[Floats, Floats]:
    """(ages of deaths, share alive after each), after Kaplan and Meier."""
    ages = np.unique(lives.age[lives.dead])
    at_risk = np.array([np.sum(lives.age >= age) for age in ages], dtype=float)
    deaths = np.array([np.sum(lives.dead & (lives.age == age)) for age in ages], dtype=float)
    return ages, np.cumprod(1 - deaths / np.maximum(at_risk, 1))


def life_at(lives: Lives, share: float) -> float:
    """The age at which so many still live; NaN if more of them do to the end."""
    ages, survival = survival_curve(lives)
    below = np.flatnonzero(survival <= share + 1e-12)
    if not below.size:
        return float("nan")
    k = int(below[0])
    if abs(survival[k] - share) <= 1e-12 and k + 1 < ages.size:  # as the median of an even number
        return float((ages[k] + ages[k + 1]) / 2)
    return float(ages[k])


def mean_life(lives: Lives) -> float:
    """Mean age at death; NaN while one of them lives."""
    return float(np.mean(lives.age)) if lives.age.size and bool(np.all(lives.dead)) else float("nan")


def doubling_time(lives: Lives, between: tuple[float, float]) -> float:
    """ln 2 / b of the hazard a exp(b age), by maximum likelihood over what happens between two ages.

    Who dies before them does not count, who lives beyond them is censored there. NaN with fewer than ten deaths, or
    where mortality does not rise.
    """
    from scipy.optimize import brentq

    low, high = between
    inside = lives.age > low
    age = np.minimum(lives.age[inside], high) - low
    died = lives.dead[inside] & (lives.age[inside] <= high)
    span, deaths = high - low, int(np.sum(died))
    if deaths < 10:
        return float("nan")
    reached = float(np.sum(age[died]))

    def score(b: float) -> float:
        """Derivative of the likelihood by b, with a at its best; falls with b."""
        if b < 1e-9:
            return reached - deaths * float(np.sum(age**2)) / (2 * float(np.sum(age)))
        grown = np.exp(b * (age - span))  # both sums share the factor, which keeps them finite
        less = np.exp(-b * span)
        risk = np.sum(grown - less) / b
        slope = np.sum(age * grown) / b - risk / b
        return reached - deaths * float(slope / risk)

    steepest = 1000.0 / span
    if not score(0.0) > 0 > score(steepest):
        return float("nan")
    return float(np.log(2) / brentq(score, 0.0, steepest, xtol=1e-12, rtol=1e-12))


def hazard_ratio(treated: Lives, control: Lives) -> float:
    """Hazard of the first over the second, by Cox's partial likelihood (ties after Breslow); NaN without deaths."""
    from scipy.optimize import brentq

    ages = np.unique(np.concatenate([treated.age[treated.dead], control.age[control.dead]]))
    if not (treated.dead.any() and control.dead.any()):
        return float("nan")
    deaths = np.array([np.sum(one.dead[None] & (one.age[None] == ages[:, None]), 1) for one in (treated, control)])
    risk = np.array([np.sum(one.age[None] >= ages[:, None], 1) for one in (treated, control)], dtype=float)

    def score(b: float) -> float:
        weight = risk[0] * np.exp(b)
        return float(np.sum(deaths[0]) - np.sum(deaths.sum(0) * weight / (weight + risk[1])))

    if not score(-20.0) > 0 > score(20.0):
        return float("nan")
    return float(np.exp(brentq(score, -20.0, 20.0, xtol=1e-12)))


def of_lives(
    statistic: str,
    lives: Lives,
    *,
    than: float | None = None,
    between: tuple[float, float] | None = None,
    against: Lives | None = None,
) -> float:
    """A statistic of lifetimes, in years, as `check.OF_LIVES` names it."""
    if statistic == "median life":
        return life_at(lives, 0.5)
    if statistic == "maximum life":
        return life_at(lives, _LATE)
    if statistic == "mean life":
        return mean_life(lives)
    if statistic == "doubling time":
        assert between is not None
        return doubling_time(lives, between)
    if statistic == "alive at":
        assert than is not None
        return alive(lives, than)
    assert against is not None
    return hazard_ratio(lives, against)
