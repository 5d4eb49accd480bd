"""Optimum → standard errors, profiles, samples."""

from exotwin.calibration.uncertainty.curvature import curvature, finite_bounds
from exotwin.calibration.uncertainty.observed import observed_curvature
from exotwin.calibration.uncertainty.profiles import profiles
from exotwin.calibration.uncertainty.samples import sample
from exotwin.calibration.uncertainty.uncertainty import Curvature, Profile, Samples
from exotwin.calibration.uncertainty.walk import Side

__all__ = [
    "Curvature",
    "Profile",
    "Samples",
    "Side",
    "curvature",
    "finite_bounds",
    "observed_curvature",
    "profiles",
    "sample",
]
