"""ZetaView size distributions (text, tabs, Latin-1, decimal comma or point).

The table of 5 nm bins is followed by a line of -1 and then by the same particles again in logarithmic bins; only the
first part is read. Concentrations are per cm³ of the measured dilution: the recorded factor is not applied in the file.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from exotwin.errors import ProductError
from exotwin.product.nta import NtaReading, SizeDistribution, capture_remarks, settle_dilution

_TABLE = "Size / nm"
_CONCENTRATION = "Concentration / cm-3"


def recognises(text: str) -> bool:
    """True for a ZetaView export."""
    return "ZetaView" in text[:3000] and _TABLE in text


def read(text: str, path: Path, *, dilution: float | None, where: str) -> NtaReading:
    """Size distribution of one position. Raises ProductError for an export that is damaged."""
    lines = [line.rstrip("\r") for line in text.split("\n")]
    start = next(i for i, line in enumerate(lines) if _TABLE in line)
    head = "\n".join(lines[:start])
    columns = [c.strip() for c in lines[start].split("\t")]
    if columns[0] != _TABLE or _CONCENTRATION not in columns:
        raise ProductError(
            f"{where}, line {start + 1}", found=", ".join(columns), expected=f'a column "{_CONCENTRATION}"'
        )
    at = columns.index(_CONCENTRATION)
    sizes: list[float] = []
    concentrations: list[float] = []
    for number, line in enumerate(lines[start + 1 :], start + 2):
        cells = line.split("\t")
        if len(cells) <= at:
            break
        size, concentration = (_number(cells[i], f"{where}, line {number}") for i in (0, at))
        if size < 0:  # the border to the same particles in logarithmic bins
            break
        sizes.append(size)
        concentrations.append(concentration)
    if not sizes:
        raise ProductError(f"{where}, line {start + 1}", found="no bins below it", expected="a table of bins")
    factor = settle_dilution(_field(head, "Dilution", where), dilution, where)
    reported = {
        name: value
        for name, label in (("d50", "Median Number (D50)"),)
        if (value := _field(head, label, where)) is not None
    }
    version = re.search(r"Software:\s*ZetaView \(version ([^)]*)\)", head)
    instrument = f"ZetaView {version[1]}" if version else "ZetaView"
    distribution = SizeDistribution(
        np.array(sizes), np.array([concentrations]), factor, reported, instrument, percentile_at="centre"
    )
    remarks = [*_checks(head, where), *capture_remarks(distribution.per_capture(), where)]
    return NtaReading(distribution, instrument, (path,), tuple(remarks))


def _number(text: str, where: str) -> float:
    try:
        return float(text.strip().replace(",", "."))
    except ValueError as fault:
        raise ProductError(where, found=f'"{text.strip()}"', expected="a number") from fault


def _field(head: str, label: str, where: str) -> float | None:
    """A number of the header: "label:", one colon or two, a tab, the value."""
    found = re.search(re.escape(label) + r"::?\t([^\t\n]+)", head)
    return _number(found[1], f"{where}, {label}") if found and found[1].strip() else None


def _checks(head: str, where: str) -> list[str]:
    """The instrument's own checks, where they are not good."""
    remarks = []
    for label in ("Particle Drift Check Result", "Cell Check Result"):
        found = re.search(re.escape(label) + r":\t([^\t\n]+)", head)
        if found and found[1].strip().lower() not in ("good", "very good", "ok"):
            remarks.append(f'{where}: {label.lower()} is "{found[1].strip()}"')
    traces = re.search(r"Number of Traces:\t(\d+)", head)
    if traces and int(traces[1]) < 500:
        remarks.append(f"{where}: {traces[1]} traces; at least 500 are usual (nta-qc-rules)")
    return remarks
