"""Which records of the dossiers are accounted for, so that no easy facts are picked."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from exotwin.biology import SHIPPED
from exotwin.calibration import calibrations
from exotwin.errors import EvidenceError, nearest
from exotwin.evidence import Record, records
from exotwin.tables import read_text
from exotwin.validation.basis import Uses
from exotwin.validation.check import CheckFile
from exotwin.validation.scored import Coverage

ACCOUNTABLE = ("natural-history", "drug-response", "therapy-response", "safety")
"""Kinds of records that a module must account for."""


def coverage(
    files: Iterable[CheckFile], asked: Mapping[str, Iterable[CheckFile]], *, root: Path = SHIPPED
) -> Mapping[str, Coverage]:
    """The seen records of each module's dossiers, by what became of them.

    files : all files of checks: a record counts as checked, or as not testable, whichever module says so.
    asked : module -> the files of it whose dossiers count.

    Raises
    ------
    EvidenceError : a dossier that does not exist; a record called not testable that has a check.
    """
    every, files = tuple(records(seen=True).values()), tuple(files)
    checked = {name: c.where for file in files for c in file.checks for name in c.records}
    left_out = {name for file in files for entry in file.not_testable for name in entry.records}
    for file in files:
        for name in (n for entry in file.not_testable for n in entry.records):
            if name in checked:
                where = f"{file.name}.yaml, not testable, {name}"
                raise EvidenceError(where, found=f"a check on it: {checked[name]}", expected="one of the two")
    used = parameters_of(root)
    return {module: _of(module, mine, every, set(checked), used, left_out) for module, mine in asked.items()}


def parameters_of(root: Path = SHIPPED) -> frozenset[str]:
    """Records behind any number of the tables, or that any calibration is fitted to."""
    uses = Uses(root)
    found = {name for fit in calibrations(root=root) for name in uses.measured(fit)}
    for path in sorted(root.glob("*/*.csv")):
        lines = [x for x in read_text(path, error=EvidenceError).splitlines() if x.strip() and x.lstrip()[:1] != "#"]
        for row in csv.DictReader(lines, skipinitialspace=True):
            if (row.get("basis") or "").strip() == "input":
                continue
            for column in ("record", "spread_record"):
                found |= set((row.get(column) or "").split())
    return frozenset(name for name in found if not name.startswith("calibration:"))


def _of(
    module: str,
    files: Iterable[CheckFile],
    every: tuple[Record, ...],
    checked: set[str],
    used: frozenset[str],
    left_out: set[str],
) -> Coverage:
    dossiers = tuple(dict.fromkeys(d for file in files for d in file.dossiers))
    known = {one.dossier for one in every}
    for dossier in dossiers:
        if dossier not in known:
            raise EvidenceError(
                f"checks of {module}, dossiers",
                found=f'"{dossier}"',
                expected="one of " + ", ".join(sorted(known)),
                nearest=nearest(dossier, known),
            )
    groups: dict[str, list[str]] = {"checked": [], "parameter": [], "not_testable": [], "unaccounted": []}
    for one in every:
        if one.dossier not in dossiers or one.kind not in ACCOUNTABLE:
            continue
        if one.id in checked:
            groups["checked"].append(one.id)
        elif one.id in used:
            groups["parameter"].append(one.id)
        else:
            groups["not_testable" if one.id in left_out else "unaccounted"].append(one.id)
    return Coverage(module, dossiers, **{name: tuple(ids) for name, ids in groups.items()})
