"""Numbers that take the place of the model's own: those of a source of cells, and those of a label.

``modules/sources.csv`` and ``modules/labels.csv`` have the columns of every table (see `exotwin.biology.parameters`)
and one before them: ``source``, as the product file calls the tissue that cells come from, or ``label``, what an
instrument sees of a vesicle. A row takes the place of the row of the same name in the tables of the modules, for a
study whose product, or whose check, names the source or the label.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from pathlib import Path
from types import MappingProxyType

from exotwin.biology.parameters import Parameter, read_parameter, read_rows
from exotwin.errors import BiologyError

_EXAMPLES = {"source": 'a tissue, such as "umbilical cord"', "label": 'a label, such as "indium"'}


def read_sources(
    path: Path, species: str, *, names: Container[str], kind: str = "source"
) -> Mapping[str, Mapping[str, Parameter]]:
    """Source of cells, or label -> name -> the number that takes the place of the model's own.

    Parameters
    ----------
    names : parameters of the model; rows of others are left out, and with them a source that has no other row.
    kind : the first column, "source" or "label".

    Raises
    ------
    BiologyError : a cell that is not what its column asks for, no source, a name twice for one source and species.
    """
    found: dict[str, dict[str, Parameter]] = {}
    for row in read_rows(path, first=kind):
        if not row[kind]:
            raise BiologyError(f"{row.where}, {kind}", found="nothing", expected=_EXAMPLES[kind])
        parameter, kinds = read_parameter(row)
        if species not in kinds or parameter.name not in names:
            continue
        rows = found.setdefault(row[kind], {})
        if parameter.name in rows:
            raise BiologyError(
                row.where,
                found=f'"{parameter.name}" of {row[kind]} twice for {species}',
                expected=f"one row for each {kind} and species",
            )
        rows[parameter.name] = parameter
    return MappingProxyType({source: MappingProxyType(rows) for source, rows in found.items()})
