"""Equations → machine code: expressions, methods, the loop that carries lanes of patients through time."""

from exotwin.engine.kernels.choice import METHODS, stepper_for
from exotwin.engine.kernels.compile import Loaded, Processor, machine_code, processor
from exotwin.engine.kernels.cost import attempted_step
from exotwin.engine.kernels.driver import write_module
from exotwin.engine.kernels.equations import Equations, Event, Place, SensitivityEquations
from exotwin.engine.kernels.graph import Graph
from exotwin.engine.kernels.sparse import elimination_order
from exotwin.engine.kernels.steps import NO_SIZE
from exotwin.engine.kernels.task import OK, OUTCOMES, TASK

__all__ = [
    "METHODS",
    "NO_SIZE",
    "OK",
    "OUTCOMES",
    "TASK",
    "Equations",
    "Event",
    "Graph",
    "Loaded",
    "Place",
    "Processor",
    "SensitivityEquations",
    "attempted_step",
    "elimination_order",
    "machine_code",
    "processor",
    "stepper_for",
    "write_module",
]
