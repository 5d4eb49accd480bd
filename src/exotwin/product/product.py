"""A product: what the laboratory measured on one lot, its verdicts and what a careful reader should be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from exotwin.errors import NotBuiltYet
from exotwin.product.parts import CellLot, SourceFile, Verdict, VesicleLot


@dataclass(frozen=True)
class Product:
    """One lot of cells, of vesicles, or of both.

    source_tissue : "umbilical cord", "bone marrow", "adipose", "dental pulp", …
    species : species of the donor cells, "human".
    synthetic : True for data that no instrument measured, such as the shipped example.
    cells, vesicles : None where the lot has none.
    verdicts : one a standard: "ISCT 2006" for cells, "MISEV2023" for vesicles.
    remarks : everything in the files that a careful reader should be told.
    """

    name: str
    source_tissue: str
    species: str
    synthetic: bool
    cells: CellLot | None
    vesicles: VesicleLot | None
    verdicts: tuple[Verdict, ...]
    files: tuple[SourceFile, ...]
    remarks: tuple[str, ...]
    note: str = ""

    @classmethod
    def from_toml(cls, path: str | Path) -> Product:
        """Read a product file and every instrument file that it names."""
        raise NotBuiltYet(str(path), found="a product file", expected="the reader of product files, being built")
