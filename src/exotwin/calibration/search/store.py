"""Finished starts in a journal, so that a fit goes on after an interruption."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.journal import Header, Journal
from exotwin.calibration.search.found import Found, Start

Floats = NDArray[np.float64]


class Store:
    """The file ``path`` for searches from ``points`` that ``header`` describes. kept : starts that are there.

    Raises InputError if the file is of other searches, or is none.
    """

    def __init__(self, path: Path, header: Header, points: Floats) -> None:
        self._journal = Journal(path, "starts", header, hidden=("problem", "points"))
        self.kept: dict[int, Start] = {}
        for number, entry in enumerate(self._journal.entries, 2):
            try:
                start = _start(entry, points)
            except (KeyError, TypeError, ValueError, IndexError) as error:
                raise self._journal.damaged(number) from error
            self.kept[start.number] = start

    def append(self, start: Start) -> None:
        """Writes one start more."""
        found = start.found
        self._journal.append(
            {
                "start": start.number,
                "value": found.value,
                "outcome": found.outcome,
                "evaluations": found.evaluations,
                "failed": found.failed,
                "seconds": round(start.seconds, 3),
                "begin_value": start.begin_value,
                "point": found.point,
                "gradient": found.gradient,
            }
        )


def _start(entry: Mapping[str, Any], points: Floats) -> Start:
    number = int(entry["start"])
    point, gradient = (np.array(entry[name], float) for name in ("point", "gradient"))
    if not point.shape == gradient.shape == points[number].shape:
        raise ValueError(f"{len(point)} and {len(gradient)} numbers")
    found = Found(
        point,
        float(entry["value"]),
        gradient,
        int(entry["evaluations"]),
        int(entry["failed"]),
        str(entry["outcome"]),
    )
    return Start(number, points[number], float(entry["begin_value"]), found, float(entry["seconds"]))
