"""Any SBML document → trajectories of an ensemble of virtual patients, fast."""

from exotwin.engine.course import Course, course
from exotwin.engine.doses import Dose
from exotwin.engine.model import CompiledModel, Quantity, load

__all__ = ["CompiledModel", "Course", "Dose", "Quantity", "course", "load"]
