"""Toy objectives with exact derivatives, as an objective of a fit would give them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from exotwin.calibration.objective import Evaluation

Floats = NDArray[np.float64]


class Toy:
    """Half the sum of squares of residuals; remembers the batches that it was asked for.

    residuals : (p,) → (m,). jacobian : (p,) → (m, p). fails : (p,) → whether there is no value.
    """

    def __init__(
        self,
        residuals: Callable[[Floats], Floats],
        jacobian: Callable[[Floats], Floats],
        lower: Sequence[float],
        upper: Sequence[float],
        fails: Callable[[Floats], bool] = lambda x: False,
    ) -> None:
        self.residuals, self.jacobian, self.fails = residuals, jacobian, fails
        self.lower, self.upper = np.array(lower, float), np.array(upper, float)
        self.problem = SimpleNamespace(lower=self.lower, upper=self.upper, digest="a toy")
        self.batches: list[Floats] = []

    def value(self, point: Floats) -> float:
        return np.inf if self.fails(point) else float(0.5 * np.sum(self.residuals(point) ** 2))

    def one(self, point: Floats) -> tuple[float, Floats, Floats]:
        if self.fails(point):
            return np.inf, np.full(len(point), np.nan), np.full((len(point),) * 2, np.nan)
        r, j = self.residuals(point), self.jacobian(point)
        return float(0.5 * r @ r), j.T @ r, j.T @ j

    def evaluate(self, points: Floats | Sequence[Sequence[float]], *, slopes: bool = False) -> Evaluation:
        points = np.array(points, float)
        self.batches.append(points)
        value, gradient, information = (np.array(x) for x in zip(*map(self.one, points), strict=True))
        nothing = np.zeros((len(points), 0))
        outcome = tuple("ok" if np.isfinite(v) else "failed" for v in value)
        return Evaluation(value, -value, outcome, nothing, nothing, gradient, information)


def valley(fails: Callable[[Floats], bool] = lambda x: False) -> Toy:
    """Rosenbrock's bent valley as least squares; its minimum, 0, lies at (1, 1)."""
    return Toy(
        lambda x: np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]]),
        lambda x: np.array([[-20.0 * x[0], 10.0], [-1.0, 0.0]]),
        [-3.0, -3.0],
        [3.0, 3.0],
        fails,
    )


def decay(fails: Callable[[Floats], bool] = lambda x: False) -> Toy:
    """a exp(−k t) against noisy data, a and k on the scale log10."""
    t = np.linspace(0.0, 3.0, 13)
    measured = 2.0 * np.exp(-0.8 * t) + 0.05 * np.sin(17.0 * t)

    def jacobian(x: Floats) -> Floats:
        a, k = 10.0**x
        return np.log(10.0) * np.stack([a * np.exp(-k * t), -k * t * a * np.exp(-k * t)], axis=1) / 0.05

    return Toy(
        lambda x: (10.0 ** x[0] * np.exp(-(10.0 ** x[1]) * t) - measured) / 0.05, jacobian, [-3, -3], [3, 2], fails
    )


def product() -> Toy:
    """Only x0 + x1 counts, and x2: a flat direction."""
    return Toy(
        lambda x: np.array([np.exp(x[0] + x[1]) - 2.0, x[2] - 0.5, 0.3]),
        lambda x: np.array([[np.exp(x[0] + x[1])] * 2 + [0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]]),
        [-2.0] * 3,
        [2.0] * 3,
    )


def waves(fails: Callable[[Floats], bool] = lambda x: False) -> Toy:
    """Several minima in one dimension, and a second dimension that is none of their business."""
    return Toy(
        lambda x: np.array([0.3 * x[0], 2.0 * np.sin(2.0 * x[0] + 0.5), x[1] - 1.0]),
        lambda x: np.array([[0.3, 0.0], [4.0 * np.cos(2.0 * x[0] + 0.5), 0.0], [0.0, 1.0]]),
        [-5.0, -5.0],
        [5.0, 5.0],
        fails,
    )


@pytest.fixture
def toys() -> SimpleNamespace:
    """Makers of the toys above."""
    return SimpleNamespace(valley=valley, decay=decay, product=product, waves=waves)
