"""Objective → local searches from many starting points, side by side."""

from exotwin.calibration.search.found import Evaluate, Found, Start
from exotwin.calibration.search.minimise import minimise
from exotwin.calibration.search.multistart import multistart
from exotwin.calibration.search.starts import starts
from exotwin.calibration.search.together import together

__all__ = ["Evaluate", "Found", "Start", "minimise", "multistart", "starts", "together"]
