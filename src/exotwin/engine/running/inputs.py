"""What the caller of a simulation gives, checked before anything is computed."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from exotwin.errors import ModelError

Floats = NDArray[np.float64]

_PART = 1_000_000  # numbers looked at in one go
_MOST = 2**63 - 1  # what machine code can count


def shown(value: object) -> str:
    """What was given, short enough for a message."""
    text = repr(value).replace("\n", " ")
    return text if len(text) <= 80 else f"{text[:77]}..."


def number(where: str, value: Any, expected: str = "a number", valid: Callable[[float], bool] = np.isfinite) -> float:
    """One number that is as expected."""
    if isinstance(value, Real) or (isinstance(value, np.ndarray) and value.ndim == 0):
        found = float(_array(where, value))
        if valid(found):
            return found
    raise ModelError(where, found=shown(value), expected=expected)


def zero_or_more(where: str, value: Any) -> float:
    """One finite number that is not below zero."""
    return number(where, value, "zero or more", lambda found: 0 <= found < np.inf)


def whole(where: str, value: Any) -> int:
    """A whole number above zero."""
    try:
        found = operator.index(value)
    except TypeError:
        found = 0
    if not 0 < found <= _MOST:
        raise ModelError(where, found=shown(value), expected="a whole number above zero")
    return found


def mapping(where: str, value: Any) -> dict[Any, Any]:
    """Names and what belongs to them: a mapping, also a Dataset or a table with columns."""
    if value is None:
        return {}
    if not hasattr(value, "items"):
        raise ModelError(where, found=shown(value), expected='names with values, such as {"k": 0.3}')
    return dict(value.items())


def names(where: str, value: Any) -> list[str]:
    """A list of names."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ModelError(where, found=shown(value), expected='a list of names, such as ["S1", "S2"]')
    given = list(value)
    for name in given:
        if not isinstance(name, str):
            raise ModelError(where, found=shown(name), expected="a name")
    return [str(name) for name in given]


def check_path(where: str, value: object, expected: str) -> None:
    """Refuse what cannot name a file or folder."""
    if not isinstance(value, str | os.PathLike):
        raise ModelError(where, found=shown(value), expected=expected)


def grid(times: ArrayLike) -> Floats:
    """(time,), rising."""
    points = np.atleast_1d(_array("times", times))
    if points.ndim != 1 or not points.size:
        raise ModelError("times", found=f"numbers of shape {points.shape}", expected="a row of times, at least one")
    wrong = np.flatnonzero(~np.isfinite(points))
    if wrong.size:
        raise ModelError(f"times[{wrong[0]}]", found=f"{points[wrong[0]]}", expected="a finite number")
    falls = np.flatnonzero(np.diff(points) <= 0)
    if falls.size:
        before, after = points[falls[0] : falls[0] + 2].tolist()
        raise ModelError(f"times[{falls[0] + 1}]", found=f"{after} behind {before}", expected="times that rise")
    return points


def numbers(where: str, value: Any) -> Any:
    """One number, or (patient,) numbers; what is read only when it is needed stays so, but is looked through once."""
    given = value if _is_read_late(value) and value.dtype.kind in "biuf" else _array(where, value)
    expected = "one finite number, or one for each patient"
    if given.ndim > 1:
        raise ModelError(where, found=f"numbers of shape {given.shape}", expected=expected)
    first = 0
    for part in parts(given):
        wrong = np.flatnonzero(~np.isfinite(part))
        if wrong.size:
            whose = f" for patient {first + wrong[0]}" if given.ndim else ""
            raise ModelError(where, found=f"{part.flat[wrong[0]]}{whose}", expected=expected)
        first += part.size
    return given


def table(where: str, value: Any, width: int) -> Floats:
    """(width,) or (patient, width) finite numbers."""
    given = _array(where, value)
    expected = f"{width} finite numbers, or so many for each patient"
    if given.ndim not in (1, 2) or given.shape[-1] != width:
        raise ModelError(where, found=f"numbers of shape {given.shape}", expected=expected)
    if not np.all(np.isfinite(given)):
        raise ModelError(where, found=f"{given[~np.isfinite(given)][0]}", expected=expected)
    return given


def parts(given: Any) -> Iterator[Floats]:
    """The numbers, piece by piece."""
    if not given.ndim:
        yield np.asarray(given, float)
    for first in range(0, given.shape[0] if given.ndim else 0, _PART):
        yield np.ascontiguousarray(given[first : first + _PART], float)


def count(given: Iterable[tuple[str, Any]]) -> int:
    """Number of patients: the one length of all arrays, which come with what they are for."""
    lengths = [(where, int(array.shape[0])) for where, array in given if array.ndim]
    if not lengths:
        return 1
    first, n_patients = lengths[0]
    for where, length in lengths:
        if length != n_patients:
            expected = f"{n_patients}, as in {first}"
            raise ModelError(where, found=f"{length} patients", expected=expected)
    return n_patients


def _is_read_late(value: Any) -> bool:
    """Whether an array stands on disk: a variable of a Dataset, an array of Zarr or HDF5. A np.memmap needs no care."""
    return hasattr(value, "chunks") and hasattr(value, "ndim") and hasattr(value, "dtype")


def _array(where: str, value: Any) -> Floats:
    """Numbers, and nothing that only can be taken for such: texts, dates, quantities with a unit of their own."""
    if hasattr(value, "magnitude"):
        raise ModelError(where, found=shown(value), expected="numbers alone, in the unit that the model has")
    with suppress(TypeError, ValueError):  # rows of different lengths
        given = np.asarray(value)
        are_numbers = given.dtype.kind in "biuf" or (
            given.dtype.kind == "O" and all(isinstance(item, Real) for item in given.flat)
        )
        if are_numbers:
            return np.asarray(given, float)
    raise ModelError(where, found=shown(value), expected="numbers")
