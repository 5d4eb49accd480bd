"""NanoSight / Malvern NTA experiment summaries: NTA 3.2 (CRLF or LF, whole numbers or ``7.10e+008``), 3.3 and 3.4.

Lines have unequal lengths and move between versions, so everything is found by its label. Average and Standard Error
are columns beside the captures, and are not captures. The six weightings repeat every label; the first Number block
under ``[Size Data]`` is the one by number. A recorded dilution factor has been multiplied into the concentrations.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exotwin.errors import ProductError
from exotwin.product.nta import FloatArray, NtaReading, SizeDistribution, capture_remarks, settle_dilution

_TITLE = "NTA Experiment Summary"
_DILUTION = "Dilution factor"
_CONCENTRATION = "Concentration (Particles / ml)"
_REPORTED = {"Mean": "mean", "Mode": "mode", "SD": "sd", "D10": "d10", "D50": "d50", "D90": "d90"}


def recognises(text: str) -> bool:
    """True for an experiment summary."""
    return text[:200].lstrip("ï»¿").startswith(_TITLE)


def read(text: str, path: Path, *, dilution: float | None, where: str) -> NtaReading:
    """Size distribution of an experiment summary. Raises ProductError for one that is damaged."""
    table = _Table.of(text, where)
    captures = table.find("Filename:", "[Experiment Details]")
    n = len([c for c in captures if c])
    if not n:
        raise ProductError(f"{where}, Filename:", found="no capture", expected="one name a capture")
    instrument = f"NanoSight {_version(table)}"
    recorded = _recorded_dilution(table, n)
    size_at = table.section("[Size Data]")
    weighting = table.find("Weighting", "[Size Data]")
    if weighting[:1] != ["Number"]:
        raise ProductError(
            f"{where}, [Size Data]", found=f"the weighting {weighting[:1]}", expected="Number first, as NTA exports it"
        )
    diameter, bins = _bins(table, size_at, n)
    factor = settle_dilution(recorded, dilution, where)
    # The export has multiplied by what it recorded, and by nothing otherwise.
    applied = recorded or 1.0
    empty = bins.sum(axis=1) == 0
    remarks = [f"{where}: capture {captures[i]} is empty and was left out" for i in np.flatnonzero(empty)]
    if empty.all():
        raise ProductError(where, found=f"{n} captures without a particle", expected="a measured sample")
    reported = _reported(table, n, applied)
    size = SizeDistribution(diameter, bins[~empty] / applied, factor, reported, instrument)
    remarks += _validity(table, n, where)
    remarks += capture_remarks(size.per_capture(), where)
    levels = {c for c in table.find("Camera Level", "[Conditions]", required=False)[:n] if c}
    if len(levels) > 1:
        remarks.append(f"{where}: captures were taken at different camera levels ({', '.join(sorted(levels))})")
    stated = reported.get("concentration")
    if stated is not None and not empty.any() and not np.isclose(stated, size.total(), rtol=0.02):
        remarks.append(f"{where}: the bins add up to {size.total():.3g}/mL, the export states {stated:.3g}/mL")
    return NtaReading(size, _kind(instrument), (path,), tuple(remarks))


def _version(table: _Table) -> str:
    """From the line below the title: "Created with NTA 3.4 Build 3.4.003" (3.2 may leave Software Version unknown)."""
    rows = [row[0] for row in table.rows if row and row[0].startswith("Created with")]
    return rows[0].removeprefix("Created with").strip() if rows else "of unknown version"


def _kind(instrument: str) -> str:
    found = re.search(r"\d+\.\d+", instrument)
    return f"NanoSight NTA {found[0]}" if found else "NanoSight NTA"


@dataclass(frozen=True)
class _Table:
    """The lines as cells, found by label from the start of a section."""

    rows: list[list[str]]
    where: str

    @classmethod
    def of(cls, text: str, where: str) -> _Table:
        try:
            rows = [[c.strip() for c in row] for row in csv.reader(text.splitlines())]
        except csv.Error as fault:
            raise ProductError(
                where, found=f"a line that is not CSV: {fault}", expected="an experiment summary"
            ) from fault
        return cls(rows, where)

    def section(self, title: str) -> int:
        for at, row in enumerate(self.rows):
            if row and row[0].startswith(title):
                return at
        raise ProductError(self.where, found=f"no section {title}", expected="a complete experiment summary")

    def find(self, label: str, section: str, *, required: bool = True) -> list[str]:
        """The cells behind the first line from the start of ``section`` on that begins with ``label``."""
        for row in self.rows[self.section(section) :]:
            if row and row[0].startswith(label):
                return row[1:]
        if required:
            raise ProductError(
                f"{self.where}, {section}", found=f'no line "{label}"', expected="a complete experiment summary"
            )
        return []

    def numbers(self, cells: list[str], label: str) -> FloatArray:
        try:
            values = np.array([float(c) for c in cells], dtype=np.float64)
        except ValueError as fault:
            raise ProductError(f"{self.where}, {label}", found=str(fault), expected="numbers") from fault
        return values


def _recorded_dilution(table: _Table, n: int) -> float | None:
    cells = [c for c in table.find(_DILUTION, "[Results]")[:n] if c]
    recorded = {c for c in cells if c.lower() != "not recorded"}
    if not recorded:
        return None
    if len(recorded) > 1 or len(cells) != cells.count(next(iter(recorded))):
        raise ProductError(
            f"{table.where}, {_DILUTION}", found=", ".join(cells), expected="one dilution for all captures of a product"
        )
    value = float(table.numbers([*recorded], _DILUTION)[0])
    if not (np.isfinite(value) and value >= 1):
        raise ProductError(f"{table.where}, {_DILUTION}", found=f"{value:g}", expected="a factor of 1 or more")
    return value


def _bins(table: _Table, size_at: int, n: int) -> tuple[FloatArray, FloatArray]:
    """(bin,) centres and (capture, bin) concentrations of the first graph under [Size Data]."""
    rows = table.rows
    start = next((i for i in range(size_at, len(rows)) if rows[i] and rows[i][0].startswith("Bin centre")), None)
    if start is None:
        raise ProductError(f"{table.where}, [Size Data]", found="no graph data", expected='a line "Bin centre (nm)"')
    header = rows[start][1:]
    n_columns = len([c for c in header if c.lower().startswith("concentration (particles")])
    if n_columns != n:
        raise ProductError(
            f"{table.where}, line {start + 1}",
            found=f"{n_columns} columns of captures",
            expected=f"{n}, as named at the top",
        )
    block: list[list[str]] = []
    for row in rows[start + 1 :]:
        if not row or not re.fullmatch(r"[-+.\deE]+", row[0]):
            break
        if len(row) < n + 1:
            place = f"{table.where}, line {start + len(block) + 2}"
            raise ProductError(place, found=f"{len(row)} cells", expected=f"a bin and {n} captures")
        block.append(row[: n + 1])
    if not block:
        raise ProductError(f"{table.where}, line {start + 1}", found="no bins below it", expected="graph data")
    values = table.numbers([c for row in block for c in row], "graph data").reshape(len(block), n + 1)
    return values[:, 0], np.ascontiguousarray(values[:, 1:].T)


def _reported(table: _Table, n: int, applied: float) -> dict[str, float]:
    """The Average column of what the instrument states; concentration as measured."""
    reported: dict[str, float] = {}
    for label, name in _REPORTED.items():
        cells = table.find(label, "[Size Data]", required=False)
        if len(cells) > n and cells[n]:
            reported[name] = float(table.numbers([cells[n]], label)[0])
    cells = table.find(_CONCENTRATION, "[Results]")
    if len(cells) > n and cells[n]:
        reported["concentration"] = float(table.numbers([cells[n]], _CONCENTRATION)[0]) / applied
    return reported


def _validity(table: _Table, n: int, where: str) -> list[str]:
    cells = table.find("Validity of concentration measurement", "[Concentration Warnings]", required=False)[:n]
    doubts = [c for c in cells if c and c != "OK"]
    kinds = ", ".join(f'"{kind}"' for kind in dict.fromkeys(doubts))
    return [f"{where}: the instrument doubts {len(doubts)} of {n} captures: {kinds}"] if doubts else []
