"""What the caller of a simulation gives, checked before anything is computed."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exotwin.errors import ModelError

Floats = NDArray[np.float64]

_PART = 1_000_000  # numbers looked at in one go


def positive(**numbers: float) -> None:
    """Refuse what is not above zero."""
    for name, value in numbers.items():
        if not 0 < value < np.inf:
            raise ModelError(name, found=f"{value}", expected="a number above zero")


def grid(times: ArrayLike) -> Floats:
    """(time,), rising."""
    points = np.atleast_1d(_array("times", times))
    if points.ndim != 1 or not len(points) or not np.all(np.isfinite(points)) or np.any(np.diff(points) <= 0):
        raise ModelError(
            "times", found=f"{points.shape} numbers that do not rise", expected="rising times, at least one"
        )
    return points


def numbers(name: Hashable, value: ArrayLike) -> Any:
    """One number, or (patient,) numbers; what is read only when it is needed stays so, but is looked through once."""
    given: Any = value if _is_read_late(value) else _array(f'values of "{name}"', value)
    if given.ndim > 1 or not all(np.all(np.isfinite(part)) for part in parts(given)):
        raise ModelError(f'values of "{name}"', found="no finite numbers", expected="one number, or (patient,)")
    return given


def parts(given: Any) -> Iterator[Floats]:
    """The numbers, piece by piece."""
    if not given.ndim:
        yield np.asarray(given, float)
    for first in range(0, given.shape[0] if given.ndim else 0, _PART):
        yield np.ascontiguousarray(given[first : first + _PART], float)


def count(given: Iterable[tuple[Hashable, Any]]) -> int:
    """Number of patients: the one length of all arrays, which come with the names of what they are for."""
    lengths = [(name, int(array.shape[0])) for name, array in given if array.ndim]
    if not lengths:
        return 1
    first, n_patients = lengths[0]
    for name, length in lengths:
        if length != n_patients:
            expected = f'{n_patients}, as for "{first}"'
            raise ModelError(f'values of "{name}"', found=f"{length} patients", expected=expected)
    return n_patients


def _is_read_late(value: Any) -> bool:
    """Whether an array stands on disk: a variable of a Dataset, an array of Zarr or HDF5. A np.memmap needs no care."""
    return hasattr(value, "chunks") and hasattr(value, "ndim")


def _array(where: str, value: ArrayLike) -> Floats:
    try:
        return np.asarray(value, float)
    except (TypeError, ValueError) as fault:
        raise ModelError(where, found=f"{str(value)[:80]}", expected="numbers") from fault
