"""A table of miRNA counts → reads by name and sample. Tables of another kind are refused by name.

Tables come with commas, tabs or semicolons, lines that end in LF, CRLF or CR alone, quoted names, no header above the
names, a column of row numbers, and ``#`` comments; none of this needs an option.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exotwin.errors import ProductError, nearest
from exotwin.product.names import parse_mirna
from exotwin.product.nta import FloatArray
from exotwin.tables import read_bytes

_EXPECTED = "a table of miRNA read counts: one column of names such as hsa-miR-21-5p, one column of counts a sample"
# Cq values end at 40 to 45 cycles; a sequenced sample has rows with far more reads than that.
_LARGEST_CQ = 50.0


@dataclass(frozen=True, eq=False)
class CountTable:
    """names : as they stand, one a row. samples : columns used. counts : (row, sample), reads, zero or more."""

    names: tuple[str, ...]
    samples: tuple[str, ...]
    counts: FloatArray


def read_counts(
    path: Path, *, samples: Sequence[str] | None, species: str, name: str | None = None, samples_at: str = "samples"
) -> CountTable:
    """Read a count table.

    Parameters
    ----------
    path : the file.
    samples : names of the columns to use; None: every column of numbers.
    species : "human", "mouse" or "rat", to recognise the names.
    name : how messages call the file; default: its path. samples_at : how they call the place of ``samples``.

    Raises
    ------
    ProductError : no such file or sample; a value that is no count; a table of proteins, Cq, percentages or logarithms.
    """
    where = name or str(path)
    header, rows = read_cells(path, where, expected=_EXPECTED)
    at = _name_column(header, rows, species, where)
    columns = _sample_columns(header, rows, at, samples, samples_at)
    _refuse_other_kinds(header, rows, columns, where)
    counts = np.empty((len(rows), len(columns)))
    for i, (number, row) in enumerate(rows):
        for j, column in enumerate(columns):
            try:
                counts[i, j] = float(row[column])
            except ValueError as fault:
                raise ProductError(
                    f'{where}, line {number}, column "{header[column]}"',
                    found=f'"{row[column]}"' if row[column] else "an empty cell",
                    expected="a count of zero or more; not measured is not zero",
                ) from fault
    wrong = np.argwhere(~(np.isfinite(counts) & (counts >= 0)))
    if wrong.size:
        i, j = wrong[0]
        raise ProductError(
            f'{where}, line {rows[i][0]}, column "{header[columns[j]]}"',
            found=f"{counts[i, j]:g}",
            expected="a count of zero or more: are these logarithms or differences?",
        )
    if float(counts.max(initial=0.0)) <= _LARGEST_CQ:
        raise ProductError(
            where,
            found=f"no value above {counts.max(initial=0.0):g}" + _cq_hint(counts),
            expected=_EXPECTED,
        )
    names = tuple(row[at] for _, row in rows)
    twice = next((n for n in names if names.count(n) > 1), None) if len(set(names)) < len(names) else None
    if twice is not None:
        raise ProductError(where, found=f'two rows "{twice}"', expected="each name once")
    return CountTable(names, tuple(header[c] for c in columns), counts)


def _cq_hint(counts: FloatArray) -> str:
    median = float(np.median(counts)) if counts.size else 0.0
    return ": it looks like a table of Ct (Cq) cycles, where less is more" if median > 15 else ": logarithms?"


def read_cells(path: Path, where: str, *, expected: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header of a table, and its rows with their line numbers; ``where``, ``expected``: as messages say it.

    Raises
    ------
    ProductError : no such file, a binary one, rows of unequal length, cells that run over lines.
    """
    raw = read_bytes(path, error=ProductError, where=where, expected=expected)
    if b"\x00" in raw[:4096]:
        raise ProductError(where, found="a binary file", expected=expected)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if len(lines) < 2:
        raise ProductError(where, found="fewer than two lines", expected=expected)
    delimiter = max("\t,;", key=lines[0][1].count)
    try:
        parsed = list(csv.reader((line for _, line in lines), delimiter=delimiter))
    except csv.Error as fault:
        raise ProductError(where, found=f"a line that cannot be parsed: {fault}", expected=expected) from fault
    if len(parsed) != len(lines):  # quoted cells with line breaks: a table of proteins, or a damaged one
        raise ProductError(where, found="quoted cells that run over lines, as in tables of proteins", expected=expected)
    header = [c.strip() for c in parsed[0]]
    rows: list[tuple[int, list[str]]] = []
    for (number, _), row in zip(lines[1:], parsed[1:], strict=True):
        cells = [c.strip() for c in row]
        if len(cells) == len(header) + 1 and not rows:
            header = ["", *header]  # R writes no header for row names
        if len(cells) != len(header):
            raise ProductError(
                f"{where}, line {number}", found=f"{len(cells)} cells", expected=f"{len(header)}, as in the header"
            )
        rows.append((number, cells))
    return header, rows


def _name_column(header: list[str], rows: list[tuple[int, list[str]]], species: str, where: str) -> int:
    """The column that holds miRNA names: the one of the first few where most cells read as such."""
    shares = []
    for column in range(min(4, len(header))):
        kinds = [parse_mirna(row[column], species).kind for _, row in rows]
        shares.append(sum(kind != "not a miRNA" for kind in kinds) / len(kinds))
    at = int(np.argmax(shares))
    if shares[at] < 0.5:
        text = " ".join(header).lower()
        protein = any(word in text for word in ("protein", "lfq", "uniprot", "intensity", "peptide", "gene"))
        found = "no column of miRNA names"
        raise ProductError(
            where, found=found + (": it looks like proteins or genes" if protein else ""), expected=_EXPECTED
        )
    return at


def _sample_columns(
    header: list[str], rows: list[tuple[int, list[str]]], names_at: int, samples: Sequence[str] | None, samples_at: str
) -> list[int]:
    others = [c for c in range(len(header)) if c != names_at]
    if samples is None:
        # A first column without a header that counts the rows is no sample.
        return [c for c in others if header[c] and _is_number(rows[0][1][c])]
    columns: list[int] = []
    known = [header[c] for c in others if header[c]]
    for sample in samples:
        if known.count(sample) != 1:
            raise ProductError(
                samples_at,
                found=f'the sample "{sample}"',
                expected="a column: " + ", ".join(known[:8]) + (", …" if len(known) > 8 else ""),
                nearest=nearest(sample, known),
            )
        columns.append(next(c for c in others if header[c] == sample))
    if len(set(columns)) < len(columns):
        raise ProductError(samples_at, found=", ".join(samples), expected="each sample once")
    return columns


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return not text
    return True


def _refuse_other_kinds(header: list[str], rows: list[tuple[int, list[str]]], columns: list[int], where: str) -> None:
    """What is known by its header or by its gaps."""
    if not columns:
        raise ProductError(where, found="no column of numbers", expected=_EXPECTED)
    title = " ".join(header[c] for c in columns).lower()
    if "percent" in title or "%" in title:
        raise ProductError(
            where,
            found="percentages: rows that are left out cannot be told from rows that are zero",
            expected=_EXPECTED,
        )
    if {"log2", "log10"} & set(title.replace(".", " ").replace("_", " ").split()):
        raise ProductError(where, found="columns of logarithms", expected=_EXPECTED)
