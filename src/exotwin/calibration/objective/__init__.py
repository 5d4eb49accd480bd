"""Problem and parameter vectors → likelihood, gradient and information, many vectors at once."""

from exotwin.calibration.objective.evaluation import Evaluation, Objective

__all__ = ["Evaluation", "Objective"]
