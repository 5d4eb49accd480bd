"""Optimum → standard errors, profiles, samples."""

from exotwin.calibration.uncertainty.uncertainty import Curvature, Profile, Samples

__all__ = ["Curvature", "Profile", "Samples"]
