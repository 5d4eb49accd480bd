"""Problem and parameter vectors → likelihood, gradient and information, many vectors at once."""

from exotwin.calibration.objective.evaluation import Evaluation, Objective
from exotwin.calibration.objective.simulated import MAX_STEPS, RTOL, SimulatedObjective, objective

__all__ = ["MAX_STEPS", "RTOL", "Evaluation", "Objective", "SimulatedObjective", "objective"]
