"""The numbers of a module as its table has them, and how many of them rest on what."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from exotwin.biology import BASES, COLUMNS, OF_FITS, SHIPPED, SPECIES
from exotwin.errors import BiologyError, nearest
from exotwin.tables import read_text

_SHOWN = ("source", "label", *COLUMNS[:-1], "calibration", *OF_FITS, COLUMNS[-1])
_FIT = "calibration:"


@dataclass(frozen=True)
class Table:
    """The table of a module. rows : column -> cell as it stands, in the order of the file."""

    name: str
    rows: tuple[Mapping[str, str], ...]

    @property
    def shares(self) -> Mapping[str, float]:
        """Basis -> share of the numbers that have it."""
        counted = Counter(row["basis"] for row in self.rows)
        return {basis: counted[basis] / len(self.rows) for basis in BASES if self.rows}


def tables(root: Path = SHIPPED) -> Mapping[str, Path]:
    """Names of the tables of modules, species and conditions."""
    return {
        path.stem: path
        for folder in ("modules", "species", "conditions")
        for path in sorted((root / folder).glob("*.csv"))
    }


def table_of(module: str, *, species: str = "", root: Path = SHIPPED) -> Table:
    """The rows of a table that hold for ``species``, or all.

    Raises
    ------
    BiologyError : no such table or species; names the nearest.
    """
    known = tables(root)
    if module not in known:
        raise BiologyError(
            f'module "{module}"',
            found="no table of numbers",
            expected="one of " + ", ".join(known),
            nearest=nearest(module, known),
        )
    if species and species not in SPECIES:
        raise BiologyError(
            f'species "{species}"',
            found="no such species",
            expected="one of " + ", ".join(SPECIES),
            nearest=nearest(species, SPECIES),
        )
    text = read_text(known[module], error=BiologyError)
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    rows = [_row(cells) for cells in csv.DictReader(lines, skipinitialspace=True)]
    kept = [row for row in rows if not species or row["species"] == "all" or species in row["species"].split()]
    return Table(module, tuple(kept))


def _row(cells: Mapping[str, str | None]) -> Mapping[str, str]:
    told = {name: (cell or "").strip() for name, cell in cells.items()}
    named = {column: told.get(column, "").split() for column in ("record", "spread_record")}
    fits = [word.removeprefix(_FIT) for words in named.values() for word in words if word.startswith(_FIT)]
    told |= {column: " ".join(w for w in words if not w.startswith(_FIT)) for column, words in named.items()}
    told["calibration"] = " ".join(dict.fromkeys(fits))
    return {column: told[column] for column in _SHOWN if column in told}
