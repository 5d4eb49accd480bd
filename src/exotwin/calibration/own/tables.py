"""Rows of the parameter tables as text: read for comparison, written by a calibration, all else left as it stands."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from exotwin.biology import parse_spread, read_rows
from exotwin.calibration.own.definition import Target
from exotwin.calibration.own.documents import replace_text
from exotwin.errors import CalibrationError

_FORM = re.compile(r"^(log10 sd|sd|cv)\s+(\S+)(.*)$")


def shown(value: float, digits: int = 4) -> str:
    """A number with so many significant digits, without exponent where a reader needs none: 28980, 0.0009952."""
    return f"{float(f'{value:.{digits}g}'):.12g}"


@dataclass(frozen=True)
class Cells:
    """What a calibration writes into a row. spread : SD; of a lognormal distribution that of the natural logarithm."""

    target: Target
    se: float
    identifiability: str
    value: float | None = None
    spread: float | None = None


@dataclass(frozen=True)
class Shipped:
    """What the table holds: the number that the calibration fits, its standard error (NaN: none), identifiability.

    spread : SD of the row's distribution (lognormal: of the natural logarithm), NaN where it has none.
    distribution : of the row, as in "lognormal".
    """

    value: float
    se: float
    identifiability: str
    unit: str
    spread: float
    distribution: str


def shipped(root: Path, target: Target) -> Shipped:
    """What a table holds of a target now.

    Raises
    ------
    CalibrationError : no such row. BiologyError : a table that cannot be read.
    """
    for row in read_rows(root / target.table, first="label" if target.of else ""):
        if target.holds(row.cells):
            se = row["se"].removeprefix("spread ") if target.column == "spread" else row["se"].split(" ")[0]
            value, spread = float(row["value"]), math.nan
            if row["distribution"] in ("normal", "lognormal"):
                spread = parse_spread(row["spread"], row["distribution"], value, where=row.where).a
            held = spread if target.column == "spread" else value
            return Shipped(
                held, float(se) if se else math.nan, row["identifiability"], row["unit"], spread, row["distribution"]
            )
    raise _missing(root / target.table, target)


def write_cells(root: Path, calibration: str, cells: Sequence[Cells]) -> list[Path]:
    """Write cells into the tables under ``root``; a table is replaced as a whole or not at all. Gives what changed.

    Raises
    ------
    CalibrationError : a row that is missing, or does not name the calibration; a table that cannot be written.
    """
    texts: dict[Path, str] = {}
    before: dict[Path, str] = {}
    for cell in cells:
        path = root / cell.target.table
        before.setdefault(path, path.read_text(encoding="utf-8"))
        texts[path] = _with(texts.get(path, before[path]), path, calibration, cell)
    changed = [path for path, text in texts.items() if text != before[path]]
    for path in changed:
        replace_text(path, texts[path])
    return changed


def write_nominal(folder: Path, values: Mapping[str, float]) -> list[Path]:
    """Write fitted values as nominal ones into the problem's parameter table. Gives what changed."""
    path = folder / "parameters.tsv"
    before = path.read_text(encoding="utf-8")
    header, *rows = before.splitlines()
    columns = header.split("\t")
    name, nominal = columns.index("parameterId"), columns.index("nominalValue")
    written = [header]
    for row in rows:
        parts = row.split("\t")
        if parts[name] in values:
            parts[nominal] = shown(values[parts[name]])
        written.append("\t".join(parts))
    text = "\n".join(written) + "\n"
    if text == before:
        return []
    replace_text(path, text)
    return [path]


def _with(text: str, path: Path, calibration: str, cell: Cells) -> str:
    lines, header = text.splitlines(), None
    for n, line in enumerate(lines):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        parts = [part.strip() for part in next(csv.reader([line], skipinitialspace=True))]
        if header is None:
            header = parts
            continue
        row = dict(zip(header, parts, strict=True))
        if cell.target.holds(row):
            record = "spread_record" if cell.target.column == "spread" else "record"
            if f"calibration:{calibration}" not in row[record].split():
                where = f'{path}, line {n + 1}, "{row["name"]}", {record}'
                raise CalibrationError(where, found=f'"{row[record]}"', expected=f"calibration:{calibration} in it")
            lines[n] = ", ".join(_quoted(part) for part in (row | _changes(row, cell)).values()).rstrip()
            return "\n".join(lines) + "\n"
    raise _missing(path, cell.target)


def _changes(row: Mapping[str, str], cell: Cells) -> dict[str, str]:
    changes = {"identifiability": cell.identifiability, "se": shown(cell.se, 3)}
    if cell.value is None:
        changes["se"] = f"spread {shown(cell.se, 3)}"
    else:
        changes["value"] = shown(cell.value)
    if cell.spread is not None:
        changes["spread"] = _spread(row, cell.spread)
    return changes


def _spread(row: Mapping[str, str], sd: float) -> str:
    form = _FORM.match(row["spread"])
    if form is None or (form[1] == "cv" and row["distribution"] != "lognormal"):
        where, expected = f'row "{row["name"]}", spread', '"sd", "log10 sd", or "cv" of a lognormal'
        raise CalibrationError(where, found=f'"{row["spread"]}"', expected=expected)
    number = {"sd": sd, "log10 sd": sd / math.log(10), "cv": math.sqrt(math.expm1(sd**2))}[form[1]]
    return f"{form[1]} {shown(number)}{form[3]}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def _missing(path: Path, target: Target) -> CalibrationError:
    return CalibrationError(
        str(path), found=f'no row "{target.name}" for "{target.species}"', expected="the row that a calibration fits"
    )
