"""Finished starts in a file of JSON lines, so that a fit goes on after an interruption.

The first line says what was searched; each further line is one start. Floats are written as Python prints them, which
reads back exactly, and as strings where JSON has no number for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exotwin.calibration.search.found import Found, Start
from exotwin.errors import InputError

Floats = NDArray[np.float64]
Header = Mapping[str, str | int | float]

_FORMAT = "starts of exotwin fit, 1"


class Store:
    """The file ``path`` for searches from ``points`` that ``header`` describes; made if it is not there.

    Raises InputError if the file is of other searches, or is none.
    """

    def __init__(self, path: Path, header: Header, points: Floats) -> None:
        self._path = path
        self.kept: dict[int, Start] = {}
        self._header: Header = {"format": _FORMAT, **header}
        first = json.dumps(self._header) + "\n"
        content = path.read_bytes() if path.exists() else b""
        if first.encode().startswith(content):  # no file, or one whose first line was torn when the program was killed
            path.write_text(first, encoding="utf-8")
            return
        *lines, torn = content.decode("utf-8", errors="replace").split("\n")
        if not lines:
            raise _damaged(path, 1)
        self._check(_decoded(path, 1, lines[0]))
        for number, line in enumerate(lines[1:], 2):
            try:
                start = _start(_decoded(path, number, line), points)
            except (KeyError, TypeError, ValueError, IndexError) as error:
                raise _damaged(path, number) from error
            self.kept[start.number] = start
        if torn:
            with path.open("r+b") as file:
                file.truncate(content.rfind(b"\n") + 1)

    def append(self, start: Start) -> None:
        """Writes one start more."""
        line = json.dumps(
            {
                "start": start.number,
                "value": _written(start.found.value),
                "outcome": start.found.outcome,
                "evaluations": start.found.evaluations,
                "failed": start.found.failed,
                "seconds": round(start.seconds, 3),
                "begin_value": _written(start.begin_value),
                "point": [_written(x) for x in start.found.point],
                "gradient": [_written(x) for x in start.found.gradient],
            }
        )
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _check(self, there: Mapping[str, object]) -> None:
        if there == self._header:
            return
        if there.get("format") != _FORMAT:
            raise InputError(
                str(self._path), found="a file that is no list of starts", expected="a folder that was not used before"
            )
        raise InputError(
            str(self._path),
            found=f"starts of a fit that differs in {', '.join(_differences(there, self._header))}",
            expected="starts of the same fit, to go on with them; or another folder for the new fit",
        )


def _differences(there: Mapping[str, object], here: Mapping[str, object]) -> Iterator[str]:
    for name in sorted(there.keys() | here.keys()):
        if there.get(name) != here.get(name):
            told = "" if name in {"problem", "points"} else f" ({there.get(name)} there, {here.get(name)} now)"
            yield name + told


def _decoded(path: Path, number: int, line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise _damaged(path, number) from error
    if not isinstance(found, dict):
        raise _damaged(path, number)
    return found


def _damaged(path: Path, number: int) -> InputError:
    return InputError(f"{path}, line {number}", found="no start", expected="a line as a fit wrote it, or no such file")


def _start(entry: Mapping[str, object], points: Floats) -> Start:
    number = int(str(entry["start"]))
    return Start(
        number,
        points[number],
        _number(entry["begin_value"]),
        Found(
            _numbers(entry["point"], points.shape[1]),
            _number(entry["value"]),
            _numbers(entry["gradient"], points.shape[1]),
            int(str(entry["evaluations"])),
            int(str(entry["failed"])),
            str(entry["outcome"]),
        ),
        _number(entry["seconds"]),
    )


def _written(x: float) -> float | str:
    return float(x) if np.isfinite(x) else str(float(x))


def _number(x: object) -> float:
    if isinstance(x, (int, float, str)):
        return float(x)
    raise ValueError(x)


def _numbers(x: object, p: int) -> Floats:
    if not isinstance(x, list) or len(x) != p:
        raise ValueError(x)
    return np.array([_number(one) for one in x], float)
