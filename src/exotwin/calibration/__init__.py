"""Measurements that name records → parameters with their uncertainty, by fits that anyone can repeat."""

from exotwin.calibration.evaluate import Nominal, evaluate
from exotwin.calibration.fit import Fit, fit
from exotwin.calibration.objective import Evaluation, objective
from exotwin.calibration.own import Comparison, Drift, Estimate, OwnCalibration, calibrate, calibrations, check
from exotwin.calibration.problem import Problem, read

__all__ = [
    "Comparison",
    "Drift",
    "Estimate",
    "Evaluation",
    "Fit",
    "Nominal",
    "OwnCalibration",
    "Problem",
    "calibrate",
    "calibrations",
    "check",
    "evaluate",
    "fit",
    "objective",
    "read",
]
