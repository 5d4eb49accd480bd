"""PEtab tables → what a fit needs to know, checked."""

from exotwin.calibration.problem.problem import (
    Condition,
    Measurements,
    Observable,
    Parameter,
    Population,
    Prior,
    Problem,
    Simulation,
    Source,
    Varied,
)
from exotwin.calibration.problem.read import read

__all__ = [
    "Condition",
    "Measurements",
    "Observable",
    "Parameter",
    "Population",
    "Prior",
    "Problem",
    "Simulation",
    "Source",
    "Varied",
    "read",
]
