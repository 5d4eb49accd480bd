"""Which form of a step a model gets."""

from __future__ import annotations

from exotwin.engine.kernels.compact import CompactStepper
from exotwin.engine.kernels.equations import Equations, SensitivityEquations
from exotwin.engine.kernels.explicit import ExplicitStepper
from exotwin.engine.kernels.rosenbrock import RosenbrockStepper
from exotwin.engine.kernels.sensitivity_step import SensitivityStepper
from exotwin.engine.kernels.steps import Stepper
from exotwin.engine.kernels.tableaux import RODAS5P, TSIT5, Rosenbrock
from exotwin.errors import NotBuiltYet

METHODS = ("rodas5p", "tsit5")
"""What patients can be simulated with. The first can do all models."""

_UNROLLED = 7000
"""Operations up to which every stage is written out: that is 20 % faster below 15 states, 12 % at 33, and takes LLVM at
most 0.7 s; from there on it is slower, and its compile time grows faster than the length."""


def stepper_for(equations: Equations, method: str) -> Stepper:
    """The step of a method, one of `METHODS`, for these equations.

    Raises
    ------
    NotBuiltYet : the explicit method for algebraic states or sensitivities.
    """
    if method != METHODS[0]:
        if isinstance(equations, SensitivityEquations):
            raise NotBuiltYet(f'method "{method}"', found="sensitivities asked for", expected=f'"{METHODS[0]}"')
        return ExplicitStepper(equations, TSIT5)
    if isinstance(equations, SensitivityEquations):
        return SensitivityStepper(equations, RODAS5P)
    return rosenbrock_stepper(equations, RODAS5P)


def rosenbrock_stepper(equations: Equations, method: Rosenbrock) -> RosenbrockStepper:
    """Written out, or for large models in functions and loops; counted in operations that would be written out."""
    stepper = CompactStepper(equations, method)
    return stepper if stepper.unrolled_length() > _UNROLLED else RosenbrockStepper(equations, method)
