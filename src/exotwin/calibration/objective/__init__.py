"""Problem and parameter vectors → likelihood, gradient and information, many vectors at once."""

from exotwin.calibration.objective.evaluation import Evaluation, Objective
from exotwin.calibration.objective.simulated import SimulatedObjective, objective

__all__ = ["Evaluation", "Objective", "SimulatedObjective", "objective"]
