"""Sides of profiles in a journal, so that profiles go on after an interruption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from exotwin.calibration.journal import Header, Journal
from exotwin.calibration.uncertainty.walk import Side


class KeptSides:
    """The file ``path`` for profiles that ``header`` describes. sides : those that are there."""

    def __init__(self, path: Path, header: Header) -> None:
        self._journal = Journal(path, "profiles", header, hidden=("problem", "optimum"))
        self.sides: list[Side] = []
        for number, entry in enumerate(self._journal.entries, 2):
            try:
                self.sides.append(_side(entry))
            except (KeyError, TypeError, ValueError) as error:
                raise self._journal.damaged(number) from error

    def append(self, side: Side) -> None:
        """Writes one side more."""
        self._journal.append({field.name: getattr(side, field.name) for field in fields(Side)})


def _side(entry: Mapping[str, Any]) -> Side:
    return Side(
        parameter=int(entry["parameter"]),
        direction=int(entry["direction"]),
        grid=np.array(entry["grid"], float),
        value=np.array(entry["value"], float),
        points=np.array(entry["points"], float),
        limit=float(entry["limit"]),
        searches=int(entry["searches"]),
        unfinished=int(entry["unfinished"]),
        evaluations=int(entry["evaluations"]),
        failed=int(entry["failed"]),
        rough=bool(entry["rough"]),
    )
