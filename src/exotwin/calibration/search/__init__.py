"""Objective → local searches from many starting points, side by side."""

from exotwin.calibration.search.found import Evaluate, Found, Start

__all__ = ["Evaluate", "Found", "Start"]
