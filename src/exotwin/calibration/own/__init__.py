"""exotwin's own calibrations: PEtab problems over evidence records → numbers of the parameter tables."""

from exotwin.calibration.own.calibrate import calibrate
from exotwin.calibration.own.check import Drift, check
from exotwin.calibration.own.definition import Definition, Target, calibrations, read_definition
from exotwin.calibration.own.documents import documents, renew, stale
from exotwin.calibration.own.result import Comparison, Estimate, OwnCalibration

__all__ = [
    "Comparison",
    "Definition",
    "Drift",
    "Estimate",
    "OwnCalibration",
    "Target",
    "calibrate",
    "calibrations",
    "check",
    "documents",
    "read_definition",
    "renew",
    "stale",
]
