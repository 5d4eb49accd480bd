"""Reading CSV and TOML so that every complaint names file, line or key."""

from __future__ import annotations

import csv
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
    error : file missing, a column missing or unknown, a row with too few or too many cells.
    """
    expected = list(columns)
    text = read_text(path, error=error)
    lines = [
        (n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        raise error(str(path), found="an empty table", expected=f"the columns {', '.join(expected)}")
    parsed = csv.reader((line for _, line in lines), skipinitialspace=True)
    header = [c.strip() for c in next(parsed)]
    for column in header:
        if column not in expected:
            raise error(
                f"{path}, line {lines[0][0]}",
                found=f'the column "{column}"',
                expected=f"the columns {', '.join(expected)}",
                nearest=nearest(column, expected),
            )
    missing = [c for c in expected if c not in header]
    if missing:
        raise error(
            f"{path}, line {lines[0][0]}", found=f"no column {', '.join(missing)}", expected=", ".join(expected)
        )
    rows = []
    for (number, _), cells in zip(lines[1:], parsed, strict=True):
        where = f"{path}, line {number}"
        if len(cells) != len(header):
            raise error(where, found=f"{len(cells)} cells", expected=f"{len(header)} ({', '.join(header)})")
        rows.append(Row(where, {c: v.strip() for c, v in zip(header, cells, strict=True)}))
    return rows


def read_toml(path: Path, *, error: type[InputError]) -> dict[str, Any]:
    """A TOML file as nested dicts; a syntax fault names the line."""
    try:
        return tomllib.loads(read_text(path, error=error))
    except tomllib.TOMLDecodeError as fault:
        raise error(str(path), found=str(fault), expected="a TOML file") from fault


def read_text(path: Path, *, error: type[InputError]) -> str:
    """A UTF-8 text file (byte-order mark allowed); a missing or unreadable one is named with its nearest neighbour."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as fault:
        siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise error(
            str(path), found="no such file", expected="a readable file", nearest=nearest(path.name, siblings)
        ) from fault
    except (OSError, UnicodeDecodeError) as fault:
        raise error(
            str(path), found=f"{type(fault).__name__}: {fault}", expected="a readable UTF-8 text file"
        ) from fault


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
            raise error(where, found=f'no key "{key}"', expected="the keys " + ", ".join(required))
