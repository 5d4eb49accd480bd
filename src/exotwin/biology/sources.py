"""Where cells come from: the numbers that differ between umbilical cord, marrow, fat and dental pulp.

``modules/sources.csv`` has the columns of every table (see `exotwin.biology.parameters`) and ``source`` before them, as
the product file calls the tissue. A row takes the place of the row of the same name in the tables of cells and culture,
for a study whose product, or whose check, names the source.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from exotwin.biology.parameters import COLUMNS, OF_FITS, Parameter, read_parameter
from exotwin.errors import BiologyError
from exotwin.tables import read_csv


def read_sources(path: Path, species: str, *, names: Container[str]) -> Mapping[str, Mapping[str, Parameter]]:
    """Source of cells -> name -> the number that takes the place of the model's own.

    Parameters
    ----------
    names : parameters of the model; rows of others are left out, and with them a source that has no other row.

    Raises
    ------
    BiologyError : a cell that is not what its column asks for, no source, a name twice for one source and species.
    """
    found: dict[str, dict[str, Parameter]] = {}
    for row in read_csv(path, ("source", *COLUMNS), error=BiologyError):
        if not row["source"]:
            raise BiologyError(f"{row.where}, source", found="nothing", expected='a tissue, such as "umbilical cord"')
        filled = replace(row, cells=dict(row.cells) | dict.fromkeys(OF_FITS, ""))
        parameter, kinds = read_parameter(filled)
        if species not in kinds or parameter.name not in names:
            continue
        rows = found.setdefault(row["source"], {})
        if parameter.name in rows:
            raise BiologyError(
                row.where,
                found=f'"{parameter.name}" of {row["source"]} twice for {species}',
                expected="one row for each source and species",
            )
        rows[parameter.name] = parameter
    return MappingProxyType({source: MappingProxyType(rows) for source, rows in found.items()})
