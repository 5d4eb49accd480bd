"""A problem of parameter estimation: model, conditions, observables, measurements and what is to be estimated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

Source = float | str
"""Where a value comes from: a number, or the name of an estimated parameter."""


@dataclass(frozen=True)
class Prior:
    """A prior as PEtab names it: ``kind`` with its two parameters.

    kind : uniform, normal, laplace, logNormal, logLaplace, parameterScaleUniform, parameterScaleNormal,
        parameterScaleLaplace.
    """

    kind: str
    first: float
    second: float


@dataclass(frozen=True)
class Parameter:
    """An estimated parameter. ``lower``, ``upper`` and ``nominal`` are values themselves, not on ``scale``.

    scale : "lin", "log" or "log10". nominal : NaN where the table gives none. prior : part of the objective, or None.
    start_prior : where starts are drawn from; None: evenly between the limits on the scale.
    """

    name: str
    scale: str
    lower: float
    upper: float
    nominal: float
    prior: Prior | None = None
    start_prior: Prior | None = None
    label: str = ""


@dataclass(frozen=True)
class Observable:
    """What is measured, as formulas (sympy) of names of the model, parameters and placeholders.

    noise : SD (normal) or scale (laplace) of the noise, on the scale ``transformation``; may name the observable.
    transformation : "lin", "log", "log10". distribution : "normal", "laplace".
    placeholders, noise_placeholders : names that each measurement fills, in their order.
    statistic : "" ; in a population "mean", "sd", or "smd OTHER" (see `Population`).
    """

    name: str
    formula: Any
    noise: Any
    transformation: str = "lin"
    distribution: str = "normal"
    placeholders: tuple[str, ...] = ()
    noise_placeholders: tuple[str, ...] = ()
    statistic: str = ""
    label: str = ""


@dataclass(frozen=True)
class Condition:
    """What a condition sets in the model, the parameters of the parameter table included.

    parameters : parameter of the model, or a name that only formulas know -> value. initial : state -> initial value,
    as formulas mean it. A parameter that is missing keeps the model's own value, a state that as well, or after a
    pre-equilibration its value there.
    """

    name: str
    parameters: Mapping[str, Source]
    initial: Mapping[str, Source]


@dataclass(frozen=True)
class Simulation:
    """One run: under a condition, from the steady state under the condition ``before`` if there is one."""

    condition: str
    before: str | None = None

    @property
    def label(self) -> str:
        """Name for messages and tables."""
        return self.condition if self.before is None else f"{self.condition} after {self.before}"


@dataclass(frozen=True)
class Measurements:
    """Columns with one entry for each row of the measurement table, in its order.

    observable, simulation : (row,) places in the problem's lists. time : (row,), infinite at steady state.
    value : (row,) as measured, not transformed. observable_parameters, noise_parameters : what fills the placeholders.
    table : the rows as read, for what is shown and written.
    """

    observable: Integers
    simulation: Integers
    time: Floats
    value: Floats
    observable_parameters: tuple[tuple[Source, ...], ...]
    noise_parameters: tuple[tuple[Source, ...], ...]
    table: pd.DataFrame = field(repr=False)

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True)
class Varied:
    """A parameter of the model that differs between individuals.

    distribution : as in `biology.parameters.Spread`. location, scale : centre (normal: mean; lognormal: median) and SD
        (lognormal: of the natural logarithm); either may be estimated, if the distribution is normal or lognormal and
        not truncated. low, high : truncation; for uniform and loguniform the ends of the range.
    """

    name: str
    distribution: str
    location: Source
    scale: Source
    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class Population:
    """Every condition is simulated for the same ``n`` individuals, and observables are statistics over them.

    Individuals are the points of a scrambled Sobol sequence with ``seed``, one dimension for each entry of ``varied``
    in their order, so that a few hundred already give steady means and SDs and the objective is smooth in its
    parameters. Statistics of an observable y at a time: "mean"; "sd" (n − 1); "smd OTHER": the mean of y here less
    that under the condition OTHER, over the root of the mean of both variances.
    """

    n: int
    seed: int
    varied: tuple[Varied, ...]


@dataclass(frozen=True)
class Problem:
    """A problem of parameter estimation, all names resolved.

    name : of the problem's file, without its ending. sbml : the model's document. fixed : parameters of the table that
    are not estimated. simulations : each pair of conditions that was measured. digest : of all that decides numbers.
    """

    name: str
    sbml: str = field(repr=False)
    parameters: tuple[Parameter, ...]
    fixed: Mapping[str, float]
    observables: tuple[Observable, ...]
    conditions: Mapping[str, Condition]
    simulations: tuple[Simulation, ...]
    measurements: Measurements
    digest: str
    population: Population | None = None
    remarks: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the estimated parameters."""
        return tuple(p.name for p in self.parameters)

    def scaled(self, values: Floats) -> Floats:
        """(…, parameter) values → the same on the scale of each parameter."""
        found = np.array(values, float)
        for i, p in enumerate(self.parameters):
            if p.scale != "lin":
                found[..., i] = np.log10(found[..., i]) if p.scale == "log10" else np.log(found[..., i])
        return found

    def unscaled(self, points: Floats) -> Floats:
        """(…, parameter) on the scale of each parameter → values."""
        found = np.array(points, float)
        for i, p in enumerate(self.parameters):
            if p.scale != "lin":
                found[..., i] = 10 ** found[..., i] if p.scale == "log10" else np.exp(found[..., i])
        return found

    @cached_property
    def lower(self) -> Floats:
        """(parameter,) on the scale of each."""
        return self.scaled(np.array([p.lower for p in self.parameters], float))

    @cached_property
    def upper(self) -> Floats:
        """(parameter,) on the scale of each."""
        return self.scaled(np.array([p.upper for p in self.parameters], float))

    @cached_property
    def nominal(self) -> Floats:
        """(parameter,) on the scale of each, NaN where the table gives no value."""
        return self.scaled(np.array([p.nominal for p in self.parameters], float))
