"""Intrinsic noise: what differs between two days of one and the same individual, as kicks to a state of the model.

A model's document is an ordinary differential equation; of d(state) = … dt + sqrt(2 strength) dW it holds the first
part. The second is given as doses: in the middle of each interval of length h the state is moved by a normal number of
variance 2 strength h. That splits the equation symmetrically (drift for h/2, noise, drift for h/2), so that the law of
the state at the ends of intervals is right to second order in h. What a kick is worth is drawn by a generator of the
individual's own: the course of a patient is the same in every arm, in every batch, on any number of threads, and
however far it is followed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from exotwin.errors import StudyError

if TYPE_CHECKING:
    from exotwin.biology import Model
    from exotwin.engine import Dose

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def kicks(
    model: Model, numbers: Mapping[str, Floats | float], *, seed: int, patients: Ints, start: float, end: float
) -> tuple[Dose, ...]:
    """Doses that stand for the noise of a model between two times; none where it has no noise.

    Parameters
    ----------
    model : its ``noises`` say which states move, how strongly, and how often.
    numbers : parameters by name, (patient,) or one number; those that it lacks have the model's value.
    seed : of the study. patients : (patient,) number of each individual, which together with ``seed`` is all that the
        kicks hang on.
    start, end : of the run, in days.

    Raises
    ------
    StudyError : an interval that is not above zero or not the same for all, a strength below zero.
    """
    from exotwin.engine import Dose

    doses: list[Dose] = []
    switched: set[str] = set()
    for noise in model.noises:
        interval = _number(model, numbers, noise.interval)
        strength = _number(model, numbers, noise.strength)
        if np.ptp(interval) > 0 or not interval.flat[0] > 0:
            raise StudyError(
                noise.interval, found=f"{interval.min():g} to {interval.max():g}", expected="one length > 0"
            )
        if np.any(strength < 0):
            raise StudyError(noise.strength, found=f"{strength.min():g}", expected="zero or more")
        if noise.switch and noise.switch not in switched:
            switched.add(noise.switch)
            doses.append(Dose(noise.switch, start, 1.0))
        step = float(interval.flat[0])
        n = int(np.ceil((end - start) / step - 0.5))
        size = np.sqrt(2 * strength * step) * _standard(noise.state, seed, patients, n)
        times = start + step * (np.arange(n) + 0.5)
        doses += [Dose(noise.state, float(time), amount) for time, amount in zip(times, size, strict=True)]
    return tuple(doses)


def _number(model: Model, numbers: Mapping[str, Floats | float], name: str) -> Floats:
    return np.atleast_1d(np.asarray(numbers.get(name, model.parameters[name].value), float))


def _standard(state: str, seed: int, patients: Ints, n: int) -> Floats:
    """(kick, patient,) standard normal numbers; those of a patient begin alike however many there are."""
    word = int.from_bytes(hashlib.sha256(f"noise\n{state}".encode()).digest()[:8])
    drawn = np.empty((patients.size, n))
    for row, patient in zip(drawn, patients, strict=True):
        np.random.default_rng([seed, word, int(patient)]).standard_normal(out=row)
    return np.ascontiguousarray(drawn.T)
