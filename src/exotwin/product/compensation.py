"""Spill-over between dyes, taken out: by the matrix that the file carries, or by one that the user gives.

A row of the matrix is a dye, a column a detector: measured = true @ matrix, so true = measured @ inverse, on the linear
scale. Compensation adds spread but never removes it (real case: one APC stain leaves 17 % of cells "positive" in the
next channel after it, 53 % before).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exotwin.errors import ProductError, nearest
from exotwin.product.fcs import FcsFile
from exotwin.product.nta import FloatArray
from exotwin.tables import read_text

_KEYS = ("$SPILLOVER", "SPILL", "SPILLOVER", "$SPILL")


@dataclass(frozen=True, eq=False)
class Spill:
    """Spill-over matrix.

    channels : detectors, in the order of rows and columns. matrix : (dye, detector); 1 for a dye in its own detector.
    """

    channels: tuple[str, ...]
    matrix: FloatArray
    source: str

    @property
    def is_identity(self) -> bool:
        """True where there is nothing to take out."""
        return bool(np.array_equal(self.matrix, np.eye(len(self.channels))))


def spill_of(keywords: Mapping[str, str], where: str) -> tuple[Spill | None, tuple[str, ...]]:
    """The matrix that an FCS file carries, or None; and what to remark about it."""
    key = next((k for k in _KEYS if k in keywords), None)
    if key is None:
        return None, ()
    cells = [c.strip() for c in keywords[key].split(",")]
    n = int(cells[0]) if cells[0].isdecimal() and len(cells[0]) < 5 else 0
    names, numbers = cells[1 : n + 1], [c for c in cells[n + 1 :] if c]
    if n == 0 or len(names) < n:
        return None, (f"{key} is not a matrix; nothing was compensated",)
    if not numbers:
        return None, (f"{key} names {n} channels and holds no numbers; nothing was compensated",)
    try:
        values = np.array([float(c) for c in numbers])
    except ValueError:
        values = np.array([np.nan])
    if values.size != n * n or not np.all(np.isfinite(values)):
        return None, (f"{key} does not hold {n} x {n} numbers; nothing was compensated",)
    return Spill(tuple(names), values.reshape(n, n), f"{key} of {where}"), ()


def read_spill(path: Path) -> Spill:
    """A matrix from a text file: a line of detector names, then one line of numbers a dye, in the same order.

    Separated by tabs or commas; lines before the names, such as a title, are passed over.

    Raises
    ------
    ProductError : no matrix in it, not square, or not invertible.
    """
    rows = [re.split(r"[\t,]", line) for line in read_text(path, error=ProductError).splitlines()]
    cells = [[c.strip() for c in row if c.strip()] for row in rows]
    cells = [row for row in cells if row]
    first = next((n for n, row in enumerate(cells) if _numbers(row) is not None), 0)
    names = tuple(cells[first - 1]) if first else ()
    numbers = [_numbers(row) for row in cells[first:]]
    if not names or len(numbers) != len(names) or any(row is None or len(row) != len(names) for row in numbers):
        raise ProductError(
            str(path),
            found=f"{len(names)} channel names and {len(numbers)} further lines",
            expected="a line of channel names, then a square of numbers",
        )
    return Spill(names, np.array(numbers, dtype=np.float64), path.name)


def _numbers(row: list[str]) -> list[float] | None:
    try:
        values = [float(c) for c in row]
    except ValueError:
        return None
    return values if np.all(np.isfinite(values)) else None


def compensate(tube: FcsFile, spill: Spill) -> FloatArray:
    """(event, channel): the scaled events with the spill-over of the named channels taken out.

    Raises
    ------
    ProductError : the matrix names a channel that the tube does not have, or cannot be inverted.
    """
    for name in spill.channels:
        if name not in tube.names:
            raise ProductError(
                f"{tube.file}, {spill.source}",
                found=f'the channel "{name}"',
                expected="one of " + ", ".join(tube.names),
                nearest=nearest(name, tube.names),
            )
    at = [tube.names.index(name) for name in spill.channels]
    if np.linalg.matrix_rank(spill.matrix) < len(at):
        raise ProductError(spill.source, found="a matrix without an inverse", expected="a spill-over matrix")
    values = tube.scaled.copy()
    values[:, at] = np.linalg.solve(spill.matrix.T, values[:, at].T).T
    return values
