"""Any SBML document → trajectories of an ensemble of virtual patients, fast."""

from exotwin.engine.doses import Dose
from exotwin.engine.model import CompiledModel, Quantity, load

__all__ = ["CompiledModel", "Dose", "Quantity", "load"]
