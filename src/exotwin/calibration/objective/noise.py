"""How far measurements may lie from what is simulated: densities with slopes and expected information.

A measurement y of what is simulated as s has, on the scale t of its transformation (lin, log, log10), normal or Laplace
noise around t(s) with SD or scale σ. The density is that of y itself, hence with the factor dt/dy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]

TRANSFORMATIONS = ("lin", "log", "log10")
DISTRIBUTIONS = ("normal", "laplace")


class Slopes(NamedTuple):
    """A log density with its derivatives by what is simulated and by its noise, and the expected information on both.

    All (…, measurement). What is simulated and its noise share no information.
    """

    log_density: Floats
    by_simulated: Floats
    by_noise: Floats
    information_simulated: Floats
    information_noise: Floats


@dataclass(frozen=True)
class NoiseModel:
    """The noise of m measurements.

    measured : (m,) not transformed. transformation, distribution : (m,) places in `TRANSFORMATIONS`, `DISTRIBUTIONS`.
    """

    measured: Floats
    transformation: Codes
    distribution: Codes

    @classmethod
    def named(cls, measured: Floats, transformations: Sequence[str], distributions: Sequence[str]) -> NoiseModel:
        """The same from names, one for each measurement."""
        return cls(
            np.asarray(measured, float),
            np.array([TRANSFORMATIONS.index(t) for t in transformations], np.int8),
            np.array([DISTRIBUTIONS.index(d) for d in distributions], np.int8),
        )

    def log_density(self, simulated: Floats, noise: Floats) -> Floats:
        """The natural logarithm of the density of each measurement, (…, m) from arrays that broadcast to this.

        Minus infinite where the noise is not positive, where a logarithm is asked of what is not, and where something
        is no finite number.
        """
        with np.errstate(all="ignore"):
            size = np.abs(self.residual(simulated, noise))
            return self._log_density(size, noise)

    def with_slopes(self, simulated: Floats, noise: Floats) -> Slopes:
        """`log_density` with its derivatives; these are NaN where it is minus infinite."""
        simulated, noise = np.asarray(simulated, float), np.asarray(noise, float)
        with np.errstate(all="ignore"):
            residual = self.residual(simulated, noise)
            size = np.abs(residual)
            density = self._log_density(size, noise)
            precision = np.where(density > -np.inf, 1.0 / noise, np.nan)
            square = precision * precision
            rate = precision if self._all_linear else precision * self._rate(simulated)
            if self._all_normal:
                pull, excess, spread = residual, size * size - 1.0, 2.0 * square
            else:
                pull = np.where(self._laplace, np.sign(residual), residual)
                excess = np.where(self._laplace, size, size * size) - 1.0
                spread = np.where(self._laplace, square, 2.0 * square)
            return Slopes(density, pull * rate, excess * precision, square if self._all_linear else rate * rate, spread)

    def residual(self, simulated: Floats, noise: Floats) -> Floats:
        """Measured less simulated, both transformed, over the noise: (…, m); NaN where a logarithm does not exist."""
        with np.errstate(all="ignore"):
            return np.asarray((self._transformed_measured - self.transformed(simulated)) / noise)

    def transformed(self, values: Floats) -> Floats:
        """(…, m) values, measured or simulated, on the scale of the transformation of each measurement."""
        values = np.asarray(values, float)
        if self._all_linear:
            return values
        with np.errstate(all="ignore"):
            logarithm = np.log(values) * self._factor
            return logarithm if self._all_logarithmic else np.where(self._logarithmic, logarithm, values)

    def _log_density(self, size: Floats, noise: Floats) -> Floats:
        square = 0.5 * size * size
        fall = square if self._all_normal else np.where(self._laplace, size, square)
        density = self._constant - np.log(noise) - fall
        return np.where(np.isfinite(density), density, -np.inf)

    def _rate(self, simulated: Floats) -> Floats:
        """Of the transformed by what is simulated."""
        rate = self._factor / simulated
        return rate if self._all_logarithmic else np.where(self._logarithmic, rate, 1.0)

    @cached_property
    def _logarithmic(self) -> NDArray[np.bool_]:
        return np.asarray(self.transformation != TRANSFORMATIONS.index("lin"))

    @cached_property
    def _all_linear(self) -> bool:
        return not self._logarithmic.any()

    @cached_property
    def _all_logarithmic(self) -> bool:
        return bool(self._logarithmic.all())

    @cached_property
    def _laplace(self) -> NDArray[np.bool_]:
        return np.asarray(self.distribution == DISTRIBUTIONS.index("laplace"))

    @cached_property
    def _all_normal(self) -> bool:
        return not self._laplace.any()

    @cached_property
    def _factor(self) -> Floats:
        """What makes of a natural logarithm that of the transformation."""
        return np.where(self.transformation == TRANSFORMATIONS.index("log10"), 1.0 / np.log(10.0), 1.0)

    @cached_property
    def _transformed_measured(self) -> Floats:
        return self.transformed(self.measured)

    @cached_property
    def _constant(self) -> Floats:
        """Of the log density: norm of the distribution, and the transformation's rate at what was measured."""
        norm = np.where(self._laplace, -np.log(2.0), -0.5 * np.log(2.0 * np.pi))
        with np.errstate(all="ignore"):
            return np.asarray(norm if self._all_linear else norm + np.log(self._rate(self.measured)))
