"""What the sections of the report are made of: tables, figures, paragraphs, before they become HTML."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Bar:
    """A small interval drawn in a cell; positions from 0 to 1, ``none`` where no effect lies."""

    none: float
    low: float
    high: float
    inner_low: float
    inner_high: float
    value: float
    colour: str


@dataclass(frozen=True)
class Cell:
    """One cell of a table.

    values : the exported numbers behind the text, as the CSV writes them. kind : "number", "text", "outcome", "code".
    records : ids of evidence records, shown as numbers of references. span : rows that the cell covers;
    across : columns. head : whether it names its row or group.
    """

    text: str
    values: tuple[float, ...] = ()
    kind: str = "text"
    note: str = ""
    records: tuple[str, ...] = ()
    span: int = 1
    across: int = 1
    bar: Bar | None = None
    head: bool = False

    @property
    def exported(self) -> str:
        """The numbers as they stand in the CSV; absent ones are left out there and here."""
        return " ".join(repr(float(v)) for v in self.values if not math.isnan(v))


@dataclass(frozen=True)
class Download:
    """A table to save: name of the file, and the ``data:`` address that holds it."""

    file: str
    address: str


@dataclass(frozen=True)
class Table:
    """A table with its data. ``numeric``: which columns are set flush right. ``groups``: first rows of groups."""

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    downloads: tuple[Download, ...] = ()
    groups: frozenset[int] = frozenset()
    numeric: frozenset[int] = frozenset()
    wide: bool = False


@dataclass(frozen=True)
class Picture:
    """A figure as SVG with caption and data. ``width``: in inches, as drawn."""

    name: str
    caption: str
    svg: str
    width: float
    downloads: tuple[Download, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A line of a list of facts: a term and what is to be said of it."""

    term: str
    text: str
    records: tuple[str, ...] = ()
    values: tuple[float, ...] = ()


def text(value: object, *, note: str = "", records: Sequence[str] = (), span: int = 1, head: bool = False) -> Cell:
    """A cell of words."""
    return Cell(str(value), note=note, records=tuple(records), span=span, head=head)


def prose(words: str) -> Cell:
    """A cell of running text, which needs room."""
    return Cell(words, kind="prose")


def group(name: str, note: str, columns: int) -> tuple[Cell, ...]:
    """A row that names the rows below it."""
    return (Cell(name, note=note, across=columns, head=True, kind="group"),)


def figure(shown: str, *values: float, note: str = "") -> Cell:
    """A cell of one or more numbers: as shown, and as exported."""
    return Cell(shown, values=tuple(float(v) for v in values), kind="number", note=note)


def download(name: str, frame: pd.DataFrame) -> Download:
    """A table to save from the page: the same text as `write_tables` writes."""
    return Download(f"{name}.csv", "data:text/csv;charset=utf-8," + quote(csv_text(frame), safe="/:=@!$'()*,;+~"))


def csv_text(frame: pd.DataFrame) -> str:
    """A table as CSV; numbers at full precision."""
    written: str = frame.to_csv(index=False, lineterminator="\n")
    return written
