"""Machine code → trajectories of an ensemble: chunks on threads, doses, pilots, stores, labelled arrays."""

from exotwin.engine.running.course import Course, course
from exotwin.engine.running.doses import Dose
from exotwin.engine.running.model import CompiledModel, Quantity, load

__all__ = ["CompiledModel", "Course", "Dose", "Quantity", "course", "load"]
