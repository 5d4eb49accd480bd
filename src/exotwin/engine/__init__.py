"""Any SBML document → trajectories of an ensemble of virtual patients, fast."""

from exotwin.engine.running.course import Course, course
from exotwin.engine.running.doses import Dose
from exotwin.engine.running.model import CompiledModel, Quantity, load

__all__ = ["CompiledModel", "Course", "Dose", "Quantity", "course", "load"]
