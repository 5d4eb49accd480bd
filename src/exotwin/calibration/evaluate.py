"""A problem at its nominal parameters, without a fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exotwin.calibration.objective import MAX_STEPS, RTOL, Evaluation, objective
from exotwin.calibration.problem import Problem
from exotwin.errors import InputError


@dataclass(frozen=True)
class Nominal:
    """evaluation : at the nominal parameters (n = 1). simulations : runs that it took, steady states included."""

    evaluation: Evaluation
    simulations: int

    @property
    def log_likelihood(self) -> float:
        """Natural logarithm of the likelihood, minus infinite if a simulation failed."""
        return float(self.evaluation.log_likelihood[0])

    @property
    def outcome(self) -> str:
        """ "ok", or what failed and where."""
        return self.evaluation.outcome[0]


def evaluate(
    problem: Problem, *, rtol: float = RTOL, max_steps: int = MAX_STEPS, n_threads: int | None = None
) -> Nominal:
    """Simulate a problem at its nominal parameters.

    Raises
    ------
    InputError : an estimated parameter without a nominal value.
    """
    missing = [name for name, value in zip(problem.names, problem.nominal, strict=True) if not np.isfinite(value)]
    if missing:
        raise InputError(
            f'{problem.name}, parameter "{missing[0]}"', found="no nominal value", expected="a number in nominalValue"
        )
    aim = objective(problem, rtol=rtol, max_steps=max_steps, n_threads=n_threads)
    return Nominal(aim.evaluate(problem.nominal[None]), aim.simulations)
