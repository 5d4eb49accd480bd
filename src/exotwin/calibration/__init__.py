"""Fits of the biology's numbers to measurements that name records."""

from exotwin.calibration.door import calibrate, calibrations
from exotwin.calibration.result import Calibration, Comparison, Fitted

__all__ = ["Calibration", "Comparison", "Fitted", "calibrate", "calibrations"]
