"""Tables of a problem: cells as text, each with the file and line where it stands."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from exotwin.errors import InputError, nearest
from exotwin.tables import read_text

if TYPE_CHECKING:
    import pandas as pd

# what pandas, and so every tool that reads PEtab, takes for an empty cell
_EMPTY = frozenset(["#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"])
_EMPTY |= {"N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """The rows of all files of one kind, in their order.

    kind : "condition", "measurement", "observable", "parameter", "population". columns : name -> cells, "" where empty.
    places : file and line of each row. headers : column -> file and line of the header that names it first.
    """

    kind: str
    columns: Mapping[str, Sequence[str]]
    places: Sequence[tuple[str, int]]
    headers: Mapping[str, tuple[str, int]]

    def __len__(self) -> int:
        return len(self.places)

    def cells(self, column: str) -> Sequence[str]:
        """A column, all empty if there is none of this name."""
        return self.columns.get(column) or [""] * len(self)

    def where(self, row: int, column: str) -> str:
        """Place of a cell, for messages."""
        file, line = self.places[row]
        return f"{file}, line {line}, column {column}"

    def header(self, column: str) -> str:
        """Place of a column's name, for messages."""
        file, line = self.headers[column]
        return f"{file}, line {line}, column {column}"

    @cached_property
    def files(self) -> str:
        """The files' names, for messages."""
        return ", ".join(dict.fromkeys(file for file, _ in self.headers.values()))

    def needed(self, row: int, column: str, expected: str) -> str:
        """A cell that must not be empty."""
        text = self.columns[column][row]
        if not text:
            raise InputError(self.where(row, column), found="an empty cell", expected=expected)
        return text

    def number(self, row: int, column: str, expected: str = "a number", *, infinite: bool = False) -> float:
        """The number in a cell; one that is not finite only if ``infinite``."""
        text = self.needed(row, column, expected)
        value = as_number(text)
        if value is None or not (infinite or math.isfinite(value)):
            raise InputError(self.where(row, column), found=quoted(text), expected=expected)
        return value

    def choice(self, row: int, column: str, valid: Sequence[str]) -> str:
        """A cell that holds one of ``valid``; an empty one, or none, is the first."""
        text = self.cells(column)[row] or valid[0]
        if text not in valid:
            raise InputError(
                self.where(row, column),
                found=quoted(text),
                expected="one of " + ", ".join(valid),
                nearest=nearest(text, valid),
            )
        return text

    def ids(self, column: str) -> dict[str, int]:
        """Names in a column -> their rows; each must be a name, and stand there once."""
        found: dict[str, int] = {}
        for row in range(len(self)):
            name = self.needed(row, column, f"a name in each row, such as {self.kind}_1")
            if not _NAME.fullmatch(name):
                where, told = self.where(row, column), quoted(name)
                raise InputError(where, found=told, expected="letters, digits and _, not starting with a digit")
            if name in found:
                file, line = self.places[found[name]]
                where, told = self.where(row, column), f"{quoted(name)}, which stands in {file}, line {line} already"
                raise InputError(where, found=told, expected=f"one row for each {self.kind}")
            found[name] = row
        return found

    def frame(self) -> pd.DataFrame:
        """The same with numbers where a column holds nothing else, as pandas reads the files."""
        import pandas as pd

        text = io.StringIO()
        writer = csv.writer(text, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_ALL)
        writer.writerow(self.columns)
        writer.writerows(zip(*self.columns.values(), strict=True))
        text.seek(0)
        return pd.read_csv(text, sep="\t", float_precision="round_trip")


def as_number(text: str) -> float | None:
    """The number that a text is, infinite ones included, or None."""
    return float(text) if _NUMBER.fullmatch(text) else None


def quoted(text: str) -> str:
    """What a cell holds, on one line and short enough for a message."""
    line = " ".join(text.split())
    return f'"{line}"' if len(line) <= 80 else f'"{line[:77]}..."'


def read_tables(kind: str, paths: Iterable[Path], required: Sequence[str]) -> Table:
    """All files of one kind as one table; a column that a file lacks is empty in its rows.

    Raises
    ------
    InputError : a file that is missing, empty or no text; a column missing, without a name or there twice; a row longer
        than its header, or too short to hold what is required.
    """
    columns: dict[str, list[str]] = {}
    places: list[tuple[str, int]] = []
    headers: dict[str, tuple[str, int]] = {}
    for path in paths:
        (at, names), *rows = _parsed(path, required)
        _check_header(f"{path}, line {at}", names, required, rows)
        for name in names:
            if name:
                columns.setdefault(name, [""] * len(places))
                headers.setdefault(name, (str(path), at))
        for line, cells in rows:
            _check_length(f"{path}, line {line}", names, cells, required)
            given = dict(zip(names, cells, strict=False))
            for name, column in columns.items():
                column.append(given.get(name, ""))
            places.append((str(path), line))
    return Table(kind, columns, places, headers)


def _parsed(path: Path, required: Sequence[str]) -> list[tuple[int, list[str]]]:
    """Lines that hold anything, the header first: number, and cells without the spaces around them."""
    reader = csv.reader(io.StringIO(read_text(path, error=InputError)), delimiter="\t")
    found, line = [], 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                found.append((line, ["" if cell in _EMPTY else cell for cell in stripped]))
            if reader.line_num > line and stripped:
                where, expected = f"{path}, line {line}", "cells of one line, and quotes in pairs"
                raise InputError(where, found="a quoted cell that runs over lines", expected=expected)
            line = reader.line_num + 1
    except csv.Error as fault:
        where = f"{path}, line {reader.line_num}"
        raise InputError(where, found=str(fault), expected="cells with tabs between them") from fault
    if len(found) < 2:
        told = "a table without rows" if found else "an empty file"
        raise InputError(str(path), found=told, expected=f"the columns {', '.join(required)}, and a row at least")
    return found


def _check_header(where: str, names: list[str], required: Sequence[str], rows: list[tuple[int, list[str]]]) -> None:
    for column in required:
        if column not in names:
            found = f"the columns {', '.join(names)}"
            if len(names) == 1 and "," in names[0]:
                found = "commas between the cells"
            raise InputError(where, found=found, expected=f'a column "{column}"', nearest=nearest(column, names))
    for place, name in enumerate(names):
        if name and name in names[:place]:
            raise InputError(f"{where}, column {name}", found=f'the column "{name}" twice', expected="each column once")
        if not name and any(len(cells) > place and cells[place] for _, cells in rows):
            raise InputError(where, found=f"no name for column {place + 1}", expected="a name for each column")


def _check_length(where: str, names: list[str], cells: list[str], required: Sequence[str]) -> None:
    if len(cells) > len(names):
        # a tab too many at the end holds nothing
        if not any(cells[len(names) :]):
            return
        raise InputError(where, found=f"{len(cells)} cells", expected=f"{len(names)}: {', '.join(names)}")
    # published tables leave out empty cells at the end, and pandas reads them so
    lost = [name for name in names[len(cells) :] if name in required]
    if lost:
        expected = f"{len(names)}: {', '.join(names)}"
        raise InputError(f"{where}, column {lost[0]}", found=f"{len(cells)} cells", expected=expected)
