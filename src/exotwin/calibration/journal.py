"""What is finished of a long piece of work, in a file of JSON lines, so that it goes on after an interruption.

The first line says what the work is; each further line is one piece that is done. Numbers are written as Python prints
them, which reads back exactly, and as texts where JSON has none ("inf"). A last line that was torn when the program was
killed is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from exotwin.errors import InputError

Header = Mapping[str, str | int | float]


class Journal:
    """The file ``path``; made if it is not there.

    what : of the pieces, in the plural, such as "starts". header : all that decides them. hidden : keys of the header
    whose values mean nothing to a reader where they differ. entries : the lines that are there.

    Raises
    ------
    InputError : a file of other work, saying in what it differs, or none of ours.
    """

    def __init__(self, path: Path, what: str, header: Header, *, hidden: tuple[str, ...] = ()) -> None:
        self._path, self._what, self._hidden = path, what, hidden
        self._header: Header = {"format": f"{what} of exotwin fit, 1", **header}
        self.entries: list[dict[str, Any]] = []
        first = json.dumps(self._header) + "\n"
        content = path.read_bytes() if path.exists() else b""
        if first.encode().startswith(content):  # no file, or one whose first line was torn
            path.write_text(first, encoding="utf-8")
            return
        *lines, torn = content.decode("utf-8", errors="replace").split("\n")
        if not lines:
            raise self.damaged(1)
        self._check(self._decoded(1, lines[0]))
        self.entries = [self._decoded(number, line) for number, line in enumerate(lines[1:], 2)]
        if torn:
            with path.open("r+b") as file:
                file.truncate(content.rfind(b"\n") + 1)

    def append(self, entry: Mapping[str, Any]) -> None:
        """Writes one piece more. Arrays become lists."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({name: written(value) for name, value in entry.items()}) + "\n")

    def damaged(self, number: int) -> InputError:
        """What is to be raised about a line, counted from 1, that is none of ours."""
        found = f"no entry of {self._what}"
        return InputError(
            f"{self._path}, line {number}", found=found, expected="a line as a fit wrote it, or no such file"
        )

    def _check(self, there: Mapping[str, Any]) -> None:
        if there == self._header:
            return
        if there.get("format") != self._header["format"]:
            found, expected = f"a file that is no list of {self._what}", "a folder that was not used before"
            raise InputError(str(self._path), found=found, expected=expected)
        raise InputError(
            str(self._path),
            found=f"{self._what} of a fit that differs in {', '.join(self._differences(there))}",
            expected=f"{self._what} of the same fit, to go on with them; or another folder for the new fit",
        )

    def _differences(self, there: Mapping[str, Any]) -> Iterator[str]:
        for name in sorted(there.keys() | self._header.keys()):
            if there.get(name) != self._header.get(name):
                shown = f" ({there.get(name)} there, {self._header.get(name)} now)"
                yield name if name in self._hidden else name + shown

    def _decoded(self, number: int, line: str) -> dict[str, Any]:
        try:
            found = json.loads(line)
        except ValueError as error:
            raise self.damaged(number) from error
        if not isinstance(found, dict):
            raise self.damaged(number)
        return found


def written(value: Any) -> Any:
    """A value as JSON can hold it, exactly."""
    if isinstance(value, np.ndarray):
        return [written(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else str(float(value))
    return int(value) if isinstance(value, np.integer) else value
