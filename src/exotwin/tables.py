"""Reading files, CSV and TOML so that every complaint names file, line or key."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exotwin.errors import InputError, nearest


@dataclass(frozen=True)
class Row:
    """One line of a table: its cells by column name, and where it stands."""

    where: str
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


def read_csv(path: Path, columns: Iterable[str], *, error: type[InputError]) -> list[Row]:
    """Rows of a comma-separated UTF-8 file with exactly these columns; cells are stripped, ``#`` lines skipped.

    Raises
    ------
    error : file missing, a column missing, unknown or given twice, a row with too few or too many cells, a cell that
        runs over lines.
    """
    expected = list(columns)
    text = read_text(path, error=error)
    lines = [
        (n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise error(str(path), found="an empty table", expected=f"the columns {', '.join(expected)}")
    try:
        parsed = list(csv.reader((line for _, line in lines), skipinitialspace=True))
    except csv.Error as fault:
        raise error(str(path), found=f"a line that cannot be parsed: {fault}", expected="a table") from fault
    if len(parsed) != len(lines):
        raise error(str(path), found="a quoted cell that runs over lines", expected="one row a line")
    header = [c.strip() for c in parsed[0]]
    for column in header:
        if column not in expected:
            raise error(
                f"{path}, line {lines[0][0]}",
                found=f'the column "{column}"',
                expected=f"the columns {', '.join(expected)}",
                nearest=nearest(column, expected),
            )
    if len(set(header)) < len(header):
        twice = next(c for c in header if header.count(c) > 1)
        raise error(f"{path}, line {lines[0][0]}", found=f'the column "{twice}" twice', expected="each column once")
    missing = [c for c in expected if c not in header]
    if missing:
        raise error(
            f"{path}, line {lines[0][0]}", found=f"no column {', '.join(missing)}", expected=", ".join(expected)
        )
    rows = []
    for (number, _), cells in zip(lines[1:], parsed[1:], strict=True):
        where = f"{path}, line {number}"
        if len(cells) != len(header):
            raise error(where, found=f"{len(cells)} cells", expected=f"{len(header)} ({', '.join(header)})")
        rows.append(Row(where, {c: v.strip() for c, v in zip(header, cells, strict=True)}))
    return rows


def read_toml(path: Path, *, error: type[InputError]) -> dict[str, Any]:
    """A TOML file as nested dicts; a syntax fault names the line."""
    text = read_text(path, error=error)
    try:
        return tomllib.loads(text)
    except ValueError as fault:  # a fault of syntax, or a number with more digits than Python reads
        raise error(str(path), found=str(fault), expected="a TOML file") from fault
    except RecursionError as fault:
        raise error(str(path), found="tables or lists nested too deeply", expected="a TOML file") from fault


def read_text(path: Path, *, error: type[InputError]) -> str:
    """A UTF-8 text file with LF, CRLF or CR at its line ends (byte-order mark allowed); errors as in `read_bytes`."""
    raw = read_bytes(path, error=error)
    try:
        return io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8-sig").read()
    except UnicodeDecodeError as fault:
        raise error(str(path), found=str(fault), expected="a readable UTF-8 text file") from fault


def read_bytes(
    path: Path, *, error: type[InputError], where: str | None = None, expected: str = "a readable file"
) -> bytes:
    """The bytes of a file; ``where`` names it in messages, by default with its path.

    Raises
    ------
    error : no such file (with its nearest neighbour), a folder, or one that cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as fault:
        raise error(where or str(path), found="no such file", expected=expected, nearest=neighbour(path)) from fault
    except IsADirectoryError as fault:
        raise error(where or str(path), found="a folder", expected=expected) from fault
    except (OSError, ValueError) as fault:  # ValueError: a zero byte in the name
        raise error(where or str(path), found=getattr(fault, "strerror", None) or str(fault), expected=expected) from (
            fault
        )


def neighbour(path: Path) -> str | None:
    """The name in the folder of ``path`` that is spelled most like it, or None."""
    try:
        return nearest(path.name, [p.name for p in path.parent.iterdir() if p.name != path.name])
    except (OSError, ValueError):
        return None


def check_keys(
    table: dict[str, Any], known: Iterable[str], *, where: str, error: type[InputError], required: Iterable[str] = ()
) -> None:
    """Raise ``error`` for the first key that is not known, or the first required one that is missing."""
    names = list(known)
    for key in table:
        if key not in names:
            raise error(
                f"{where}.{key}" if where[-1:] not in ",:" else f"{where} {key}",
                found=f'the key "{key}"',
                expected="one of " + ", ".join(names),
                nearest=nearest(key, names),
            )
    for key in required:
        if key not in table:
            raise error(where.rstrip(",:"), found=f'no key "{key}"', expected="the keys " + ", ".join(required))
