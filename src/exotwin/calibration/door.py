"""Which fits exist, and how one is started."""

from __future__ import annotations

from collections.abc import Callable

from exotwin.calibration.markers import human_markers
from exotwin.calibration.pool import mouse_pool
from exotwin.calibration.potency import animal_potency
from exotwin.calibration.result import Calibration
from exotwin.errors import NotBuiltYet, nearest
from exotwin.progress import Progress, Silent

_FITS: dict[str, Callable[[int, int, Progress], Calibration]] = {
    "poi-animal-potency": lambda n, seed, progress: animal_potency(n_animals=n, seed=seed, progress=progress),
    "human-markers": lambda _n, _seed, progress: human_markers(progress=progress),
    "mouse-pool": lambda _n, _seed, progress: mouse_pool(progress=progress),
}


def calibrations() -> tuple[str, ...]:
    """Names of the fits; rows of the parameter tables name them as ``calibration:NAME``."""
    return tuple(_FITS)


def calibrate(name: str, *, n_animals: int = 512, seed: int = 1, progress: Progress | None = None) -> Calibration:
    """Repeat a fit with the shipped model and measurements. Changes no table: what it finds is to be compared.

    Parameters
    ----------
    name : one of `calibrations`.
    n_animals : virtual animals an arm, for fits over a population; 512 leave the scale of the animal potency uncertain
        by about 4 %, small beside the error of the measurements.
    seed : of these animals.
    progress : told how far the fit has come.

    Raises
    ------
    NotBuiltYet : a fit that does not exist, among them fits of PEtab problems.
    CalibrationError : a simulation or a search that fails.
    """
    if name not in _FITS:
        raise NotBuiltYet(
            f'calibrate("{name}")',
            found="a fit that this version does not have; PEtab problems cannot be fitted yet",
            expected="one of " + ", ".join(_FITS),
            nearest=nearest(name, _FITS),
        )
    return _FITS[name](n_animals, seed, progress or Silent())
