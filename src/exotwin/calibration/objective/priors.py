"""Priors of estimated parameters: their density at points of a search, and points drawn from them to start at.

PEtab (v1, "Parameter table") places a prior of the kinds uniform, normal, laplace, logNormal and logLaplace on the
value of a parameter, and one whose name begins with "parameterScale" on the value on the parameter's scale. A search
moves on that scale. Which density counts there is not said outright; here, as in pyPESTO,

- the density is that of the variable on which the prior is placed, at the point, with no factor for the change of
  scale: the best point then does not depend on the scale chosen for a search, a parameterScaleNormal is a sum of
  squares on the scale, and a parameterScaleUniform is "no prior", as PEtab says;
- limits do not enlarge the density for what they cut off: they would add a constant alone;
- a parameterScaleUniform adds nothing within its limits; a uniform adds minus the logarithm of its width.

(The class ``Prior`` of the library petab takes all priors as densities of the value, and divides by what the limits
leave. The first differs by −log(value) for a parameterScale… prior on a logarithmic scale, the second by a constant.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.problem import Parameter, Prior
from exotwin.errors import CalibrationError

Floats = NDArray[np.float64]

_LOG10 = float(np.log(10.0))


class PriorSlopes(NamedTuple):
    """Log density of points, (n,), its gradient, (n, p), and the curvature of its negative, (n, p), on the scale."""

    log_density: Floats
    gradient: Floats
    curvature: Floats


class Priors:
    """The priors of p parameters that are part of an objective; parameters without one add nothing."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        placed = [(i, p, p.prior) for i, p in enumerate(parameters) if p.prior is not None]
        self._columns = np.array([i for i, _, _ in placed], int)
        kinds = [prior.kind for _, _, prior in placed]
        first = np.array([prior.first for _, _, prior in placed], float)
        second = np.array([prior.second for _, _, prior in placed], float)
        flat = np.array([_family(k) == "uniform" for k in kinds], bool)
        self._normal = np.array([_family(k) == "normal" for k in kinds], bool)
        self._exponential = np.array([_variable(p, prior) == "exponential" for _, p, prior in placed], bool)
        self._logarithm = np.array([_variable(p, prior) == "logarithm" for _, p, prior in placed], bool)
        # The density of a value whose logarithm is distributed has the factor 1/value.
        self._of_logarithm = np.array([k.startswith("log") for k in kinds], float)
        self._factor = np.array([_factor(p, prior) for _, p, prior in placed], float)
        self._location = first
        self._width = np.where(flat, np.inf, second)
        ends = np.array([_ends(p, prior) for _, p, prior in placed], float).reshape(-1, 2)
        self._low, self._high = ends[:, 0], ends[:, 1]
        with np.errstate(all="ignore"):
            constant = -np.log(second) - np.where(self._normal, 0.5 * np.log(2.0 * np.pi), np.log(2.0))
            level = np.where([k == "uniform" for k in kinds], -np.log(second - first), 0.0)
        self._constant = np.where(flat, level, constant)

    def log_density(self, points: Floats) -> Floats:
        """The natural logarithm of the priors' density at ``points``, (n, p) on the scales → (n,)."""
        points = np.asarray(points, float)
        with np.errstate(all="ignore"):
            own = points[:, self._columns]
            return np.asarray(self._log_density(own, self._distributed(own)).sum(axis=1))

    def with_slopes(self, points: Floats) -> PriorSlopes:
        """`log_density` with gradient and curvature.

        The curvature is that of the sum of squares, or the expected information of Laplace's distribution, as it is
        for measurements; what the change of the variable with the scale adds to it could be negative and is left out.
        Where the density is 0, gradient and curvature by the parameter are NaN.
        """
        points = np.asarray(points, float)
        with np.errstate(all="ignore"):
            own = points[:, self._columns]
            variable = self._distributed(own)
            density = self._log_density(own, variable)
            rate = np.where(self._exponential, self._factor * variable, self._factor)
            rate = np.where(np.isfinite(density), np.where(self._logarithm, 1.0 / own, rate), np.nan)
            distance = (variable - self._location) / self._width
            pull = np.where(self._normal, distance, np.sign(distance)) / self._width
            gradient, curvature = np.zeros((2, *points.shape))
            gradient[:, self._columns] = -(pull + self._of_logarithm) * rate
            curvature[:, self._columns] = (rate / self._width) ** 2
        return PriorSlopes(density.sum(axis=1), gradient, curvature)

    def _distributed(self, own: Floats) -> Floats:
        """(n, prior) points → the variable that each prior is the distribution of."""
        scaled = own * self._factor
        return np.where(self._exponential, np.exp(scaled), np.where(self._logarithm, np.log(own), scaled))

    def _log_density(self, own: Floats, variable: Floats) -> Floats:
        distance = np.abs(variable - self._location) / self._width
        fall = np.where(self._normal, 0.5 * distance * distance, distance) + self._of_logarithm * variable
        density = np.where((own >= self._low) & (own <= self._high), self._constant - fall, -np.inf)
        return np.where(np.isfinite(density), density, -np.inf)


def draw(parameters: Sequence[Parameter], n: int, rng: np.random.Generator) -> Floats:
    """(n, p) points on the scales, independent draws from where starts come from."""
    return from_unit(parameters, rng.random((n, len(parameters))))


def from_unit(parameters: Sequence[Parameter], u: Floats) -> Floats:
    """(n, p) points evenly distributed in the unit cube → points on the scales, distributed as starts should be.

    Each coordinate goes through the quantile function of the parameter's prior for starts, cut off at its limits, so
    that the points of a Latin hypercube stay one for each slice of equal probability. Raises `CalibrationError` for a
    parameter without a prior whose limits are not finite on its scale.
    """
    columns = [_quantile(p, np.asarray(u, float)[:, i]) for i, p in enumerate(parameters)]
    return np.stack(columns, axis=1) if columns else np.zeros_like(u)


def _quantile(parameter: Parameter, u: Floats) -> Floats:
    with np.errstate(all="ignore"):
        lower, upper = _scaled(parameter.scale, parameter.lower), _scaled(parameter.scale, parameter.upper)
        prior = parameter.start_prior
        if prior is None:
            prior = Prior("parameterScaleUniform", lower, upper)
        variable, factor = _variable(parameter, prior), _factor(parameter, prior)
        if variable == "logarithm":
            low, high = np.log(lower), np.log(upper)
        elif variable == "exponential":
            low, high = parameter.lower, parameter.upper
        else:
            low, high = lower * factor, upper * factor
        drawn = _cut_off(_family(prior.kind), prior.first, prior.second, low, high, u)
        if variable == "logarithm":
            found = np.exp(drawn)
        else:
            found = np.log(drawn) / factor if variable == "exponential" else drawn / factor
        # rounding may lead beyond the limits
        found = np.clip(found, lower, upper)
    if not np.isfinite(found).all():
        raise CalibrationError(
            f"parameter {parameter.name}",
            found=f"limits {parameter.lower:g} and {parameter.upper:g} on the scale {parameter.scale}",
            expected="limits that are finite on the scale, or an initialisation prior, to draw starts from",
        )
    return np.asarray(found, float)


def _cut_off(family: str, first: float, second: float, low: float, high: float, u: Floats) -> Floats:
    """Quantiles of a distribution between ``low`` and ``high``; the nearest end where it has no probability there."""
    if family == "uniform":
        bottom, top = np.clip([first, second], low, high)
        return np.asarray(bottom + u * (top - bottom))
    a, b = (low - first) / second, (high - first) / second
    if family == "normal":
        from scipy.stats import truncnorm  # slow to import, and only drawing starts needs it

        return np.asarray(truncnorm.ppf(u, a, b, loc=first, scale=second))
    return first + second * _laplace_between(a, b, u)


def _laplace_between(a: float, b: float, u: Floats) -> Floats:
    """Quantiles of Laplace's distribution with location 0 and scale 1 between ``a`` and ``b``."""
    if a > 0.0:  # the other tail keeps its digits
        return -_laplace_between(-b, -a, 1.0 - u)
    if b <= 0.0:  # an exponential distribution from b downwards
        return np.asarray(b + np.log(u + (1.0 - u) * np.exp(a - b)))
    below, above = 0.5 * np.exp(a), 1.0 - 0.5 * np.exp(-b)
    mass = below + u * (above - below)
    return np.asarray(np.where(mass <= 0.5, np.log(2.0 * mass), -np.log(2.0 * (1.0 - mass))))


def _family(kind: str) -> str:
    for family in ("uniform", "normal", "laplace"):
        if kind.lower().endswith(family):
            return family
    raise CalibrationError(f"prior {kind}", found="no such kind", expected="a kind of prior that PEtab has")


def _variable(parameter: Parameter, prior: Prior) -> str:
    """What the prior distributes, of a point on the scale: itself (times a factor), exponential or logarithm."""
    if prior.kind.startswith("parameterScale"):
        return "itself"
    if prior.kind.startswith("log"):
        return "logarithm" if parameter.scale == "lin" else "itself"
    return "itself" if parameter.scale == "lin" else "exponential"


def _factor(parameter: Parameter, prior: Prior) -> float:
    """Of the point, in `_variable` or in its exponent."""
    return 1.0 if parameter.scale != "log10" or prior.kind.startswith("parameterScale") else _LOG10


def _ends(parameter: Parameter, prior: Prior) -> tuple[float, float]:
    """Where a uniform prior ends, on the scale, exactly as the limits of the parameter are brought there."""
    if _family(prior.kind) != "uniform":
        return -np.inf, np.inf
    if prior.kind == "parameterScaleUniform":
        return prior.first, prior.second
    return _scaled(parameter.scale, prior.first), _scaled(parameter.scale, prior.second)


def _scaled(scale: str, value: float) -> float:
    if scale == "lin":
        return value
    if value <= 0.0:
        return -np.inf
    return float(np.log10(value) if scale == "log10" else np.log(value))
