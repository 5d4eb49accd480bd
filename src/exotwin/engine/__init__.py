"""Any SBML document → trajectories of an ensemble of virtual patients, fast."""

from exotwin.engine.running import CompiledModel, Course, Dose, Quantity, course, load

__all__ = ["CompiledModel", "Course", "Dose", "Quantity", "course", "load"]
