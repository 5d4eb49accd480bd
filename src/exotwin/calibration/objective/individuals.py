"""Values of what differs between individuals, and how they move with location and scale of their distribution."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.problem import Problem, Source, Varied

Floats = NDArray[np.float64]


class Individuals:
    """The same points of a scrambled Sobol sequence at every parameter vector. count : of individuals."""

    def __init__(self, problem: Problem) -> None:
        self._place = {name: k for k, name in enumerate(problem.names)}
        self._varied, self.count = problem.population.varied if problem.population is not None else (), 1
        if problem.population is not None:
            from scipy import special
            from scipy.stats import qmc

            self.count = problem.population.n
            sobol = qmc.Sobol(max(len(self._varied), 1), scramble=True, rng=problem.population.seed)
            self._unit = sobol.random(self.count)
            self._normal = special.ndtri(self._unit)

    def values(self, theta: Floats) -> dict[str, Floats]:
        """name -> (n, individual) at parameter values ``theta``, (n, p)."""
        found: dict[str, Floats] = {}
        for i, varied in enumerate(self._varied):
            if isinstance(varied.location, str) or isinstance(varied.scale, str):
                z = self._normal[:, i]
                location, scale = (self._number(s, theta) for s in (varied.location, varied.scale))
                spread = scale * z
                found[varied.name] = (
                    location * np.exp(spread) if varied.distribution == "lognormal" else location + spread
                )
            else:
                drawn = _quantile(varied, self._unit[:, i])
                found[varied.name] = np.broadcast_to(drawn, (len(theta), self.count))
        return found

    def weights(self, theta: Floats) -> dict[tuple[str, str], Floats]:
        """(name, "location" or "scale") -> (n, individual) derivative of the value by it."""
        found: dict[tuple[str, str], Floats] = {}
        values: Mapping[str, Floats] = self.values(theta)
        for i, varied in enumerate(self._varied):
            z = np.broadcast_to(self._normal[:, i], (len(theta), self.count))
            if varied.distribution == "lognormal":
                value, location = values[varied.name], self._number(varied.location, theta)
                found[varied.name, "location"], found[varied.name, "scale"] = value / location, value * z
            else:
                found[varied.name, "location"], found[varied.name, "scale"] = np.ones_like(z), z
        return found

    def _number(self, source: Source, theta: Floats) -> Floats:
        """(n, 1)."""
        if isinstance(source, str):
            return theta[:, self._place[source], None]
        return np.full((len(theta), 1), float(source))


def _quantile(varied: Varied, unit: Floats) -> Floats:
    """(individual,) of a distribution without estimated parameters."""
    from exotwin.biology import Spread

    location, scale = float(varied.location), float(varied.scale)
    if varied.distribution in ("uniform", "loguniform"):
        return Spread(varied.distribution, location, varied.low, varied.high).quantile(unit)
    return Spread(varied.distribution, location, scale, low=varied.low, high=varied.high).quantile(unit)
