"""The table of links mediator → target → process: reading and checking it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, cast, get_args

from exotwin.errors import MechanismError, nearest
from exotwin.mechanism.proteins import sites
from exotwin.tables import Row, read_csv

Basis = Literal["assumed", "derived", "measured"]
COLUMNS = ("mediator", "target", "process", "gain", "gain_sd", "basis", "records", "note")
_MEDIATOR = re.compile(r"(?:miR|let)-\d+[a-z]?(?:-\d+)?-[35]p")
_PROCESS = re.compile(r"[a-z][a-z0-9_]*")
_RECORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
_SHIPPED = Path(__file__).with_name("edges.csv")


@dataclass(frozen=True)
class Edge:
    """A sourced link from a mediator through its target to a process.

    mediator : mature miRNA without species prefix, "miR-21-5p", or gene symbol of a protein, "VEGFA".
    target : gene symbol, or "unnamed". Of a miRNA it is repressed, on a protein's it acts.
    gain : change of ln(rate multiplier of the process) when the target is fully repressed, or from no to full activity
    of the protein. gain_sd : its SD, which is knowledge, not spread between patients.
    basis : what the gain is. records : ids of what shows the link and of what the gain rests on.
    note : how the gain came about; always given unless it is measured.
    """

    mediator: str
    target: str
    process: str
    gain: float
    gain_sd: float
    basis: Basis
    records: tuple[str, ...]
    note: str


def edges(path: Path | None = None) -> tuple[Edge, ...]:
    """The links of the shipped table, or of a table of one's own with the same columns.

    Raises
    ------
    MechanismError : a name, number or basis that is not one, a link given twice, without a record, or without the
        reason for its gain; names file and line.
    """
    return _shipped() if path is None else _read(path)


@lru_cache(maxsize=1)
def _shipped() -> tuple[Edge, ...]:
    return _read(_SHIPPED)


def _read(path: Path) -> tuple[Edge, ...]:
    found: dict[tuple[str, str, str], Edge] = {}
    for row in read_csv(path, COLUMNS, error=MechanismError):
        edge = _edge(row)
        link = (edge.mediator, edge.target, edge.process)
        if link in found:
            raise MechanismError(row.where, found=" → ".join(link) + " again", expected="each link once")
        found[link] = edge
    return tuple(found.values())


def _edge(row: Row) -> Edge:
    mediator, process, basis = row["mediator"], row["process"], row["basis"]
    if not _MEDIATOR.fullmatch(mediator) and mediator not in sites():
        bare = re.sub(r"^[a-z]{3}-(?=miR|let)", "", mediator)
        raise MechanismError(
            f"{row.where}, mediator",
            found=f'"{mediator}"',
            expected='a mature miRNA with its arm and without species prefix, such as "miR-21-5p", or a protein: '
            + ", ".join(sites()),
            nearest=bare if bare != mediator and _MEDIATOR.fullmatch(bare) else nearest(mediator, sites()),
        )
    if not row["target"]:
        raise MechanismError(f"{row.where}, target", found="nothing", expected='a gene symbol, or "unnamed"')
    if not _PROCESS.fullmatch(process):
        raise MechanismError(
            f"{row.where}, process", found=f'"{process}"', expected='a process id, such as "granulosa_apoptosis"'
        )
    if basis not in get_args(Basis):
        raise MechanismError(
            f"{row.where}, basis",
            found=f'"{basis}"',
            expected="one of " + ", ".join(get_args(Basis)),
            nearest=nearest(basis, get_args(Basis)),
        )
    gain, gain_sd = _number(row, "gain"), _number(row, "gain_sd")
    if gain_sd <= 0:
        raise MechanismError(
            f"{row.where}, gain_sd", found=row["gain_sd"], expected="an SD above 0: no gain is known exactly"
        )
    records = tuple(row["records"].split())
    wrong = [r for r in records if not _RECORD.fullmatch(r)]
    if wrong or not records:
        raise MechanismError(
            f"{row.where}, records",
            found=f'"{wrong[0]}"' if wrong else "nothing",
            expected="ids of evidence records, with spaces between",
        )
    if basis != "measured" and not row["note"]:
        raise MechanismError(
            f"{row.where}, note", found=f"a gain that is {basis}, without a word", expected="how the gain came about"
        )
    return Edge(mediator, row["target"], process, gain, gain_sd, cast(Basis, basis), records, row["note"])


def _number(row: Row, column: str) -> float:
    try:
        number = float(row[column])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise MechanismError(f"{row.where}, {column}", found=f'"{row[column]}"', expected="a number, such as -0.13")
    return number
